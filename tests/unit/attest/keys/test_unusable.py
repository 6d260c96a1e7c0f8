"""When keys count as gone: with page, holder and store, before all of that is looked at again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from holder_scans import stop

from casemate.attest.keys.process import ProcessHolder
from casemate.attest.keys.protocol import Erasure, KeysGoneError
from casemate.control import erased
from casemate.testing.keyholders import FRAME
from outside_programs import needs_tpm


class Store:
    """A key store that answers `says` after `slow_s`, and shows `shows` when it is looked at."""

    def __init__(self, *, says: bool = True, shows: bool = True, slow_s: float = 0.0) -> None:
        self.says, self.shows, self.slow_s = says, shows, slow_s
        self.look: Callable[[], None] = lambda: None
        self.asked = False

    def begin_erase(self) -> None:
        self.asked = True

    def answered(self) -> bool:
        time.sleep(self.slow_s)
        return self.says

    def end_erase(self) -> bool:
        self.look()
        return self.shows

    def close(self) -> None:
        return


def erasure_with(store: Store) -> Erasure:
    holder = ProcessHolder(store=store)
    found = holder.zeroise()
    holder.close()
    return found


def test_keys_are_unusable_before_all_is_verified() -> None:
    """In the moment that counts as gone, the holder signs nothing any more."""
    store = Store()
    holder = ProcessHolder(store=store)
    refused: list[bool] = []

    def look() -> None:
        time.sleep(0.02)
        with pytest.raises(KeysGoneError):
            holder._evidence.sign(FRAME)
        refused.append(True)

    store.look = look
    erasure = holder.zeroise()
    holder.close()
    assert store.asked and refused == [True]
    assert erasure.unusable and erasure.complete
    assert erasure.unusable_s < erasure.stored_s - 0.01 <= erasure.verified_s


def test_a_store_that_is_slow_makes_gone_later() -> None:
    erasure = erasure_with(Store(slow_s=0.05))
    assert erasure.unusable and erasure.unusable_s >= 0.05


def test_a_store_that_lies_is_found_out() -> None:
    erasure = erasure_with(Store(says=True, shows=False))
    assert not erasure.unusable and not erasure.complete
    gone_s, verified_s = erased.times(erasure, 1e-3)
    assert gone_s == verified_s == 1e-3 + erasure.verified_s
    assert "NOT all gone" in erased.in_words(erasure, 1e-3)


def test_a_store_that_refused_at_first_counts_from_when_it_was_looked_at() -> None:
    store = Store(says=False)
    store.look = lambda: time.sleep(0.02)
    erasure = erasure_with(store)
    assert erasure.unusable and erasure.complete and erasure.unusable_s >= 0.02


def test_a_holder_whose_page_is_not_overwritten_counts_from_its_death() -> None:
    holder = ProcessHolder()
    stop(holder.pids[0])
    erasure = holder.zeroise()
    holder.close()
    assert not erasure.overwritten and not erasure.copied
    assert erasure.unusable and erasure.unusable_s == erasure.dead_s


def test_words_give_both_times() -> None:
    erasure = erasure_with(Store())
    gone_s, verified_s = erased.times(erasure, 0.25)
    assert 0.25 < gone_s <= verified_s
    assert erased.in_words(erasure, 0.25) == (
        f"keys are gone, {1e3 * gone_s:.2f} ms after the verdict; "
        f"verified after {1e3 * verified_s:.2f} ms"
    )


def test_tpm_answers_before_it_is_looked_at(tmp_path: Path) -> None:
    needs_tpm()
    from casemate.attest.keys.swtpm import SwTpm
    from casemate.attest.keys.tpm import TpmHolder
    from casemate.attest.keys.tpm_esys import TpmPlan
    from casemate.attest.keys.tpm_link import RC_HANDLE, read_public_command, response_code

    codes = []
    with SwTpm(tmp_path) as tpm:
        plan = TpmPlan(address=tpm.address, measured={11: bytes(range(32))})
        holder = TpmHolder(plan, fresh=True)
        store = holder._holder._store
        assert store is not None
        store.begin_erase()
        assert store.answered(), "the TPM says that the index is undefined"
        answer = holder._link.exchange(read_public_command(plan.nv_index))
        codes.append(response_code(answer))
        assert not store.answered(), "there is nothing to be erased a second time"
        erasure = holder.zeroise()
        holder.close()
    assert codes == [RC_HANDLE]
    assert erasure.unusable and erasure.complete
