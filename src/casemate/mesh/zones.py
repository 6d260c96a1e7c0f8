"""From the coarse cells of a layer to zones: a spine, ribs on both sides, terminals at its ends.

A spine runs from the left to the right end of a strip. Ribs hang on it, each at one place. The
traces above the spine and those below it are different nets, so a bridge over the spine joins two
nets instead of cutting one short, and a bridge elsewhere can cut out no more than one rib.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.mesh.ribs import EAST, NORTH, SOUTH, WEST, Dice, FlagArray, IntArray, hang_ribs
from casemate.mesh.strips import SMALLEST_SPINE, strips_of

VOID_ROWS = 2
"""Coarse rows above and below a spine's end that its terminals take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One strip: its spine's cells (row, column) from left to right, without the terminal voids.

    upright: the spine runs upwards instead, and what else is said of left and right, above and
    below holds with rows and columns exchanged.
    """

    index: int
    spine: IntArray
    upright: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """All zones of a layer.

    rib: rib number of each cell, -1 outside, -2 on a spine. tree: direction flags of the edges
    fixed so far (spines, rib roots). root: True at the cell where a rib hangs on its spine.
    """

    zones: tuple[Zone, ...]
    rib: IntArray
    tree: FlagArray
    root: npt.NDArray[np.bool_]


def plan_zones(
    inside: npt.NDArray[np.bool_],
    *,
    cells_per_side_max: int,
    rib_share: float,
    spine_shift: int,
    draw: npt.NDArray[np.uint8],
) -> ZonePlan:
    """Cut the cells into strips and each strip into a spine and ribs.

    inside: usable coarse cells, shape (rows, columns). cells_per_side_max: cells that one side of
    a spine may have (reach of the reader). rib_share: most of a side that one rib may hold.
    spine_shift: rows by which spines leave the middle of their strip, so that two layers do not
    have their terminals at one place.
    draw: random bytes for rib widths and roots.
    """
    from scipy import ndimage

    label, pieces = strips_of(inside, cells_per_side_max)
    rib = np.full(inside.shape, -1, dtype=np.int32)
    tree = np.zeros(inside.shape, dtype=np.uint8)
    root = np.zeros(inside.shape, dtype=np.bool_)
    zones: list[Zone] = []
    next_rib = 0
    dice = Dice(draw)
    windows = ndimage.find_objects(label + 1)
    for number, upright in pieces:
        window = windows[number]
        turn = _turned if upright else _as_is
        cells = turn(label[window] == number)
        spine = _spine(cells, spine_shift)
        if spine is None:
            continue
        spine = _clear_terminals(cells, spine)
        if len(spine) < SMALLEST_SPINE:
            continue
        edges = np.zeros(cells.shape, dtype=np.uint8)
        views = turn(rib[window]), edges, turn(root[window])
        next_rib = hang_ribs(cells, spine, *views, next_rib, rib_share, dice)
        tree[window] |= _turned(_exchanged(edges)) if upright else edges
        corner = np.array([edge.start for edge in window], dtype=np.int32)
        spine = (spine[:, ::-1] if upright else spine) + corner
        zones.append(Zone(index=len(zones), spine=spine, upright=upright))
    return ZonePlan(zones=tuple(zones), rib=rib, tree=tree, root=root)


def _as_is(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array


def _turned(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array.T


def _exchanged(flags: FlagArray) -> FlagArray:
    """Return direction flags with rows and columns exchanged: east with north, west with south."""
    up, right = (EAST | WEST), (NORTH | SOUTH)
    return ((flags & up) << 1 | (flags & right) >> 1).astype(np.uint8)


def _spine(cells: npt.NDArray[np.bool_], shift: int) -> IntArray | None:
    """Return the cheapest path from the leftmost to the rightmost column, near the middle row."""
    rows, columns = np.nonzero(cells)
    left, right = int(columns.min()), int(columns.max())
    if right - left < SMALLEST_SPINE + 3:
        return None
    middle = int(np.median(rows)) + shift
    if not rows.min() + VOID_ROWS < middle < rows.max() - VOID_ROWS:
        middle -= shift
    span = np.arange(left, right + 1)
    if cells[middle, left : right + 1].all():
        return np.stack([np.full_like(span, middle), span], axis=1).astype(np.int32)
    return _cheapest_path(cells, middle, left, right)


def _cheapest_path(
    cells: npt.NDArray[np.bool_], middle: int, left: int, right: int
) -> IntArray | None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    number = np.full(cells.shape, -1, dtype=np.int64)
    rows, columns = np.nonzero(cells)
    number[rows, columns] = np.arange(len(rows))
    heads, tails, costs = [], [], []
    for row_step, column_step in ((0, 1), (1, 0)):
        a = number[: cells.shape[0] - row_step, : cells.shape[1] - column_step]
        b = number[row_step:, column_step:]
        ok = (a >= 0) & (b >= 0)
        heads.append(a[ok])
        tails.append(b[ok])
        costs.append(1.0 + 0.02 * np.abs(rows[a[ok]] - middle))
    graph = coo_array(
        (np.concatenate(costs), (np.concatenate(heads), np.concatenate(tails))),
        shape=(len(rows), len(rows)),
    ).tocsr()
    ends = []
    for column in (left, right):
        candidates = rows[columns == column]
        row = int(candidates[np.abs(candidates - middle).argmin()])
        ends.append(int(number[row, column]))
    _, before = dijkstra(  # type: ignore[call-overload]
        graph, directed=False, indices=ends[0], return_predecessors=True
    )
    path = [ends[1]]
    while path[-1] != ends[0]:
        previous = int(before[path[-1]])
        if previous < 0:
            return None
        path.append(previous)
    order = np.array(path[::-1])
    return np.stack([rows[order], columns[order]], axis=1).astype(np.int32)


def _clear_terminals(cells: npt.NDArray[np.bool_], spine: IntArray) -> IntArray:
    """Free five cells at each end of the spine for the terminals; return the shorter spine.

    What lies outside the terminals is left to a rib, so that traces pass there: a whole column
    of cells if the piece has it, at a slanted rim too.
    """
    first, last = _ends(cells, spine, sheltered=True)
    if last - first <= SMALLEST_SPINE:
        first, last = _ends(cells, spine, sheltered=False)
    for end in (first, last):
        row, column = int(spine[end][0]), int(spine[end][1])
        cells[row - VOID_ROWS : row + VOID_ROWS + 1, column] = False
    return spine[first + 1 : last]


def _ends(cells: npt.NDArray[np.bool_], spine: IntArray, *, sheltered: bool) -> tuple[int, int]:
    """Return the first and the last place of a spine where terminals fit."""
    first, last = 1, len(spine) - 2
    while first < last and not _roomy(cells, spine, first, first + 1, sheltered):
        first += 1
    while last > first and not _roomy(cells, spine, last, last - 1, sheltered):
        last -= 1
    return first, last


def _roomy(
    cells: npt.NDArray[np.bool_], spine: IntArray, end: int, beside: int, sheltered: bool
) -> bool:
    """Return whether a terminal fits at `end`: free above and below, the spine leaves level.

    sheltered: the cells outside it are free too.
    """
    row, column = int(spine[end][0]), int(spine[end][1])
    level = int(spine[beside][0]) == row
    low, high = row - VOID_ROWS, row + VOID_ROWS + 1
    if not level or low < 0 or high > len(cells) or not cells[low:high, column].all():
        return False
    outside = 2 * column - int(spine[beside][1])
    return not sheltered or (0 <= outside < cells.shape[1] and bool(cells[low:high, outside].all()))
