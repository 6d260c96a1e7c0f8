"""design.json: the design in the form that others rely on (issue 2, last section)."""

from __future__ import annotations

from typing import Any

from casemate.core.geometry import Outline
from casemate.design.enclosure import (
    Alternative,
    Bend,
    CrossingDesign,
    Doubt,
    Enclosure,
    Target,
    TileDesign,
    TileFrame,
)

TOTALS = (
    "thickness_max_m",
    "mass_kg",
    "unit_cost_usd",
    "development_cost_usd",
    "install_h",
    "unavailability_min_per_year",
)
"""Keys of `totals`, in order."""


def design_json(enclosure: Enclosure) -> dict[str, Any]:
    """Return the JSON object of design.json, SI units, keys in a fixed order."""
    doors = {panel.face for panel in enclosure.panels if panel.door}
    return {
        "name": enclosure.name,
        "size_m": list(enclosure.size_m),
        "modules": [
            {
                "id": row.id,
                "function": row.function,
                "face": row.face,
                "maturity": row.maturity,
                "reason": row.reason,
                "runner_up": row.runner_up,
            }
            for row in enclosure.modules
        ],
        "faces": [
            {
                "name": row.name,
                "thickness_m": row.thickness_m,
                "budget_m": row.budget_m,
                "door": row.name in doors,
            }
            for row in enclosure.faces
        ],
        "tiles": [_tile(row) for row in enclosure.tiles],
        "crossings": [_crossing(row) for row in enclosure.crossings],
        "targets": [_target(row) for row in enclosure.targets],
        "doubts": [_doubt(row) for row in enclosure.doubts],
        "alternatives": [_alternative(row) for row in enclosure.alternatives],
        "totals": {key: enclosure.totals[key] for key in TOTALS},
    }


def _target(row: Target) -> dict[str, Any]:
    return {
        "id": row.id,
        "required": row.required,
        "achieved": row.achieved,
        "unit": row.unit,
        "met": row.met,
        "evidence": row.evidence,
    }


def _doubt(row: Doubt) -> dict[str, Any]:
    return {
        "id": row.id,
        "claim": row.claim,
        "why": row.why,
        "closes_with": row.closes_with,
        "severity": row.severity,
    }


def _alternative(row: Alternative) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "description": row.description,
        "changes": list(row.changes),
        "totals": dict(row.totals),
    }


def _tile(tile: TileDesign) -> dict[str, Any]:
    return {
        "id": tile.id,
        "face": tile.face,
        "module": tile.module,
        "width_m": tile.width_m,
        "height_m": tile.height_m,
        "layers": len(tile.stackup.copper),
        "pitch_m": tile.mesh.pitch_m,
        "trace_m": tile.mesh.trace_m,
        "outline": _outline(tile.outline),
        "bend": None if tile.bend is None else _bend(tile.bend),
        "frame": _frame(tile.frame),
        "laps": dict(tile.laps),
    }


def _frame(frame: TileFrame) -> dict[str, Any]:
    return {
        "origin_m": list(frame.origin_m),
        "x_axis": list(frame.x_axis),
        "y_axis": list(frame.y_axis),
        "inward": list(frame.inward),
    }


def _crossing(row: CrossingDesign) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "face": row.face,
        "tile": row.tile,
        "module": row.module,
        "centre_m": list(row.centre_m),
        "size_m": list(row.size_m),
    }


def _bend(bend: Bend) -> dict[str, Any]:
    return {
        "edge": bend.edge,
        "faces": list(bend.faces),
        "line_m": list(bend.line_m),
        "radius_m": bend.radius_m,
        "ends_m": list(bend.ends_m),
    }


def _outline(outline: Outline) -> dict[str, Any]:
    return {
        "exterior": [list(point) for point in outline.exterior],
        "holes": [[list(point) for point in ring] for ring in outline.holes],
    }
