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


def statements(within: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement: expressions, which are most of a tree, have none."""
    for each in ast.iter_child_nodes(within):
        if isinstance(each, ast.stmt):
            yield each
        if not isinstance(each, ast.expr):
            yield from statements(each)


def too_long(name: str, text: str) -> Iterator[str]:
    """Yield what is too long in a file."""
    if text.count("\n") > FILE_LINES:
        yield f"{name}: {text.count(chr(10))} lines"
    if text.count("\n") <= FUNCTION_LINES:
        return  # no room for a longer function
    for each in statements(ast.parse(text)):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            assert each.end_lineno is not None
            lines = each.end_lineno - each.lineno + 1
            if lines <= FUNCTION_LINES:
                continue
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
        ("try:\n    pass\nexcept A:\n    def f():\n" + "        x = 1\n" * FUNCTION_LINES, True),
        ("match a:\n  case 1:\n    def f():\n" + "        x = 1\n" * FUNCTION_LINES, True),
    ],
)
def test_what_is_too_long_is_found(text: str, long: bool) -> None:
    assert bool(list(too_long("a.py", text))) == long
