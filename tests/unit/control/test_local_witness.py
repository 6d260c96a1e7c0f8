"""Witnesses that the command starts by itself."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from casemate.control import local_witness
from casemate.core.errors import ReaderError


@pytest.mark.parametrize("damaged", ["north", "south"])
def test_if_one_does_not_start_none_is_left(tmp_path: Path, damaged: str) -> None:
    """A start that was refused left the others behind, which wrote to folders put back since."""
    before = set(multiprocessing.active_children())
    (tmp_path / damaged).mkdir(mode=0o700)
    (tmp_path / damaged / "key.json").write_text('{"seed":')
    with pytest.raises(ReaderError, match=f"{damaged} does not start: .*cannot be read"):
        local_witness.start(tmp_path, ("north", "south"), {})
    assert set(multiprocessing.active_children()) <= before
    (tmp_path / damaged / "key.json").unlink()
    begun = local_witness.start(tmp_path, ("north", "south"), {})
    for each in begun:
        each.close()
    assert [each.process.exitcode for each in begun] == [0, 0]
