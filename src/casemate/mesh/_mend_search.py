"""Compiled search of mending: where a drill still passes, and which finger closes the place best.

Lengths in nanometres; chains and cells as in `_mend_kernel`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from casemate.core._rows_kernel import put, put_rows
from casemate.mesh._mend_kernel import (
    FAR,
    edge_distance,
    gather,
    height_allowed,
    near_reach2,
    row_reach2,
    segment_reach2,
    strip_reach2,
    strips_of,
    trims,
    unique,
)
from casemate.mesh._mend_slide import (
    SIDE,
    best_slide,
    faces,
    field_without,
    miss,
    reach_field,
)

NEAR = 600
"""Segments that may lie near one place."""
OFFSETS = 24
"""Positions along a run that are tried for a finger, at most."""
HEIGHTS = 6
"""Heights that are tried for each position: the tallest, and shorter by half a pitch each."""
UNKNOWN = -1.0
"""A score that was not yet made; scores are 0 or more."""


@njit(cache=True, nogil=True)
def sample_reach(points, enough, limit, chain, cells, late, half, pad, vias, sorted_x):  # type: ignore[no-untyped-def]
    """Return each point's reach in one layer, at most `limit`.

    Where it is `enough` or less, any value up to `enough` may stand.
    """
    out = np.empty(len(points))
    for k in range(len(points)):
        x, y = points[k, 0], points[k, 1]
        best = limit * limit
        for reach in (min(enough, limit), limit):
            best = near_reach2(x, y, reach, best, enough**2, chain, cells, late, half, pad)
            if best <= enough * enough:
                break
        best = math.sqrt(best)
        a, b = _near_vias(x, sorted_x, limit)
        for i in range(a, b):
            best = min(best, math.hypot(vias[i, 0] - x, vias[i, 1] - y) + vias[i, 2])
        out[k] = best
    return out


@njit(cache=True, nogil=True)
def _near_vias(x, sorted_x, reach):  # type: ignore[no-untyped-def]
    return np.searchsorted(sorted_x, x - reach), np.searchsorted(sorted_x, x + reach)


@njit(cache=True, nogil=True)
def local_vias(x, y, reach, vias, sorted_x):  # type: ignore[no-untyped-def]
    """Return the vias near a place, rows as given."""
    a, b = _near_vias(x, sorted_x, reach)
    kept = np.empty((b - a, 3))
    count = 0
    for i in range(a, b):
        if abs(vias[i, 1] - y) <= reach:
            put(kept[count], vias[i])
            count += 1
    return kept[:count]


@njit(cache=True, nogil=True)
def best_finger(  # type: ignore[no-untyped-def]
    x, y, aim, other, inside, step, chain, cells, late, half, pad, barrels, blocked, edges, gap,
    pitch,
):  # fmt: skip
    """Return (gain, segment, low, high, height with sign) of the finger that closes a place best.

    other: reach of all else at the window's samples (SIDE, SIDE); inside: samples on the board.
    aim: the reach that is good enough. barrels: vias that count as copper here (x, y, radius);
    blocked: vias to keep away from. gain 0: no finger helps.
    """
    near = np.empty(NEAR, np.int64)
    window = 0.5 * (SIDE - 1) * step
    count = unique(near, gather(x, y, window + 5.0 * pitch, chain, cells, late, near))
    xs, ys, following, _ = chain
    segments = np.empty((count, 4))
    for i in range(count):
        k = near[i]
        n = following[k]
        segments[i, 0], segments[i, 1], segments[i, 2], segments[i, 3] = xs[k], ys[k], xs[n], ys[n]
    best_gain = 0.0
    best = (-1, 0.0, 0.0, 0.0)
    base = np.empty((SIDE, SIDE))
    field = reach_field(x, y, step, other, inside, aim, near, count, chain, half, pad, barrels)
    for i in range(count):
        k = near[i]
        n = following[k]
        length = float(abs(xs[n] - xs[k]) + abs(ys[n] - ys[k]))
        if length < pitch - 0.5 or _apart(x, y, segments[i]) > window + 2.0 * pitch:
            continue
        before_score = UNKNOWN
        for sign in (-1.0, 1.0):
            ux = np.sign(xs[n] - xs[k])
            uy = np.sign(ys[n] - ys[k])
            frame = (
                float(xs[k]), float(ys[k]), float(ux), float(uy), -uy * sign, ux * sign,
            )  # fmt: skip
            gain, low, height, before_score = _best_upright(
                x, y, aim, inside, step, field, base, k, n, _without(segments, i), sign, frame,
                length, chain, half, pad, blocked, edges, gap, pitch, best_gain, before_score,
            )  # fmt: skip
            if gain > best_gain:
                best_gain = gain
                best = (k, low, low + pitch, height * sign)
            gain, height = best_slide(
                x, y, aim, step, field, near, count, k, segments, frame, length, chain, half, pad,
                blocked, edges, gap, pitch, best_gain,
            )  # fmt: skip
            if gain > best_gain:
                best_gain = gain
                best = (k, 0.0, length, height * sign)
    return best_gain, best[0], best[1], best[2], best[3]


@njit(cache=True, nogil=True)
def _best_upright(  # type: ignore[no-untyped-def]
    x, y, aim, inside, step, field, base, k, n, others, sign, frame, length, chain, half, pad,
    blocked, edges, gap, pitch, least, before_score,
):  # fmt: skip
    """Return (gain, low, height, score before) of the best finger on one side of run k, n.

    least: the gain to beat, returned if none does. others: all other segments near. base: written
    once a finger is tried, and before_score with it; UNKNOWN until then.
    """
    best_low, best_height = 0.0, 0.0
    for place in range(OFFSETS):
        low = _offset(place, length, pitch, k, n, chain, sign, frame, x, y)
        if low < 0.0 or not faces(x, y, low, low + pitch, aim + half, frame):
            continue
        tall = height_allowed(
            low, low + pitch, 10.0 * pitch, frame, (others, blocked, edges), gap
        )  # fmt: skip
        tall = math.floor(tall / 1000.0) * 1000.0
        # a whole tip that moves on leaves no jog: then any height will do
        tip = low < 0.5 and length - pitch < 0.5
        for less in range(HEIGHTS):
            height = tall - (0.125 if tip else 0.5) * pitch * less
            if height < (half if tip else 2.0 * half):
                break
            if miss(x, y, low, low + pitch, height, frame) > aim + half:
                continue
            if before_score == UNKNOWN:
                before_score = _fill_base(base, x, y, step, field, aim, k, chain, half, pad)
            gain = before_score - _score(
                base, x, y, step, inside, aim, k, low, low + pitch, height, sign, frame,
                length, chain, half, pad, least, before_score,
            )  # fmt: skip
            if gain > least:
                least, best_low, best_height = gain, low, height
    return least, best_low, best_height, before_score


@njit(cache=True, nogil=True)
def _apart(x, y, row):  # type: ignore[no-untyped-def]
    dx = max(min(row[0], row[2]) - x, x - max(row[0], row[2]), 0.0)
    dy = max(min(row[1], row[3]) - y, y - max(row[1], row[3]), 0.0)
    return max(dx, dy)


@njit(cache=True, nogil=True)
def _without(segments, i):  # type: ignore[no-untyped-def]
    out = np.empty((len(segments) - 1, 4))
    put_rows(out, segments[:i])
    put_rows(out[i:], segments[i + 1 :])
    return out


@njit(cache=True, nogil=True)
def _offset(place, length, pitch, k, n, chain, sign, frame, x, y):  # type: ignore[no-untyped-def]
    """Return where the place-th finger on a run begins, -1 if there is none.

    0 and 1: at the run's ends, where the trace arrives from behind or leaves behind, so that the
    finger's wall goes straight on. Others: from a pitch after its start to a pitch before its end,
    about the place that is to be closed.
    """
    xs, ys, _, before = chain
    ax, ay, ux, uy, nx, ny = frame
    if place == 0:
        p = before[k]
        if p < 0 or (xs[k] - xs[p]) * nx + (ys[k] - ys[p]) * ny <= 0.0:
            return -1.0
        if length - pitch > 0.5 and length - pitch < pitch - 0.5:
            return -1.0
        if length - pitch <= 0.5 and not _leaves_behind(n, chain, nx, ny):
            return -1.0
        return 0.0
    if place == 1:
        if length - pitch < pitch - 0.5 or not _leaves_behind(n, chain, nx, ny):
            return -1.0
        return length - pitch
    at = (x - ax) * ux + (y - ay) * uy - 0.5 * pitch
    low = at + (place - 2 - 0.5 * (OFFSETS - 3)) * 0.125 * pitch
    low = math.floor(low / 1000.0 + 0.5) * 1000.0
    if low < pitch - 0.5 or length - (low + pitch) < pitch - 0.5:
        return -1.0
    return low


@njit(cache=True, nogil=True)
def _leaves_behind(n, chain, nx, ny):  # type: ignore[no-untyped-def]
    xs, ys, following, _ = chain
    q = following[n]
    return q >= 0 and (xs[q] - xs[n]) * nx + (ys[q] - ys[n]) * ny < 0.0


@njit(cache=True, nogil=True)
def _fill_base(base, x, y, step, field, aim, skip, chain, half, pad):  # type: ignore[no-untyped-def]
    """Write the reach of all copper but segment `skip`; return the score with it."""
    score, nothing = 0.0, np.int64(-2)
    for j in range(SIDE):
        for i in range(SIDE):
            base[j, i] = field_without(field, j, i, skip, nothing, nothing)
            if base[j, i] <= aim:
                continue
            px = x + (i - (SIDE - 1) // 2) * step
            py = y + (j - (SIDE - 1) // 2) * step
            now = min(base[j, i], math.sqrt(segment_reach2(px, py, skip, chain, half, pad)))
            score += max(0.0, now - aim) ** 2
    return score


@njit(cache=True, nogil=True)
def _score(  # type: ignore[no-untyped-def]
    base, x, y, step, inside, aim, k, low, high, height, sign, frame, length, chain, half, pad,
    least, before_score,
):  # fmt: skip
    """Return the sum of squares of what stays above the aim with a finger in place of its base."""
    ax, ay, ux, uy, nx, ny = frame
    _, la, lb, ra, rb = trims(k, chain, half, pad)
    score = 0.0
    # local frame: s along the run, n along the finger; mirrored if sign < 0
    if sign < 0.0:
        la, lb, ra, rb = ra, rb, la, lb
    for j in range(SIDE):
        for i in range(SIDE):
            if base[j, i] <= aim:
                continue
            px = x + (i - (SIDE - 1) // 2) * step - ax
            py = y + (j - (SIDE - 1) // 2) * step - ay
            s = px * ux + py * uy
            n = px * nx + py * ny
            best = base[j, i] * base[j, i]
            if low > 0.5:
                best = min(
                    best, strip_reach2(s, n, 0.0, 0.0, 1.0, 0.0, low, la, half, ra, 0.0, half)
                )
            if high < length - 0.5:
                best = min(
                    best,
                    strip_reach2(s, n, high, 0.0, 1.0, 0.0, length - high, half, lb, 0.0, rb, half),
                )
            # a wall that goes straight on from the segment before is longer than the finger
            more = 0.0 if low > 0.5 else 2.0 * half
            lead = half if low > 0.5 else 0.0
            best = min(
                best,
                strip_reach2(s, n, low, -more, 0.0, 1.0, height + more, lead, 0.0, 0.0, half, half),
            )
            best = min(
                best,
                strip_reach2(s, n, low, height, 1.0, 0.0, high - low, 0.0, 0.0, half, half, half),
            )
            more = 0.0 if high < length - 0.5 else 2.0 * half
            tail = half if high < length - 0.5 else 0.0
            best = min(
                best,
                strip_reach2(
                    s, n, high, height, 0.0, -1.0, height + more, 0.0, tail, half, 0.0, half
                ),
            )
            score += max(0.0, math.sqrt(best) - aim) ** 2
            if before_score - score <= least:
                return score
    return score


@njit(cache=True, nogil=True)
def window_reach(x, y, step, chain, cells, late, half, pad, barrels):  # type: ignore[no-untyped-def]
    """Return the reach of one layer at the window's samples, shape (SIDE, SIDE)."""
    near = np.empty(NEAR, np.int64)
    count = unique(
        near, gather(x, y, 0.5 * (SIDE - 1) * step + 6.0 * half, chain, cells, late, near)
    )
    strips = strips_of(near, count, chain, half, pad)
    out = np.empty((SIDE, SIDE))
    for j in range(SIDE):
        for i in range(SIDE):
            px = x + (i - (SIDE - 1) // 2) * step
            py = y + (j - (SIDE - 1) // 2) * step
            best = FAR * FAR
            for m in range(count):
                best = min(best, row_reach2(px, py, strips[m], half))
            best = math.sqrt(best)
            for m in range(len(barrels)):
                best = min(best, math.hypot(barrels[m, 0] - px, barrels[m, 1] - py) + barrels[m, 2])
            out[j, i] = best
    return out


@njit(cache=True, nogil=True)
def window_edges(x, y, step, edges):  # type: ignore[no-untyped-def]
    """Return the distance to the board's edge at the window's samples, shape (SIDE, SIDE)."""
    out = np.full((SIDE, SIDE), FAR)
    for j in range(SIDE):
        for i in range(SIDE):
            px = x + (i - (SIDE - 1) // 2) * step
            py = y + (j - (SIDE - 1) // 2) * step
            out[j, i] = edge_distance(px, py, edges)
    return out


@njit(cache=True, nogil=True)
def edge_distances(points, edges):  # type: ignore[no-untyped-def]
    """Return each point's distance to the nearest edge."""
    out = np.empty(len(points))
    for k in range(len(points)):
        out[k] = edge_distance(points[k, 0], points[k, 1], edges)
    return out
