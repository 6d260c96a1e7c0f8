"""What is not here: a skip with its name, a failure where all are required, in one place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import outside_programs
from outside_programs import lacking, missing, needs, needs_tpm, not_collected, package, program

TESTS = Path(__file__).parents[1]
ELSEWHERE = re.compile(
    r"shutil\.which|importorskip|CASEMATE_REQUIRE_ALL|\bfind_spec\(\"|skipif\([^)]*find_spec"
)
"""How a test would look for a tool, or ask whether it is required, by itself."""
TELLS = {
    "outside_programs.py": "the one place",
    "unit/test_outside_programs.py": "these tests",
}


def gone(*_: object) -> None:
    return None


def test_what_is_here_is_found() -> None:
    assert program("sh").endswith("/sh")
    assert package("json").loads("1") == 1
    assert lacking("json", "no_such_package") == ["no_such_package"]
    assert not_collected("json") == []
    needs("json", "pytest")


@pytest.mark.parametrize(
    ("look", "name"),
    [
        (lambda: program("no-such-program", "suite"), r"no-such-program \(Debian: suite\)"),
        (lambda: package("no_such_package"), "the package no_such_package"),
        (lambda: needs("json", "no_such_package"), "the package no_such_package"),
        (lambda: missing("a folder", "is not in CASEMATE_DATA"), "a folder"),
    ],
)
def test_what_is_not_here_is_skipped_or_fails(
    monkeypatch: pytest.MonkeyPatch, look: Callable[[], object], name: str
) -> None:
    monkeypatch.delenv("CASEMATE_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match=name):
        look()
    monkeypatch.setenv("CASEMATE_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match=f"{name} is required here and missing"):
        look()


def test_a_machine_without_a_tpm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_programs, "found", gone)
    monkeypatch.delenv("CASEMATE_REQUIRE_ALL", raising=False)
    assert not outside_programs.tpm_there()
    with pytest.raises(pytest.skip.Exception, match="swtpm"):
        needs_tpm()
    monkeypatch.setenv("CASEMATE_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="swtpm"):
        needs_tpm()


def test_a_folder_of_tests_that_need_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEMATE_REQUIRE_ALL", raising=False)
    assert not_collected("json", "no_such_package") == ["test_*.py"]
    monkeypatch.setenv("CASEMATE_REQUIRE_ALL", "1")
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        not_collected("json", "no_such_package")


def test_no_test_looks_by_itself() -> None:
    names = {str(each.relative_to(TESTS)): each for each in TESTS.rglob("*.py")}
    assert [
        name
        for name, each in sorted(names.items())
        if name not in TELLS and ELSEWHERE.search(each.read_text(encoding="utf-8"))
    ] == []
    assert ELSEWHERE.search('gcore = shutil.which("gcore")')
    assert ELSEWHERE.search('@pytest.mark.skipif(importlib.util.find_spec("c2pa") is None)')
