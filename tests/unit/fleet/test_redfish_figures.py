"""docs/redfish.md is what `make validate-redfish` writes, with no failure."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from outside_programs import needs

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "redfish.md"
ROW = re.compile(r"(?m)^\| (\S+) \S+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$")


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """The program that runs the validators; its folder is no package."""
    needs(
        "redfish_protocol_validator", "redfish_service_validator", "redfish_use_case_checkers"
    )  # fmt: skip
    folder = ROOT / "tests" / "redfish"
    spec = importlib.util.spec_from_file_location("redfish_tool", folder / "__main__.py")
    assert spec is not None and spec.loader is not None
    sys.path.insert(0, str(folder))
    try:
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        yield made
    finally:
        sys.path.remove(str(folder))


def test_the_page_is_what_the_tool_writes(tool: ModuleType) -> None:
    """Versions are those that are installed: another release has to be run first."""
    kept = PAGE.read_text(encoding="utf-8")
    found = {name: tuple(map(int, counts)) for name, *counts in ROW.findall(kept)}
    assert set(found) == set(tool.LEAST)
    assert tool.page(found) == kept
    for name, (passed, _, failed, _) in found.items():
        assert failed == 0
        assert passed >= tool.LEAST[name]


def test_a_validator_that_says_nothing_countable_is_no_result(tool: ModuleType) -> None:
    with pytest.raises(SystemExit):
        tool._counts([], "nothing")
    assert tool._counts([("3", "0", "1", "2")], "") == (3, 0, 1, 2)
