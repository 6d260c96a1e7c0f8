"""Compiled kernels of the region bound: grid of boundary lines, branch and bound over places.

Lengths in nanometres (float64). Proofs: docs/formats/hole-certificate.md, section 6.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int32]
Grid = tuple[float, float, float, int, int]
"""x0, y0, cell, nx, ny."""


@njit(cache=True)
def _cells(piece: Array, grid: Grid) -> tuple[int, int, int, int]:
    x0, y0, cell, nx, ny = grid
    lo_x = min(piece[0], piece[2], piece[4], piece[6])
    hi_x = max(piece[0], piece[2], piece[4], piece[6])
    lo_y = min(piece[1], piece[3], piece[5], piece[7])
    hi_y = max(piece[1], piece[3], piece[5], piece[7])
    return (
        max(0, math.floor((lo_x - x0) / cell)),
        min(nx - 1, math.floor((hi_x - x0) / cell)),
        max(0, math.floor((lo_y - y0) / cell)),
        min(ny - 1, math.floor((hi_y - y0) / cell)),
    )


@njit(cache=True)
def mark_boxes(boxes: Array, margin: float, grid: Grid) -> npt.NDArray[np.bool_]:
    """Return which grid cells lie within margin of a box (k, 4: x0 y0 x1 y1)."""
    x0, y0, cell, nx, ny = grid
    mark = np.zeros(nx * ny, np.bool_)
    for k in range(len(boxes)):
        i0 = max(0, math.floor((boxes[k, 0] - margin - x0) / cell))
        i1 = min(nx - 1, math.floor((boxes[k, 2] + margin - x0) / cell))
        j0 = max(0, math.floor((boxes[k, 1] - margin - y0) / cell))
        j1 = min(ny - 1, math.floor((boxes[k, 3] + margin - y0) / cell))
        for j in range(j0, j1 + 1):
            mark[j * nx + i0 : j * nx + i1 + 1] = True
    return mark


@njit(cache=True)
def fill_grid(
    pieces: Array, mark: npt.NDArray[np.bool_], grid: Grid
) -> tuple[npt.NDArray[np.int32], Index]:
    """Return start (cells + 1) and items: the pieces whose bounding box meets each marked cell."""
    nx = grid[3]
    count = np.zeros(len(mark) + 1, np.int32)
    for k in range(len(pieces)):
        i0, i1, j0, j1 = _cells(pieces[k], grid)
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                if mark[j * nx + i]:
                    count[j * nx + i + 1] += 1
    for c in range(len(mark)):
        count[c + 1] += count[c]
    items = np.empty(count[-1], np.int32)
    place = count[:-1].copy()
    for k in range(len(pieces)):
        i0, i1, j0, j1 = _cells(pieces[k], grid)
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                c = j * nx + i
                if mark[c]:
                    items[place[c]] = k
                    place[c] += 1
    return count, items


@njit(cache=True)
def _line2(
    c: tuple[float, float, float], x: float, y: float, ax: float, ay: float, bx: float, by: float
) -> float:
    ux, uy = ax - x, ay - y
    px = c[0] * ux + c[1] * uy
    py = c[1] * ux + c[2] * uy
    ux, uy = bx - ax, by - ay
    dx = c[0] * ux + c[1] * uy
    dy = c[1] * ux + c[2] * uy
    t = -(px * dx + py * dy) / (dx * dx + dy * dy)
    t = min(1.0, max(0.0, t))
    px += t * dx
    py += t * dy
    return px * px + py * py


@njit(cache=True)
def _cell_reach(
    c: tuple[float, float, float],
    x: float,
    y: float,
    best: float,
    pieces: Array,
    items: Index,
) -> float:
    for n in range(len(items)):
        p = pieces[items[n]]
        if p[0] == p[2] and p[1] == p[3]:  # a disc that the drill must hold whole (strips.py)
            ux, uy = p[0] - x, p[1] - y
            px, py = c[0] * ux + c[1] * uy, c[1] * ux + c[2] * uy
            best = min(best, (math.sqrt(px * px + py * py) + p[4] - p[0]) ** 2)
            continue
        left = _line2(c, x, y, p[0], p[1], p[2], p[3])
        if left < best:
            best = min(best, max(left, _line2(c, x, y, p[4], p[5], p[6], p[7])))
    return best


@njit(cache=True)
def reach_at(
    c: tuple[float, float, float],
    cosine: float,
    x: float,
    y: float,
    cap: float,
    stop: float,
    pieces: Array,
    start: Index,
    items: Index,
    grid: Grid,
) -> float:
    """Return the least radius about (x, y) that reaches both lines of a piece, at most cap.

    The search ends as soon as the radius is stop or less. It may miss a piece, never invent one.
    """
    x0, y0, cell, nx, ny = grid
    cx = min(nx - 1, max(0, math.floor((x - x0) / cell)))
    cy = min(ny - 1, max(0, math.floor((y - y0) / cell)))
    best = cap * cap
    ring = 0
    while ring <= 1 or ((ring - 1) * cell * cosine) ** 2 < best:
        if ring > max(nx, ny):
            break
        for j in range(max(0, cy - ring), min(ny - 1, cy + ring) + 1):
            edge = abs(j - cy) == ring
            step = 1 if edge or ring == 0 else 2 * ring
            for i in range(cx - ring, cx + ring + 1, step):
                if i < 0 or i >= nx:
                    continue
                a, b = start[j * nx + i], start[j * nx + i + 1]
                if b > a:
                    best = _cell_reach(c, x, y, best, pieces, items[a:b])
        if best <= stop * stop:
            break
        ring += 1
    return math.sqrt(best)


@njit(cache=True)
def inside(x: float, y: float, edges: Array) -> bool:
    """Return whether (x, y) is inside by the even-odd rule; edges are outline pieces."""
    odd = False
    for k in range(len(edges)):
        ax, ay, bx, by = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            odd = not odd
    return odd
