"""Join the two hole certificates of a tile: the lattice inside, the drawn copper elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.design.enclosure import TileDesign
from casemate.mesh.decode import Decoded, incomplete, runs
from casemate.mesh.generate import Drawing
from casemate.mesh.holes.lattice import LatticeCertificate, lattice_bound
from casemate.mesh.holes.oblique import ObliqueCertificate, oblique_bound
from casemate.mesh.holes.region import RegionCertificate, RegionIndex, region_bound, region_index
from casemate.mesh.holes.strips import Pieces, strip_pieces
from casemate.mesh.model import VertexArray
from casemate.mesh.region import NM, Lattice, contains_grid, polygon_nm
from casemate.mesh.terminals import copper_span, core_nm

OBLIQUE_BOXES = 4_000_000
"""Boxes of place and direction after which the search at rims settles for a looser bound."""
OBLIQUE_SLACK_M = 6e-6
"""What the search at rims may add to the perpendicular figure: most places then need no search."""
EXACT_CELLS = 30_000
"""Rim cells above which the search over directions only decides whether the spec's tool passes:
the figure is then that tool's diameter, not the largest hole to a few micrometres."""
MAP_TOLERANCE_M = 6e-5
"""Slack of the map's figures: upper bounds all the same, for the eye."""
MAP_CELLS = 48
"""Cells along the longer side of the coverage map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoleFigures:
    """Certified upper bounds on drill diameters in metres; coverage: the report's map."""

    perpendicular_m: float
    any_direction_m: float
    per_layer_m: float
    empty_m: float
    rim_m: float
    detail: dict[str, dict[str, Any]]
    coverage: dict[str, Any]


def layer_strips(tile: TileDesign, drawing: Drawing) -> list[Pieces]:
    """Return the boundary lines of each layer's copper, in the working frame."""
    return [
        strip_pieces(
            working_vertices(drawing, layer.layer),
            trace_nm=drawing.mesh.trace_nm,
            end_trim_nm=tile.fab.via_pad_m / 2 * NM,
        )
        for layer in drawing.layers
    ]


def working_vertices(drawing: Drawing, layer: str) -> list[VertexArray]:
    """Return the centrelines of a layer's nets, x and y exchanged where the tile was turned."""
    swap = drawing.layers[0].swap
    return [
        np.ascontiguousarray(net.vertices[:, ::-1]) if swap else net.vertices
        for net in drawing.mesh.nets
        if net.layer == layer
    ]


def hole_figures(
    tile: TileDesign, drawing: Drawing, decoded: list[Decoded], strips: list[Pieces]
) -> HoleFigures:
    """Bound the largest holes of a drawn tile.

    decoded: each layer read back, outer first; strips: its boundary lines (layer_strips).
    """
    inner = _inner(tile, drawing)
    index, boxes = _region(tile, drawing, decoded, strips)
    layers = range(len(drawing.layers))
    joint = region_bound(index)
    alone = [region_bound(index, layers=[layer]) for layer in layers]
    untouched = [region_bound(index, layers=[layer], touch=True) for layer in layers]
    floor = max(inner.any_direction_m, joint.bound_m + OBLIQUE_SLACK_M)
    if len(boxes) > EXACT_CELLS:
        floor = max(floor, tile.mesh.hole_max_m)
    slanted = oblique_bound(
        index, depths_m=tile.stackup.depth_m, theta_max_rad=tile.mesh.theta_max_rad,
        floor_m=floor, tolerance_m=4e-6, max_boxes=OBLIQUE_BOXES,
    )  # fmt: skip
    per_layer = [
        max(row.bound_m, bound) for row, bound in zip(alone, inner.per_layer_m, strict=True)
    ]
    swap = drawing.layers[0].swap
    # a trace that is etched wider moves its far edge by half of that, at a corner by sqrt(2) more
    etch = math.sqrt(2.0) * tile.fab.width_tolerance * drawing.mesh.trace_nm / NM
    return HoleFigures(
        perpendicular_m=max(inner.perpendicular_m, joint.bound_m),
        any_direction_m=max(floor, slanted.bound_m),
        per_layer_m=max(per_layer),
        empty_m=max(inner.empty_any_direction_m, min(row.bound_m for row in untouched)),
        rim_m=joint.bound_m,
        detail={
            "perpendicular": _perpendicular(inner, joint, etch, swap),
            "any_direction": _any_direction(tile, inner, slanted, floor, etch),
            "per_layer": {
                "layers": dict(
                    zip((layer.layer for layer in drawing.layers), per_layer, strict=True)
                ),
                "inside_m": max(inner.per_layer_m),
                **_seen(max(alone, key=lambda row: row.bound_m), swap),
            },
            "empty": {"inside_m": inner.empty_any_direction_m},
            "rim": {**_seen(joint, swap), "cells_searched": len(boxes)},
        },
        coverage=_coverage(tile, index, boxes, inner, joint, swap),
    )


def _perpendicular(
    inner: LatticeCertificate, joint: RegionCertificate, etch_m: float, swap: bool
) -> dict[str, Any]:
    return {
        "inside_m": inner.perpendicular_m,
        "inside_seen_m": inner.found_m["perpendicular"],
        "worst_etch_m": max(inner.perpendicular_m, joint.bound_m) + etch_m,
        "rim_m": joint.bound_m,
        **_seen(joint, swap),
    }


def _any_direction(
    tile: TileDesign,
    inner: LatticeCertificate,
    slanted: ObliqueCertificate,
    floor_m: float,
    etch_m: float,
) -> dict[str, Any]:
    return {
        "inside_m": inner.any_direction_m,
        "inside_seen_m": inner.found_m["any_direction"],
        "worst_etch_m": max(floor_m, slanted.bound_m) + etch_m,
        "rim_m": slanted.bound_m,
        "decided_at_m": floor_m,
        "theta_max_rad": tile.mesh.theta_max_rad,
    }


def _seen(row: RegionCertificate, swap: bool) -> dict[str, Any]:
    place = [row.y_m, row.x_m] if swap else [row.x_m, row.y_m]
    if not math.isfinite(row.found_m) or not all(math.isfinite(value) for value in place):
        return {}
    return {"seen_m": row.found_m, "slack_m": row.bound_m - row.found_m, "at_m": place}


def _inner(tile: TileDesign, drawing: Drawing) -> LatticeCertificate:
    rules = tile.mesh
    base = drawing.layers[0].lattice
    offsets = tuple(
        (
            (layer.lattice.x_nm - base.x_nm) % base.pitch_nm / base.pitch_nm,
            (layer.lattice.y_nm - base.y_nm) % base.pitch_nm / base.pitch_nm,
        )
        for layer in drawing.layers
    )
    return lattice_bound(
        pitch_m=base.pitch_nm / NM,
        trace_m=drawing.mesh.trace_nm / NM,
        offsets=offsets,
        depths_m=tuple(tile.stackup.depth_m),
        theta_max_rad=rules.theta_max_rad,
        open_squares=True,
    )


def _region(
    tile: TileDesign, drawing: Drawing, decoded: list[Decoded], strips: list[Pieces]
) -> tuple[RegionIndex, npt.NDArray[np.float64]]:
    """Index the copper round all places where some layer's lattice is not complete."""
    base = drawing.layers[0].lattice
    swap = drawing.layers[0].swap
    depths = tile.stackup.depth_m
    slant = (max(depths) - min(depths)) * math.tan(tile.mesh.theta_max_rad) * NM
    reach = 3 + math.ceil(slant / base.pitch_nm)
    mask = incomplete(decoded[0].owner, reach)
    for layer in decoded[1:]:
        mask |= incomplete(layer.owner, reach + 1)
    board = polygon_nm(tile.outline, swap=swap)
    mask &= _on_board(base, board)
    boxes = _boxes(mask, base)
    rings = [np.asarray(board.exterior.coords)] + [np.asarray(r.coords) for r in board.interiors]
    index = region_index(
        [working_vertices(drawing, layer.layer) for layer in drawing.layers],
        strips=strips,
        trace_nm=drawing.mesh.trace_nm,
        pitch_nm=base.pitch_nm,
        boxes=boxes,
        outline=rings,
        end_trim_nm=tile.fab.via_pad_m / 2 * NM,
        vias=[_barrels(tile, drawing, layer.layer) for layer in drawing.layers],
    )
    return index, boxes


def _barrels(tile: TileDesign, drawing: Drawing, layer: str) -> npt.NDArray[np.float64]:
    """Return the via barrels and pads that have copper on a layer: rows (x, y, radius) in nm."""
    swap = drawing.layers[0].swap
    rows = [
        (t.y_nm, t.x_nm, core_nm(t)) if swap else (t.x_nm, t.y_nm, core_nm(t))
        for t in drawing.mesh.terminals
        if layer in copper_span(tile, t)
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _on_board(lattice: Lattice, board: Any) -> npt.NDArray[np.bool_]:
    rows, columns = lattice.shape
    x = lattice.x_nm + np.arange(columns) * float(lattice.pitch_nm)
    y = lattice.y_nm + np.arange(rows) * float(lattice.pitch_nm)
    return contains_grid(board.buffer(lattice.pitch_nm), x, y)


def _boxes(mask: npt.NDArray[np.bool_], lattice: Lattice) -> npt.NDArray[np.float64]:
    found = runs(mask, 1)
    half = lattice.pitch_nm / 2
    x0 = lattice.x_nm + found[:, 1] * lattice.pitch_nm - half
    x1 = lattice.x_nm + (found[:, 2] - 1) * lattice.pitch_nm + half
    y = lattice.y_nm + found[:, 0] * lattice.pitch_nm
    return np.stack([x0, y - half, x1, y + half], axis=1).astype(np.float64)


def _coverage(
    tile: TileDesign,
    index: RegionIndex,
    boxes: npt.NDArray[np.float64],
    inner: LatticeCertificate,
    joint: RegionCertificate,
    swap: bool,
) -> dict[str, Any]:
    """Return the map of certified perpendicular holes in micrometres, None off the board."""
    from shapely import box, prepare

    board = polygon_nm(tile.outline, swap=False)
    prepare(board)
    x_min, y_min, x_max, y_max = board.bounds
    cell = max(x_max - x_min, y_max - y_min) / MAP_CELLS
    columns, rows = (max(1, math.ceil((high - low) / cell)) for low, high in
                     ((x_min, x_max), (y_min, y_max)))  # fmt: skip
    places = boxes[:, [1, 0, 3, 2]] if swap else boxes
    column = np.clip(((places[:, 0] + places[:, 2]) / 2 - x_min) // cell, 0, columns - 1)
    row = np.clip(((places[:, 1] + places[:, 3]) / 2 - y_min) // cell, 0, rows - 1)
    key = (row * columns + column).astype(np.int64)
    cells: list[list[float | None]] = []
    for r in range(rows):
        line: list[float | None] = []
        for c in range(columns):
            corner = (x_min + c * cell, y_min + r * cell)
            if not board.intersects(box(*corner, corner[0] + cell, corner[1] + cell)):
                line.append(None)
                continue
            mine = key == r * columns + c
            worst = inner.perpendicular_m
            if mine.any():
                part = replace(index, boxes=boxes[mine])
                worst = max(worst, region_bound(part, tolerance_m=MAP_TOLERANCE_M).bound_m)
            line.append(round(worst * 1e6, 1))
        cells.append(line)
    place = (joint.y_m, joint.x_m) if swap else (joint.x_m, joint.y_m)
    finite = all(math.isfinite(value) for value in place)
    return {
        "cells": cells,
        "cell_m": cell / NM,
        "origin_m": [x_min / NM, y_min / NM],
        "worst": {
            "x_m": place[0] if finite else None,
            "y_m": place[1] if finite else None,
            "diameter_m": joint.bound_m,
        },
    }
