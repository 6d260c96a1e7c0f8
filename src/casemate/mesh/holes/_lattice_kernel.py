"""Compiled kernels of the lattice bound: the worst allowed pattern, and branch and bound over it.

Everything is in pitches. Proofs and Lipschitz constants: docs/formats/hole-certificate.md.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from casemate.core._rows_kernel import put

Array = npt.NDArray[np.float64]

PLAIN = (1.0, 0.0, 1.0)
"""The metric of the perpendicular direction."""

RING = 2
"""Lattice points up to this many pitches beyond the square are used as well."""


@njit(cache=True, fastmath=False)
def metric(sx: float, sy: float) -> tuple[float, float, float]:
    """Return c00, c01, c11 of the symmetric map C with |C u| = the distance of u in direction s."""
    s2 = sx * sx + sy * sy
    if s2 < 1e-18:
        return 1.0, 0.0, 1.0
    shrink = (1.0 - 1.0 / math.sqrt(1.0 + s2)) / s2
    return 1.0 - shrink * sx * sx, -shrink * sx * sy, 1.0 - shrink * sy * sy


@njit(cache=True)
def _segment2(c: tuple[float, float, float], ax: float, ay: float, bx: float, by: float) -> float:
    """Return the squared distance, in the metric c, of the origin from the segment ab."""
    px = c[0] * ax + c[1] * ay
    py = c[1] * ax + c[2] * ay
    dx = c[0] * bx + c[1] * by - px
    dy = c[1] * bx + c[2] * by - py
    t = -(px * dx + py * dy) / (dx * dx + dy * dy)
    t = min(1.0, max(0.0, t))
    px += t * dx
    py += t * dy
    return px * px + py * py


@njit(cache=True)
def _point2(c: tuple[float, float, float], ax: float, ay: float) -> float:
    px = c[0] * ax + c[1] * ay
    py = c[1] * ax + c[2] * ay
    return px * px + py * py


@njit(cache=True)
def _turned(
    c: tuple[float, float, float], k: int, x: float, y: float
) -> tuple[tuple[float, float, float], float, float]:
    """Return metric and position turned by -k quarter turns."""
    if k == 0:
        return c, x, y
    if k == 1:
        return (c[2], -c[1], c[0]), y, -x
    if k == 2:
        return c, -x, -y
    return (c[2], -c[1], c[0]), -y, x


@njit(cache=True)
def link_gaps(
    c: tuple[float, float, float], x: float, y: float, h: float, touch: bool, out: Array
) -> None:
    """Fill out[0:6] with the squared reach from (x, y) for the six links of the point (0, 0).

    0: east-west, 1: north-south, 2 + k: corner of the directions k and k + 1 (east, north, ...).
    touch: reach of the nearer boundary curve, else of the farther one. h: half trace width.
    """
    for k in range(2):
        m, u, v = _turned(c, k, x, y)
        left = _segment2(m, -0.5 - u, h - v, 0.5 - u, h - v)
        right = _segment2(m, -0.5 - u, -h - v, 0.5 - u, -h - v)
        if touch:
            covered = _segment2(PLAIN, -0.5 - u, -v, 0.5 - u, -v) <= h * h
            out[k] = 0.0 if covered else min(left, right)
        else:
            out[k] = max(left, right)
    arc = h * math.sqrt(0.5)
    near = h * math.cos(math.pi / 8.0)
    flat = h * math.sin(math.pi / 8.0)
    for k in range(4):
        m, u, v = _turned(c, k, x, y)
        inner = min(
            _segment2(m, h - u, h - v, 0.5 - u, h - v), _segment2(m, h - u, h - v, h - u, 0.5 - v)
        )
        outer = min(
            _segment2(m, -u, -h - v, 0.5 - u, -h - v), _segment2(m, -h - u, -v, -h - u, 0.5 - v)
        )
        outer = min(outer, _point2(m, -arc - u, -arc - v))
        outer = min(outer, _point2(m, -near - u, -flat - v), _point2(m, -flat - u, -near - v))
        if touch:
            arm = _segment2(PLAIN, -u, -v, 0.5 - u, -v)
            covered = min(arm, _segment2(PLAIN, -u, -v, -u, 0.5 - v)) <= h * h
            out[2 + k] = 0.0 if covered else min(inner, outer)
        else:
            out[2 + k] = max(inner, outer)


@njit(cache=True)
def layer_reach(
    x: float, y: float, sx: float, sy: float, h: float, open_squares: bool, touch: bool
) -> float:
    """Return the largest radius about (x, y) that some allowed pattern of this layer survives."""
    c = metric(sx, sy)
    x -= math.floor(x)
    y -= math.floor(y)
    gaps = np.empty(6)
    worst = np.empty((4, 4))
    for i in range(4):
        vx = 1.0 if i == 1 or i == 2 else 0.0
        vy = 1.0 if i >= 2 else 0.0
        link_gaps(c, x - vx, y - vy, h, touch, gaps)
        worst[i, 0] = gaps[2 + (i + 2) % 4]
        worst[i, 1] = max(gaps[i % 2], gaps[2 + (i + 3) % 4])
        worst[i, 2] = max(gaps[(i + 1) % 2], gaps[2 + (i + 1) % 4])
        worst[i, 3] = gaps[2 + i]
    reach = 0.0
    for edges in range(0 if open_squares else 1, 15):
        least = math.inf
        for i in range(4):
            state = (edges >> i & 1) + 2 * (edges >> ((i + 3) % 4) & 1)
            least = min(least, worst[i, state])
        reach = max(reach, least)
    for i in range(-RING, RING + 2):
        for j in range(-RING, RING + 2):
            if (i == 0 or i == 1) and (j == 0 or j == 1):
                continue
            if _point2(c, i - x, j - y) < reach:
                link_gaps(c, x - i, y - j, h, touch, gaps)
                reach = min(reach, gaps.max())
    return math.sqrt(reach)


@njit(cache=True)
def _box_bound(
    box: Array, offsets: Array, depths: Array, h: float, open_squares: bool, touch: bool
) -> tuple[float, float]:
    """Return the joint reach at the centre of a box, and an upper bound over the box."""
    x, y, sx, sy, half_x, half_s = box[0], box[1], box[2], box[3], box[4], box[5]
    s = math.hypot(sx, sy)
    ds = half_s * math.sqrt(2.0)
    dx = half_x * math.sqrt(2.0)
    stretch = ds * math.sqrt((1.0 + s * s) / (1.0 + max(0.0, s - ds) ** 2))
    value = math.inf
    upper = math.inf
    for k in range(len(depths)):
        z = depths[k]
        reach = layer_reach(
            x + z * sx - offsets[k, 0], y + z * sy - offsets[k, 1], sx, sy, h, open_squares, touch
        )
        value = min(value, reach)
        upper = min(upper, reach * (1.0 + stretch) + dx + abs(z) * ds)
    return value, upper


@njit(cache=True)
def _admissible(box: Array, s_max: float, fold: int) -> bool:
    """Return whether the box holds a direction of the (folded) domain."""
    half = box[5]
    lo_x = max(0.0, abs(box[2]) - half)
    lo_y = max(0.0, abs(box[3]) - half)
    if lo_x * lo_x + lo_y * lo_y > s_max * s_max:
        return False
    if fold >= 1 and (box[2] + half < 0.0 or box[3] + half < 0.0):
        return False
    return not (fold >= 2 and box[3] - half > box[2] + half)


@njit(cache=True)
def search(
    offsets: Array,
    depths: Array,
    h: float,
    s_max: float,
    fold: int,
    open_squares: bool,
    touch: bool,
    tolerance: float,
    max_boxes: int,
) -> tuple[float, Array, float, int]:
    """Return the best value found, where (x, y, sx, sy), the certified bound and the box count.

    fold: 0 no symmetry, 1 both axes mirrored, 2 also the diagonal (see the document).
    """
    best = 0.0
    where = np.zeros(4)
    count = 0
    depth_max = np.max(np.abs(depths))
    grid = 8
    s_grid = 1 if s_max == 0.0 else max(4, int(4 * s_max))
    half_s = s_max / s_grid
    boxes = np.empty((grid * grid * s_grid * s_grid, 6))
    n = 0
    for i in range(grid):
        for j in range(grid):
            for k in range(s_grid):
                for m in range(s_grid):
                    boxes[n, 0] = (i + 0.5) / grid
                    boxes[n, 1] = (j + 0.5) / grid
                    boxes[n, 2] = -s_max + (2 * k + 1) * half_s
                    boxes[n, 3] = -s_max + (2 * m + 1) * half_s
                    boxes[n, 4] = 0.5 / grid
                    boxes[n, 5] = half_s
                    n += 1
    while n:
        uppers = np.zeros(n)
        for i in range(n):
            box = boxes[i]
            if not _admissible(box, s_max, fold):
                continue
            value, uppers[i] = _box_bound(box, offsets, depths, h, open_squares, touch)
            count += 1
            if value > best and box[2] ** 2 + box[3] ** 2 <= s_max**2:
                best = value
                put(where, box[:4])
        keep: npt.NDArray[np.intp] = np.flatnonzero(uppers > best + tolerance)
        if count > max_boxes and len(keep):
            return best, where, np.max(uppers), count
        following = np.empty((4 * len(keep), 6))
        n = 0
        for index in range(len(keep)):
            box = boxes[keep[index]]
            steep = depth_max + best
            split_s = box[5] > 0.0 and box[5] * steep > box[4]
            for a in range(2):
                for b in range(2):
                    child = following[n]
                    put(child, box)
                    if split_s:
                        child[5] = 0.5 * box[5]
                        child[2] += (2 * a - 1) * child[5]
                        child[3] += (2 * b - 1) * child[5]
                    else:
                        child[4] = 0.5 * box[4]
                        child[0] += (2 * a - 1) * child[4]
                        child[1] += (2 * b - 1) * child[4]
                    n += 1
        boxes = following
    return best, where, best + tolerance, count
