"""The bill of materials as CSV for people and JSON for programs, each row with its source."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from casemate.core.canonical import pretty_json
from casemate.design.enclosure import Enclosure

COLUMNS = (
    "id",
    "name",
    "function",
    "quantity",
    "unit",
    "unit_cost_usd",
    "total_usd",
    "origin",
    "interface",
    "maturity",
    "source",
)
"""Columns in this order; keys of a row beyond these follow, sorted by name."""


def write_bom(folder: Path, enclosure: Enclosure) -> None:
    """Write `bom.csv` and `bom.json` into `folder`; the bytes depend on the enclosure alone."""
    folder = Path(folder)
    rows = bom_rows(enclosure)
    (folder / "bom.csv").write_text(_csv(rows), encoding="utf-8", newline="")
    (folder / "bom.json").write_text(pretty_json(bom_document(enclosure)), encoding="utf-8")


def bom_document(enclosure: Enclosure) -> dict[str, Any]:
    """Return the JSON object of `bom.json`: rows, their sum, and what lacks a price or source."""
    rows = bom_rows(enclosure)
    priced = [row["total_usd"] for row in rows if row["total_usd"] is not None]
    return {
        "name": enclosure.name,
        "serial": enclosure.serial,
        "spec_digest": enclosure.spec_digest,
        "currency": "USD",
        "total_usd": math.fsum(priced),
        "without_price": [row["id"] for row in rows if row["total_usd"] is None],
        "without_source": [row["id"] for row in rows if not row["source"]],
        "rows": rows,
    }


def bom_rows(enclosure: Enclosure) -> list[dict[str, Any]]:
    """Return the rows with every column present; a missing figure is None, never zero."""
    return [_row(row) for row in enclosure.bom]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: row.get(key) for key in COLUMNS}
    for key in ("id", "name", "function", "unit", "origin", "interface", "maturity"):
        found[key] = "" if found[key] is None else str(found[key])
    found["source"] = _joined(found["source"])
    quantity, price = found["quantity"], found["unit_cost_usd"]
    if found["total_usd"] is None and quantity is not None and price is not None:
        found["total_usd"] = quantity * price
    for key in sorted(set(row) - set(COLUMNS)):
        found[key] = row[key]
    return found


def _joined(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "; ".join(str(part) for part in value)
    return "" if value is None else str(value)


def _csv(rows: list[dict[str, Any]]) -> str:
    extra = sorted({key for row in rows for key in row} - set(COLUMNS))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow((*COLUMNS, *extra))
    for row in rows:
        writer.writerow([_cell(row.get(key)) for key in (*COLUMNS, *extra)])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Return a cell; text that a spreadsheet would run as a formula gets a leading apostrophe."""
    if value is None or isinstance(value, (int, float)):
        return value
    text = _joined(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
