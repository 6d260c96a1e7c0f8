"""The copper of a drawn board as an index: which nets a tool meets at a place, where and how far.

A tool is a circle on a layer. A trace of width w, its centreline at distance d from the circle's
middle, is cut through if d <= D/2 - w/2, bitten if d < D/2 + w/2: those are the exact conditions
for a straight trace, and at a bend the first one is still sufficient. Segments of one net that are
met one after the other are one meeting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.mesh.model import Net, TileMesh
from casemate.twin._copper_kernel import cells, met
from casemate.twin.line_materials import Real
from casemate.twin.resistance import NM, bend_squares, lengths_m

Index32 = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]
CELL_PITCHES = 4
"""Size of a cell of the index, in pitches: a tool of half a millimetre looks at four cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCopper:
    """The segments of one layer, in the order of its nets, and the cells that hold them.

    `net` (S,): number of the net in the tile's mesh. `a`, `b` (S, 2): ends, nm. `squares`,
    `arc_m` (S,): from the net's start to `a`, squares of the drawn width and metres. `first`
    (cells + 1,), `held`: segments of each cell, row by row. `origin_nm`, `cell_nm`, `shape`.
    """

    layer: str
    net: Index32
    a: Index32
    b: Index32
    squares: Real
    arc_m: Real
    first: Index
    held: Index32
    origin_nm: tuple[int, int]
    cell_nm: int
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copper:
    """All mesh layers of a board. `trace_m`, `pitch_m`: width and lattice pitch as drawn.

    `nets`: names in the mesh's order. `length_m`, `squares` (N,): whole nets. `layer_of` (N,).
    """

    tile: str
    trace_m: float
    pitch_m: float
    nets: tuple[str, ...]
    layer_of: tuple[str, ...]
    zone: Index
    lane: Index
    length_m: Real
    squares: Real
    layers: dict[str, LayerCopper]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meetings:
    """What tools met, a row each. `tool`: which; `net`; `off_m`: distance of the centreline.

    `arc_m`, `squares`: where along the net, from its start. `bite_m`: how deep the tool reaches
    into the trace, at most its width; `cut`: whether nothing is left.
    """

    tool: Index
    net: Index
    off_m: Real
    arc_m: Real
    squares: Real
    bite_m: Real
    cut: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.tool.size)


def index_copper(mesh: TileMesh) -> Copper:
    """Return the index of a drawn mesh."""
    trace_m = mesh.trace_nm * NM
    squares = [_squares(net, trace_m) for net in mesh.nets]
    lengths = [lengths_m(net.vertices) for net in mesh.nets]
    layers = {}
    for layer in dict.fromkeys(net.layer for net in mesh.nets):
        mine = [k for k, net in enumerate(mesh.nets) if net.layer == layer]
        layers[layer] = _layer(
            layer, mine, mesh.nets, squares, lengths, mesh.pitch_nm * CELL_PITCHES
        )
    return Copper(
        tile=mesh.tile,
        trace_m=trace_m,
        pitch_m=mesh.pitch_nm * NM,
        nets=tuple(net.name for net in mesh.nets),
        layer_of=tuple(net.layer for net in mesh.nets),
        zone=np.array([net.zone for net in mesh.nets], dtype=np.int64),
        lane=np.array([net.lane for net in mesh.nets], dtype=np.int64),
        length_m=np.array([each.sum() for each in lengths]),
        squares=np.array([each.sum() for each in squares]),
        layers=layers,
    )


def _squares(net: Net, trace_m: float) -> Real:
    """Return the squares of each segment of the drawn width, never below 0 (tight jogs)."""
    saved = bend_squares(net.vertices)
    found = lengths_m(net.vertices) / trace_m - 0.5 * (saved[:-1] + saved[1:])
    return np.asarray(np.maximum(found, 0.0))


def _layer(
    layer: str,
    mine: list[int],
    nets: Sequence[Net],
    squares: list[Real],
    lengths: list[Real],
    cell_nm: int,
) -> LayerCopper:
    a = np.concatenate([nets[k].vertices[:-1] for k in mine]).astype(np.int32)
    b = np.concatenate([nets[k].vertices[1:] for k in mine]).astype(np.int32)
    low = np.minimum(a, b).min(axis=0)
    origin = (int(low[0]), int(low[1]))
    first, held, shape = _cells(a, b, origin, cell_nm)
    sizes = [len(nets[k].vertices) - 1 for k in mine]
    return LayerCopper(
        layer=layer,
        net=np.repeat(mine, sizes).astype(np.int32),
        a=a,
        b=b,
        squares=np.concatenate([np.cumsum(squares[k]) - squares[k] for k in mine]),
        arc_m=np.concatenate([np.cumsum(lengths[k]) - lengths[k] for k in mine]),
        first=first,
        held=held,
        origin_nm=origin,
        cell_nm=cell_nm,
        shape=shape,
    )


def _cells(
    a: Index32, b: Index32, origin: tuple[int, int], cell_nm: int
) -> tuple[Index, Index32, tuple[int, int]]:
    """Return the cells' lists: each segment in every cell that its bounding box touches."""
    high = (np.maximum(a, b).max(axis=0) - np.array(origin)) // cell_nm
    shape = (int(high[0]) + 1, int(high[1]) + 1)
    first, held = cells(a, b, origin[0], origin[1], cell_nm, shape[0] * shape[1], shape[1])
    return first, held, shape


def meet(copper: Copper, layer: str, places_m: Real, diameter_m: Real) -> Meetings:
    """Return what tools of `diameter_m` (K,) at `places_m` (K, 2) meet on a layer.

    Raises InputError for places that are not finite, diameters that are not above 0, or a layer
    that carries no mesh.
    """
    if layer not in copper.layers:
        raise InputError(
            f"board {copper.tile} has no mesh on layer {layer}.",
            remedy=f"layers: {', '.join(copper.layers)}.",
            key="layer",
            value=layer,
        )
    sound = np.isfinite(places_m).all() and np.isfinite(diameter_m).all()
    if not sound or not (diameter_m > 0.0).all():
        raise InputError(
            "a tool needs a finite place and a diameter above 0.",
            remedy="give places and diameters in metres.",
        )
    mine = copper.layers[layer]
    x, y = places_m[:, 0] / NM, places_m[:, 1] / NM
    radius, half = 0.5 * diameter_m / NM, 0.5 * copper.trace_m / NM
    counts, segment, off, along = met(
        x, y, radius, half, mine.net, mine.a, mine.b, mine.first, mine.held, mine.origin_nm,
        mine.cell_nm, mine.shape,
    )  # fmt: skip
    tool = np.repeat(np.arange(counts.size), counts)
    off_m, along_m = off * NM, along * NM
    bite_m = np.minimum(0.5 * diameter_m[tool] + 0.5 * copper.trace_m - off_m, copper.trace_m)
    return Meetings(
        tool=tool,
        net=mine.net[segment].astype(np.int64),
        off_m=off_m,
        arc_m=mine.arc_m[segment] + along_m,
        squares=mine.squares[segment] + along_m / copper.trace_m,
        bite_m=bite_m,
        cut=np.asarray(off_m <= 0.5 * diameter_m[tool] - 0.5 * copper.trace_m),
    )


def nearest(copper: Copper, layer: str, place_m: tuple[float, float], reach_m: float) -> Meetings:
    """Return the one meeting nearest to a place within `reach_m` of copper's edge, or none."""
    found = meet(copper, layer, np.array([place_m]), np.array([2.0 * reach_m]))
    keep = np.argsort(found.off_m, kind="stable")[:1]
    return Meetings(
        tool=found.tool[keep],
        net=found.net[keep],
        off_m=found.off_m[keep],
        arc_m=found.arc_m[keep],
        squares=found.squares[keep],
        bite_m=found.bite_m[keep],
        cut=found.cut[keep],
    )
