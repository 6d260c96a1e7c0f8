"""The memory's file: what was kept comes back, and what does not read is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from machines import START

from casemate.control import memory_file
from casemate.control.states import State


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    path, now = tmp_path / "machine.cbor", replace(START, state=State.TAMPERED)
    memory_file.keep(path, now, entries=7)
    memory_file.keep(path, now, entries=8)
    found, entries = memory_file.recall(path, START)
    assert found is not None and found.state is State.TAMPERED and entries == 8
    assert [each.name for each in tmp_path.iterdir()] == ["machine.cbor"]


@pytest.mark.parametrize("cut", [0, 1, 20, -1])
def test_a_torn_file_is_no_memory(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "machine.cbor"
    memory_file.keep(path, START, entries=1)
    path.write_bytes(path.read_bytes()[:cut])
    assert memory_file.recall(path, START) == (None, 0)


def test_another_unit_has_no_memory_here(tmp_path: Path) -> None:
    path = tmp_path / "machine.cbor"
    memory_file.keep(path, START, entries=1)
    assert memory_file.recall(path, replace(START, serial="U-2")) == (None, 0)
    assert memory_file.recall(tmp_path / "none", START) == (None, 0)
