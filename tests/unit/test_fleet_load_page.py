"""docs/fleet-load.md is what `make bench` writes, and its targets are met as its figures say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fleet_page import Measured, judged, measured, page, read, write
from benchmarks.frame import Figure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fleet-load.md"
FIGURES = ("pushes a second, sustained", "cores at 27.8 pushes a second", "acknowledged, p99",
           "CPU time of the fleet page", "pushes refused or failed")  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_tool_writes(kept: str) -> None:
    assert page(read(kept)) == kept


def test_each_load_has_its_figures_its_date_and_its_machine(kept: str) -> None:
    loads = read(kept)
    assert "fleet" in {each.name for each in loads}
    for each in loads:
        assert {row[0] for row in each.rows} >= set(FIGURES)
        assert "pushes acknowledged" in each.what
        for said in (" UTC, ", " cores (", "Python 3.", "load of the machine"):
            assert said in each.where


def test_what_is_met_follows_from_the_figures(kept: str) -> None:
    rows = [row for each in read(kept) for row in each.rows]
    assert [row[4] for row in rows] == [judged(row) for row in rows]
    assert sum(bool(row[3]) for row in rows) >= 4


def test_what_does_not_depend_on_who_else_computes_is_met(kept: str) -> None:
    for each in read(kept):
        by_name = {row[0]: row for row in each.rows}
        for name in ("cores at 27.8 pushes a second", "CPU time of the fleet page",
                     "pushes refused or failed"):  # fmt: skip
            assert by_name[name][4] == "yes", name


def figure(value: float, name: str = "fleet", sense: str = ">=") -> Figure:
    return Figure(
        benchmark=name, name="rate", value=value, unit="1/s", target=26.6, sense=sense,
        note="what it was",
    )  # fmt: skip


def test_a_figure_that_misses_says_so_and_an_edited_one_is_noticed() -> None:
    missed = measured("fleet", [figure(26.0)], "here")
    assert missed.rows == (("rate", "26", "1/s", "≥ 26.6", "**no**"),)
    assert measured("fleet", [figure(27.0)], "here").rows[0][4] == "yes"
    assert measured("fleet", [figure(27.0, sense="<=")], "here").rows[0][4] == "**no**"
    assert judged((*missed.rows[0][:4], "yes")) == "**no**"


def test_a_load_that_was_not_measured_keeps_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    write(file, [figure(27.0), figure(20.0, "fleet-large")], ["fleet", "fleet-large"], 1.0)
    before = {each.name: each for each in read(file.read_text(encoding="utf-8"))}
    write(file, [figure(28.0)], ["fleet"], 2.0)
    after = {each.name: each for each in read(file.read_text(encoding="utf-8"))}
    assert after["fleet-large"] == before["fleet-large"]
    assert (after["fleet"].rows[0][1], before["fleet"].rows[0][1]) == ("28", "27")
    assert "load of the machine 2.0 before" in after["fleet"].where
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_a_row_that_lacks_a_cell_is_refused() -> None:
    text = page([Measured(name="a", what="b", where="c", rows=(("1", "2", "3", "4", "5"),))])
    assert read(text)[0].rows[0] == ("1", "2", "3", "4", "5")
    with pytest.raises(ValueError, match="cells"):
        read(text.replace("| 3 ", ""))
