"""Ribs: what hangs on a spine, each at one place, and the random widths and places.

A bridge within a rib cuts out no more than the rib, so a rib holds a small share of its net.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
FlagArray = npt.NDArray[np.uint8]

EAST, NORTH, WEST, SOUTH = 1, 2, 4, 8
STEPS = ((EAST, 0, 1), (NORTH, 1, 0), (WEST, 0, -1), (SOUTH, -1, 0))
"""Flag, row step, column step of the four directions."""


class Dice:
    """Small uniform draws from a buffer of random bytes."""

    def __init__(self, draw: npt.NDArray[np.uint8]) -> None:
        self._words = draw[: len(draw) // 4 * 4].view("<u4")
        self._next = 0

    def below(self, limit: int) -> int:
        """Return a draw from 0 to limit - 1 (bias under limit / 2^32)."""
        word = int(self._words[self._next % len(self._words)])
        self._next += 1
        return word * limit >> 32


def hang_ribs(
    cells: npt.NDArray[np.bool_],
    spine: IntArray,
    rib: IntArray,
    tree: FlagArray,
    root: npt.NDArray[np.bool_],
    next_rib: int,
    rib_share: float,
    dice: Dice,
) -> int:
    """Hang ribs on both sides of a spine and write them down; return the next rib's number.

    cells: of the piece. rib, tree, root: views of the plan's arrays, written to. next_rib: number
    of the first. rib_share: most of a side that a rib should hold.
    """
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
    owner: IntArray, side: IntArray, half: int, places: int, rib_share: float, dice: Dice
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


def _sizes(narrow: bool, dice: Dice) -> tuple[int, int]:
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
    dice: Dice,
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
