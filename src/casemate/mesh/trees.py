"""Uniform spanning trees inside each rib (Wilson's loop-erased walks), and the serpentine.

Source: D. B. Wilson, Generating random spanning trees more quickly than the cover time, STOC 1996.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np
import numpy.typing as npt

from casemate.core.randomness import keystream
from casemate.mesh.zones import ZonePlan

if TYPE_CHECKING:
    from casemate.mesh.ribs import FlagArray

DRAWS_PER_CELL = 12
"""Bytes of keystream for a cell at first; the walk asks for more when they are used up."""


def grow_trees(plan: ZonePlan, *, key: bytes, pattern: str) -> FlagArray:
    """Return direction flags of a spanning tree of all planned cells, shape of plan.rib.

    pattern "tree": a uniform spanning tree of each rib; "serpentine": straight columns.
    key: 32 secret bytes; the walk reads the ChaCha20 keystream.
    """
    tree = plan.tree.copy()
    done = plan.root.copy()
    if pattern == "serpentine":
        _columns(plan.rib, tree, done)
    order = _by_distance(plan.rib, done)
    step = np.zeros(plan.rib.size, dtype=np.int8)
    begin, chunk = 0, 0
    while begin < len(order):
        count = max(4096, DRAWS_PER_CELL * (len(order) - begin))
        draws = keystream(key[:24] + chunk.to_bytes(8, "little"), count)
        begin = int(_walks(order, begin, plan.rib, tree, done, step, draws))
        chunk += 1
    return tree


@nb.njit(cache=True, nogil=True)
def _walks(order, begin, rib, tree, done, step, draws):  # type: ignore[no-untyped-def]
    """Run Wilson's walks from order[begin:]; return where it stopped for want of draws.

    A walk that runs out of draws is begun anew with the next chunk: its first steps were drawn
    independently of what follows, and loop erasure keeps only the last exit of each cell, so the
    step table is simply continued.
    """
    rows, columns = rib.shape
    used = 0
    limit = len(draws)
    for index in range(begin, len(order)):
        start = order[index]
        if done[start // columns, start % columns]:
            continue
        cell = start
        while not done[cell // columns, cell % columns]:
            r = cell // columns
            c = cell % columns
            while True:
                if used >= limit:
                    return index
                turn = draws[used] & 3
                used += 1
                nr = r
                nc = c
                if turn == 0:
                    nc += 1
                elif turn == 1:
                    nr += 1
                elif turn == 2:
                    nc -= 1
                else:
                    nr -= 1
                if 0 <= nr < rows and 0 <= nc < columns and rib[nr, nc] == rib[r, c]:
                    break
            step[cell] = turn
            cell = nr * columns + nc
        cell = start
        while not done[cell // columns, cell % columns]:
            r = cell // columns
            c = cell % columns
            done[r, c] = True
            turn = step[cell]
            if turn == 0:
                tree[r, c] |= 1
                tree[r, c + 1] |= 4
                cell += 1
            elif turn == 1:
                tree[r, c] |= 2
                tree[r + 1, c] |= 8
                cell += columns
            elif turn == 2:
                tree[r, c] |= 4
                tree[r, c - 1] |= 1
                cell -= 1
            else:
                tree[r, c] |= 8
                tree[r - 1, c] |= 2
                cell -= columns
    return len(order)


@nb.njit(cache=True, nogil=True)
def _by_distance(rib, root):  # type: ignore[no-untyped-def]
    """Return the cells of all ribs, flat, in order of distance from their rib's root."""
    rows, columns = rib.shape
    seen = np.zeros(rib.size, dtype=np.bool_)
    order = np.empty(rib.size, dtype=np.int64)
    tail = 0
    for r in range(rows):
        for c in range(columns):
            if root[r, c]:
                order[tail] = r * columns + c
                tail += 1
                seen[r * columns + c] = True
    head = 0
    while head < tail:
        cell = order[head]
        head += 1
        r = cell // columns
        c = cell % columns
        for turn in range(4):
            nr = r + (turn == 1) - (turn == 3)
            nc = c + (turn == 0) - (turn == 2)
            if 0 <= nr < rows and 0 <= nc < columns and rib[nr, nc] == rib[r, c]:
                near = nr * columns + nc
                if not seen[near]:
                    seen[near] = True
                    order[tail] = near
                    tail += 1
    return order[:tail]


def _columns(rib: npt.NDArray[np.int32], tree: FlagArray, done: npt.NDArray[np.bool_]) -> None:
    """Join each rib's cells straight along columns, then its columns at the foot."""
    _comb(rib, tree, done)


@nb.njit(cache=True, nogil=True)
def _comb(rib, tree, done):  # type: ignore[no-untyped-def]
    # breadth-first from the root along the foot row first, columns after: a comb in each rib
    rows, columns = rib.shape
    queue = np.empty(rib.size, dtype=np.int64)
    tail = 0
    for r in range(rows):
        for c in range(columns):
            if done[r, c]:
                queue[tail] = r * columns + c
                tail += 1
    head = 0
    while head < tail:
        cell = queue[head]
        head += 1
        r = cell // columns
        c = cell % columns
        for turn in (0, 2):
            nc = c + (turn == 0) - (turn == 2)
            if 0 <= nc < columns and rib[r, nc] == rib[r, c] and not done[r, nc]:
                done[r, nc] = True
                queue[tail] = r * columns + nc
                tail += 1
                tree[r, c] |= 1 if turn == 0 else 4
                tree[r, nc] |= 4 if turn == 0 else 1
    for start in range(tail):
        cell = queue[start]
        for way in (1, -1):
            r = cell // columns
            c = cell % columns
            while 0 <= r + way < rows and rib[r + way, c] == rib[r, c] and not done[r + way, c]:
                done[r + way, c] = True
                tree[r, c] |= 2 if way == 1 else 8
                tree[r + way, c] |= 8 if way == 1 else 2
                r += way
