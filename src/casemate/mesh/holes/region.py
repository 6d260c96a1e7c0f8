"""Certified largest hole of any drawn nets within given boxes: rims, crossings, seams, terminals.

Unlike the lattice bound it knows nothing of the pattern; it reads the copper's boundary lines.
Proofs and assumptions: docs/formats/hole-certificate.md, section 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import ProofError
from casemate.mesh.holes.strips import (
    Pieces,
    centre_pieces,
    disc_pieces,
    outline_pieces,
    strip_pieces,
)
from casemate.mesh.model import VertexArray

MAX_BOXES = 50_000_000
"""Boxes after which the search stops; the bound stays valid but is looser than asked."""

MARGIN_PITCHES = 3.0
"""Copper farther than this from every box is not read (which can only raise the bound)."""

Boxes = npt.NDArray[np.float64]
"""Shape (k, 4): x0, y0, x1, y1 in nanometres, all drill centres to be covered."""


Grid = tuple[float, float, float, int, int]
"""x0, y0 and side of the cells in nanometres; columns, rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionCertificate:
    """Upper bound on a drill's diameter over all centres in the boxes.

    bound_m is at least the floor that was given: below it nothing was searched. found_m: largest
    diameter seen, at x_m, y_m (nan if all lies below the floor). slack = bound_m - found_m.
    """

    bound_m: float
    found_m: float
    x_m: float
    y_m: float
    boxes: int


@dataclass(frozen=True, slots=True)
class RegionIndex:
    """Lines of the outline (row 0), of the layers, and their centrelines, in one grid."""

    pieces: Pieces
    starts: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    grid: Grid
    outline: Pieces
    boxes: Boxes
    layers: int
    half_nm: float


def region_index(
    layers: Sequence[Sequence[VertexArray]],
    *,
    trace_nm: float,
    pitch_nm: float,
    boxes: npt.NDArray[np.float64] | npt.NDArray[np.int32],
    outline: Sequence[npt.NDArray[np.float64] | npt.NDArray[np.int32]] = (),
    end_trim_nm: float = 0.0,
    vias: Sequence[npt.NDArray[np.float64]] = (),
    slant_m: float | None = None,
    strips: Sequence[Pieces] | None = None,
    touch: bool = True,
) -> RegionIndex:
    """Return the index that region_bound searches.

    layers: for each layer the centrelines of its nets, in nanometres. outline: rings of the board,
    outer and holes; a drill lies wholly inside it. Empty: no such limit. vias: for each layer the
    barrels that pass it or end there, rows (x, y, radius) in nanometres; a drill that holds a
    whole barrel severs its net. slant_m: how far aside a tilted drill runs between the first layer
    and any other (default 5 pitches); oblique_bound is looser, not wrong, where it runs farther.
    strips: what strip_pieces makes of each layer, if it is known. touch: False to leave out what
    only region_bound(touch=True) needs.
    """
    from casemate.mesh.holes._region_kernel import mark_boxes

    wanted = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if len(wanted) == 0 or not np.isfinite(wanted).all():
        raise ProofError("No region to bound.", remedy="Give at least one finite box.")
    slant = 5.0 * pitch_nm if slant_m is None else 1e9 * slant_m
    margin = MARGIN_PITCHES * pitch_nm + slant
    lo = wanted[:, :2].min(axis=0) - margin
    hi = wanted[:, 2:].max(axis=0) + margin
    cell = max(1.25 * pitch_nm, math.sqrt(float((hi - lo).prod()) / 4e6))
    nx, ny = (int(n) for n in np.ceil((hi - lo) / cell).astype(int) + 1)
    grid = (float(lo[0]), float(lo[1]), float(cell), nx, ny)
    mark = mark_boxes(wanted, margin, grid)
    edges = outline_pieces(outline)
    tables = [edges]
    barrels = list(vias) or [np.empty((0, 3))] * len(layers)
    if strips is None:
        strips = [strip_pieces(n, trace_nm=trace_nm, end_trim_nm=end_trim_nm) for n in layers]
    tables += [
        np.concatenate([lines, disc_pieces(discs)])
        for lines, discs in zip(strips, barrels, strict=True)
    ]
    tables += [centre_pieces(n) for n in layers] if touch else []
    starts, items = _gridded(tables, mark, grid)
    return RegionIndex(
        np.concatenate(tables), starts, items, grid, edges, wanted, len(layers), 0.5 * trace_nm
    )


def _gridded(
    tables: Sequence[Pieces], mark: npt.NDArray[np.bool_], grid: Grid
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return where each table's items begin in each cell, and the pieces that they name."""
    from casemate.mesh.holes._region_kernel import fill_grid

    starts, items = [], []
    pieces_before, items_before = 0, 0
    for table in tables:
        start, item = fill_grid(table, mark, grid)
        starts.append(start + np.int32(items_before))
        items.append(item + np.int32(pieces_before))
        pieces_before += len(table)
        items_before += len(item)
    return np.stack(starts), np.concatenate(items)


def region_bound(
    index: RegionIndex,
    *,
    layers: Sequence[int] | None = None,
    floor_m: float = 0.0,
    tolerance_m: float = 2e-6,
    touch: bool = False,
) -> RegionCertificate:
    """Return a certified bound on the largest perpendicular drill that severs nothing.

    layers: those that must all stay whole (default all; one for the per-layer figure). floor_m: a
    bound already known elsewhere; the result is the larger of it and this region's. touch: the
    largest drill that touches no copper instead.
    """
    from casemate.mesh.holes._region_search import search_places

    chosen = range(index.layers) if layers is None else layers
    first = 1 + (index.layers if touch else 0)
    rows = [0, *(first + k for k in chosen)]
    whole = rows == list(range(len(rows)))  # a view then: the table is large, the boxes may be few
    starts = index.starts[: len(rows)] if whole else index.starts[rows]
    places = squares(index.boxes)
    best, x, y, upper, count = search_places(
        places, math.inf, 0.5e9 * floor_m, 0.5e9 * tolerance_m, MAX_BOXES, len(index.outline) > 0,
        index.outline, index.half_nm if touch else 0.0, index.pieces, starts,
        index.items, index.grid,
    )  # fmt: skip
    return RegionCertificate(
        bound_m=2e-9 * upper, found_m=2e-9 * best, x_m=1e-9 * x, y_m=1e-9 * y, boxes=count
    )


def squares(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Return centres and half sides of squares that cover the boxes."""
    out = []
    size = boxes[:, 2:] - boxes[:, :2]
    aspect = np.maximum(size.max(axis=1), 1.0) / np.maximum(size.min(axis=1), 1.0)
    plain = aspect <= 1.5
    centre = 0.5 * (boxes[:, :2] + boxes[:, 2:])
    out.append(np.column_stack([centre, 0.5 * size.max(axis=1)])[plain])
    thin = boxes[~plain]
    if len(thin):
        wide = size[~plain]
        side = np.maximum(np.maximum(wide.min(axis=1), wide.max(axis=1) / 256.0), 1.0)
        count = np.maximum(1, np.ceil(wide / side[:, None])).astype(
            np.int64
        )  # one of each row is 1
        row = np.repeat(np.arange(len(thin)), count.max(axis=1))
        step = np.arange(len(row)) - np.repeat(
            np.cumsum(count.max(axis=1)) - count.max(axis=1), count.max(axis=1)
        )
        along = np.where(count[row] > 1, step[:, None], 0)
        middle = thin[row, :2] + side[row, None] * (along + 0.5)
        out.append(np.column_stack([middle, 0.5 * side[row]]))
    return np.concatenate(out)
