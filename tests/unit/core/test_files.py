"""An output folder appears whole or not at all, and never over files of others."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from casemate.core.errors import InputError, OutputError
from casemate.core.files import MARKER, replaced_folder


def write(target: Path, text: str) -> None:
    with replaced_folder(target) as folder:
        (folder / "a").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_written_and_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    write(target, "one")
    (target / "stale").write_text("x")
    write(target, "two")
    assert names(target) == sorted([MARKER, "a"])
    assert (target / "a").read_text() == "two"
    assert names(target.parent) == ["out"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), ValueError(), SystemExit(1)])
def test_fault_leaves_the_old_output_intact(tmp_path: Path, fault: BaseException) -> None:
    target = tmp_path / "out"
    write(target, "old")
    with pytest.raises(type(fault)), replaced_folder(target) as folder:
        (folder / "a").write_text("half")
        raise fault
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_fault_without_old_output_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), replaced_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("half")
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_failing_rename_brings_the_old_output_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    write(target, "old")
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if Path(to) == target and ".old." not in self.name:
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(KeyboardInterrupt):
        write(target, "new")
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_files_of_others_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(OutputError, match="did not write"):
        write(tmp_path, "new")
    with pytest.raises(OutputError, match="is a file"):
        write(tmp_path / "mine", "new")
    with pytest.raises(OutputError):
        write(tmp_path / "mine" / "below", "new")
    assert names(tmp_path) == ["mine"]


def test_evidence_is_never_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, "old")
    (target / "evidence").mkdir()
    with pytest.raises(InputError, match="evidence") as caught:
        write(target, "new")
    assert caught.value.exit_code == 2 and "-o" in caught.value.remedy
    assert (target / "a").read_text() == "old" and (target / "evidence").is_dir()
    assert names(tmp_path) == ["out"]
    (target / "evidence").rmdir()
    write(target, "new")
    assert (target / "a").read_text() == "new"


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "cannot be written")]
)
def test_full_and_read_only_disks_say_so(tmp_path: Path, number: int, said: str) -> None:
    target = tmp_path / "out"
    write(target, "old")
    with pytest.raises(OutputError, match=said) as caught, replaced_folder(target):
        raise OSError(number, os.strerror(number))
    assert caught.value.exit_code == 2 and caught.value.remedy
    assert (target / "a").read_text() == "old"
