"""Branch and bound of the region bound, perpendicular to the board (compiled)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from casemate.mesh.holes._region_kernel import Array, Grid, Index, inside, reach_at

STRAIGHT = (1.0, 0.0, 1.0)


@njit(cache=True)
def place_reach(
    x: float,
    y: float,
    half: float,
    threshold: float,
    cap: float,
    outlined: bool,
    outline: Array,
    shrink: float,
    pieces: Array,
    starts: Index,
    items: Index,
    grid: Grid,
) -> float:
    """Return the radius at which a drill about (x, y) meets the outline or cuts a layer.

    shrink: subtracted from a layer's reach (half a width: from centreline to copper).
    Row 0 of starts indexes the outline, the others layers. The exact value is needed only above
    threshold - half; below it any value may be returned that is not too small.
    """
    stop = threshold - half
    value = cap
    for k in range(len(starts)):
        if k == 0 and not outlined:
            continue
        less = 0.0 if k == 0 else shrink
        value = (
            reach_at(
                STRAIGHT, 1.0, x, y, value + less, max(0.0, stop + less),
                pieces, starts[k], items, grid,
            )
            - less
        )  # fmt: skip
        if value <= stop:
            break
        if k == 0 and not inside(x, y, outline):
            return 0.0
    return value


@njit(cache=True)
def search_places(
    boxes: Array,
    cap: float,
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
) -> tuple[float, float, float, float, int]:
    """Return best radius found, its x and y, the certified radius (at least floor), box count.

    boxes: (n, 3), centre and half side, all drill centres to be covered.
    """
    best = 0.0
    best_x, best_y = math.nan, math.nan
    count = 0
    n = len(boxes)
    while n:
        uppers = np.zeros(n)
        for i in range(n):
            x, y, half = boxes[i, 0], boxes[i, 1], boxes[i, 2] * math.sqrt(2.0)
            threshold = max(best + tolerance, floor)
            value = place_reach(
                x, y, half, threshold, cap, outlined, outline, shrink, pieces, starts, items, grid
            )
            count += 1
            uppers[i] = value + half
            if value > best and value > threshold - half:
                best, best_x, best_y = value, x, y
        limit = max(best + tolerance, floor)
        keep: npt.NDArray[np.intp] = np.flatnonzero(uppers > limit)
        if count > max_boxes and len(keep):
            return best, best_x, best_y, np.max(uppers), count
        following = np.empty((4 * len(keep), 3))
        n = 0
        for index in range(len(keep)):
            box = boxes[keep[index]]
            half = 0.5 * box[2]
            for a in range(2):
                for b in range(2):
                    following[n, 0] = box[0] + (2 * a - 1) * half
                    following[n, 1] = box[1] + (2 * b - 1) * half
                    following[n, 2] = half
                    n += 1
        boxes = following
    return best, best_x, best_y, max(best + tolerance, floor), count
