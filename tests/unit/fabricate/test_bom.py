"""The bill of materials, read back with the csv and json modules."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from assembly_samples import camera

from casemate.fabricate.bom import COLUMNS, write_bom


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bom(tmp_path, camera())
    return tmp_path


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "bom.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_and_json_hold_the_same_rows(folder: Path) -> None:
    rows, document = _rows(folder), json.loads((folder / "bom.json").read_text())
    assert [row["name"] for row in rows] == [row["name"] for row in document["rows"]]
    assert tuple(rows[0])[: len(COLUMNS)] == COLUMNS
    assert document["total_usd"] == pytest.approx(480.0)


def test_source_travels_with_every_row(folder: Path) -> None:
    rows = _rows(folder)
    assert rows[0]["source"] == "quote, 2025"
    assert rows[1]["source"] == "a; b"


def test_missing_price_is_said_and_not_zero(folder: Path) -> None:
    document = json.loads((folder / "bom.json").read_text())
    assert document["without_price"] == ["=cmd"]
    assert document["rows"][1]["total_usd"] is None
    assert _rows(folder)[1]["total_usd"] == ""


def test_total_is_derived_when_absent(tmp_path: Path) -> None:
    row = {"id": "x", "quantity": 3, "unit_cost_usd": 2.5}
    write_bom(tmp_path, replace(camera(), bom=(row,)))
    document = json.loads((tmp_path / "bom.json").read_text())
    assert document["total_usd"] == 7.5
    assert document["without_source"] == ["x"]


def test_no_cell_is_a_spreadsheet_formula(folder: Path) -> None:
    cells = [cell for row in _rows(folder) for cell in row.values()]
    assert "'=cmd" in cells
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)
