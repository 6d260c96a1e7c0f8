"""Gerber job file (.gbrjob): what the layers are, the stack-up and the rules, for the fab's CAM."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from casemate import __version__
from casemate.core.canonical import pretty_json
from casemate.fabricate.board import Board
from casemate.fabricate.sink import Row, open_sink


def write_job(folder: Path, board: Board, listed: list[Row], rows: list[Row]) -> None:
    """Write gerber/NAME-job.gbrjob. It carries no creation date, so that bytes repeat."""
    with open_sink(folder, f"gerber/{board.name}-job.gbrjob", rows) as sink:
        sink.raw(pretty_json(_job(board, listed)).encode())


def _job(board: Board, listed: list[Row]) -> dict[str, Any]:
    tile, fab = board.tile, board.tile.fab
    return {
        "Header": {
            "GenerationSoftware": {
                "Vendor": "Casemate",
                "Application": "casemate",
                "Version": __version__,
            }
        },
        "GeneralSpecs": {
            "ProjectId": {
                "Name": board.name,
                "GUID": board.guid,
                "Revision": __version__,
            },
            "Size": {"X": _mm(tile.width_m), "Y": _mm(tile.height_m)},
            "LayerNumber": len(board.layers),
            "BoardThickness": _mm(tile.stackup.thickness_m),
        },
        "DesignRules": [
            {
                "Layers": layers,
                "PadToPad": _mm(fab.space_min_m),
                "PadToTrack": _mm(fab.space_min_m),
                "TrackToTrack": _mm(fab.space_min_m),
                "MinLineWidth": board.mesh.trace_nm / 1e6,
            }
            for layers in (("Outer", "Inner") if len(board.layers) > 2 else ("Outer",))
        ],
        "FilesAttributes": [
            {
                "Path": row["path"],
                "FileFunction": row["function"],
                "FilePolarity": row["polarity"],
            }
            for row in listed
        ],
        "MaterialStackup": material_stackup(board),
    }


def material_stackup(board: Board) -> list[dict[str, Any]]:
    """Return the stack-up from outside to inside: mask, copper, dielectric with thickness in mm.

    Depths known from the design fix the dielectrics between mesh layers; what is left of the
    board's thickness is shared evenly among the others.
    """
    names = board.layers
    thickness = _dielectrics(board)
    rows: list[dict[str, Any]] = [{"Type": "SolderMask", "Name": "F.Mask"}]
    for index, name in enumerate(names):
        rows.append(
            {
                "Type": "Copper",
                "Thickness": _mm(board.tile.stackup.copper_m),
                "Name": name,
            }
        )
        if index < len(thickness):
            rows.append(
                {
                    "Type": "Dielectric",
                    "Thickness": _mm(thickness[index]),
                    "Name": f"{name}/{names[index + 1]}",
                }
            )
    rows.append({"Type": "SolderMask", "Name": "B.Mask"})
    return rows


def _dielectrics(board: Board) -> list[float]:
    stack = board.tile.stackup
    names = stack.copper
    known = {
        names.index(name): depth for name, depth in zip(stack.mesh, stack.depth_m, strict=True)
    }
    known.setdefault(0, 0.0)
    known.setdefault(len(names) - 1, stack.thickness_m - stack.copper_m)
    levels = sorted(known)
    gaps: list[float] = []
    for low, high in itertools.pairwise(levels):
        step = (known[high] - known[low]) / (high - low)
        gaps += [max(0.0, step - stack.copper_m)] * (high - low)
    return gaps


def _mm(value_m: float) -> float:
    return round(value_m * 1e3, 6)
