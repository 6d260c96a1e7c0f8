"""report.html: one self-contained, offline file for engineers and inspectors.

Nothing is fetched, nothing is timed: the bytes depend on the design, the proof and the files.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from casemate.core.errors import OutputError
from casemate.design.enclosure import Doubt, Enclosure
from casemate.fabricate.charts import (
    attenuation_svg,
    coverage_low_um,
    coverage_svg,
    has_place,
    scale_svg,
    thickness_svg,
)
from casemate.fabricate.figures import figure, labelled, millimetres, number
from casemate.fabricate.picture import picture_svg
from casemate.fabricate.viewer import viewer_data

MAX_BYTES = 8_000_000
"""A report that a mail system and an old laptop still take."""

_SEVERITY = {"error": 0, "critical": 1, "high": 2, "medium": 3, "low": 4}

__all__ = ["picture_svg", "report_html", "write_report"]


def write_report(
    path: Path,
    enclosure: Enclosure,
    proof: dict[str, Any],
    files: list[dict[str, Any]],
    coverage: dict[str, Any],
) -> None:
    """Write the report; see `report_html` for the shapes of the arguments."""
    text = report_html(enclosure, proof, files, coverage)
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def report_html(
    enclosure: Enclosure,
    proof: dict[str, Any],
    files: list[dict[str, Any]],
    coverage: dict[str, Any],
) -> str:
    """Return the report as HTML.

    proof: proof.json. files: {path, bytes, sha256}. coverage: tile id -> {cells: rows of hole
    diameters in µm, row 0 at the tile's lower edge, None outside; cell_m; worst: {x_m, y_m,
    diameter_m}}.
    """
    import jinja2

    assets = resources("casemate.fabricate") / "report_assets"
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(
        figure=figure, number=number, millimetres=millimetres, parts=_breakable
    )
    template = environment.from_string((assets / "report.html").read_text(encoding="utf-8"))
    css = (assets / "report.css").read_text(encoding="utf-8")
    script = (assets / "viewer.js").read_text(encoding="utf-8")
    view = _context(enclosure, proof, files, coverage)
    text = template.render(css=_safe(css), script=_safe(script), **view)
    if len(text.encode()) > MAX_BYTES:
        raise OutputError(
            f"the report of {enclosure.name} takes {len(text.encode()) / 1e6:.1f} MB, more than "
            f"{MAX_BYTES / 1e6:.0f} MB.",
            remedy="lower the resolution of the coverage maps that are passed to the report.",
        )
    return text


def _context(
    enclosure: Enclosure,
    proof: dict[str, Any],
    files: list[dict[str, Any]],
    coverage: dict[str, Any],
) -> dict[str, Any]:
    bound_um = max((tile.mesh.hole_max_m for tile in enclosure.tiles), default=0.0) * 1e6
    low_um = min(coverage_low_um(coverage), bound_um)
    maps = [
        (face.name, _safe(coverage_svg(enclosure, face.name, coverage, low_um)))
        for face in enclosure.faces
    ]
    found = verdict(enclosure, proof)
    data = json.dumps(viewer_data(enclosure, proof, coverage), separators=(",", ":"))
    return {
        "e": enclosure,
        "verdict": found,
        "headline": headline(found),
        "doubts": doubts_shown(enclosure, proof),
        "picture": _safe(picture_svg(enclosure)),
        "viewer": _safe(data.replace("<", "\\u003c")),
        "maps": [(name, svg) for name, svg in maps if svg] if coverage else [],
        "scale": _safe(scale_svg(low_um, bound_um)),
        "worst": worst_places(enclosure, coverage),
        "summary": proof_summary(proof),
        "proof": proof,
        "attenuation": _safe(attenuation_svg(enclosure.shielding)),
        "terms": _terms(enclosure.shielding),
        "shielding": _plain(enclosure.shielding),
        "air": _plain(enclosure.air),
        "thickness": _safe(thickness_svg(enclosure)),
        "totals": [labelled(key, value) for key, value in enclosure.totals.items()],
        "alternatives": [
            (a, [labelled(key, value) for key, value in a.totals.items()])
            for a in enclosure.alternatives
        ],
        "files": [_file(file) for file in files],
    }


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # our own markup; every value in it was escaped where it was made


def _breakable(text: str) -> Any:
    """Return a dotted name that a narrow column may break after a dot or underscore."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(text))))


def verdict(enclosure: Enclosure, proof: dict[str, Any]) -> dict[str, Any]:
    """Return the headline: counts of targets met and properties that hold, and `good`."""
    rows = _properties(proof)
    met = sum(1 for target in enclosure.targets if target.met)
    holds = sum(1 for _, row in rows if row.get("holds"))
    counted = {*_failing(proof), *(f"target.{t.id}" for t in enclosure.targets if not t.met)}
    errors = sum(1 for d in enclosure.doubts if d.severity == "error" and d.id not in counted)
    return {
        "targets": len(enclosure.targets),
        "met": met,
        "properties": len(rows),
        "hold": holds,
        "good": bool(enclosure.targets and rows and not errors)
        and met == len(enclosure.targets)
        and holds == len(rows),
        "unmet": [target for target in enclosure.targets if not target.met],
        "broken": [(place, row) for place, row in rows if not row.get("holds")],
        "fine_cells": sum(int(tile.get("fine_cells", 0)) for tile in proof.get("tiles", [])),
        "nets": sum(_count(tile.get("nets", 0)) for tile in proof.get("tiles", [])),
        "errors": errors,
        "high": sum(1 for doubt in enclosure.doubts if doubt.severity in ("critical", "high")),
    }


def headline(found: dict[str, Any]) -> str:
    """Return the verdict as one sentence."""
    if found["good"]:
        return "Every target is met and every proved property holds."
    parts = []
    if found["met"] < found["targets"]:
        parts.append(f"{found['targets'] - found['met']} of {found['targets']} targets not met")
    if found["hold"] < found["properties"]:
        broken = found["properties"] - found["hold"]
        parts.append(f"{broken} of {found['properties']} proved properties fail")
    if found["errors"]:
        parts.append(
            f"{found['errors']} errors of design" if found["errors"] > 1 else "1 error of design"
        )
    if not found["targets"]:
        parts.append("no target is stated")
    if not found["properties"]:
        parts.append("nothing is proved yet")
    text = ", ".join(parts)
    return text[0].upper() + text[1:] + "."


def _count(value: Any) -> int:
    return len(value) if isinstance(value, (list, tuple, dict)) else int(value)


def _properties(proof: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return every property with the id of its tile, seam or crossing."""
    return [
        (str(thing.get("id", "")), row)
        for group in ("tiles", "seams", "crossings")
        for thing in proof.get(group, [])
        for row in thing.get("properties", [thing] if "holds" in thing else [])
    ]


def _failing(proof: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what fails by the id of the doubt that it raises, place and property joined."""
    rows = [(place, row) for place, row in _properties(proof) if not row.get("holds")]
    return {f"{place}.{row.get('id', '')}": (place, row) for place, row in rows}


def doubts_shown(enclosure: Enclosure, proof: dict[str, Any]) -> list[Doubt]:
    """Return the doubts, the gravest first; one property that fails at many places is one row."""
    failing = _failing(proof)
    summary = {row["id"]: row for row in proof_summary(proof)}
    found: dict[str, Doubt] = {}
    for doubt in enclosure.doubts:
        if doubt.id not in failing:
            found[f"/{doubt.id}/{doubt.claim}"] = doubt
            continue
        name = str(failing[doubt.id][1].get("id", ""))
        whole = summary[name]
        row, unit = whole["row"], whole["row"].get("unit", "")
        found[name] = replace(
            doubt,
            id=name,
            claim=f"{name} holds everywhere",
            why=f"it fails at {whole['count'] - whole['hold']} of {whole['count']} places; worst "
            f"at {whole['place']}: {figure(row.get('figure'), unit)} against "
            f"{figure(row.get('bound'), unit)}. Every place is under Proof.",
        )
    return sorted(found.values(), key=lambda d: (_SEVERITY.get(d.severity, 9), d.id))


def proof_summary(proof: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a property id: its worst place, figure and bound, and how many hold."""
    groups: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for place, row in _properties(proof):
        groups.setdefault(str(row.get("id", "")), []).append((place, row))
    found = []
    for name, rows in groups.items():
        place, worst = max(rows, key=lambda item: _badness(item[1]))
        found.append(
            {
                "id": name,
                "count": len(rows),
                "hold": sum(1 for _, row in rows if row.get("holds")),
                "place": place,
                "row": worst,
            }
        )
    return found


def _badness(row: dict[str, Any]) -> tuple[bool, float]:
    """Order rows of one property: what fails first, then what comes closest to its bound."""
    value, bound = row.get("figure"), row.get("bound")
    if not isinstance(value, (int, float)):
        return not row.get("holds"), 0.0
    if not isinstance(bound, (int, float)):
        return not row.get("holds"), float(value)
    upward = (value <= bound) == bool(row.get("holds"))
    return not row.get("holds"), float(value - bound if upward else bound - value)


def worst_places(enclosure: Enclosure, coverage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tiles with their worst place, largest hole first."""
    found = [
        {
            "tile": tile.id,
            "face": tile.face,
            "x_m": entry["worst"]["x_m"],
            "y_m": entry["worst"]["y_m"],
            "diameter_m": entry["worst"]["diameter_m"],
            "bound_m": tile.mesh.hole_max_m,
            "holds": entry["worst"]["diameter_m"] <= tile.mesh.hole_max_m * (1 + 1e-12),
        }
        for tile in enclosure.tiles
        if (entry := coverage.get(tile.id)) and has_place(entry)
    ]
    return sorted(found, key=lambda row: (-row["diameter_m"], row["tile"]))


def _plain(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the figures of a result that are single values or short texts."""
    return [
        labelled(str(key), value)
        for key, value in values.items()
        if isinstance(value, (int, float, str, bool))
    ]


def _terms(shielding: dict[str, Any]) -> list[dict[str, str]]:
    """Return the terms of the attenuation with equation and source, if the design states them."""
    rows: list[dict[str, str]] = []
    stated = shielding.get("terms") or shielding.get("equations") or []
    pairs = stated.items() if isinstance(stated, dict) else ((None, row) for row in stated)
    for key, row in pairs:
        cells = row if isinstance(row, dict) else {"equation": str(row)}
        name = key or cells.get("path") or cells.get("id") or cells.get("name") or ""
        rows.append(
            {
                "name": str(name),
                "equation": str(cells.get("equation") or cells.get("formula") or ""),
                "source": str(cells.get("source") or ""),
            }
        )
    return rows


def _file(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": str(row.get("path") or row.get("name") or ""),
        "bytes": row.get("bytes", row.get("size")),
        "sha256": str(row.get("sha256") or row.get("digest") or ""),
    }
