"""How nets lie beside and over each other: lengths that face, areas that cross, by sampling.

Points are taken evenly along every net; at each the neighbour on either side is looked up one pitch
away, and the nets of the other layers at the place itself. What a point stands for is its share of
the net's length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin._copper_kernel import nearest_nets
from casemate.twin.copper import Copper, Index, LayerCopper
from casemate.twin.line_materials import Real
from casemate.twin.resistance import NM

MOST_POINTS = 120_000
"""A layer: then a net of a tenth of it has 12,000 points and shares are known to 1 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facing:
    """`pairs` (P, 2): nets i < j of one layer, and `metres` (P,) of gap between them.

    `over` (Q, 2): nets of two layers, outer first, and `area_m2` (Q,) in which they lie over each
    other (counted in whole pitches). `own_m` (N,): gap of each net with itself on the far side.
    `points` (N,): how many samples each net had.
    """

    pairs: Index
    metres: Real
    over: Index
    area_m2: Real
    own_m: Real
    points: Index


def facing(copper: Copper) -> Facing:
    """Return how the nets of a board face each other."""
    count = len(copper.nets)
    beside = np.zeros((count, count))
    above = np.zeros((count, count))
    points = np.zeros(count, dtype=np.int64)
    names = list(copper.layers)
    for number, name in enumerate(names):
        layer = copper.layers[name]
        places, normals, net, stands_m = sample(copper, layer)
        np.add.at(points, net, 1)
        for side in (1.0, -1.0):
            aside = places + side * normals * copper.pitch_m
            other = _owner(copper, layer, aside, 0.75 * copper.trace_m)
            met = other >= 0
            np.add.at(beside, (net[met], other[met]), stands_m[met])
        for below in names[number + 1 :]:
            under = _owner(copper, copper.layers[below], places, copper.pitch_m)
            met = under >= 0
            np.add.at(above, (net[met], under[met]), stands_m[met] * copper.pitch_m)
    both = 0.5 * (beside + beside.T)  # a gap between two nets was seen from either
    pairs = np.argwhere(np.triu(both, 1) > 0.0)
    over = np.argwhere(above > 0.0)
    return Facing(
        pairs=pairs,
        metres=both[pairs[:, 0], pairs[:, 1]],
        over=over,
        area_m2=above[over[:, 0], over[:, 1]],
        own_m=0.5 * np.diag(beside),
        points=points,
    )


def sample(copper: Copper, layer: LayerCopper) -> tuple[Real, Real, Index, Real]:
    """Return places (K, 2) m, unit normals (K, 2), nets (K,), and the length each stands for, m."""
    start, end = layer.a * NM, layer.b * NM
    along = end - start
    long = np.hypot(along[:, 0], along[:, 1])
    step = max(copper.pitch_m, float(long.sum()) / MOST_POINTS)
    reached = np.cumsum(long)
    at = (np.arange(int(reached[-1] / step)) + 0.5) * step
    segment = np.searchsorted(reached, at)
    share = (at - (reached[segment] - long[segment])) / long[segment]
    places = start[segment] + share[:, None] * along[segment]
    unit = along[segment] / long[segment][:, None]
    normals = np.column_stack([-unit[:, 1], unit[:, 0]])
    return places, normals, layer.net[segment].astype(np.int64), np.full(at.size, step)


def _owner(copper: Copper, layer: LayerCopper, places: Real, reach_m: float) -> Index:
    found: Index = nearest_nets(
        places[:, 0] / NM, places[:, 1] / NM, reach_m / NM, layer.net, layer.a, layer.b,
        layer.first, layer.held, layer.origin_nm, layer.cell_nm, layer.shape,
    )  # fmt: skip
    return found
