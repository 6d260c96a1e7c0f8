"""Compiled kernels of mending: reach of drills on axis-parallel copper, fingers anywhere on a run.

Lengths in nanometres. A layer is a chain of vertices (see mend.Layer); a segment is named by its
first vertex. What "reach" means: docs/formats/hole-certificate.md, section 1. Only the choice of
fingers rests on these figures; the proof reads the finished copper anew.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

FAR = 1e12
"""A reach or a height without limit."""


@njit(cache=True, nogil=True)
def fill_cells(xs, ys, following, count, mark, grid):  # type: ignore[no-untyped-def]
    """Return starts (cells + 1) and items: the segments that meet each marked cell."""
    nx = grid[3]
    starts = np.zeros(len(mark) + 1, np.int32)
    for rounds in range(2):
        if rounds == 1:
            for c in range(len(mark)):
                starts[c + 1] += starts[c]
            place = starts[:-1].copy()
            items = np.empty(starts[-1], np.int32)
        for k in range(count):
            if following[k] < 0:
                continue
            n = following[k]
            i0, i1, j0, j1 = span(float(xs[k]), float(ys[k]), float(xs[n]), float(ys[n]), grid)
            for j in range(j0, j1 + 1):
                for i in range(i0, i1 + 1):
                    if not mark[j * nx + i]:
                        continue
                    if rounds == 0:
                        starts[j * nx + i + 1] += 1
                    else:
                        items[place[j * nx + i]] = k
                        place[j * nx + i] += 1
    return starts, items


@njit(cache=True, nogil=True)
def span(ax, ay, bx, by, grid):  # type: ignore[no-untyped-def]
    """Return the cells (i0, i1, j0, j1) that the box of two points meets, within the grid."""
    x0, y0, cell, nx, ny = grid
    return (
        min(nx - 1, max(0, int((min(ax, bx) - x0) // cell))),
        min(nx - 1, max(0, int((max(ax, bx) - x0) // cell))),
        min(ny - 1, max(0, int((min(ay, by) - y0) // cell))),
        min(ny - 1, max(0, int((max(ay, by) - y0) // cell))),
    )


@njit(cache=True, nogil=True)
def gather(x, y, reach, chain, cells, late, found):  # type: ignore[no-untyped-def]
    """Write the segments near (x, y) to `found`; return how many. Some are named repeatedly."""
    starts, items, grid = cells
    head, after = late
    nx = grid[3]
    count = 0
    i0, i1, j0, j1 = span(x - reach, y - reach, x + reach, y + reach, grid)
    for j in range(j0, j1 + 1):
        for i in range(i0, i1 + 1):
            c = j * nx + i
            for place in range(starts[c], starts[c + 1]):
                if count < len(found):
                    found[count] = items[place]
                    count += 1
            k = head[c]
            while k >= 0:
                if count < len(found):
                    found[count] = after[k, 1]
                    count += 1
                k = after[k, 0]
    return count


@njit(cache=True, nogil=True)
def unique(found, count):  # type: ignore[no-untyped-def]
    """Sort the first `count` entries and drop repeats; return how many are left."""
    order = np.sort(found[:count])
    kept = 0
    for k in range(count):
        if k == 0 or order[k] != order[k - 1]:
            found[kept] = order[k]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def trims(k, chain, half, pad):  # type: ignore[no-untyped-def]
    """Return length and what to trim (left at start, left at end, right at start, right at end)."""
    xs, ys, following, before = chain
    n = following[k]
    dx = xs[n] - xs[k]
    dy = ys[n] - ys[k]
    length = float(abs(dx) + abs(dy))
    ux = np.sign(dx)
    uy = np.sign(dy)
    la = lb = ra = rb = 0.0
    if before[k] < 0:
        la = ra = pad
    else:
        p = before[k]
        turn = np.sign(xs[k] - xs[p]) * uy - np.sign(ys[k] - ys[p]) * ux
        la, ra = (half, 0.0) if turn > 0 else (0.0, half)
    if following[n] < 0:
        lb = rb = pad
    else:
        q = following[n]
        turn = ux * np.sign(ys[q] - ys[n]) - uy * np.sign(xs[q] - xs[n])
        lb, rb = (half, 0.0) if turn > 0 else (0.0, half)
    return length, la, lb, ra, rb


@njit(cache=True, nogil=True)
def strip_reach2(x, y, ax, ay, ux, uy, length, la, lb, ra, rb, half):  # type: ignore[no-untyped-def]
    """Return the square of the radius about (x, y) that meets both sides of a segment."""
    if length < 2.0 * half - 0.5 or la + lb >= length or ra + rb >= length:
        return FAR * FAR
    along = (x - ax) * ux + (y - ay) * uy
    aside = (y - ay) * ux - (x - ax) * uy
    over = max(la - along, along - (length - lb), 0.0)
    left = (aside - half) ** 2 + over * over
    over = max(ra - along, along - (length - rb), 0.0)
    right = (aside + half) ** 2 + over * over
    return max(left, right)


@njit(cache=True, nogil=True)
def segment_reach2(x, y, k, chain, half, pad):  # type: ignore[no-untyped-def]
    """Return the square of the reach of a chain's segment."""
    xs, ys, following, _ = chain
    n = following[k]
    length, la, lb, ra, rb = trims(k, chain, half, pad)
    ux = np.sign(xs[n] - xs[k])
    uy = np.sign(ys[n] - ys[k])
    return strip_reach2(
        x, y, float(xs[k]), float(ys[k]), float(ux), float(uy), length, la, lb, ra, rb, half
    )


@njit(cache=True, nogil=True)
def strips_of(near, count, chain, half, pad):  # type: ignore[no-untyped-def]
    """Return what `strip_reach2` takes of each segment near, (count, 9), for many places."""
    xs, ys, following, _ = chain
    out = np.empty((count, 9))
    for i in range(count):
        k = near[i]
        n = following[k]
        length, la, lb, ra, rb = trims(k, chain, half, pad)
        out[i, 0], out[i, 1] = xs[k], ys[k]
        out[i, 2], out[i, 3] = np.sign(xs[n] - xs[k]), np.sign(ys[n] - ys[k])
        out[i, 4] = length
        out[i, 5], out[i, 6], out[i, 7], out[i, 8] = la, lb, ra, rb
    return out


@njit(cache=True, nogil=True)
def row_reach2(x, y, row, half):  # type: ignore[no-untyped-def]
    """Return `segment_reach2` of a segment that is a row of `strips_of`."""
    return strip_reach2(
        x, y, row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], half
    )


@njit(cache=True, nogil=True)
def near_reach2(x, y, reach, best, stop, chain, cells, late, half, pad):  # type: ignore[no-untyped-def]
    """Return the square of the least radius about (x, y) that severs a segment near it.

    best: square of what is known; the search ends at `stop` (a square) or less.
    """
    starts, items, grid = cells
    head, after = late
    nx = grid[3]
    i0, i1, j0, j1 = span(x - reach, y - reach, x + reach, y + reach, grid)
    for j in range(j0, j1 + 1):
        for i in range(i0, i1 + 1):
            c = j * nx + i
            for place in range(starts[c], starts[c + 1]):
                best = min(best, segment_reach2(x, y, np.int64(items[place]), chain, half, pad))
                if best <= stop:
                    return best
            k = head[c]
            while k >= 0:
                best = min(best, segment_reach2(x, y, after[k, 1], chain, half, pad))
                k = after[k, 0]
    return best


@njit(cache=True, nogil=True)
def edge_distance(x, y, edges):  # type: ignore[no-untyped-def]
    """Return the distance from (x, y) to the nearest edge, rows x0 y0 x1 y1."""
    best = FAR
    for k in range(len(edges)):
        best = min(best, _to_segment(x, y, edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]))
    return best


@njit(cache=True, nogil=True)
def height_allowed(low, high, tall, frame, obstacles, gap):  # type: ignore[no-untyped-def]
    """Return how far a finger over [low, high] of a run may rise, at most `tall`; 0 if not at all.

    frame: (ax, ay, ux, uy, nx, ny) of the run. obstacles: (segments as rows x0 y0 x1 y1, vias as
    rows x y radius, edges as rows x0 y0 x1 y1). gap: (to segments, to vias, to edges), between
    centrelines and what they must not come nearer to.
    """
    segments, vias, edges = obstacles
    ax, ay, ux, uy, nx, ny = frame
    for k in range(len(segments)):
        s0 = (segments[k, 0] - ax) * ux + (segments[k, 1] - ay) * uy
        s1 = (segments[k, 2] - ax) * ux + (segments[k, 3] - ay) * uy
        n0 = (segments[k, 0] - ax) * nx + (segments[k, 1] - ay) * ny
        n1 = (segments[k, 2] - ax) * nx + (segments[k, 3] - ay) * ny
        if max(n0, n1) <= 0.0:
            continue
        aside = max(min(s0, s1) - high, low - max(s0, s1), 0.0)
        if aside >= gap[0]:
            continue
        tall = min(tall, max(0.0, min(n0, n1)) - math.sqrt(gap[0] ** 2 - aside**2))
        if tall <= 0.0:
            return 0.0
    for k in range(len(vias)):
        s = (vias[k, 0] - ax) * ux + (vias[k, 1] - ay) * uy
        n = (vias[k, 0] - ax) * nx + (vias[k, 1] - ay) * ny
        aside = max(s - high, low - s, 0.0)
        if aside >= gap[1] or n <= -gap[1]:
            continue
        room = math.sqrt(gap[1] ** 2 - aside**2)
        if n > 0.0:
            tall = min(tall, n - room)
        elif n + room > 0.0:
            tall = 0.0
        if tall <= 0.0:
            return 0.0
    if len(edges) and _box_to_edges(low, high, tall, frame, edges) < gap[2]:
        short = 0.0
        for _ in range(7):
            middle = 0.5 * (short + tall)
            if _box_to_edges(low, high, middle, frame, edges) < gap[2]:
                tall = middle
            else:
                short = middle
        return short
    return max(tall, 0.0)


@njit(cache=True, nogil=True)
def _box_to_edges(low, high, tall, frame, edges):  # type: ignore[no-untyped-def]
    """Return the least distance between a finger's box and the board's edges; 0 if they meet."""
    ax, ay, ux, uy, nx, ny = frame
    best = FAR
    for k in range(len(edges)):
        s0 = (edges[k, 0] - ax) * ux + (edges[k, 1] - ay) * uy
        n0 = (edges[k, 0] - ax) * nx + (edges[k, 1] - ay) * ny
        s1 = (edges[k, 2] - ax) * ux + (edges[k, 3] - ay) * uy
        n1 = (edges[k, 2] - ax) * nx + (edges[k, 3] - ay) * ny
        if _meets_box(s0, n0, s1, n1, low, high, tall):
            return 0.0
        best = min(best, _to_box(s0, n0, low, high, tall), _to_box(s1, n1, low, high, tall))
        for s in (low, high):
            for n in (0.0, tall):
                best = min(best, _to_segment(s, n, s0, n0, s1, n1))
    return best


@njit(cache=True, nogil=True)
def _to_box(s, n, low, high, tall):  # type: ignore[no-untyped-def]
    return math.hypot(max(low - s, s - high, 0.0), max(-n, n - tall, 0.0))


@njit(cache=True, nogil=True)
def _to_segment(x, y, ax, ay, bx, by):  # type: ignore[no-untyped-def]
    dx = bx - ax
    dy = by - ay
    share = ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9)
    share = min(1.0, max(0.0, share))
    return math.hypot(ax + share * dx - x, ay + share * dy - y)


@njit(cache=True, nogil=True)
def _meets_box(s0, n0, s1, n1, low, high, tall):  # type: ignore[no-untyped-def]
    """Return whether a segment meets the box (clipping by its four sides)."""
    enter = 0.0
    leave = 1.0
    for start, step, a, b in ((s0, s1 - s0, low, high), (n0, n1 - n0, 0.0, tall)):
        if abs(step) < 1e-9:
            if start < a or start > b:
                return False
            continue
        one = (a - start) / step
        two = (b - start) / step
        enter = max(enter, min(one, two))
        leave = min(leave, max(one, two))
    return enter <= leave


@njit(cache=True, nogil=True)
def walk(start, chain):  # type: ignore[no-untyped-def]
    """Return the vertices of the net that begins at `start`, shape (n, 2), int32."""
    xs, ys, following, _ = chain
    count = 0
    k = start
    while k >= 0:
        count += 1
        k = following[k]
    out = np.empty((count, 2), dtype=np.int32)
    k = start
    for i in range(count):
        out[i, 0] = xs[k]
        out[i, 1] = ys[k]
        k = following[k]
    return out


@njit(cache=True, nogil=True)
def finger_heights(candidates, columns, origin, pitch, vias, edges, gap):  # type: ignore[no-untyped-def]
    """Return how far links (rows node, turn, sign, ...) may be pushed, at most a pitch, in nm."""
    out = np.zeros(len(candidates), dtype=np.int64)
    none = np.empty((0, 4))
    for k in range(len(candidates)):
        ax = origin[0] + candidates[k, 0] % columns * pitch
        ay = origin[1] + candidates[k, 0] // columns * pitch
        level = candidates[k, 1] == 0
        sign = float(candidates[k, 2])
        frame = (ax, ay, 1.0, 0.0, 0.0, sign) if level else (ax, ay, 0.0, 1.0, sign, 0.0)
        out[k] = int(height_allowed(0.0, pitch, pitch, frame, (none, vias, edges), gap) + 0.5)
    return out
