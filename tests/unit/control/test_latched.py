"""A latch that only one of memory and log knows is not forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from live_faults import Life
from small_enclosure import wait_for, wanted

from casemate.attest.token import peek
from casemate.control import memory_file
from casemate.control.setting import Setting
from casemate.control.states import Keys, State
from casemate.translog.bundle import read_bundle

pytestmark = pytest.mark.slow


def test_a_memory_that_knows_nothing_of_a_latch_in_the_log_is_lost(tmp_path: Path) -> None:
    life = Life(tmp_path)
    try:
        life.reaches("ARMED")
        life.far.cut = True
        life.reaches("TAMPERED")
        assert wait_for(
            lambda: any(
                peek(each)[1].kind == "last" for each in read_bundle(tmp_path / "evidence").entries
            )
        )
    finally:
        life.close()
    setting = Setting(wanted(tmp_path))
    try:
        assert setting.saved is not None and setting.saved.state is State.TAMPERED
        assert not setting.rolled_back
        entries = setting.log.next_index
        older = replace(setting.saved, state=State.ARMED, keys=Keys.LIVE)
    finally:
        setting.close()
    memory_file.keep(tmp_path / "run" / "machine.cbor", older, entries=entries)
    setting = Setting(wanted(tmp_path))
    try:
        assert setting.rolled_back
    finally:
        setting.close()
