"""Signed distances of a line in space from the patches that meet at a vertex (compiled).

Coordinates are depths below the three outer planes; every line runs inward along all three. A
signed distance is negative where the line crosses the patch and keeps crossing it when it moves by
less; it never exceeds the true distance's upper bound. Proofs: docs/formats/edge-closure.md.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from casemate.core._rows_kernel import put

Array = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def point_distance(p: Array, d: Array, x: float, y: float, z: float) -> float:
    """Return the distance of a point from the line through p along the unit vector d."""
    x, y, z = x - p[0], y - p[1], z - p[2]
    along = x * d[0] + y * d[1] + z * d[2]
    x, y, z = x - along * d[0], y - along * d[1], z - along * d[2]
    return math.sqrt(x * x + y * y + z * z)


@njit(cache=True, nogil=True)
def segment_distance(p: Array, d: Array, a: Array, b: Array) -> float:
    """Return the distance of a segment from the line through p along the unit vector d."""
    ee = ed = ew = ad = 0.0
    for k in range(3):
        e = b[k] - a[k]
        w = a[k] - p[k]
        ee += e * e
        ed += e * d[k]
        ew += e * w
        ad += w * d[k]
    bd = ee - ed * ed
    s = 0.0
    if bd > 1e-18:
        s = min(1.0, max(0.0, (ed * ad - ew) / bd))
    x, y, z = a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1]), a[2] + s * (b[2] - a[2])
    return point_distance(p, d, x, y, z)


@njit(cache=True, nogil=True)
def flat_distance(
    p: Array, d: Array, k: int, i: int, j: int, at: float, u: float, v: float
) -> float:
    """Return the distance from the line of the point at u along i, v along j in plane k = at."""
    x, y, z = at - p[k], u - p[i], v - p[j]
    along = x * d[k] + y * d[i] + z * d[j]
    x, y, z = x - along * d[k], y - along * d[i], z - along * d[j]
    return math.sqrt(x * x + y * y + z * z)


@njit(cache=True, nogil=True)
def quarter_plane(
    p: Array, d: Array, k: int, depth: float, i: int, j: int, start_i: float, start_j: float
) -> float:
    """Return the signed distance from the part of plane k with i and j beyond their starts."""
    t = (depth - p[k]) / d[k]
    from_i = (start_i - p[i] - t * d[i]) * d[k] / math.hypot(d[k], d[i])
    from_j = (start_j - p[j] - t * d[j]) * d[k] / math.hypot(d[k], d[j])
    if from_i <= 0.0 and from_j <= 0.0:
        inside: float = max(from_i, from_j)
        return inside
    least = flat_distance(p, d, k, i, j, depth, start_i, start_j)
    if from_i > 0.0:
        near = ((depth - p[k]) * d[k] + (start_i - p[i]) * d[i]) / (d[k] ** 2 + d[i] ** 2)
        if p[j] + near * d[j] >= start_j:
            least = min(least, from_i)
    if from_j > 0.0:
        near = ((depth - p[k]) * d[k] + (start_j - p[j]) * d[j]) / (d[k] ** 2 + d[j] ** 2)
        if p[i] + near * d[i] >= start_i:
            least = min(least, from_j)
    return least


@njit(cache=True, nogil=True)
def plate(p: Array, d: Array, k: int, i: int, j: int, row: Array) -> float:
    """Return the signed distance from a rectangle in plane k; row: axis, depth, i and j ranges."""
    t = (row[1] - p[k]) / d[k]
    u, v = p[i] + t * d[i], p[j] + t * d[j]
    in_i, in_j = d[k] / math.hypot(d[k], d[i]), d[k] / math.hypot(d[k], d[j])
    beyond: float = max(max(row[2] - u, u - row[3]) * in_i, max(row[4] - v, v - row[5]) * in_j)
    if beyond <= 0.0:
        return beyond
    a, b = np.empty(3), np.empty(3)
    a[k] = b[k] = row[1]
    least = math.inf
    for side in range(2):
        a[i] = b[i] = row[2 + side]
        a[j], b[j] = row[4], row[5]
        least = min(least, segment_distance(p, d, a, b))
        a[j] = b[j] = row[4 + side]
        a[i], b[i] = row[2], row[3]
        least = min(least, segment_distance(p, d, a, b))
    return least


@njit(cache=True, nogil=True)
def strip(p: Array, d: Array, k: int, i: int, j: int, points: Array, start: float) -> float:
    """Return the signed distance from a strip along axis k beyond its start; points: (i, j)."""
    flat = math.hypot(d[i], d[j])
    count = len(points)
    high, low = -math.inf, math.inf
    first = last = before = 0.0
    hits = 0
    to_end = least = math.inf
    a, b = np.empty(3), np.empty(3)
    a[k] = b[k] = start
    for m in range(count):
        x, y = points[m, 0], points[m, 1]
        side = (d[j] * (x - p[i]) - d[i] * (y - p[j])) / flat
        high, low = max(high, side), min(low, side)
        near = ((x - p[i]) * d[i] + (y - p[j]) * d[j]) / (flat * flat)
        if p[k] + near * d[k] >= start:
            least = min(least, abs(side))
        b[i], b[j] = x, y
        if m == 0:
            first = side
        else:
            to_end = min(to_end, segment_distance(p, d, a, b))
            if (side > 0.0) != (before > 0.0):
                share = before / (before - side)
                u = a[i] + share * (x - a[i])
                v = a[j] + share * (y - a[j])
                t = ((u - p[i]) * d[i] + (v - p[j]) * d[j]) / (flat * flat)
                if p[k] + t * d[k] >= start:
                    hits += 1
        a[i], a[j] = x, y
        before = side
    last = before
    if hits == 0:
        return min(least, to_end)
    if hits % 2 == 1:
        return -min(abs(first), abs(last), to_end)
    return -min(high, -low, to_end)


@njit(cache=True, nogil=True)
def line_figure(
    p: Array, d: Array, slack: float, depths: Array, starts: Array, boards: Array,
    points: Array, ends: Array, strips: Array, caps: Array, cap_figures: Array,
) -> float:  # fmt: skip
    """Return the least figure + 2 * (distance + slack) over boards, strips and caps.

    depths[k]: slab of face k; starts[k, i]: where its mesh starts along axis i; boards[k]: its
    figure. points[k]: section of the strip along k, as (i, j) with i, j = the other axes in order;
    ends[k]: where its mesh starts. caps: (axis, depth, from, to, from, to) of plates.
    """
    return figures(
        p, d, slack, -math.inf, depths, starts, boards, points, ends, strips, caps, cap_figures
    )[1]


@njit(cache=True, nogil=True)
def figures(
    p: Array, d: Array, slack: float, enough: float, depths: Array, starts: Array, boards: Array,
    points: Array, ends: Array, strips: Array, caps: Array, cap_figures: Array,
) -> tuple[float, float]:  # fmt: skip
    """Return the line's figure and that of any line within `slack`; see `line_figure`.

    As soon as the second is at most `enough`, both may be of some parts alone: too large.
    """
    value = upper = math.inf
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        if i > j:
            i, j = j, i
        shallow = quarter_plane(p, d, k, depths[k, 0], i, j, starts[k, i], starts[k, j])
        deep = quarter_plane(p, d, k, depths[k, 1], i, j, starts[k, i], starts[k, j])
        far = max(shallow, deep)
        value = min(value, boards[k] + 2 * max(0.0, far))
        upper = min(upper, boards[k] + 2 * max(0.0, far + slack))
    for n in range(len(caps)):
        if upper <= enough:
            break
        k = int(caps[n, 0])
        i, j = (k + 1) % 3, (k + 2) % 3
        if i > j:
            i, j = j, i
        far = plate(p, d, k, i, j, caps[n])
        value = min(value, cap_figures[n] + 2 * max(0.0, far))
        upper = min(upper, cap_figures[n] + 2 * max(0.0, far + slack))
    for k in range(3):
        if upper <= enough:
            break
        i, j = (k + 1) % 3, (k + 2) % 3
        if i > j:
            i, j = j, i
        far = strip(p, d, k, i, j, points[k], ends[k])
        value = min(value, strips[k] + 2 * max(0.0, far))
        upper = min(upper, strips[k] + 2 * max(0.0, far + slack))
    return value, upper


@njit(cache=True, nogil=True)
def place_line(box: Array, pole: int, p: Array, d: Array) -> None:
    """Write the line of a box's centre: (u, v) where it meets plane `pole` = 0, angles b, c."""
    i, j = (pole + 1) % 3, (pole + 2) % 3
    p[pole], p[i], p[j] = 0.0, box[0], box[1]
    sine = math.sin(box[3])
    d[pole] = math.cos(box[3])
    d[i] = max(1e-12, sine * math.cos(box[2]))
    d[j] = max(1e-12, sine * math.sin(box[2]))


@njit(cache=True, nogil=True)
def search(
    boxes: Array, pole: int, reach: float, miss: float, best: float, tolerance: float,
    max_boxes: int, depths: Array, starts: Array, boards: Array, points: Array, ends: Array,
    strips: Array, caps: Array, cap_figures: Array,
) -> tuple[float, float, int, Array]:  # fmt: skip
    """Return best value found, certified value, boxes looked at and the best line's box centre.

    boxes: rows of u, v, angle about the pole, angle from it; then their half sizes (one for u, v).
    """
    count = 0
    n = len(boxes)
    p, d = np.zeros(3), np.zeros(3)
    where = np.full(4, math.nan)
    while n:
        uppers = np.zeros(n)
        for m in range(n):
            box = boxes[m]
            place_line(box, pole, p, d)
            far = reach + math.hypot(box[0], box[1])
            slack = 1.4143 * box[4] + far * (1.42 * box[5] + 1.07 * box[6]) + miss
            value, uppers[m] = figures(
                p, d, slack, best + tolerance,
                depths, starts, boards, points, ends, strips, caps, cap_figures,
            )  # fmt: skip
            count += 1
            if value > best and uppers[m] > best + tolerance:
                best = value
                put(where, box[:4])
        keep = np.flatnonzero(uppers > best + tolerance)
        if count > max_boxes and len(keep):
            return best, uppers.max(), count, where
        following = np.empty((len(keep) * 4, 7))
        n = 0
        for m in range(len(keep)):
            box = boxes[keep[m]]
            far = reach + math.hypot(box[0], box[1])
            place, turn, tilt = 1.4143 * box[4], far * 1.42 * box[5], far * 1.07 * box[6]
            if place >= turn and place >= tilt:
                for a in range(2):
                    for b in range(2):
                        put(following[n], box)
                        following[n, 4] = box[4] / 2
                        following[n, 0] += (2 * a - 1) * box[4] / 2
                        following[n, 1] += (2 * b - 1) * box[4] / 2
                        n += 1
            else:
                column = 2 if turn >= tilt else 3
                for a in range(2):
                    put(following[n], box)
                    following[n, column + 3] = box[column + 3] / 2
                    following[n, column] += (2 * a - 1) * box[column + 3] / 2
                    n += 1
        boxes = following[:n].copy()
    return best, best + tolerance, count, where
