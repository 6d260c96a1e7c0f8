"""Fabrication notes as JSON: what a fab must know that no drawing file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from casemate.core.canonical import pretty_json
from casemate.fabricate.board import MASK_MARGIN_NM, Board
from casemate.fabricate.excellon import drill_name, span_kind, spans
from casemate.fabricate.job import material_stackup
from casemate.fabricate.sink import Row, open_sink


def write_notes(folder: Path, board: Board, rows: list[Row]) -> None:
    """Write fabrication.json."""
    with open_sink(folder, "fabrication.json", rows) as sink:
        sink.raw(pretty_json(_notes(board)).encode())


def _notes(board: Board) -> dict[str, Any]:
    tile, fab, mesh = board.tile, board.tile.fab, board.mesh
    return {
        "tile": tile.id,
        "module": tile.module,
        "layout_commitment": mesh.commitment,
        "fab_profile": {"id": fab.id, "source": fab.source},
        "width_mm": _mm(tile.width_m),
        "height_mm": _mm(tile.height_m),
        "thickness_mm": _mm(tile.stackup.thickness_m),
        "copper_layers": list(board.layers),
        "mesh_layers": list(tile.stackup.mesh),
        "mesh_depth_mm": [_mm(depth) for depth in tile.stackup.depth_m],
        "planes": [
            {"layer": plane.layer, "net": plane.net, "contact": "none on the board"}
            for plane in board.planes
        ],
        "stackup": material_stackup(board),
        "trace_mm": mesh.trace_nm / 1e6,
        "space_mm": (mesh.pitch_nm - mesh.trace_nm) / 1e6,
        "minimum": {
            "trace_mm": _mm(fab.trace_min_m),
            "space_mm": _mm(fab.space_min_m),
            "drill_mm": _mm(fab.via_drill_m),
            "pad_mm": _mm(fab.via_pad_m),
        },
        "edge_clearance_mm": _mm(fab.edge_clearance_m),
        "tolerances": {
            "trace_width_share": fab.width_tolerance,
            "registration_mm": _mm(fab.registration_m),
        },
        "bend": _bend(board),
        "impedance_control": None,
        "solder_mask": {
            "expansion_mm": MASK_MARGIN_NM / 1e6,
            "openings": "inner face only",
        },
        "drills": _drills(board),
        "nets": len(mesh.nets),
        "segments": mesh.segments,
        "notes": _sentences(board),
    }


def _bend(board: Board) -> dict[str, Any] | None:
    """Return where and how an edge strip is bent: lines `y` in the tile's plane, outer copper out.

    None for a flat board.
    """
    bend = board.tile.bend
    if bend is None:
        return None
    return {
        "edge": bend.edge,
        "lines_y_mm": [_mm(at) for at in bend.line_m],
        "inside_radius_mm": _mm(bend.radius_m),
        "angle_deg": 90,
        "outside": board.layers[0],
        "legs_on": list(bend.faces),
    }


def _drills(board: Board) -> list[dict[str, Any]]:
    table = []
    for (first, last), holes in spans(board).items():
        sizes = sorted({(hole.drill_nm, hole.pad_nm) for hole in holes})
        for drill, pad in sizes:
            table.append(
                {
                    "file": drill_name(board, first, last),
                    "from": board.layers[first - 1],
                    "to": board.layers[last - 1],
                    "kind": span_kind(board, first, last),
                    "plated": True,
                    "drill_mm": drill / 1e6,
                    "pad_mm": pad / 1e6,
                    "count": sum((hole.drill_nm, hole.pad_nm) == (drill, pad) for hole in holes),
                }
            )
    return table


def _sentences(board: Board) -> list[str]:
    sentences = [
        "Seen from outside the enclosure, the first copper layer is the outer one.",
        "Do not repair, thieve, tear-drop or change the copper: its layout is the sensor.",
        "Cut-outs are routed along the profile; there are no holes without plating.",
        "Copper depths between mesh layers are security figures; report deviations over 10 %.",
        "Test every net for continuity and against its neighbours with netlist.ipc.",
    ]
    if board.holes:
        sentences.append("Terminals are vias in pads: fill and cap them (IPC-4761 type VII).")
    if any(hole.first == 1 for hole in board.holes):
        sentences.append("Vias that reach the outer face stay covered by solder mask there.")
    else:
        sentences.append("No via and no pad reaches the outer face.")
    if board.tile.bend is not None:
        sentences.append(
            "Form once between the lines under `bend`, first copper layer outside, over a"
            " mandrel of the inside radius; no crease, no second bend, no stiffener."
        )
    if not board.holes:
        sentences.append("Terminals are bare lands on the last copper layer; there are no holes.")
    if board.planes:
        sentences.append(
            "Planes have no terminal; they are contacted at assembly or left floating."
        )
    return sentences


def _mm(value_m: float) -> float:
    return round(value_m * 1e3, 6)
