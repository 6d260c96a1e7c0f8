"""From the coarse cells of a layer to the strips that zones are laid in.

A strip is cut where openings begin and where a net would be longer than the reader reaches. Beside
an opening strips can be short; pieces that are taller together than wide become one, whose spine
runs upwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]

LOWEST_STRIP = 9
"""Coarse rows: room for a spine, its terminals and ribs on both sides."""
LARGE_OPENING = 12
"""Coarse rows and columns of an opening that is worth a cut between strips."""
SMALLEST_SPINE = 3
"""Coarse cells: a piece that holds no shorter spine is left to the fingers of its neighbours."""
SHORT_STRIP = 48
"""Coarse columns below which a strip is joined to the one above, if both are short: a short spine
has few ribs, and one bridge cuts out much of a short net."""


class Piece(NamedTuple):
    """One connected piece of a strip: its label and whether its spine runs upwards."""

    label: int
    upright: bool


def strips_of(inside: npt.NDArray[np.bool_], per_side: int) -> tuple[IntArray, list[Piece]]:
    """Return the label of each cell (-1: none) and the pieces in order.

    inside: usable coarse cells. per_side: cells that one side of a spine may have.
    """
    label = _strips(inside, per_side)
    _join_short(label, per_side)
    return label, _pieces(label)


def _pieces(label: IntArray) -> list[Piece]:
    from scipy import ndimage

    found = []
    for number, window in enumerate(ndimage.find_objects(label + 1)):
        if window is not None:
            tall, wide = (edge.stop - edge.start for edge in window)
            found.append(Piece(number, wide < SHORT_STRIP and tall > wide))
    return found


def _join_short(label: IntArray, per_side: int) -> None:
    """Join short pieces that lie on one another while one spine can serve them."""
    from scipy import ndimage

    windows = ndimage.find_objects(label + 1)
    for number, window in enumerate(windows):
        if window is None or not _short(window):
            continue
        lower = number
        below = label[max(0, window[0].start - 1), window[1]]
        mine = label[window[0].start, window[1]] == number
        touching = np.unique(below[mine & (below >= 0) & (below != number)])
        for other in touching:
            beneath = ndimage.find_objects(label + 1)[int(other)]
            cells = int((label == lower).sum() + (label == other).sum())
            if beneath is not None and _short(beneath) and cells <= 2 * per_side:
                label[label == lower] = other
                lower = int(other)


def _short(window: tuple[slice, ...]) -> bool:
    return int(window[1].stop - window[1].start) < SHORT_STRIP


def _strips(inside: npt.NDArray[np.bool_], per_side: int) -> IntArray:
    """Label strips: cut at the middle of large openings, then evenly where still too tall."""
    from scipy import ndimage

    rows, columns = np.nonzero(inside)
    label = np.full(inside.shape, -1, dtype=np.int32)
    if len(rows) == 0:
        return label
    low, high = int(rows.min()), int(rows.max()) + 1
    width = int(columns.max()) - int(columns.min()) + 1
    tallest = max(LOWEST_STRIP, 2 * per_side // width)
    cuts = [low, *_opening_rows(inside, low, high, tallest), high]
    following = 0
    for begin, end in zip(cuts[:-1], cuts[1:], strict=True):
        count = max(1, -(-(end - begin) // tallest))
        edges = np.linspace(begin, end, count + 1).astype(int)
        for bottom, top in zip(edges[:-1], edges[1:], strict=True):
            pieces, found = ndimage.label(inside[bottom:top])
            band = label[bottom:top]
            band[pieces > 0] = pieces[pieces > 0] + (following - 1)
            following += int(found)
    _merge_crumbs(label)
    return label


def _opening_rows(inside: npt.NDArray[np.bool_], low: int, high: int, tallest: int) -> list[int]:
    """Return rows through the middle of openings, so that no spine has to pass behind one.

    Strips lower than the opening are cut by it anyway.
    """
    from scipy import ndimage

    holes, count = ndimage.label(~np.pad(inside, 1))
    rows: list[int] = []
    for number, place in enumerate(ndimage.find_objects(holes, count), start=1):
        if number == holes[0, 0] or min(edge.stop - edge.start for edge in place) < LARGE_OPENING:
            continue
        if place[0].stop - place[0].start > tallest:
            continue
        row = (place[0].start + place[0].stop) // 2 - 1
        apart = [abs(row - other) >= LOWEST_STRIP for other in (low, high, *rows)]
        if all(apart):
            rows.append(row)
    return sorted(rows)


def _merge_crumbs(label: IntArray) -> None:
    """Give pieces too narrow for a spine, stacked or alone, to the strip they touch most."""
    from scipy import ndimage

    windows = ndimage.find_objects(label + 1)
    narrow = [
        number
        for number, window in enumerate(windows)
        if window is not None and window[1].stop - window[1].start < SMALLEST_SPINE + 6
    ]
    crumb = np.isin(label, narrow)
    stacks, count = ndimage.label(crumb)
    for number, window in enumerate(ndimage.find_objects(stacks, count), start=1):
        rows = slice(max(0, window[0].start - 1), window[0].stop + 1)
        columns = slice(max(0, window[1].start - 1), window[1].stop + 1)
        mine = stacks[rows, columns] == number
        around = ndimage.binary_dilation(mine) & ~crumb[rows, columns]
        other = label[rows, columns][around]
        other = other[other >= 0]
        if len(other):
            label[rows, columns][mine] = np.bincount(other).argmax()
