"""Witnesses that are not those of the enclosure beside them are told, before anything begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.control.beside import check
from casemate.core.errors import InputError

NAMES = ("north", "south")


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    """The folder of two witnesses that have cosigned."""
    for name in NAMES:
        (tmp_path / "w" / name / "state").mkdir(parents=True)
        (tmp_path / "w" / name / "key.json").write_text("{}")
        (tmp_path / "w" / name / "state" / "aa").write_text("")
    return tmp_path / "w"


def test_witnesses_that_go_along_and_a_first_run_are_well(apart: Path, tmp_path: Path) -> None:
    check(apart, NAMES, size=3, new=False)
    check(tmp_path / "none", NAMES, size=0, new=True)
    (apart / "north" / "state" / "aa").unlink()
    (apart / "south" / "state" / "aa").unlink()
    check(apart, NAMES, size=0, new=True)  # a first run that ended before anything was cosigned


def test_a_folder_that_was_moved_without_them(apart: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not beside it") as caught:
        check(tmp_path / "moved", NAMES, size=3, new=False)
    assert str(tmp_path / "moved") in caught.value.remedy and caught.value.exit_code == 2
    (apart / "south" / "key.json").unlink()
    with pytest.raises(InputError, match="not beside it"):
        check(apart, NAMES, size=3, new=False)


def test_an_enclosure_that_was_built_anew_beside_those_of_before(apart: Path) -> None:
    with pytest.raises(InputError, match="know another one") as caught:
        check(apart, NAMES, size=0, new=True)
    assert "remove the witnesses' folder too" in caught.value.remedy


def test_evidence_that_was_taken_away_is_for_the_witnesses_to_tell(apart: Path) -> None:
    check(apart, NAMES, size=0, new=False)
