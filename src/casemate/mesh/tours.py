"""From trees to traces: `lanes` nested traces run round each tree on the nodes of the lattice.

Links are one byte a node: bit 0 a link to the right, bit 1 a link upwards.
"""

from __future__ import annotations

import numba as nb
import numpy as np

RIGHT, UP = 1, 2
DEPTH_MAX = 24
"""Nodes that a finger looks ahead."""


@nb.njit(cache=True, nogil=True)
def tour_links(tree, planned, lanes):  # type: ignore[no-untyped-def]
    """Return links of all nested tours, shape (rows * 2 lanes, columns * 2 lanes), uint8.

    tree: direction flags a coarse cell; planned: which coarse cells take part.
    Within a quadrant whose two edges exist the lanes turn round the outer corner of the tree;
    with one edge they run along it; with none they turn round the tree's end.
    """
    rows, columns = tree.shape
    side = 2 * lanes
    links = np.zeros((rows * side, columns * side), dtype=np.uint8)
    for r in range(rows):
        for c in range(columns):
            if not planned[r, c]:
                continue
            flags = tree[r, c]
            y0 = r * side
            x0 = c * side
            for b in range(side):
                upper = b >= lanes
                j = b - lanes if upper else lanes - 1 - b
                vertical = (flags & 2) != 0 if upper else (flags & 8) != 0
                for a in range(side):
                    right = a >= lanes
                    i = a - lanes if right else lanes - 1 - a
                    across = (flags & 1) != 0 if right else (flags & 4) != 0
                    link = 0
                    # towards the right neighbour
                    if a == side - 1:
                        if flags & 1 and c + 1 < columns and planned[r, c + 1]:
                            link |= 1
                    elif a == lanes - 1:
                        if not vertical:
                            link |= 1
                    else:
                        low = i if right else i - 1
                        if across and vertical:
                            joined = low >= j
                        elif across:
                            joined = True
                        elif vertical:
                            joined = False
                        else:
                            joined = low < j
                        if joined:
                            link |= 1
                    # towards the upper neighbour
                    if b == side - 1:
                        if flags & 2 and r + 1 < rows and planned[r + 1, c]:
                            link |= 2
                    elif b == lanes - 1:
                        if not across:
                            link |= 2
                    else:
                        low = j if upper else j - 1
                        if across and vertical:
                            joined = low >= i
                        elif vertical:
                            joined = True
                        elif across:
                            joined = False
                        else:
                            joined = low < i
                        if joined:
                            link |= 2
                    links[y0 + b, x0 + a] = link
    return links


@nb.njit(cache=True, nogil=True)
def bump_fill(links, usable, covered, jitter):  # type: ignore[no-untyped-def]
    """Detour traces through pairs of free nodes beside them until none is left; return nodes won.

    jitter: an array of small integers that disturbs the order (repeated over the nodes; a single
    0 leaves it as it is).

    usable: nodes where a trace may lie; covered: nodes that have one (updated in place). A link
    between two nodes is replaced by three links round the two free nodes beside it, so every
    trace stays one path and no two traces meet. Works outward in rounds, and in each round first
    where the free strip straight ahead is deepest: a finger must not miss a narrow strip because
    its neighbour began a node too early.
    """
    rows, columns = links.shape
    queue = np.empty(2 * (usable.size - covered.sum()) + 4 * (rows + columns) + 64, dtype=np.int64)
    depth = np.empty(len(queue), dtype=np.int64)
    won = 0
    while True:
        tail = 0
        for r in range(rows):
            for c in range(columns):
                if not covered[r, c]:
                    continue
                for turn in range(2):
                    if links[r, c] & (1 << turn) == 0:
                        continue
                    r1 = r + (turn == 1)
                    c1 = c + (turn == 0)
                    for sign in (-1, 1):
                        a = r + sign * (turn == 0)
                        b = c + sign * (turn == 1)
                        a1 = r1 + sign * (turn == 0)
                        b1 = c1 + sign * (turn == 1)
                        if a < 0 or b < 0 or a1 >= rows or b1 >= columns:
                            continue
                        if covered[a, b] or covered[a1, b1]:
                            continue
                        if usable[a, b] and usable[a1, b1] and tail < len(queue):
                            queue[tail] = ((r * columns + c) * 2 + turn) * 2 + (sign > 0)
                            ahead = _free_ahead(usable, covered, r, c, turn, sign)
                            noise = jitter[(2 * r + turn) % len(jitter), c % jitter.shape[1]]
                            depth[tail] = noise - ahead
                            tail += 1
        before = won
        for place in np.argsort(depth[:tail], kind="mergesort"):
            code = queue[place]
            sign = 1 if code & 1 else -1
            turn = (code >> 1) & 1
            node = code >> 2
            r = node // columns
            c = node % columns
            r1 = r + (turn == 1)
            c1 = c + (turn == 0)
            a = r + sign * (turn == 0)
            b = c + sign * (turn == 1)
            a1 = r1 + sign * (turn == 0)
            b1 = c1 + sign * (turn == 1)
            if links[r, c] & (1 << turn) == 0 or covered[a, b] or covered[a1, b1]:
                continue
            links[r, c] &= ~np.uint8(1 << turn)
            covered[a, b] = True
            covered[a1, b1] = True
            links[a, b] |= np.uint8(1 << turn)
            rise = np.uint8(2 if turn == 0 else 1)
            if sign > 0:
                links[r, c] |= rise
                links[r1, c1] |= rise
            else:
                links[a, b] |= rise
                links[a1, b1] |= rise
            won += 2
        if won == before:
            return won


@nb.njit(cache=True, nogil=True)
def contract(links, covered, own, shut):  # type: ignore[no-untyped-def]
    """Take back detours: where a trace goes round two of the `own` nodes, join its feet directly.

    The inverse of bump_fill, in any order: repeated until no detour is left. shut: True for links
    (node, turn) that must stay, shape (rows, columns, 2).
    """
    rows, columns = links.shape
    changed = True
    while changed:
        changed = False
        for r in range(rows):
            for c in range(columns):
                for turn in range(2):
                    r1 = r + (turn == 1)
                    c1 = c + (turn == 0)
                    if r1 >= rows or c1 >= columns or links[r, c] & (1 << turn):
                        continue
                    if own[r, c] or own[r1, c1] or not (covered[r, c] and covered[r1, c1]):
                        continue
                    for sign in (-1, 1):
                        if _unhook(links, covered, own, shut, r, c, turn, sign):
                            changed = True
                            break
    # detours stand on detours: feet may be own nodes too
    changed = True
    while changed:
        changed = False
        for r in range(rows):
            for c in range(columns):
                for turn in range(2):
                    r1 = r + (turn == 1)
                    c1 = c + (turn == 0)
                    if r1 >= rows or c1 >= columns or links[r, c] & (1 << turn):
                        continue
                    if not (covered[r, c] and covered[r1, c1]):
                        continue
                    for sign in (-1, 1):
                        if _unhook(links, covered, own, shut, r, c, turn, sign):
                            changed = True
                            break


@nb.njit(cache=True, nogil=True)
def _unhook(links, covered, own, shut, r, c, turn, sign):  # type: ignore[no-untyped-def]
    rows, columns = links.shape
    a = r + sign * (turn == 0)
    b = c + sign * (turn == 1)
    a1 = a + (turn == 1)
    b1 = b + (turn == 0)
    if a < 0 or b < 0 or a1 >= rows or b1 >= columns:
        return False
    if not (own[a, b] and own[a1, b1] and links[a, b] & (1 << turn)):
        return False
    rise = np.uint8(2 if turn == 0 else 1)
    r1 = r + (turn == 1)
    c1 = c + (turn == 0)
    fr, fc = (r, c) if sign > 0 else (a, b)
    sr, sc = (r1, c1) if sign > 0 else (a1, b1)
    if not (links[fr, fc] & rise and links[sr, sc] & rise):
        return False
    if shut[a, b, turn] or shut[fr, fc, rise - 1] or shut[sr, sc, rise - 1]:
        return False
    links[a, b] &= ~np.uint8(1 << turn)
    links[fr, fc] &= ~rise
    links[sr, sc] &= ~rise
    links[r, c] |= np.uint8(1 << turn)
    covered[a, b] = False
    covered[a1, b1] = False
    return True


@nb.njit(cache=True, nogil=True)
def _free_ahead(usable, covered, r, c, turn, sign):  # type: ignore[no-untyped-def]
    """Return how many pairs of free nodes lie straight beside a link, at most DEPTH_MAX."""
    rows, columns = usable.shape
    for step in range(1, DEPTH_MAX + 1):
        a = r + sign * step * (turn == 0)
        b = c + sign * step * (turn == 1)
        a1 = a + (turn == 1)
        b1 = b + (turn == 0)
        if a < 0 or b < 0 or a1 >= rows or b1 >= columns:
            return step - 1
        if covered[a, b] or covered[a1, b1] or not usable[a, b] or not usable[a1, b1]:
            return step - 1
    return DEPTH_MAX


@nb.njit(cache=True, nogil=True)
def follow(links, row, column, nodes):  # type: ignore[no-untyped-def]
    """Write the flat nodes of the path that starts at (row, column); return how many.

    The start must have exactly one link. Returns -1 if the path does not fit `nodes` (a loop).
    """
    columns = links.shape[1]
    before = -1
    node = row * columns + column
    count = 0
    while True:
        if count >= len(nodes):
            return -1
        nodes[count] = node
        count += 1
        r = node // columns
        c = node % columns
        following = -1
        if links[r, c] & 1 and node + 1 != before:
            following = node + 1
        elif links[r, c] & 2 and node + columns != before:
            following = node + columns
        elif c > 0 and links[r, c - 1] & 1 and node - 1 != before:
            following = node - 1
        elif r > 0 and links[r - 1, c] & 2 and node - columns != before:
            following = node - columns
        if following < 0:
            return count
        before = node
        node = following
