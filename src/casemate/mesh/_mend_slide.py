"""Compiled kernel of mending: moving a whole run, with the segments beside it.

Lengths in nanometres; chains as in `_mend_kernel`. A frame is (ax, ay, ux, uy, nx, ny): where a run
begins, its direction, and the direction in which it is pushed.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from casemate.core._rows_kernel import put
from casemate.mesh._mend_kernel import (
    FAR,
    height_allowed,
    row_reach2,
    segment_reach2,
    strip_reach2,
    strips_of,
    trims,
)

SIDE = 19
"""Samples along a side of the window in which a change is judged."""


@njit(cache=True, nogil=True)
def reach_field(x, y, step, other, inside, aim, near, count, chain, half, pad, barrels):  # type: ignore[no-untyped-def]
    """Return (cap, nearest, names) at the window's samples: what stops a drill there.

    cap: radius at which all but this layer's segments stop it, 0 where nothing is to be judged.
    nearest, names: squares of the four least reaches of segments, ascending, and the segments.
    """
    cap = np.zeros((SIDE, SIDE))
    nearest = np.full((SIDE, SIDE, 4), FAR * FAR)
    names = np.full((SIDE, SIDE, 4), -1, dtype=np.int64)
    strips = strips_of(near, count, chain, half, pad)
    for j in range(SIDE):
        for i in range(SIDE):
            if not inside[j, i] or other[j, i] <= aim:
                continue
            px = x + (i - (SIDE - 1) // 2) * step
            py = y + (j - (SIDE - 1) // 2) * step
            least = other[j, i]
            for m in range(len(barrels)):
                least = min(
                    least, math.hypot(barrels[m, 0] - px, barrels[m, 1] - py) + barrels[m, 2]
                )
            if least <= aim:
                continue
            cap[j, i] = least
            for m in range(count):
                value = row_reach2(px, py, strips[m], half)
                if value >= nearest[j, i, 3]:
                    continue
                place = 3
                while place > 0 and nearest[j, i, place - 1] > value:
                    nearest[j, i, place] = nearest[j, i, place - 1]
                    names[j, i, place] = names[j, i, place - 1]
                    place -= 1
                nearest[j, i, place] = value
                names[j, i, place] = near[m]
    return cap, nearest, names


@njit(cache=True, nogil=True)
def field_without(field, j, i, a, b, c):  # type: ignore[no-untyped-def]
    """Return the radius at which all but segments a, b and c stop a drill at a sample."""
    cap, nearest, names = field
    for m in range(4):
        name = names[j, i, m]
        if name != a and name != b and name != c:
            return min(cap[j, i], math.sqrt(nearest[j, i, m]))
    return cap[j, i]


@njit(cache=True, nogil=True)
def best_slide(  # type: ignore[no-untyped-def]
    x, y, aim, step, field, near, count, k, segments, frame, length, chain, half, pad, blocked,
    edges, gap, pitch, least,
):  # fmt: skip
    """Return (gain, height) of moving a whole run along `frame`'s finger direction.

    The segments before and after it grow or shrink; none becomes shorter than the trace is wide.
    Only runs with a shrinking neighbour are for this: others are tips. field: of reach_field.
    """
    xs, ys, following, before = chain
    _, _, ux, uy, nx, ny = frame
    n = np.int64(following[k])
    p = np.int64(before[k])
    q = np.int64(following[n])
    if p < 0 or q < 0 or not faces(x, y, 0.0, length, aim + half, frame):
        return 0.0, 0.0
    back = (xs[p] - xs[k]) * nx + (ys[p] - ys[k]) * ny
    ahead = (xs[q] - xs[n]) * nx + (ys[q] - ys[n]) * ny
    if back <= 0.0 and ahead <= 0.0:
        return 0.0, 0.0
    tall = 4.0 * pitch
    pp = before[p]
    qq = following[q]
    if back > 0.0:
        tall = min(tall, back - 2.0 * half)
    if ahead > 0.0:
        tall = min(tall, ahead - 2.0 * half)
    if tall < 0.5 * half:
        return 0.0, 0.0
    # what is joined to the run by the segments beside it may come nearer, if it leads away
    spare_p = pp >= 0 and back > 0.0 and (xs[pp] - xs[p]) * ux + (ys[pp] - ys[p]) * uy < 0.0
    spare_q = qq >= 0 and ahead > 0.0 and (xs[qq] - xs[q]) * ux + (ys[qq] - ys[q]) * uy > 0.0
    others = np.empty((count, 4))
    kept = 0
    for i in range(count):
        if near[i] == k or near[i] == p or near[i] == n:
            continue
        if (near[i] == pp and spare_p) or (near[i] == q and spare_q):
            continue
        put(others[kept], segments[i])
        kept += 1
    tall = height_allowed(0.0, length, tall, frame, (others[:kept], blocked, edges), gap)
    tall = math.floor(tall / 1000.0) * 1000.0
    if tall < 0.5 * half or miss(x, y, 0.0, length, tall, frame) > aim + half:
        return 0.0, 0.0
    rows = np.empty((3, 9))
    was = 0.0
    score = 0.0
    _strip_row(rows[0], p, k, 0.0, 0.0, nx * tall, ny * tall, chain, half, pad)
    _strip_row(rows[1], k, n, nx * tall, ny * tall, nx * tall, ny * tall, chain, half, pad)
    _strip_row(rows[2], n, q, nx * tall, ny * tall, 0.0, 0.0, chain, half, pad)
    for j in range(SIDE):
        for i in range(SIDE):
            rest = field_without(field, j, i, k, p, n)
            if rest <= aim:
                continue
            px = x + (i - (SIDE - 1) // 2) * step
            py = y + (j - (SIDE - 1) // 2) * step
            now = rest * rest
            for m in (k, p, n):
                now = min(now, segment_reach2(px, py, m, chain, half, pad))
            after = rest * rest
            for m in range(3):
                row = rows[m]
                after = min(
                    after,
                    strip_reach2(
                        px, py, row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7],
                        row[8], half,
                    ),
                )  # fmt: skip
            was += max(0.0, math.sqrt(now) - aim) ** 2
            score += max(0.0, math.sqrt(after) - aim) ** 2
    if was - score <= least:
        return 0.0, 0.0
    return was - score, tall


@njit(cache=True, nogil=True)
def _strip_row(row, a, b, dax, day, dbx, dby, chain, half, pad):  # type: ignore[no-untyped-def]
    """Write a chain's segment with its ends moved: x, y, ux, uy, length and the four trims.

    Turns at its ends stay as they are: neighbours keep their directions.
    """
    xs, ys, _, _ = chain
    _, la, lb, ra, rb = trims(a, chain, half, pad)
    x0 = xs[a] + dax
    y0 = ys[a] + day
    dx = xs[b] + dbx - x0
    dy = ys[b] + dby - y0
    row[0], row[1], row[2], row[3] = x0, y0, np.sign(dx), np.sign(dy)
    row[4] = abs(dx) + abs(dy)
    row[5], row[6], row[7], row[8] = la, lb, ra, rb


@njit(cache=True, nogil=True)
def faces(x, y, low, high, reach, frame):  # type: ignore[no-untyped-def]
    """Return whether a finger over [low, high], however tall, could come near a place."""
    ax, ay, ux, uy, nx, ny = frame
    s = (x - ax) * ux + (y - ay) * uy
    n = (x - ax) * nx + (y - ay) * ny
    return n > -reach and low - reach < s < high + reach


@njit(cache=True, nogil=True)
def miss(x, y, low, high, height, frame):  # type: ignore[no-untyped-def]
    """Return how far (x, y) is from a finger's three lines."""
    ax, ay, ux, uy, nx, ny = frame
    s = (x - ax) * ux + (y - ay) * uy
    n = (x - ax) * nx + (y - ay) * ny
    up = max(-n, n - height, 0.0)
    wall = min(math.hypot(s - low, up), math.hypot(s - high, up))
    return min(wall, math.hypot(max(low - s, s - high, 0.0), n - height))
