"""The guide's snippet runs, and its table is the table of drivers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casemate.sensors.drivers import DRIVERS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "guides" / "connect-a-reader.md").read_text()


@pytest.mark.timeout(20)
def test_the_snippet_runs_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(snippets) == 1
    exec(compile(snippets[0], "connect-a-reader.md", "exec"), {})
    assert capsys.readouterr().out.startswith("[0 1 2")


def test_every_driver_is_in_the_table_with_what_it_keys_and_how_far_it_is() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for each in DRIVERS:
        row = next(row for row in rows if f"`{each.id}`" in row)
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[2] == ", ".join(each.keys) and cells[3] == each.maturity
