"""A secret is whole or not there, and is never replaced."""

from __future__ import annotations

from pathlib import Path

from casemate.core.secret_file import make_once


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    make_once(path, b"first")
    make_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_half_of_an_earlier_try_is_in_nobody_s_way(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.with_name("key.new").write_bytes(b"ha")
    make_once(path, b"whole")
    assert path.read_bytes() == b"whole"
