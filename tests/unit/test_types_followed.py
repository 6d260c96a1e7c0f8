"""Types that mypy does not follow are none that our code names."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def skipped() -> tuple[str, ...]:
    """The packages, and parts of such, whose types mypy takes for Any."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    rows = [row for row in config["overrides"] if row.get("follow_imports") == "skip"]
    assert config.get("follow_imports", "normal") == "normal"
    return tuple(name.removesuffix(".*") for row in rows for name in row["module"])


def named(text: str) -> set[str]:
    """The modules that a source imports, wherever in it, with what it takes from them."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{each.name}" for each in node.names}
    return found


def hidden(text: str, packages: tuple[str, ...]) -> set[str]:
    """What a source imports from these packages."""
    if not any(name.split(".")[0] in text for name in packages):
        return set()
    return {
        each
        for each in named(text)
        if any(each == name or each.startswith(name + ".") for name in packages)
    }


def test_our_code_imports_nothing_that_is_not_followed() -> None:
    packages = skipped()
    assert "sqlalchemy.orm" in packages
    files = [file for room in ("src", "benchmarks") for file in (ROOT / room).rglob("*.py")]
    assert len(files) > 700
    found = {str(file.relative_to(ROOT)): hidden(file.read_text(), packages) for file in files}
    assert {name: bad for name, bad in found.items() if bad} == {}


def test_an_import_of_such_a_package_is_found() -> None:
    packages = ("rich", "sqlalchemy.orm")
    assert hidden("import rich.table as t", packages) == {"rich.table"}
    assert hidden("def f():\n    from sqlalchemy import orm", packages) == {"sqlalchemy.orm"}
    assert hidden("from sqlalchemy.orm import Session", packages) == {"sqlalchemy.orm.Session"}
    assert hidden("import richer, sqlalchemy.ormer", packages) == set()
