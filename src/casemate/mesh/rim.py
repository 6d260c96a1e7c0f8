"""Fingers: traces pushed out to the rim of the region where the lattice leaves a sliver.

After `tours.bump_fill` no pair of free nodes is left beside a trace; what remains bare is less
than a pitch deep. There every second link is pushed outward by a part of the pitch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np
import numpy.typing as npt

from casemate.core._rows_kernel import put_rows
from casemate.mesh.region import Lattice

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

STEPS = 16
"""A finger's height is a multiple of pitch / STEPS: what stays bare by rounding is under 13 um."""
REACH = 4
"""Nodes along the edge of a cell of the search for clashes."""
SHORTEST = 0.5
"""Fingers shorter than this share of the pitch are left out unless a whole tip moves: their walls
would be shorter than the trace is wide, which is badly etched and proves nothing."""
SHORTEST_TIP = 0.25
"""The same where a whole tip moves on: less is not worth a vertex."""

Fingers = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Edge codes (node * 2 + turn, ascending) and signed heights in nm. turn 0: the link to the right,
pushed along y; turn 1: the link upwards, pushed along x."""


def push_fingers(
    lattice: Lattice,
    links: npt.NDArray[np.uint8],
    covered: npt.NDArray[np.bool_],
    region: BaseGeometry,
) -> Fingers:
    """Return the fingers of a whole layer."""
    candidates = _bare_links(links, covered)
    heights = _heights(lattice, links.shape[1], candidates, region)
    return choose_fingers(lattice, links.shape[1], candidates, heights, None)


def push_fingers_within(
    lattice: Lattice,
    links: npt.NDArray[np.uint8],
    covered: npt.NDArray[np.bool_],
    within: npt.NDArray[np.bool_],
    fixed: Fingers,
    walls: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], tuple[float, float, float]],
) -> Fingers:
    """Return the fingers of a window: those that stay and new ones between the nodes of `within`.

    walls: vias (rows x, y, radius), edges of the board (rows x0, y0, x1, y1), and the distances
    (to traces, to vias' centres, to edges) that centrelines keep.
    """
    from casemate.mesh._mend_kernel import finger_heights

    candidates = _bare_links(links, covered)
    rows, columns = np.divmod(candidates[:, 0], links.shape[1])
    far = within[rows + (candidates[:, 1] == 1), columns + (candidates[:, 1] == 0)]
    candidates = candidates[within[rows, columns] & far]
    origin = float(lattice.x_nm), float(lattice.y_nm)
    tall = finger_heights(candidates, links.shape[1], origin, float(lattice.pitch_nm), *walls)
    heights = tall // (lattice.pitch_nm // STEPS) * (lattice.pitch_nm // STEPS)
    return choose_fingers(lattice, links.shape[1], candidates, heights, fixed)


def choose_fingers(
    lattice: Lattice,
    columns: int,
    candidates: npt.NDArray[np.int64],
    heights: npt.NDArray[np.int64],
    fixed: Fingers | None,
) -> Fingers:
    """Return the fingers that keep a pitch from one another, the tallest first."""
    if len(candidates) == 0 and fixed is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    least = np.where(candidates[:, 3] > 0, SHORTEST_TIP, SHORTEST) * lattice.pitch_nm
    shortest = least.astype(np.int64)
    keep = heights >= shortest
    candidates, heights, shortest = candidates[keep], heights[keep], shortest[keep]
    tallest = np.argsort(-heights, kind="stable")
    candidates, heights, shortest = candidates[tallest], heights[tallest], shortest[tallest]
    if fixed is not None:
        first = np.stack(
            [fixed[0] // 2, fixed[0] % 2, np.sign(fixed[1]), np.zeros_like(fixed[0])], axis=1
        )
        candidates = np.concatenate([first, candidates])
        heights = np.concatenate([np.abs(fixed[1]), heights])
        shortest = np.concatenate([np.abs(fixed[1]), shortest])
    pitch = lattice.pitch_nm
    accepted = _apart(candidates, heights, shortest, columns, pitch, pitch // STEPS)
    chosen, tall = candidates[accepted > 0], accepted[accepted > 0]
    codes = chosen[:, 0] * 2 + chosen[:, 1]
    order = np.argsort(codes)
    return codes[order], (tall * chosen[:, 2])[order]


@nb.njit(cache=True, nogil=True)
def _bare_links(links, covered):  # type: ignore[no-untyped-def]
    """Return rows (node, turn, sign, tip) of links with no trace on the two nodes beside them.

    tip: 1 if the trace arrives from behind and leaves behind, so that pushing makes no new wall.
    """
    rows, columns = links.shape
    found = np.empty((8 * (rows + columns) + 1024, 4), dtype=np.int64)
    count = 0
    for r in range(rows):
        for c in range(columns):
            for turn in range(2):
                if links[r, c] & (1 << turn) == 0:
                    continue
                r1 = r + (turn == 1)
                c1 = c + (turn == 0)
                for sign in (-1, 1):
                    a = r + sign * (turn == 0)
                    b = c + sign * (turn == 1)
                    a1 = r1 + sign * (turn == 0)
                    b1 = c1 + sign * (turn == 1)
                    inside = a >= 0 and b >= 0 and a1 < rows and b1 < columns
                    if inside and (covered[a, b] or covered[a1, b1]):
                        continue
                    if count == len(found):
                        more = np.empty((2 * count, 4), dtype=np.int64)
                        put_rows(more, found)
                        found = more
                    found[count, 0] = r * columns + c
                    found[count, 1] = turn
                    found[count, 2] = sign
                    behind = _joined(links, r, c, turn, -sign) and _joined(
                        links, r1, c1, turn, -sign
                    )
                    found[count, 3] = 1 if behind else 0
                    count += 1
    return found[:count]


@nb.njit(cache=True, nogil=True)
def _joined(links, r, c, turn, sign):  # type: ignore[no-untyped-def]
    """Return whether a node is linked to its neighbour across a link of `turn`, on side `sign`."""
    flag = 2 if turn == 0 else 1
    if sign > 0:
        return links[r, c] & flag != 0
    if turn == 0:
        return r > 0 and links[r - 1, c] & flag != 0
    return c > 0 and links[r, c - 1] & flag != 0


def _heights(
    lattice: Lattice, columns: int, candidates: npt.NDArray[np.int64], region: BaseGeometry
) -> npt.NDArray[np.int64]:
    """Return the tallest allowed height of each candidate by bisection on containment."""
    import shapely

    shapely.prepare(region)
    pitch = lattice.pitch_nm
    x = lattice.x_nm + candidates[:, 0] % columns * pitch
    y = lattice.y_nm + candidates[:, 0] // columns * pitch
    level = candidates[:, 1] == 0
    sign = candidates[:, 2]
    low = np.zeros(len(candidates), dtype=np.int64)
    step = STEPS
    while step:
        tried = np.minimum(low + step, STEPS)
        tall = sign * tried * pitch // STEPS
        x1 = np.where(level, x + pitch, x + tall)
        y1 = np.where(level, y + tall, y + pitch)
        boxes = shapely.box(
            np.minimum(x, x1), np.minimum(y, y1), np.maximum(x, x1), np.maximum(y, y1)
        )
        low = np.where(shapely.covers(region, boxes), tried, low)
        step //= 2
    return low * pitch // STEPS


@nb.njit(cache=True, nogil=True)
def _apart(candidates, heights, shortest, columns, pitch, step):  # type: ignore[no-untyped-def]
    """Return the height of each candidate: the tallest that keeps a pitch from those before it.

    One that would have to be less than its `shortest` gets 0.

    Two fingers that share a node must point in different directions; one of them gets 0.
    """
    count = len(candidates)
    result = np.zeros(count, dtype=np.int64)
    head = nb.typed.Dict.empty(nb.int64, nb.int64)
    link = np.full(count, -1, dtype=np.int64)
    for k in range(count):
        r = candidates[k, 0] // columns
        c = candidates[k, 0] % columns
        height = heights[k]
        while height >= shortest[k] and _clashes(
            k, height, candidates, result, head, link, columns, pitch
        ):
            height -= step
        if height < shortest[k]:
            height = 0
        result[k] = height
        if height > 0:
            key = r // REACH * 1_000_003 + c // REACH
            link[k] = _first(head, key)
            head[key] = k
    return result


@nb.njit(cache=True, nogil=True)
def _clashes(k, height, candidates, result, head, link, columns, pitch):  # type: ignore[no-untyped-def]
    row = candidates[k, 0] // columns // REACH
    column = candidates[k, 0] % columns // REACH
    for br in range(row - 1, row + 2):
        for bc in range(column - 1, column + 2):
            other = _first(head, br * 1_000_003 + bc)
            while other >= 0:
                if _clash(candidates[k], height, candidates[other], result[other], columns, pitch):
                    return True
                other = link[other]
    return False


@nb.njit(cache=True, nogil=True)
def _first(head, key):  # type: ignore[no-untyped-def]
    if key in head:
        return head[key]
    return -1


@nb.njit(cache=True, nogil=True)
def _clash(one, height, two, tall, columns, pitch):  # type: ignore[no-untyped-def]
    if one[0] == two[0] and one[1] == two[1]:
        return True
    r1 = one[0] // columns
    c1 = one[0] % columns
    r2 = two[0] // columns
    c2 = two[0] % columns
    e1r = r1 + (one[1] == 1)
    e1c = c1 + (one[1] == 0)
    e2r = r2 + (two[1] == 1)
    e2c = c2 + (two[1] == 0)
    shared = (
        (r1 == r2 and c1 == c2)
        or (r1 == e2r and c1 == e2c)
        or (e1r == r2 and e1c == c2)
        or (e1r == e2r and e1c == e2c)
    )
    if shared:
        # side by side along one line and to the same side: their walls would coincide
        return one[1] == two[1] and one[2] == two[2]
    x1a, y1a, x1b, y1b = _box(one, height, c1, r1, pitch)
    x2a, y2a, x2b, y2b = _box(two, tall, c2, r2, pitch)
    dx = max(0, max(x1a - x2b, x2a - x1b))
    dy = max(0, max(y1a - y2b, y2a - y1b))
    return dx * dx + dy * dy < pitch * pitch


@nb.njit(cache=True, nogil=True)
def _box(row, height, c, r, pitch):  # type: ignore[no-untyped-def]
    x = c * pitch
    y = r * pitch
    if row[1] == 0:
        if row[2] > 0:
            return x, y, x + pitch, y + height
        return x, y - height, x + pitch, y
    if row[2] > 0:
        return x, y, x + height, y + pitch
    return x - height, y, x, y + pitch


@nb.njit(cache=True, nogil=True)
def polyline(nodes, columns, x0, y0, pitch, codes, heights):  # type: ignore[no-untyped-def]
    """Return the corner points in nm of a path of nodes with its fingers, shape (n, 2), int32."""
    out = np.empty((len(nodes) + 2 * min(len(codes), len(nodes)) + 2, 2), dtype=np.int32)
    count = np.int64(0)
    for k in range(len(nodes)):
        x = x0 + nodes[k] % columns * pitch
        y = y0 + nodes[k] // columns * pitch
        count = _append(out, count, x, y)
        if k + 1 == len(nodes):
            break
        low = min(nodes[k], nodes[k + 1])
        turn = 0 if abs(nodes[k] - nodes[k + 1]) == 1 else 1
        place = np.searchsorted(codes, low * 2 + turn)
        if place < len(codes) and codes[place] == low * 2 + turn:
            dx = heights[place] if turn == 1 else 0
            dy = heights[place] if turn == 0 else 0
            x1 = x0 + nodes[k + 1] % columns * pitch
            y1 = y0 + nodes[k + 1] // columns * pitch
            count = _append(out, count, x + dx, y + dy)
            count = _append(out, count, x1 + dx, y1 + dy)
    return out[:count].copy()


@nb.njit(cache=True, nogil=True)
def _append(out, count, x, y):  # type: ignore[no-untyped-def]
    """Append a vertex; drop the one before it if the three lie in line and in order."""
    if count >= 2:
        ax = out[count - 1, 0] - out[count - 2, 0]
        ay = out[count - 1, 1] - out[count - 2, 1]
        bx = x - out[count - 1, 0]
        by = y - out[count - 1, 1]
        if (ax == 0 and bx == 0 and ay * by > 0) or (ay == 0 and by == 0 and ax * bx > 0):
            count -= 1
    out[count, 0] = x
    out[count, 1] = y
    return count + 1
