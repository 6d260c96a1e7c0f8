"""`casemate check` and `casemate new`."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import jsonschema
import pytest

from casemate.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLES = ("nvl72", "camera", "dpa")


@pytest.mark.parametrize("name", EXAMPLES)
def test_new_writes_a_spec_that_checks(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / name
    assert main(["new", name, str(folder)]) == 0
    assert f"casemate build {folder}" in capsys.readouterr().out
    written = folder / "enclosure.toml"
    assert written.read_bytes() == (ROOT / "examples" / name / "enclosure.toml").read_bytes()
    assert [each.name for each in folder.iterdir()] == ["enclosure.toml"]
    assert written.stat().st_mode & 0o777 == 0o644
    assert main(["check", str(written)]) == 0
    assert f"{name}: good" in capsys.readouterr().out


def test_new_never_replaces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "enclosure.toml"
    target.write_text("mine")
    assert main(["new", "dpa", str(tmp_path), "--json"]) == 2
    captured = capsys.readouterr()
    assert "already there" in captured.err
    assert json.loads(captured.out)["error"]["remedy"] == "name another folder."
    assert target.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [target]


def test_new_with_a_file_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below", "a\0b", tmp_path / ("x" * 300)):
        assert main(["new", "dpa", str(place)]) == 2
        assert "Remedy" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "x"


def test_check_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(ROOT / "examples/nvl72/enclosure.toml"), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    # context.md 2.1: 8.74 m2 at 600 x 1068 x 2236.
    assert row["surface_m2"] == pytest.approx(8.74, abs=0.01)
    assert row["spec"]["protected"]["power_w"] == 132e3


def test_check_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    mass = schema["$defs"]["ProtectedTable"]["properties"]["mass"]
    assert mass["examples"] == ["1500 kg"] and mass["x-unit"] == "kg" and mass["pattern"]


def test_check_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "enclosure.toml"
    text = (ROOT / "examples/camera/enclosure.toml").read_text("utf-8")
    spec.write_text(text.replace("pod =", "podd ="))
    assert main(["check", str(spec)]) == 2
    err = capsys.readouterr().err
    assert f"{spec}: targets.podd: this key is unknown" in err and 'did you mean "pod"' in err


def test_new_on_a_file_system_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_link(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    assert main(["new", "dpa", str(tmp_path)]) == 0
    assert [each.name for each in tmp_path.iterdir()] == ["enclosure.toml"]
    (tmp_path / "enclosure.toml").write_text("mine")
    assert main(["new", "dpa", str(tmp_path)]) == 2
    assert (tmp_path / "enclosure.toml").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1
    assert "already there" in capsys.readouterr().err


def test_new_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    assert main(["new", "dpa", str(tmp_path)]) == 2
    assert "the disk is full" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
