"""Compiled kernel of refilling: how well a window of links and fingers stops a drill.

Lengths in nanometres. Only the choice between fillings rests on it; the proof reads polylines.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from casemate.mesh._mend_kernel import strip_reach2


@njit(cache=True, nogil=True)
def window_strips(links, codes, heights, x0, y0, pitch, half, pad):  # type: ignore[no-untyped-def]
    """Return segments of a window as rows (x, y, ux, uy, length, la, lb, ra, rb)."""
    rows, columns = links.shape
    lift = np.zeros((rows, columns, 2))
    for k in range(len(codes)):
        node = codes[k] // 2
        lift[node // columns, node % columns, codes[k] % 2] = heights[k]
    out = np.empty((6 * rows * columns, 9))
    count = np.int64(0)
    for r in range(rows):
        for c in range(columns):
            for turn in range(2):
                if links[r, c] & (1 << turn) == 0:
                    continue
                r1 = r + (turn == 1)
                c1 = c + (turn == 0)
                if r1 >= rows or c1 >= columns:
                    continue
                ax = x0 + c * pitch
                ay = y0 + r * pitch
                ux = 1.0 - turn
                uy = float(turn)
                hx, hy = _arm(links, lift, r, c, turn, np.bool_(True))
                tx, ty = _arm(links, lift, r1, c1, turn, np.bool_(False))
                rise = lift[r, c, turn]
                if rise == 0.0:
                    _put(out, count, ax, ay, ux, uy, pitch, -hx, -hy, tx, ty, half, pad)
                    count += 1
                    continue
                up = 1.0 if rise > 0.0 else -1.0
                nx = 0.0 if turn == 0 else up
                ny = up if turn == 0 else 0.0
                tall = abs(rise)
                _put(out, count, ax, ay, nx, ny, tall, -hx, -hy, ux, uy, half, pad)
                _put(
                    out, count + 1, ax + nx * tall, ay + ny * tall, ux, uy, pitch, nx, ny, -nx,
                    -ny, half, pad,
                )  # fmt: skip
                _put(
                    out, count + 2, ax + nx * tall + ux * pitch, ay + ny * tall + uy * pitch, -nx,
                    -ny, tall, ux, uy, tx, ty, half, pad,
                )  # fmt: skip
                count += 3
    return out[:count].copy()


@njit(cache=True, nogil=True)
def _arm(links, lift, r, c, turn, start):  # type: ignore[no-untyped-def]
    """Return the unit vector in which the path leaves a node on the other side than one link.

    The link is the one of `turn` that begins (start) or ends at the node. (0, 0): the path ends.
    """
    for other in range(2):
        if links[r, c] & (1 << other) and not (start and other == turn):
            return _towards(lift[r, c, other], other, 1.0)
        rb = r - (other == 1)
        cb = c - (other == 0)
        if rb < 0 or cb < 0 or (not start and other == turn):
            continue
        if links[rb, cb] & (1 << other):
            return _towards(lift[rb, cb, other], other, -1.0)
    return 0.0, 0.0


@njit(cache=True, nogil=True)
def _towards(rise, turn, way):  # type: ignore[no-untyped-def]
    if rise != 0.0:
        up = 1.0 if rise > 0.0 else -1.0
        return (0.0, up) if turn == 0 else (up, 0.0)
    return (way, 0.0) if turn == 0 else (0.0, way)


@njit(cache=True, nogil=True)
def _put(out, k, x, y, ux, uy, length, bx, by, ex, ey, half, pad):  # type: ignore[no-untyped-def]
    """Write a segment. (bx, by): the way in which the path arrives; (ex, ey): leaves."""
    la = lb = ra = rb = 0.0
    if bx == 0.0 and by == 0.0:
        la = ra = pad
    else:
        turn = bx * uy - by * ux
        la = half if turn > 0.0 else 0.0
        ra = half if turn < 0.0 else 0.0
    if ex == 0.0 and ey == 0.0:
        lb = rb = pad
    else:
        turn = ux * ey - uy * ex
        lb = half if turn > 0.0 else 0.0
        rb = half if turn < 0.0 else 0.0
    out[k, 0], out[k, 1], out[k, 2], out[k, 3], out[k, 4] = x, y, ux, uy, length
    out[k, 5], out[k, 6], out[k, 7], out[k, 8] = la, lb, ra, rb


@njit(cache=True, nogil=True)
def window_score(points, other, strips, barrels, aim, half, least):  # type: ignore[no-untyped-def]
    """Return the largest excess of the reach over the aim in um, plus a thousandth of their sum.

    Ends as soon as the score is `least` or more.
    """
    worst = 0.0
    total = 0.0
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        best = other[i] * other[i]
        for k in range(len(strips)):
            if best <= aim * aim:
                break
            row = strips[k]
            if abs(x - row[0]) > 900_000.0 or abs(y - row[1]) > 900_000.0:
                continue
            best = min(
                best,
                strip_reach2(
                    x, y, row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8],
                    half,
                ),
            )  # fmt: skip
        reach = math.sqrt(best)
        for k in range(len(barrels)):
            reach = min(reach, math.hypot(barrels[k, 0] - x, barrels[k, 1] - y) + barrels[k, 2])
        if reach > aim:
            excess = (reach - aim) / 1000.0
            worst = max(worst, excess)
            total += 0.001 * excess
            if worst + total >= least:
                break
    return worst + total
