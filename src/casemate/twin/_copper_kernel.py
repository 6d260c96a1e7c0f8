"""Compiled search of the copper index. All lengths in nm."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import put

ROOM = 512
"""Segments that there is room for at first; a tool of 3 mm touches some 300, a wide pocket more."""


@njit(cache=True)
def _touched(
    x: float,
    y: float,
    reach: float,
    net: Any,
    a: Any,
    b: Any,
    first: Any,
    held: Any,
    origin: Any,
    cell: int,
    shape: Any,
    found: Any,
    offs: Any,
    alongs: Any,
) -> int:
    """Collect segments whose centreline is nearer than `reach`; return how many there are.

    More than there is room for are counted and not kept: make room and ask again.
    """
    low_c = max(int((x - reach - origin[0]) // cell), 0)
    high_c = min(int((x + reach - origin[0]) // cell), shape[0] - 1)
    low_r = max(int((y - reach - origin[1]) // cell), 0)
    high_r = min(int((y + reach - origin[1]) // cell), shape[1] - 1)
    count = 0
    for column in range(low_c, high_c + 1):
        for row in range(low_r, high_r + 1):
            at = column * shape[1] + row
            for slot in range(first[at], first[at + 1]):
                s = held[slot]
                ax, ay = float(a[s, 0]), float(a[s, 1])
                ux, uy = b[s, 0] - ax, b[s, 1] - ay
                long = np.sqrt(ux * ux + uy * uy)
                t = ((x - ax) * ux + (y - ay) * uy) / (long * long)
                t = 0.0 if t < 0.0 else (1.0 if t > 1.0 else t)
                px, py = ax + t * ux, ay + t * uy
                off = np.sqrt((x - px) ** 2 + (y - py) ** 2)
                if off >= reach:
                    continue
                # a segment lies in several cells: count it in that of its nearest point
                if int((px - origin[0]) // cell) != column or int((py - origin[1]) // cell) != row:
                    continue
                if count < found.size:
                    found[count], offs[count], alongs[count] = s, off, t * long
                count += 1
    return count


@njit(cache=True)
def _merged(count: int, net: Any, found: Any, offs: Any, alongs: Any) -> int:
    """Keep, of each run of neighbouring segments of a net, the nearest; return how many runs."""
    order = np.argsort(found[:count])
    kept = 0
    last = -10
    rows = np.empty(count, dtype=np.int64)
    for k in range(count):
        i = order[k]
        s = found[i]
        if kept > 0 and s - last <= 2 and net[s] == net[found[rows[kept - 1]]]:
            if offs[i] < offs[rows[kept - 1]]:
                rows[kept - 1] = i
        else:
            rows[kept] = i
            kept += 1
        last = s
    ours, off, along = found[rows[:kept]], offs[rows[:kept]], alongs[rows[:kept]]
    put(found, ours)
    put(offs, off)
    put(alongs, along)
    return kept


@njit(cache=True)
def met(
    x: Any,
    y: Any,
    radius: Any,
    half: float,
    net: Any,
    a: Any,
    b: Any,
    first: Any,
    held: Any,
    origin: Any,
    cell: int,
    shape: Any,
) -> Any:
    """Return (counts (K,), segment, off, along) of what each tool meets, tool after tool."""
    counts = np.zeros(x.size, dtype=np.int64)
    found, offs, alongs = np.empty(ROOM, np.int64), np.empty(ROOM), np.empty(ROOM)
    room = 4 * x.size + 16
    segment, off, along = np.empty(room, np.int64), np.empty(room), np.empty(room)
    total = 0
    for k in range(x.size):
        reach = radius[k] + half
        count = _touched(
            x[k], y[k], reach, net, a, b, first, held, origin, cell, shape, found, offs, alongs
        )
        if count > found.size:
            found, offs, alongs = np.empty(count, np.int64), np.empty(count), np.empty(count)
            _touched(
                x[k], y[k], reach, net, a, b, first, held, origin, cell, shape, found, offs, alongs
            )
        kept = _merged(count, net, found, offs, alongs)
        while total + kept > segment.size:
            segment = np.concatenate((segment, np.empty_like(segment)))
            off = np.concatenate((off, np.empty_like(off)))
            along = np.concatenate((along, np.empty_like(along)))
        put(segment[total:], found[:kept])
        put(off[total:], offs[:kept])
        put(along[total:], alongs[:kept])
        counts[k] = kept
        total += kept
    return counts, segment[:total], off[:total], along[:total]


@njit(cache=True)
def nearest_nets(
    x: Any,
    y: Any,
    reach: float,
    net: Any,
    a: Any,
    b: Any,
    first: Any,
    held: Any,
    origin: Any,
    cell: int,
    shape: Any,
) -> Any:
    """Return the net whose centreline is nearest within `reach` of each place, -1 for none."""
    owner = np.full(x.size, -1, dtype=np.int64)
    found, offs, alongs = np.empty(ROOM, np.int64), np.empty(ROOM), np.empty(ROOM)
    for k in range(x.size):
        count = _touched(
            x[k], y[k], reach, net, a, b, first, held, origin, cell, shape, found, offs, alongs
        )
        if count > found.size:
            found, offs, alongs = np.empty(count, np.int64), np.empty(count), np.empty(count)
            _touched(
                x[k], y[k], reach, net, a, b, first, held, origin, cell, shape, found, offs, alongs
            )
        best = reach
        for i in range(count):
            if offs[i] < best:
                best = offs[i]
                owner[k] = net[found[i]]
    return owner


@njit(cache=True)
def cells(a: Any, b: Any, left: int, low: int, cell: int, count: int, rows: int) -> tuple[Any, Any]:
    """Return where each cell's list starts, (count + 1,), and the segments in it, in their order.

    A segment is in every cell of side `cell` that its bounding box touches; `rows` to a column.
    """
    first = np.zeros(count + 1, dtype=np.int64)
    held = np.empty(0, dtype=np.int32)
    for turn in range(2):
        for s in range(a.shape[0]):
            x0, x1 = min(a[s, 0], b[s, 0]) - left, max(a[s, 0], b[s, 0]) - left
            y0, y1 = min(a[s, 1], b[s, 1]) - low, max(a[s, 1], b[s, 1]) - low
            for column in range(x0 // cell, x1 // cell + 1):
                for row in range(y0 // cell, y1 // cell + 1):
                    at = column * rows + row
                    if turn == 0:
                        first[at + 1] += 1
                    else:
                        held[first[at]] = s
                        first[at] += 1
        if turn == 0:
            first = np.cumsum(first)
            held = np.empty(first[-1], dtype=np.int32)
    for at in range(first.size - 1, 0, -1):
        first[at] = first[at - 1]
    first[0] = 0
    return first, held
