"""Read a layer back from its polylines alone: who owns which node, what leaves the lattice.

The proofs start here and not from what the generator remembers, so a fault in the generator
cannot hide in its own bookkeeping.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

from casemate.core._rows_kernel import put_rows
from casemate.mesh.model import Net
from casemate.mesh.region import Lattice


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """One layer's lattice as its copper shows it.

    owner: net number of each node, -1 if none, shape lattice.shape. arc_um: distance in um along
    the net from its start. length_um: of each net, shape (nets,). twice: nodes that traces pass
    more than once. free: segments that leave the lattice, rows (net, index in the net).
    """

    owner: npt.NDArray[np.int32]
    arc_um: npt.NDArray[np.int32]
    length_um: npt.NDArray[np.float64]
    twice: int
    free: npt.NDArray[np.int64]


def decode(nets: list[Net], lattice: Lattice, *, swap: bool) -> Decoded:
    """Walk all nets of one layer over its lattice."""
    owner = np.full(lattice.shape, -1, dtype=np.int32)
    arc = np.zeros(lattice.shape, dtype=np.int32)
    length = np.zeros(len(nets))
    free: list[npt.NDArray[np.int64]] = []
    twice = 0
    for number, net in enumerate(nets):
        vertices = np.ascontiguousarray(net.vertices[:, ::-1]) if swap else net.vertices
        loose, again, total = _walk(
            vertices, number, lattice.x_nm, lattice.y_nm, lattice.pitch_nm, owner, arc
        )
        length[number] = total
        twice += int(again)
        free.append(np.stack([np.full(len(loose), number), loose], axis=1))
    return Decoded(
        owner=owner,
        arc_um=arc,
        length_um=length,
        twice=twice,
        free=np.concatenate(free) if free else np.empty((0, 2), np.int64),
    )


@nb.njit(cache=True, nogil=True)
def _walk(vertices, number, x0, y0, pitch, owner, arc):  # type: ignore[no-untyped-def]
    """Mark the nodes of one net; return its off-lattice segments, repeats and length in um."""
    rows, columns = owner.shape
    loose = np.empty(len(vertices), dtype=np.int64)
    count = 0
    twice = 0
    along = 0.0
    last = -1
    for k in range(len(vertices) - 1):
        ax = np.int64(vertices[k, 0]) - x0
        ay = np.int64(vertices[k, 1]) - y0
        bx = np.int64(vertices[k + 1, 0]) - x0
        by = np.int64(vertices[k + 1, 1]) - y0
        if ay == by and ay % pitch == 0:
            fixed = ay // pitch
            low, high, way = ax, bx, 1
        elif ax == bx and ax % pitch == 0:
            fixed = ax // pitch
            low, high, way = ay, by, 0
        else:
            loose[count] = k
            count += 1
            along += np.hypot(float(bx - ax), float(by - ay)) / 1000.0
            continue
        if low % pitch != 0 or high % pitch != 0:
            loose[count] = k
            count += 1
        step = 1 if high >= low else -1
        place = -((-low) // pitch) if step > 0 else low // pitch
        while (high - place * pitch) * step >= 0:
            r = fixed if way == 1 else place
            c = place if way == 1 else fixed
            if 0 <= r < rows and 0 <= c < columns:
                node = r * columns + c
                if node != last:
                    if owner[r, c] >= 0:
                        twice += 1
                    owner[r, c] = number
                    arc[r, c] = np.int32(along + abs(place * pitch - low) / 1000.0)
                    last = node
            place += step
        along += abs(high - low) / 1000.0
    return loose[:count].copy(), twice, along


@nb.njit(cache=True, nogil=True)
def bypass(owner, arc_um, length_um, pitch_um):  # type: ignore[no-untyped-def]
    """Judge a bridge over every gap between neighbouring nodes.

    Returns gaps, gaps with the same net on both sides, those of them that cut out over 1 % of
    their net, the largest share cut out, and its node (row, column). Neighbours within 1.5
    pitches along the net are one piece of copper, not a gap.
    """
    rows, columns = owner.shape
    gaps = 0
    same = 0
    over = 0
    worst = 0.0
    at_row = 0
    at_column = 0
    joined = pitch_um * 1.5
    for r in range(rows):
        for c in range(columns):
            net = owner[r, c]
            if net < 0:
                continue
            for turn in range(2):
                r1 = r + (turn == 1)
                c1 = c + (turn == 0)
                if r1 >= rows or c1 >= columns:
                    continue
                other = owner[r1, c1]
                if other < 0:
                    continue
                if other == net:
                    cut = abs(arc_um[r, c] - arc_um[r1, c1])
                    if cut <= joined:
                        continue
                    same += 1
                    share = cut / length_um[net]
                    if share > 0.01:
                        over += 1
                    if share > worst:
                        worst = share
                        at_row = r
                        at_column = c
                gaps += 1
    return gaps, same, over, worst, at_row, at_column


@nb.njit(cache=True, nogil=True)
def incomplete(owner, reach):  # type: ignore[no-untyped-def]
    """Return the nodes that have a node without copper within `reach` rows or columns of them."""
    rows, columns = owner.shape
    across = np.zeros((rows, columns), dtype=np.bool_)
    for r in range(rows):
        last = -reach - 1
        for c in range(columns):
            if owner[r, c] < 0:
                for k in range(max(c - reach, last + reach + 1), min(columns, c + reach + 1)):
                    across[r, k] = True
                last = c
    result = np.zeros((rows, columns), dtype=np.bool_)
    for c in range(columns):
        last = -reach - 1
        for r in range(rows):
            if across[r, c]:
                for k in range(max(r - reach, last + reach + 1), min(rows, r + reach + 1)):
                    result[k, c] = True
                last = r
    return result


@nb.njit(cache=True, nogil=True)
def runs(mask, limit):  # type: ignore[no-untyped-def]
    """Return runs of True along rows, at most `limit` long, as rows (row, first, last + 1)."""
    rows, columns = mask.shape
    count = 0
    found = np.empty((1024, 3), dtype=np.int64)
    for r in range(rows):
        c = 0
        while c < columns:
            if not mask[r, c]:
                c += 1
                continue
            end = c
            while end < columns and mask[r, end] and end - c < limit:
                end += 1
            if count == len(found):
                more = np.empty((2 * count, 3), dtype=np.int64)
                put_rows(more, found)
                found = more
            found[count, 0] = r
            found[count, 1] = c
            found[count, 2] = end
            count += 1
            c = end
    return found[:count].copy()
