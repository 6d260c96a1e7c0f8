"""Files of others that are served: unchanged, packaged, with their licence."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from fleet_kit import Kit

from casemate.fleet.web import entrance

STATIC = Path(str(resources.files("casemate.fleet.web"))) / "static"
VENDOR = STATIC / "vendor"


def changed(folder: Path) -> list[str]:
    """Return files that are not what `vendor.json` says, not there, or not named in it."""
    told = json.loads((folder / "vendor.json").read_text())["sha256"]
    there = {each.name for each in folder.iterdir()} - {"vendor.json"}
    wrong = [
        name for name in told.keys() & there
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != told[name]
    ]  # fmt: skip
    return sorted(wrong + list(told.keys() ^ there))


def test_files_of_others_are_as_they_came(tmp_path: Path) -> None:
    assert changed(VENDOR) == []
    for each in VENDOR.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    with (tmp_path / "uPlot.iife.min.js").open("ab") as file:
        file.write(b"//")
    (tmp_path / "other.js").write_text("")
    assert changed(tmp_path) == ["other.js", "uPlot.iife.min.js"]
    assert "MIT" in (VENDOR / "uPlot-LICENSE.txt").read_text()


def test_every_file_of_the_pages_is_in_the_wheel() -> None:
    root = STATIC.parents[4]
    if not (root / "pyproject.toml").exists():
        pytest.skip("this is not the source tree")
    told = tomllib.loads((root / "pyproject.toml").read_text())
    patterns = told["tool"]["setuptools"]["package-data"]["casemate.fleet.web"]
    web = STATIC.parent
    files = [
        each for each in web.rglob("*") if each.is_file() and each.suffix not in (".py", ".pyc")
    ]
    assert len(files) > 20
    for each in files:
        name = each.relative_to(web).as_posix()
        fitting = [one for one in patterns if fnmatch.fnmatch(name, one)]
        assert any(one.count("/") == name.count("/") for one in fitting), name


def test_every_file_that_is_named_is_served(kit: Kit) -> None:
    for name, (_, kind) in entrance._ASSETS.items():
        answer = kit.client().get(f"/static/{name}")
        assert answer.status_code == 200 and answer.headers["content-type"] == kind
        assert answer.content
    assert kit.client().get("/static/vendor.json").status_code == 404
