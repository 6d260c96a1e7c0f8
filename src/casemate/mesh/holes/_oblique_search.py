"""Branch and bound of the region bound over place and direction (compiled).

Places are those where the drill's axis meets the first layer of the rows given. Proofs and
Lipschitz constants: docs/formats/hole-certificate.md, sections 5 and 6.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from casemate.core._rows_kernel import put
from casemate.mesh.holes._lattice_kernel import metric
from casemate.mesh.holes._region_kernel import Array, Grid, Index, inside, reach_at
from casemate.mesh.holes._region_search import place_reach


@njit(cache=True)
def surviving_places(
    boxes: Array,
    target: float,
    threshold: float,
    outlined: bool,
    outline: Array,
    shrink: float,
    pieces: Array,
    starts: Index,
    items: Index,
    grid: Grid,
) -> Array:
    """Return squares of half side <= target that cover all places whose reach is over threshold.

    starts: row 0 the outline, row 1 the one layer looked at, perpendicular to the board.
    """
    done = np.empty((0, 3))
    while len(boxes):
        keep = np.zeros(len(boxes), np.bool_)
        for i in range(len(boxes)):
            half = boxes[i, 2] * math.sqrt(2.0)
            value = place_reach(
                boxes[i, 0], boxes[i, 1], half, threshold, math.inf, outlined, outline, shrink,
                pieces, starts, items, grid,
            )  # fmt: skip
            keep[i] = value + half > threshold
        boxes = boxes[keep]
        small = boxes[:, 2] <= target
        done = np.concatenate((done, boxes[small]))
        large = boxes[~small]
        boxes = np.empty((4 * len(large), 3))
        for i in range(len(large)):
            half = 0.5 * large[i, 2]
            for k in range(4):
                boxes[4 * i + k, 0] = large[i, 0] + (2 * (k & 1) - 1) * half
                boxes[4 * i + k, 1] = large[i, 1] + (2 * (k >> 1) - 1) * half
                boxes[4 * i + k, 2] = half
    return done


@njit(cache=True)
def _bound(
    box: Array,
    threshold: float,
    depths: Array,
    outlined: bool,
    outline: Array,
    shrink: float,
    pieces: Array,
    starts: Index,
    items: Index,
    grid: Grid,
) -> tuple[float, float]:
    """Return the joint reach at the centre and an upper bound over the box (or <= threshold)."""
    x, y, sx, sy = box[0], box[1], box[2], box[3]
    dx, ds = box[4] * math.sqrt(2.0), box[5] * math.sqrt(2.0)
    s = math.hypot(sx, sy)
    c = metric(sx, sy)
    cosine = 1.0 / math.sqrt(1.0 + s * s)
    stretch = 1.0 + ds * math.sqrt((1.0 + s * s) / (1.0 + max(0.0, s - ds) ** 2))
    less = shrink / math.sqrt(1.0 + (s + ds) ** 2)
    value, upper = math.inf, math.inf
    for k in range(len(depths)):
        px, py = x + depths[k] * sx, y + depths[k] * sy
        slack = dx + abs(depths[k]) * ds
        for row in (0, k + 1):
            if row == 0 and not outlined:
                continue
            off = less if row else 0.0
            stop = max(0.0, (threshold - slack + off) / stretch)
            cap = (upper - slack + off) / stretch
            if cap <= 0.0:
                return 0.0, upper
            reach = reach_at(c, cosine, px, py, cap, stop, pieces, starts[row], items, grid)
            if row == 0 and reach > stop and not inside(px, py, outline):
                reach = 0.0
            value = min(value, reach - off)
            upper = min(upper, reach * stretch + slack - off)
            if upper <= threshold:
                return 0.0, upper
    return value, upper


@njit(cache=True)
def search_directions(
    places: Array,
    depths: Array,
    s_max: float,
    floor: float,
    tolerance: float,
    max_boxes: int,
    outlined: bool,
    outline: Array,
    shrink: float,
    pieces: Array,
    starts: Index,
    items: Index,
    grid: Grid,
) -> tuple[float, Array, float, int]:
    """Return best reach seen, where (x, y, sx, sy), the certified reach, and the box count.

    depths: of each layer from the first, nanometres. starts: row 0 the outline, then layers.
    """
    best, where, count, open_upper = 0.0, np.full(4, math.nan), 0, 0.0
    deepest = np.max(np.abs(depths))
    side = max(1, math.ceil(s_max / 0.35))
    chunk = 512
    for first in range(0, len(places), chunk):
        part = places[first : first + chunk]
        n = len(part) * side * side
        boxes = np.empty((n, 6))
        for i in range(n):
            p, q = i // (side * side), i % (side * side)
            half = s_max / side
            boxes[i, 0], boxes[i, 1], boxes[i, 4] = part[p, 0], part[p, 1], part[p, 2]
            boxes[i, 2] = -s_max + (2 * (q % side) + 1) * half
            boxes[i, 3] = -s_max + (2 * (q // side) + 1) * half
            boxes[i, 5] = half
        while n:
            uppers = np.zeros(n)
            for i in range(n):
                box = boxes[i]
                lo_x = max(0.0, abs(box[2]) - box[5])
                lo_y = max(0.0, abs(box[3]) - box[5])
                if lo_x * lo_x + lo_y * lo_y > s_max * s_max:
                    continue
                threshold = max(best + tolerance, floor)
                value, uppers[i] = _bound(
                    box, threshold, depths, outlined, outline, shrink, pieces, starts, items, grid
                )
                count += 1
                if value > best and box[2] ** 2 + box[3] ** 2 <= s_max * s_max:
                    best = value
                    put(where, box[:4])
            keep: npt.NDArray[np.intp] = np.flatnonzero(uppers > max(best + tolerance, floor))
            if count > max_boxes:
                for i in keep:
                    open_upper = max(open_upper, uppers[i])
                break
            boxes = _split(boxes, keep, deepest + max(best, floor))
            n = len(boxes)
    return best, where, max(best + tolerance, floor, open_upper), count


@njit(cache=True)
def _split(boxes: Array, keep: npt.NDArray[np.intp], steep: float) -> Array:
    """Return the four quarters of each kept box, in place or in direction, whichever is looser."""
    following = np.empty((4 * len(keep), 6))
    for i in range(len(keep)):
        box = boxes[keep[i]]
        turn = box[5] * steep > box[4]
        for k in range(4):
            child = following[4 * i + k]
            put(child, box)
            a, b = 2 * (k & 1) - 1, 2 * (k >> 1) - 1
            if turn:
                child[5] = 0.5 * box[5]
                child[2] += a * child[5]
                child[3] += b * child[5]
            else:
                child[4] = 0.5 * box[4]
                child[0] += a * child[4]
                child[1] += b * child[4]
    return following
