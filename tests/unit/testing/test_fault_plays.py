"""Faults of disks at some points, at a thousand in make validate; planted ones are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.control import memory_file
from casemate.control.order import Keeper
from casemate.testing import faults
from casemate.testing.faults import DISK_FAULTS, Fault
from casemate.testing.key_store_faults import cut_key_store
from casemate.testing.unsafe_disk import UnsafeDisk
from outside_programs import needs_tpm


@pytest.mark.parametrize("fault", DISK_FAULTS, ids=lambda each: each.name)
def test_nothing_is_lost(fault: Fault) -> None:
    assert fault.play(60).points >= 55


@pytest.mark.slow
@pytest.mark.parametrize("fault", DISK_FAULTS[:3], ids=lambda each: each.name)
def test_nothing_is_lost_at_1000_points(fault: Fault) -> None:
    assert fault.play(1000).points == 1000


class Hasty(Keeper):
    """Writes over the old memory in place (planted)."""

    def write(self) -> None:
        assert self._newest is not None and self._disk is not None
        whole = UnsafeDisk()
        memory_file.keep(self._path, self._newest[1], entries=0, disk=whole)
        self._disk.put(self._path.name, whole.read(self._path.name))


class Forgetful(Keeper):
    """Says that memory is durable and writes every second one (planted)."""

    def write(self) -> None:
        assert self._newest is not None
        if self._newest[1].count % 2:
            super().write()


@pytest.mark.parametrize("planted", [Hasty, Forgetful])
def test_a_keeper_that_is_careless_is_found(planted: type[Keeper]) -> None:
    with pytest.raises(AssertionError):
        faults.cut_memory(300, planted)


def test_a_witness_that_answers_before_it_has_stored_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(UnsafeDisk, "sync_folder", lambda self, _folder: self._step())
    with pytest.raises(AssertionError):
        faults.cut_witness(200)


def test_a_log_that_does_not_sync_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.testing.unsafe_disk.UnsafeAppender.sync", lambda self: None)
    with pytest.raises(AssertionError):
        faults.cut_log(200)


@pytest.mark.slow
def test_erased_keys_do_not_come_back_in_the_key_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_tpm()
    monkeypatch.setenv("TSS2_LOG", "all+none")
    assert cut_key_store(6, tmp_path).points == 6
