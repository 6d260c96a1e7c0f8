"""`casemate build`: what goes wrong leaves the old output whole and says why."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from casemate.cli import main
from casemate.core.files import MARKER
from casemate.design.enclosure import Enclosure
from shared_builds import SECRET_HEX


@pytest.fixture(autouse=True)
def designed_once(small_design: Enclosure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The design has tests of its own; here it is made once."""
    monkeypatch.setattr("casemate.design.design_enclosure", lambda spec, serial: small_design)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a secret and an old output."""
    (tmp_path / "unit.secret").write_text(SECRET_HEX)
    out = tmp_path / "out"
    out.mkdir()
    (out / MARKER).write_text("")
    (out / "design.json").write_text("old")
    return tmp_path


def build(spec: Path, home: Path, *options: str) -> int:
    return main(["build", str(spec), "-o", str(home / "out"), "--secret-file",
                 str(home / "unit.secret"), "--workers", "1", *options])  # fmt: skip


def assert_intact(home: Path) -> None:
    assert sorted(path.name for path in home.iterdir()) == ["out", "unit.secret"]
    assert sorted(path.name for path in (home / "out").iterdir()) == [MARKER, "design.json"]
    assert (home / "out" / "design.json").read_text() == "old"


def fail_with(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> list[Path]:
    """Let an exporter write half a file, then fail."""
    calls: list[Path] = []

    def broken(folder: Path, *_: Any, **__: Any) -> None:
        calls.append(folder)
        if folder.is_dir():
            (folder / "half.gbr").write_text("G04 half*")
        raise error

    monkeypatch.setattr(name, broken)
    return calls


def test_an_interrupt_leaves_the_old_output(
    small_spec: Path, home: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    calls = fail_with(monkeypatch, "casemate.fabricate.write_tile", KeyboardInterrupt())
    assert build(small_spec, home) == 130
    assert calls
    assert "interrupted" in capsys.readouterr().err
    assert_intact(home)


def test_a_full_disk_says_so_and_leaves_the_old_output(
    small_spec: Path, home: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fail_with(monkeypatch, "casemate.fabricate.write_tile", full)
    assert build(small_spec, home, "--json") == 2
    shown = capsys.readouterr()
    assert "No space left" in shown.err and "Remedy" in shown.err
    assert "Traceback" not in shown.err
    assert json.loads(shown.out)["error"]["kind"] == "OutputError"
    assert_intact(home)


def test_a_folder_of_other_files_is_not_touched(
    small_spec: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "out" / MARKER).unlink()
    assert build(small_spec, home) == 2
    assert "did not write" in capsys.readouterr().err
    assert (home / "out" / "design.json").read_text() == "old"


def test_a_file_in_the_place_of_the_folder_is_refused(
    small_spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "unit.secret").write_text(SECRET_HEX)
    (tmp_path / "out").write_text("mine")
    assert build(small_spec, tmp_path) == 2
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["", "zz" * 32, "ab" * 31, "ab" * 33, "gr\u00fcn", "0x" + "ab" * 31]
)
def test_a_bad_secret_is_refused(
    small_spec: Path, home: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "unit.secret").write_text(text, encoding="utf-8")
    assert build(small_spec, home) == 2
    shown = capsys.readouterr().err
    assert "unit.secret" in shown and "Remedy" in shown
    assert text == "" or text not in shown, "the message repeats the secret"
    assert_intact(home)


def test_a_missing_secret_file_is_not_made_up(
    small_spec: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "unit.secret").unlink()
    assert build(small_spec, home) == 2
    assert "no such file" in capsys.readouterr().err
    assert not (home / "unit.secret").exists()


def test_a_secret_is_made_once_beside_the_spec(
    small_spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casemate.cli.build.SECRET_FILE", "made.secret")
    fail_with(monkeypatch, "casemate.fabricate.write_tile", KeyboardInterrupt())
    path = small_spec.parent / "made.secret"
    command = ["build", str(small_spec), "-o", str(tmp_path / "out"), "--workers", "1"]
    try:
        assert main(command) == 130
        first = path.read_text()
        assert len(bytes.fromhex(first.strip())) == 32
        assert path.stat().st_mode & 0o077 == 0
        assert main(command) == 130
        assert path.read_text() == first
    finally:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("options", [("--workers", "-1"), ("--kicad", "some"), ("--serial",)])
def test_wrong_arguments_are_wrong_usage(
    small_spec: Path, home: Path, options: tuple[str, ...]
) -> None:
    assert build(small_spec, home, *options) == 2
    assert_intact(home)


def test_a_missing_spec_is_bad_input(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(home / "none.toml", home) == 2
    assert "none.toml" in capsys.readouterr().err
    assert_intact(home)
