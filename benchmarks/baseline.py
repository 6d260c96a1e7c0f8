"""A plain pure-Python mesh generator to compare with: random depth-first tree, nested walk.

It draws what the public generator's family draws (depth-first tree, `lanes` traces round it, see
reference/mesh.md section 1) with no bookkeeping at all, so it flatters the comparison's other side.
"""

from __future__ import annotations

import random

STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""East, north, west, south."""


def grow(columns: int, rows: int, seed: int) -> list[int]:
    """Return direction flags (bit k: STEPS[k]) of a random depth-first spanning tree."""
    draw = random.Random(seed)
    flags = [0] * (columns * rows)
    seen = bytearray(columns * rows)
    seen[0] = 1
    stack = [0]
    while stack:
        cell = stack[-1]
        column, row = cell % columns, cell // columns
        ways = []
        if column + 1 < columns and not seen[cell + 1]:
            ways.append((0, cell + 1))
        if row + 1 < rows and not seen[cell + columns]:
            ways.append((1, cell + columns))
        if column and not seen[cell - 1]:
            ways.append((2, cell - 1))
        if row and not seen[cell - columns]:
            ways.append((3, cell - columns))
        if not ways:
            stack.pop()
            continue
        way, following = ways[int(draw.random() * len(ways))]
        flags[cell] |= 1 << way
        flags[following] |= 1 << (way ^ 2)
        seen[following] = 1
        stack.append(following)
    return flags


def walk(flags: list[int], columns: int, lanes: int) -> list[list[tuple[float, float]]]:
    """Return the corners of `lanes` nested traces round the tree, in coarse cells.

    Keeps the tree on the left hand: turns right where it can, back where it must.
    """
    offsets = [(lane + 0.5) / (2 * lanes) for lane in range(lanes)]
    traces: list[list[tuple[float, float]]] = [[] for _ in offsets]
    heading = next(way for way in range(4) if flags[0] >> way & 1)
    first = (0, heading)
    cell = 0
    while True:
        cell += (1, columns, -1, -columns)[heading]
        x, y = cell % columns + 0.5, cell // columns + 0.5
        mask = flags[cell]
        came = heading
        for turn in (3, 0, 1, 2):
            heading = (came + turn) % 4
            if mask >> heading & 1:
                break
        if turn:
            ax, ay = STEPS[came]
            # corners on the right of the way in; right of (ax, ay) is (ay, -ax)
            for offset, trace in zip(offsets, traces, strict=True):
                trace.append(_corner(x, y, ax, ay, offset, turn))
                if turn == 2:
                    trace.append((x + offset * (ax - ay), y + offset * (ay + ax)))
        if (cell, heading) == first:
            return traces


def _corner(x: float, y: float, ax: int, ay: int, offset: float, turn: int) -> tuple[float, float]:
    """Return where a trace on the right turns: before the centre if right, behind it if not."""
    along = -offset if turn == 3 else offset
    return x + offset * ay + along * ax, y - offset * ax + along * ay


def pattern(columns: int, rows: int, lanes: int, seed: int) -> int:
    """Draw a whole pattern; return how many fine cells its traces pass (all of them)."""
    traces = walk(grow(columns, rows, seed), columns, lanes)
    cells = 0
    for trace in traces:
        ends = zip(trace, [*trace[1:], trace[0]], strict=True)
        length = sum(abs(x1 - x0) + abs(y1 - y0) for (x0, y0), (x1, y1) in ends)
        cells += round(length * 2 * lanes)
    if cells != columns * rows * (2 * lanes) ** 2:
        raise AssertionError(f"the baseline's traces cover {cells} fine cells, not all")
    return cells
