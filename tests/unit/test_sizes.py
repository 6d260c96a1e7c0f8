"""Small rooms: files of at most 400 lines, functions of at most 50 (CONTRIBUTING.md, rule 3)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("src", "tests", "benchmarks")
FILE_LINES, FUNCTION_LINES, KERNEL_LINES = 400, 50, 80
"""A compiled kernel may be longer: every part that is split off is a call and a signature more."""
KNOWN = {"benchmarks/live.py:main": 58}
"""What waits to be split; it grows no longer."""


def too_long(name: str, text: str) -> Iterator[str]:
    """Yield what is too long in a file."""
    if text.count("\n") > FILE_LINES:
        yield f"{name}: {text.count(chr(10))} lines"
    for each in ast.walk(ast.parse(text)):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            assert each.end_lineno is not None
            lines = each.end_lineno - each.lineno + 1
            compiled = any("njit" in ast.unparse(mark) for mark in each.decorator_list)
            most = KERNEL_LINES if compiled else FUNCTION_LINES
            if lines > KNOWN.get(f"{name}:{each.name}", most):
                yield f"{name}:{each.name}: {lines} lines"


def test_files_and_functions_are_small() -> None:
    found = []
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            found += too_long(path.relative_to(ROOT).as_posix(), path.read_text())
    assert found == []


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("x = 1\n" * FILE_LINES, False),
        ("x = 1\n" * (FILE_LINES + 1), True),
        ("def f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1), False),
        ("def f():\n" + "    x = 1\n" * FUNCTION_LINES, True),
        ("class A:\n    def f(self):\n" + "        x = 1\n" * FUNCTION_LINES, True),
        ("@njit(cache=True)\ndef f():\n" + "    x = 1\n" * FUNCTION_LINES, False),
        ("@nb.njit(cache=True)\ndef f():\n" + "    x = 1\n" * KERNEL_LINES, True),
        ("async def f():\n" + "    x = 1\n" * FUNCTION_LINES, True),
    ],
)
def test_what_is_too_long_is_found(text: str, long: bool) -> None:
    assert bool(list(too_long("a.py", text))) == long
