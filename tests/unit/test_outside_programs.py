"""A program that is not here: a skip with its name, a failure where all are required."""

from __future__ import annotations

import pytest

from outside_programs import missing, program


def test_what_is_here_is_found() -> None:
    assert program("sh").endswith("/sh")


def test_what_is_not_here_is_skipped_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEMATE_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        program("no-such-program")
    monkeypatch.setenv("CASEMATE_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is required here"):
        program("no-such-program")
    with pytest.raises(pytest.fail.Exception):
        missing("a package")
