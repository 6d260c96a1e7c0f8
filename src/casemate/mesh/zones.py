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

from casemate.mesh.strips import SMALLEST_SPINE, strips_of

IntArray = npt.NDArray[np.int32]
FlagArray = npt.NDArray[np.uint8]

EAST, NORTH, WEST, SOUTH = 1, 2, 4, 8
STEPS = ((EAST, 0, 1), (NORTH, 1, 0), (WEST, 0, -1), (SOUTH, -1, 0))
"""Flag, row step, column step of the four directions."""
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
    dice = _Dice(draw)
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
        next_rib = _hang_ribs(cells, spine, *views, next_rib, rib_share, dice)
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


class _Dice:
    """Small uniform draws from a buffer of random bytes."""

    def __init__(self, draw: npt.NDArray[np.uint8]) -> None:
        self._words = draw[: len(draw) // 4 * 4].view("<u4")
        self._next = 0

    def below(self, limit: int) -> int:
        """Return a draw from 0 to limit - 1 (bias under limit / 2^32)."""
        word = int(self._words[self._next % len(self._words)])
        self._next += 1
        return word * limit >> 32


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
    return not sheltered or (
        0 <= outside < cells.shape[1] and bool(cells[low:high, outside].all())
    )


def _hang_ribs(
    cells: npt.NDArray[np.bool_],
    spine: IntArray,
    rib: IntArray,
    tree: FlagArray,
    root: npt.NDArray[np.bool_],
    next_rib: int,
    rib_share: float,
    dice: _Dice,
) -> int:
    rib[spine[:, 0], spine[:, 1]] = -2
    for (r0, c0), (r1, c1) in zip(spine[:-1], spine[1:], strict=True):
        _join(tree, int(r0), int(c0), int(r1), int(c1))
    # both ends stay open towards the terminals
    tree[spine[0][0], spine[0][1]] |= WEST
    tree[spine[-1][0], spine[-1][1]] |= EAST
    owner, side = _basins(cells, spine)
    taken = np.zeros(len(spine), dtype=np.bool_)
    for half in (0, 1):
        group = _groups(owner, side, half, len(spine), rib_share, dice)
        mine = (side == half) & (owner >= 0)
        number = np.where(mine, group[np.maximum(owner, 0)], -1)
        next_rib = _root_ribs(number, owner, spine, rib, tree, root, next_rib, taken, dice)
    return next_rib


def _basins(cells: npt.NDArray[np.bool_], spine: IntArray) -> tuple[IntArray, IntArray]:
    """Return for each cell the nearest spine place and the side (0 above, 1 below the spine)."""
    owner = np.full(cells.shape, -1, dtype=np.int32)
    side = np.full(cells.shape, -1, dtype=np.int32)
    wall = np.zeros(cells.shape, dtype=np.bool_)
    wall[spine[:, 0], spine[:, 1]] = True
    frontier: list[tuple[int, int]] = []
    for place in range(len(spine)):
        row, column = int(spine[place][0]), int(spine[place][1])
        after = spine[min(place + 1, len(spine) - 1)] - spine[max(place - 1, 0)]
        for row_step, column_step in ((1, 0), (-1, 0), (0, -1), (0, 1)):
            r, c = row + row_step, column + column_step
            if not _free(cells, wall, owner, r, c):
                continue
            owner[r, c] = place
            side[r, c] = 0 if int(after[1]) * row_step - int(after[0]) * column_step > 0 else 1
            frontier.append((r, c))
    if _grow_columns(cells, wall, owner, side, frontier):
        return owner, side
    while frontier:
        following = []
        for row, column in frontier:
            for row_step, column_step in ((1, 0), (-1, 0), (0, -1), (0, 1)):
                r, c = row + row_step, column + column_step
                if _free(cells, wall, owner, r, c):
                    owner[r, c] = owner[row, column]
                    side[r, c] = side[row, column]
                    following.append((r, c))
        frontier = following
    return owner, side


def _free(
    cells: npt.NDArray[np.bool_], wall: npt.NDArray[np.bool_], owner: IntArray, r: int, c: int
) -> bool:
    return bool(
        0 <= r < cells.shape[0]
        and 0 <= c < cells.shape[1]
        and cells[r, c]
        and not wall[r, c]
        and owner[r, c] < 0
    )


def _grow_columns(
    cells: npt.NDArray[np.bool_],
    wall: npt.NDArray[np.bool_],
    owner: IntArray,
    side: IntArray,
    frontier: list[tuple[int, int]],
) -> bool:
    """Fill straight up and down from the first cells; leave the rest to the search by steps."""
    free = cells & ~wall
    for row, column in frontier:
        if side[row, column] == 0:
            ahead = free[row + 1 :, column] & (owner[row + 1 :, column] < 0)
            count = len(ahead) if ahead.all() else int(np.argmin(ahead))
            place = slice(row, row + count + 1)
        else:
            ahead = (free[:row, column] & (owner[:row, column] < 0))[::-1]
            count = len(ahead) if ahead.all() else int(np.argmin(ahead))
            place = slice(row - count, row + 1)
        owner[place, column] = owner[row, column]
        side[place, column] = side[row, column]
    rest = free & (owner < 0)
    if not rest.any():
        return True
    near = np.zeros_like(rest)
    near[1:] |= rest[:-1]
    near[:-1] |= rest[1:]
    near[:, 1:] |= rest[:, :-1]
    near[:, :-1] |= rest[:, 1:]
    frontier[:] = [(int(r), int(c)) for r, c in np.argwhere((owner >= 0) & near)]
    return False


def _groups(
    owner: IntArray, side: IntArray, half: int, places: int, rib_share: float, dice: _Dice
) -> IntArray:
    """Return the group of each spine place: runs of places, each within the share if it can be.

    A run is two places at least, so that its tree has something to choose; where even two hold
    more than twice the share (small tiles), every second run on average is one place.
    """
    weight = np.bincount(owner[(side == half) & (owner >= 0)], minlength=places)
    limit = max(1.0, rib_share * weight.sum())
    narrow = bool(2.0 * np.median(weight) > 2.0 * limit)
    group = np.zeros(places, dtype=np.int32)
    current, size, load = 0, 0, 0.0
    least, goal = _sizes(narrow, dice)
    for place in range(places):
        heavy = size == 1 and load > limit and load > 1.5 * np.median(weight)
        full = heavy or (size >= least and (size >= goal or load + weight[place] > limit))
        if full and (narrow or places - place >= 2):
            current, size, load = current + 1, 0, 0.0
            least, goal = _sizes(narrow, dice)
        group[place] = current
        size += 1
        load += float(weight[place])
    return group


def _sizes(narrow: bool, dice: _Dice) -> tuple[int, int]:
    """Return how many places the next run takes at least and at most."""
    return (1 + dice.below(2) if narrow else 2), 2 + dice.below(3)


def _root_ribs(
    number: IntArray,
    owner: IntArray,
    spine: IntArray,
    rib: IntArray,
    tree: FlagArray,
    root: npt.NDArray[np.bool_],
    next_rib: int,
    taken: npt.NDArray[np.bool_],
    dice: _Dice,
) -> int:
    """Number the connected ribs and hang each at one place where the other side hangs none."""
    pieces, count = _label_equal(number)
    ok = pieces >= 0
    rib[ok] = pieces[ok] + next_rib
    contacts: list[list[tuple[int, int, int]]] = [[] for _ in range(count)]
    for place in range(len(spine)):
        row, column = int(spine[place][0]), int(spine[place][1])
        for _, row_step, column_step in STEPS:
            r, c = row + row_step, column + column_step
            if 0 <= r < rib.shape[0] and 0 <= c < rib.shape[1] and pieces[r, c] >= 0:
                contacts[pieces[r, c]].append((place, r, c))
    here: set[int] = set()
    for options in contacts:
        calm = [
            option
            for option in options
            if not taken[option[0]] and option[0] not in here and option[0] - 1 not in here
        ]
        calm = calm or [option for option in options if not taken[option[0]]] or options
        place, r, c = calm[dice.below(len(calm))]
        here.add(place)
        _join(tree, int(spine[place][0]), int(spine[place][1]), r, c)
        root[r, c] = True
    taken[list(here)] = True
    return next_rib + count


def _label_equal(number: IntArray) -> tuple[IntArray, int]:
    """Return connected pieces of equal number (4-neighbours), -1 where number < 0, and a count."""
    from scipy import ndimage

    # one labelling takes a third of the numbers at once; where two of them touch all the same,
    # these are labelled one by one, so that connected pieces never join two numbers
    label = np.full(number.shape, -1, dtype=np.int32)
    count = 0
    for remainder in range(3):
        chosen = (number >= 0) & (number % 3 == remainder)
        for value in _clashing(number, chosen):
            pieces, found = ndimage.label(number == value)
            label[pieces > 0] = pieces[pieces > 0] + (count - 1)
            count += int(found)
            chosen &= number != value
        pieces, found = ndimage.label(chosen)
        label[pieces > 0] = pieces[pieces > 0] + (count - 1)
        count += int(found)
    return label, count


def _clashing(number: IntArray, chosen: npt.NDArray[np.bool_]) -> list[int]:
    """Return numbers of `chosen` that touch another number of `chosen`."""
    clash: set[int] = set()
    for a, b, both in (
        (number[1:], number[:-1], chosen[1:] & chosen[:-1]),
        (number[:, 1:], number[:, :-1], chosen[:, 1:] & chosen[:, :-1]),
    ):
        differ = both & (a != b)
        clash.update(a[differ].tolist())
        clash.update(b[differ].tolist())
    return sorted(clash)


def _join(tree: FlagArray, r0: int, c0: int, r1: int, c1: int) -> None:
    for flag, row_step, column_step in STEPS:
        if (r0 + row_step, c0 + column_step) == (r1, c1):
            tree[r0, c0] |= flag
            tree[r1, c1] |= flag << 2 if flag < WEST else flag >> 2
