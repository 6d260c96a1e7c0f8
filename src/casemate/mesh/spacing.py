"""Exact distances between copper that leaves the lattice and everything near it."""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

from casemate.mesh.model import Net, Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """Smallest space in nm between copper of the free segments or pads and any foreign copper.

    Foreign is another net, or the same net farther than `local` along it. contacts: pairs whose
    copper overlaps. x_nm, y_nm: where the smallest space was seen. inf if nothing is near.
    bridge_share: most of a net that a bridge from a free segment over less than a pitch and a half
    cuts out of it; bridge_x_nm, bridge_y_nm: where.
    """

    space_nm: float
    contacts: int
    x_nm: float
    y_nm: float
    bridge_share: float
    bridge_x_nm: float
    bridge_y_nm: float


def free_spacing(
    nets: list[Net], free: npt.NDArray[np.int64], pads: list[Terminal], *, trace_nm: int,
    pitch_nm: int,
) -> Spacing:  # fmt: skip
    """Measure from each free segment (rows net, index) and each pad to all copper of the layer.

    pads: vias that have copper on this layer, of its own nets or passing through. Copper nearer
    than 8 pitches along the same net is local: only overlaps count there, not narrow spaces.
    """
    names = {net.name: number for number, net in enumerate(nets)}
    segments, arcs = _segments(nets)
    radius = np.full(len(segments), trace_nm / 2)
    starts = np.cumsum([0] + [len(net.vertices) - 1 for net in nets])
    chosen = starts[free[:, 0]] + free[:, 1]
    discs = np.array(
        [(names.get(t.net, -1 - k), t.x_nm, t.y_nm, t.x_nm, t.y_nm) for k, t in enumerate(pads)],
        dtype=np.float64,
    ).reshape(-1, 5)
    ends = np.array(
        [
            (0.0 if t.end == "start" else arcs[starts[names[t.net] + 1] - 1, 1])
            if t.net in names
            else 0.0
            for t in pads
        ]
    )
    table = np.concatenate([segments, discs])
    arc = np.concatenate([arcs, np.stack([ends, ends], axis=1).reshape(-1, 2)])
    radius = np.concatenate([radius, [t.pad_nm / 2 for t in pads]])
    chosen = np.concatenate([chosen, len(segments) + np.arange(len(discs))]).astype(np.int64)
    if len(chosen) == 0:
        return Spacing(
            space_nm=float("inf"), contacts=0, x_nm=0.0, y_nm=0.0, bridge_share=0.0,
            bridge_x_nm=0.0, bridge_y_nm=0.0,
        )  # fmt: skip
    total = np.array([arcs[end - 1, 1] for end in starts[1:]])
    length = np.concatenate([total[segments[:, 0].astype(np.int64)], np.full(len(discs), np.inf)])
    space, contacts, x, y, share, at = _nearest(
        table, arc, radius, length, chosen, 2.0 * pitch_nm, 8.0 * pitch_nm
    )
    return Spacing(
        space_nm=float(space),
        contacts=int(contacts),
        x_nm=float(x),
        y_nm=float(y),
        bridge_share=float(share),
        bridge_x_nm=float(table[at, 1]) if at >= 0 else 0.0,
        bridge_y_nm=float(table[at, 2]) if at >= 0 else 0.0,
    )


def _segments(
    nets: list[Net],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return rows (net, x0, y0, x1, y1) and (arc at start, arc at end) of all segments."""
    tables, arcs = [], []
    for number, net in enumerate(nets):
        v = net.vertices.astype(np.float64)
        tables.append(np.column_stack([np.full(len(v) - 1, number), v[:-1], v[1:]]))
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*(v[1:] - v[:-1]).T))])
        arcs.append(np.column_stack([along[:-1], along[1:]]))
    if not tables:
        return np.empty((0, 5)), np.empty((0, 2))
    return np.concatenate(tables), np.concatenate(arcs)


@nb.njit(cache=True, nogil=True)
def _nearest(table, arc, radius, length, chosen, cell, local):  # type: ignore[no-untyped-def]
    reach = cell
    x_low = table[:, 1].min()
    y_low = table[:, 2].min()
    for k in range(len(table)):
        x_low = min(x_low, table[k, 3])
        y_low = min(y_low, table[k, 4])
    x_low -= 2 * cell
    y_low -= 2 * cell
    wanted = nb.typed.Dict.empty(nb.int64, nb.int64)
    for k in chosen:
        r0, r1, c0, c1 = _span(table[k], reach + radius[k], x_low, y_low, cell)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                key = r * 4_000_037 + c
                if key not in wanted:
                    wanted[key] = len(wanted)
    count = np.zeros(len(wanted) + 1, dtype=np.int64)
    for k in range(len(table)):
        r0, r1, c0, c1 = _span(table[k], 0.0, x_low, y_low, cell)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                key = r * 4_000_037 + c
                if key in wanted:
                    count[wanted[key] + 1] += 1
    start = np.cumsum(count)
    items = np.empty(start[-1], dtype=np.int64)
    fill = start[:-1].copy()
    for k in range(len(table)):
        r0, r1, c0, c1 = _span(table[k], 0.0, x_low, y_low, cell)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                key = r * 4_000_037 + c
                if key in wanted:
                    place = wanted[key]
                    items[fill[place]] = k
                    fill[place] += 1
    best = np.inf
    contacts = 0
    best_x = 0.0
    best_y = 0.0
    worst = 0.0
    worst_at = -1
    for k in chosen:
        r0, r1, c0, c1 = _span(table[k], reach + radius[k], x_low, y_low, cell)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                place = wanted[r * 4_000_037 + c]
                for index in range(start[place], start[place + 1]):
                    other = items[index]
                    if other == k:
                        continue
                    if table[other, 0] == table[k, 0]:
                        share = _cut_out(table[k], table[other], arc[k], arc[other], 0.75 * cell)
                        if share > worst * length[k]:
                            worst = share / length[k]
                            worst_at = k
                        apart = max(arc[other, 0] - arc[k, 1], arc[k, 0] - arc[other, 1])
                        if apart < local:
                            contacts += _overlap(table[k], table[other], radius[k], apart)
                            continue
                    gap = _distance(table[k], table[other]) - radius[k] - radius[other]
                    if gap <= 0.0:
                        contacts += 1
                    if gap < best:
                        best = gap
                        best_x = table[k, 1]
                        best_y = table[k, 2]
    return best, contacts, best_x, best_y, worst, worst_at


@nb.njit(cache=True, nogil=True)
def _span(row, reach, x_low, y_low, cell):  # type: ignore[no-untyped-def]
    return (
        int((min(row[2], row[4]) - reach - y_low) // cell),
        int((max(row[2], row[4]) + reach - y_low) // cell),
        int((min(row[1], row[3]) - reach - x_low) // cell),
        int((max(row[1], row[3]) + reach - x_low) // cell),
    )


@nb.njit(cache=True, nogil=True)
def _point(px, py, ax, ay, bx, by):  # type: ignore[no-untyped-def]
    dx = bx - ax
    dy = by - ay
    square = dx * dx + dy * dy
    share = 0.0
    if square > 0.0:
        share = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
    return np.hypot(px - ax - share * dx, py - ay - share * dy)


@nb.njit(cache=True, nogil=True)
def _overlap(one, two, radius, apart):  # type: ignore[no-untyped-def]
    """Return 1 if two near segments of one net, not joined end to end, overlap as they must not.

    Across a jog shorter than the trace is wide copper overlaps by itself; not where the net turns
    back, and not across a longer segment.
    """
    if apart <= 0.5 or _distance(one, two) - 2.0 * radius > -0.5:
        return 0
    along = (one[3] - one[1]) * (two[3] - two[1]) + (one[4] - one[2]) * (two[4] - two[2])
    return 1 if along < 0.0 or apart > 2.0 * radius + 0.5 else 0


@nb.njit(cache=True, nogil=True)
def _cut_out(one, two, arc_one, arc_two, reach):  # type: ignore[no-untyped-def]
    """Return how much length a bridge no longer than `reach` between two segments cuts out at most.

    The longest lies at an end of the stretch where they are near: at an end of one of them.
    """
    most = 0.0
    for swap in range(2):
        a, b = (one, two) if swap == 0 else (two, one)
        arc_a, arc_b = (arc_one, arc_two) if swap == 0 else (arc_two, arc_one)
        dx = b[3] - b[1]
        dy = b[4] - b[2]
        square = max(dx * dx + dy * dy, 1e-9)
        for end in range(2):
            x = a[1] if end == 0 else a[3]
            y = a[2] if end == 0 else a[4]
            share = min(1.0, max(0.0, ((x - b[1]) * dx + (y - b[2]) * dy) / square))
            if np.hypot(b[1] + share * dx - x, b[2] + share * dy - y) <= reach:
                most = max(most, abs(arc_b[0] + share * (arc_b[1] - arc_b[0]) - arc_a[end]))
    return most


@nb.njit(cache=True, nogil=True)
def _distance(one, two):  # type: ignore[no-untyped-def]
    ax, ay, bx, by = one[1], one[2], one[3], one[4]
    cx, cy, dx, dy = two[1], two[2], two[3], two[4]
    d1 = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    d2 = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
    d3 = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
    d4 = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
    if d1 * d2 < 0 and d3 * d4 < 0:
        return 0.0
    return min(
        min(_point(ax, ay, cx, cy, dx, dy), _point(bx, by, cx, cy, dx, dy)),
        min(_point(cx, cy, ax, ay, bx, by), _point(dx, dy, ax, ay, bx, by)),
    )
