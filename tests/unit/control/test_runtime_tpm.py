"""The small enclosure with keys in a TPM: quotes in its log, restarts, a TPM that was changed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_enclosure import SmallFar, pretty, wait_for, wanted

from casemate.attest.claims import Boot
from casemate.attest.keys.protocol import CustodyError
from casemate.attest.keys.tpm import TpmHolder, forget
from casemate.attest.keys.tpm_esys import Esys, TpmPlan
from casemate.attest.keys.tpm_link import Link
from casemate.attest.quote import after_extend
from casemate.attest.reference import load
from casemate.attest.token import peek
from casemate.control.custody import Custody, accepted, quorum_of
from casemate.control.demo_parties import demo_parties
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
from casemate.translog.bundle import read_bundle
from casemate.translog.policy import parse
from casemate.verify import appraise
from outside_programs import needs_tpm

SOFTWARE, ANCHOR = b"\x01" * 32, b"\x02" * 48


@pytest.fixture(scope="module", autouse=True)
def needs() -> None:
    needs_tpm()


def lived(folder: Path, *, approve: bool = False) -> Any:
    """Run until it is armed and witnessed; return what the verifier says then."""
    live = Runtime(
        Setting(wanted(folder, keys="tpm")), SmallFar(),  # type: ignore[arg-type]
        approve=approve, recommission=False,
    )  # fmt: skip
    try:
        live.start()
        assert wait_for(lambda: live.status()["state"] == "ARMED"), pretty(live.status())
        time.sleep(2.0)
    finally:
        live.close()
    return appraise(
        read_bundle(folder / "evidence"),
        load((folder / "trust" / "reference.json").read_bytes()),
        parse((folder / "trust" / "policy").read_bytes()),
        now_s=int(time.time()),
    )


@pytest.fixture(scope="module")
def enclosure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("tpm") / "small"
    folder.mkdir()
    found = lived(folder)
    assert {each.id for each in found.findings if each.severity in ("alarm", "unknown")} == set()
    yield folder


def boots(folder: Path) -> list[Boot]:
    bodies = [peek(each)[1].body for each in read_bundle(folder / "evidence").entries]
    return [each for each in bodies if isinstance(each, Boot)]


def test_start_is_quoted_and_the_parties_know_the_tpm(enclosure: Path) -> None:
    (first,) = boots(enclosure)
    assert first.quote is not None
    known = load((enclosure / "trust" / "reference.json").read_bytes())
    assert known.units[0].enrolments[0].tpm is not None


@pytest.mark.slow
def test_start_after_power_off_is_quoted_by_the_same_tpm(enclosure: Path) -> None:
    found = lived(enclosure, approve=True)
    assert len(boots(enclosure)) == 2 and all(each.quote for each in boots(enclosure))
    kinds = {each.id for each in found.findings}
    assert not {each for each in kinds if each.startswith("quote.")}, kinds
    assert "boot.restart" in kinds


@pytest.fixture
def custody(tmp_path: Path) -> Iterator[Any]:
    """What makes custodies over one folder, each a power-on of its TPM."""
    parties = tuple(each.party for each in demo_parties(tmp_path / "parties"))
    open_now: list[Custody] = []

    def power_on() -> Custody:
        while open_now:
            open_now.pop().close()
        open_now.append(Custody("tpm", tmp_path, SOFTWARE, quorum_of(parties)))
        return open_now[0]

    yield power_on
    for each in open_now:
        each.close()


@pytest.mark.slow
def test_keys_of_the_start_before_are_found_once(custody: Any) -> None:
    made = custody().make(ANCHOR)
    keys = made.public()
    made.close()
    held = custody()
    found = held.found(ANCHOR, keys)
    assert found is not None and found.public() == keys
    found.close()
    assert held.found(ANCHOR, keys) is None, "the TPM gives seeds out once a reset"


def test_seeds_that_somebody_put_into_the_tpm_are_nobodys(custody: Any) -> None:
    """Whoever reaches the TPM can erase the seeds and put known ones in their place."""
    made = custody().make(ANCHOR)
    keys = made.public()
    made.close()
    held = custody()
    plan = held._plan(ANCHOR)
    assert forget(plan)
    with Link(plan.address) as link:
        thief = Esys(link)
        thief.measure(plan)
        thief.store(plan, b"\x07" * 64)
        thief.close()
    planted = TpmHolder(plan, sealed=True)
    assert planted.public() != keys
    planted.close()
    held = custody()
    assert held.found(ANCHOR, keys) is None


@pytest.mark.slow
def test_changed_tpm_is_refused_and_commissioned_only_knowingly(
    custody: Any, tmp_path: Path
) -> None:
    made = custody().make(ANCHOR)
    keys = made.public()
    made.close()
    custody().close()
    shutil.rmtree(tmp_path / "tpm")
    held = custody()
    assert held.found(ANCHOR, keys) is None
    with pytest.raises(CustodyError, match="not the TPM that was commissioned"):
        held.make(ANCHOR)
    (tmp_path / "tpm.root").unlink()
    held.make(ANCHOR).close()


def test_key_that_is_not_in_the_tpm_is_not_accepted(
    custody: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = custody().make(ANCHOR)
    known = accepted(holder)
    assert known is not None and known.attestation == holder.attestation_key
    shown = holder.identity()
    made_up = bytearray(shown.attestation)
    made_up[-1] ^= 1
    monkeypatch.setattr(
        TpmHolder, "identity", lambda _self: replace(shown, attestation=bytes(made_up))
    )
    with pytest.raises(CustodyError, match="prove its identity"):
        accepted(holder)
    holder.close()


def test_plan_measures_digests_of_any_suite(custody: Any) -> None:
    plan: TpmPlan = custody()._plan(ANCHOR)
    assert all(len(each) == 32 for each in plan.measured.values())
    assert len(after_extend(plan.measured[12])) == 32
