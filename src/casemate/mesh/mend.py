"""Mending: fingers anywhere on a run, put where a drill would still pass the drawn copper.

The lattice and its own fingers leave bare spots at curved openings, corners and terminals. Here
the finished layers are looked at together; where the largest drill that severs nothing is wider
than aimed at, a run nearby is pushed out to a finger that crosses the place. A net stays one path
and keeps the pitch to all else. The proof does not know of this step: it reads the polylines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from casemate.mesh.model import Net
from casemate.mesh.refill import Filling, Judge, refill, window_at, window_points
from casemate.mesh.region import contains_grid

if TYPE_CHECKING:
    from shapely import Polygon

AIM = 1.08
"""Aim for all layers together, in units of sqrt(2) (pitch + trace), the figure of one layer inside
(docs/formats/hole-certificate.md, 2.4): rims and terminals come near it, few below it."""
AIM_ALONE = 1.2
"""Aim for each layer alone, in the same unit: at an edge a drill has copper on one side only."""
TRIES = 6
"""Fingers at one place, at most."""
SAMPLES_JOINT, SAMPLES_ALONE = 3, 2
"""Samples along a pitch at which a window is judged; few places are open in all layers at once."""
ORDERS_JOINT, ORDERS_ALONE = 16, 8
"""Orders that are tried in a window."""
ROOM = 16_384
"""Vertices that fingers may add to a layer, at least."""


@dataclass(slots=True)
class Chain:
    """Polylines of one layer as linked vertices, with room for more, and the cells they meet.

    arrays: (x, y, following, before), int32; following -1 at a net's end. first: each net's start.
    """

    arrays: tuple[npt.NDArray[np.int32], ...]
    first: npt.NDArray[np.int64]
    count: int
    cells: Any = None
    late: Any = None
    late_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MendRules:
    """Lengths in nanometres. via_gap, edge_gap: from centrelines to vias' centres, to the edge."""

    pitch: float
    trace: float
    pad: float
    via_gap: float
    edge_gap: float


def close_layers(
    fillings: list[Filling],
    trace: list[Callable[[], list[Net]]],
    board: Polygon,
    rules: MendRules,
) -> list[Net]:
    """Return the nets of all layers, refilled and mended where a drill would pass.

    trace: for each layer what follows its nets through the filling as it stands.
    """
    work = _Work(fillings, trace, board, rules)
    unit = math.sqrt(2.0) * (rules.pitch + rules.trace)
    layers = list(range(len(fillings)))
    for index in layers:
        work.refill(index, [index], 0.5 * AIM_ALONE * unit)
    if len(layers) > 1:
        for index in reversed(layers):
            work.refill(index, layers, 0.5 * AIM * unit)
    for index in layers:
        work.close([index], 0.5 * AIM_ALONE * unit)
    if len(layers) > 1:
        work.close(layers, 0.5 * AIM * unit)
    return [
        replace(net, vertices=vertices)
        for chain, nets in zip(work.chains, work.nets, strict=True)
        for net, vertices in zip(nets, _polylines(chain), strict=True)
    ]


class _Work:
    """The copper while it is being closed."""

    def __init__(
        self,
        fillings: list[Filling],
        trace: list[Callable[[], list[Net]]],
        board: Polygon,
        rules: MendRules,
    ) -> None:
        self.layers, self.trace, self.board, self.rules = fillings, trace, board, rules
        rings = [board.exterior, *board.interiors]
        lines = [np.asarray(ring.coords) for ring in rings]
        self.edges = np.concatenate([np.hstack([line[:-1], line[1:]]) for line in lines])
        self.mask = self._mask()
        self.grid, self.mark = self._grid()
        self.nets = [follow() for follow in trace]
        self.chains = [_chain(nets, self.grid, self.mark) for nets in self.nets]
        self.barrels = [layer.barrels[np.argsort(layer.barrels[:, 0])] for layer in fillings]

    def refill(self, index: int, chosen: list[int], aim: float) -> None:
        """Lay the detours of one layer anew where all of the chosen layers let a drill by."""
        from casemate.mesh._mend_search import edge_distances

        filling, rules = self.layers[index], self.rules
        gaps = (rules.pitch, rules.via_gap, rules.edge_gap)
        points, reach = self._open_places(chosen, aim)
        others = [layer for layer in chosen if layer != index]
        done: set[tuple[int, int]] = set()
        changed = False
        for k in np.argsort(-reach, kind="stable"):
            x, y = float(points[k, 0]), float(points[k, 1])
            key = (int(x // (4 * rules.pitch)), int(y // (4 * rules.pitch)))
            if key in done:
                continue
            done.add(key)
            window = window_at(filling, x, y)
            at = window_points(filling, window, SAMPLES_JOINT if others else SAMPLES_ALONE)
            edges = self._edges_near(x, y, 12.0 * rules.pitch)
            other = edge_distances(at, edges)
            other[~self._on_board(at)] = 0.0
            other = np.minimum(other, self._reach(at, others, aim, aim + rules.pitch))
            judge = Judge(
                aim=aim, half=0.5 * rules.trace, pad=rules.pad, edges=edges, gaps=gaps,
                orders=ORDERS_JOINT if others else ORDERS_ALONE,
            )  # fmt: skip
            changed |= refill(filling, window, at, other, judge)
        if changed:
            self.nets[index] = self.trace[index]()
            self.chains[index] = _chain(self.nets[index], self.grid, self.mark)

    def _on_board(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        import shapely

        return np.asarray(shapely.contains_xy(self.board, points[:, 0], points[:, 1]))

    def _mask(self) -> npt.NDArray[np.bool_]:
        from casemate.mesh.decode import incomplete

        base = self.layers[0].lattice
        mask = np.zeros(base.shape, dtype=np.bool_)
        for layer in self.layers:
            mask |= incomplete(np.where(layer.covered, 0, -1).astype(np.int32), 3)
        rows, columns = base.shape
        x = base.x_nm + np.arange(columns) * float(base.pitch_nm)
        y = base.y_nm + np.arange(rows) * float(base.pitch_nm)
        return mask & contains_grid(self.board, x, y)

    def _grid(self) -> tuple[tuple[float, float, float, int, int], npt.NDArray[np.bool_]]:
        from scipy import ndimage

        base, pitch = self.layers[0].lattice, self.rules.pitch
        cell = 2.0 * pitch
        x0, y0, x1, y1 = self.board.bounds
        nx, ny = math.ceil((x1 - x0) / cell) + 1, math.ceil((y1 - y0) / cell) + 1
        rows, columns = np.nonzero(self.mask)
        mark = np.zeros((ny, nx), dtype=np.bool_)
        i = ((base.x_nm + columns * base.pitch_nm - x0) // cell).astype(int)
        j = ((base.y_nm + rows * base.pitch_nm - y0) // cell).astype(int)
        mark[np.clip(j, 0, ny - 1), np.clip(i, 0, nx - 1)] = True
        mark = ndimage.binary_dilation(mark, np.ones((3, 3), dtype=bool), iterations=6)
        return (x0, y0, cell, nx, ny), mark.ravel()

    def close(self, chosen: list[int], aim: float) -> None:
        """Add fingers where every one of the chosen layers lets a drill of radius `aim` pass."""
        points, reach = self._open_places(chosen, aim)
        given_up: set[tuple[int, int]] = set()
        for k in np.argsort(-reach, kind="stable"):
            x, y = float(points[k, 0]), float(points[k, 1])
            key = (int(x // (0.5 * self.rules.pitch)), int(y // (0.5 * self.rules.pitch)))
            if key in given_up:
                continue
            if not self._close_place(x, y, chosen, aim):
                given_up.add(key)

    def _open_places(
        self, chosen: list[int], aim: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return places where a drill above the aim passes, and the radius there."""
        import shapely

        layer, pitch = self.layers[chosen[0]], self.rules.pitch
        base = layer.lattice
        # a drill about a node with copper, or within half a pitch of it, is stopped by that node
        rows, columns = np.nonzero(self.mask & ~layer.covered)
        centres = np.stack([base.x_nm + columns * pitch, base.y_nm + rows * pitch], axis=1)
        coarse = aim - 0.5 * pitch * math.sqrt(2.0)
        centres = centres[self._reach(centres, chosen, coarse, aim + pitch) > coarse]
        step = np.array([-0.375, -0.125, 0.125, 0.375]) * pitch
        shift = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
        points = (centres[:, None, :] + shift[None]).reshape(-1, 2)
        free = self.board.buffer(-aim)
        shapely.prepare(free)
        points = points[shapely.contains_xy(free, points[:, 0], points[:, 1])]
        reach = self._reach(points, chosen, aim, aim + pitch)
        keep = reach > aim
        points, reach = points[keep], reach[keep]
        away = shapely.distance(self.board.boundary, shapely.points(points))
        return points, np.minimum(reach, away)

    def _reach(
        self, points: npt.NDArray[np.float64], chosen: list[int], enough: float, limit: float
    ) -> npt.NDArray[np.float64]:
        from casemate.mesh._mend_search import sample_reach

        best = np.full(len(points), limit)
        half = 0.5 * self.rules.trace
        for index in chosen:
            rest = best > enough
            chain, barrels = self.chains[index], self.barrels[index]
            found = sample_reach(
                points[rest], enough, limit, chain.arrays, chain.cells, chain.late, half,
                self.rules.pad, barrels, np.ascontiguousarray(barrels[:, 0]),
            )  # fmt: skip
            best[rest] = np.minimum(best[rest], found)
        return best

    def _close_place(self, x: float, y: float, chosen: list[int], aim: float) -> bool:
        """Push fingers across one place until no drill passes; return whether it is closed."""
        for _ in range(TRIES):
            if self.chains[chosen[0]].count + 4 * TRIES > len(self.chains[chosen[0]].arrays[0]):
                return False
            if self._reach(np.array([[x, y]]), chosen, 0.0, 2.0 * aim)[0] <= aim:
                return True
            options = [self._best(x, y, index, chosen, aim) for index in chosen]
            gain, index = max((row[0], -index) for row, index in zip(options, chosen, strict=True))
            if gain <= 0.0:
                return False
            _, k, low, high, height = options[chosen.index(-index)]
            _push(self.chains[-index], self.grid, int(k), low, high, height)
        return False

    def _best(
        self, x: float, y: float, index: int, chosen: list[int], aim: float
    ) -> tuple[float, int, float, float, float]:
        from casemate.mesh._mend_search import best_finger, local_vias, window_edges, window_reach
        from casemate.mesh._mend_slide import SIDE

        rules, step = self.rules, 0.25 * self.rules.pitch
        half, far = 0.5 * rules.trace, 0.5 * (SIDE - 1) * step + 12.0 * rules.pitch
        near = [
            local_vias(x, y, far, rows, np.ascontiguousarray(rows[:, 0])) for rows in self.barrels
        ]
        edges = self._edges_near(x, y, far)
        other = window_edges(x, y, step, edges)
        inside = self._inside(x, y, step)
        for layer in chosen:
            if layer != index:
                chain = self.chains[layer]
                found = window_reach(
                    x, y, step, chain.arrays, chain.cells, chain.late, half, rules.pad, near[layer]
                )
                other = np.minimum(other, found)
        chain = self.chains[index]
        gain, k, low, high, height = best_finger(
            x, y, aim, other, inside, step, chain.arrays, chain.cells, chain.late, half, rules.pad,
            near[index], near[index], edges, (rules.pitch, rules.via_gap, rules.edge_gap),
            rules.pitch,
        )  # fmt: skip
        return gain, k, low, high, height

    def _edges_near(self, x: float, y: float, far: float) -> npt.NDArray[np.float64]:
        e = self.edges
        near = (
            (np.minimum(e[:, 0], e[:, 2]) < x + far)
            & (np.maximum(e[:, 0], e[:, 2]) > x - far)
            & (np.minimum(e[:, 1], e[:, 3]) < y + far)
            & (np.maximum(e[:, 1], e[:, 3]) > y - far)
        )
        return np.asarray(e[near])

    def _inside(self, x: float, y: float, step: float) -> npt.NDArray[np.bool_]:
        import shapely

        from casemate.mesh._mend_slide import SIDE

        at = (np.arange(SIDE) - (SIDE - 1) // 2) * step
        gx, gy = np.meshgrid(x + at, y + at)
        return np.asarray(shapely.contains_xy(self.board, gx, gy))


def _chain(
    drawn: list[Net],
    grid: tuple[float, float, float, int, int],
    mark: npt.NDArray[np.bool_],
) -> Chain:
    from casemate.mesh._mend_kernel import fill_cells

    nets = [net.vertices for net in drawn]
    sizes = np.array([len(net) for net in nets], dtype=np.int64)
    count = int(sizes.sum())
    room = count + count // 16 + ROOM
    points = np.concatenate(nets) if nets else np.empty((0, 2), np.int32)
    xs, ys = np.zeros(room, np.int32), np.zeros(room, np.int32)
    xs[:count], ys[:count] = points[:, 0], points[:, 1]
    following, before = np.full(room, -1, np.int32), np.full(room, -1, np.int32)
    ends = np.cumsum(sizes)
    first = ends - sizes
    following[:count] = np.arange(1, count + 1)
    before[:count] = np.arange(-1, count - 1)
    following[ends - 1] = -1
    before[first] = -1
    starts, items = fill_cells(xs, ys, following, count, mark, grid)
    chain = Chain((xs, ys, following, before), first, count)
    chain.cells = (starts, items, grid)
    chain.late = (np.full(len(mark), -1, np.int32), np.zeros((16 * 4096, 2), np.int64))
    return chain


def _push(
    chain: Chain,
    grid: tuple[float, float, float, int, int],
    k: int,
    low: float,
    high: float,
    height: float,
) -> None:
    """Replace [low, high] of the run that begins at vertex k by a finger of a signed height."""
    xs, ys, following, before = chain.arrays
    n = int(following[k])
    ax, ay = int(xs[k]), int(ys[k])
    ux, uy = int(np.sign(xs[n] - xs[k])), int(np.sign(ys[n] - ys[k]))
    length = abs(int(xs[n]) - ax) + abs(int(ys[n]) - ay)
    a, b, h = round(low), round(high), round(height)
    nx, ny = -uy * h, ux * h

    def put(after: int, x: int, y: int) -> int:
        new = chain.count
        chain.count += 1
        xs[new], ys[new] = x, y
        following[new], before[new] = following[after], after
        before[following[after]] = new
        following[after] = new
        return new

    at = k
    if a == 0:  # the segment before goes straight on, or the whole run moves
        xs[k], ys[k] = ax + nx, ay + ny
        touched = [int(before[k]), k]
    else:
        one = put(k, ax + a * ux, ay + a * uy)
        at = put(one, ax + a * ux + nx, ay + a * uy + ny)
        touched = [k, one, at]
    if b == length:
        xs[n], ys[n] = xs[n] + nx, ys[n] + ny
        touched.append(n)
    else:
        three = put(at, ax + b * ux + nx, ay + b * uy + ny)
        touched += [three, put(three, ax + b * ux, ay + b * uy)]
    for segment in touched:
        _register(chain, grid, segment)


def _register(chain: Chain, grid: tuple[float, float, float, int, int], k: int) -> None:
    from casemate.mesh._mend_kernel import span

    xs, ys, following, _ = chain.arrays
    n = following[k]
    if n < 0:
        return
    head, after = chain.late
    i0, i1, j0, j1 = span(float(xs[k]), float(ys[k]), float(xs[n]), float(ys[n]), grid)
    for j in range(j0, j1 + 1):
        for i in range(i0, i1 + 1):
            if chain.late_count == len(after):
                after = np.concatenate([after, np.zeros_like(after)])
                chain.late = (head, after)
            after[chain.late_count] = head[j * grid[3] + i], k
            head[j * grid[3] + i] = chain.late_count
            chain.late_count += 1


def _polylines(chain: Chain) -> list[npt.NDArray[np.int32]]:
    """Return the nets' polylines."""
    from casemate.mesh._mend_kernel import walk

    return [walk(int(start), chain.arrays) for start in chain.first]
