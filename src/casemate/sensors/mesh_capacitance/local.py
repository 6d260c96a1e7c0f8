"""What a hole or a pocket takes from the capacitances round it.

A bite of depth b into a trace of width w over a chord narrows it there: C falls by dC/dw b a metre.
Where the dielectric is gone, C falls by the share of field that ran through it times 1 - 1/er.
Layers over each other lose the crossings' share of the hole's area, or, for holes narrower than
1.6 times their distance, what Bethe's apertures say (`capacitance.drilled_crossing_f`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.twin.board import Board
from casemate.twin.capacitance import crossing_f, drilled_crossing_f, layer_f_m
from casemate.twin.copper import Meetings, meet
from casemate.twin.effects import Hole, Pocket, Spot
from casemate.twin.line_materials import Real

SLIM = 1.6
"""Holes up to so many distances between layers follow Bethe's form (its tests' range)."""
BARE = 1.0
"""Permittivity of what takes the dielectric's place: air."""
FAR_M = 1e-3
"""Distance of a plane where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Per metre of net and per area, by layer: `gap_f_m`, `own_f_m`, their slopes with width

    `gap_slope`, `own_slope` (F/m per m), `over_f_m2` and the distance `apart_m` of two layers.
    """

    epsilon_r: float
    gap_f_m: dict[str, float]
    own_f_m: dict[str, float]
    gap_slope: dict[str, float]
    own_slope: dict[str, float]
    over_f_m2: float
    apart_m: float


def sheet_of(board: Board, epsilon_r: float) -> Sheet:
    """Return the figures of a board's stack: mesh layers over planes and over each other."""
    stack, rules = board.tile.stackup, board.tile.mesh
    depth = dict(zip(stack.mesh, stack.depth_m, strict=True))
    solid = [_plane_depth_m(board, name) for name in stack.plane]
    figures: dict[str, tuple[float, float, float, float]] = {}
    for layer, at_m in depth.items():
        others = [d for name, d in depth.items() if name != layer] + solid
        above = min((at_m - d for d in others if d < at_m), default=FAR_M)
        below = min((d - at_m for d in others if d > at_m), default=FAR_M)
        step = 0.01 * rules.trace_m

        def both(width_m: float, up: float = above, down: float = below) -> tuple[float, float]:
            return layer_f_m(
                width_m=width_m, pitch_m=rules.pitch_m, above_m=up, below_m=down,
                epsilon_r=epsilon_r,
            )  # fmt: skip

        gap, own = both(rules.trace_m)
        more, less = both(rules.trace_m + step), both(rules.trace_m - step)
        figures[layer] = (
            gap, own, (more[0] - less[0]) / (2 * step), (more[1] - less[1]) / (2 * step)
        )  # fmt: skip
    depths = sorted(depth.values())
    apart = depths[1] - depths[0] if len(depths) > 1 else 0.0
    over = 0.0
    if apart > 0.0:
        pitch = (rules.pitch_m, rules.pitch_m)
        cell = crossing_f(
            widths_m=(rules.trace_m, rules.trace_m), pitches_m=pitch, apart_m=apart,
            epsilon_r=epsilon_r,
        )  # fmt: skip
        over = cell / rules.pitch_m**2
    return Sheet(
        epsilon_r=epsilon_r,
        gap_f_m={name: row[0] for name, row in figures.items()},
        own_f_m={name: row[1] for name, row in figures.items()},
        gap_slope={name: row[2] for name, row in figures.items()},
        own_slope={name: row[3] for name, row in figures.items()},
        over_f_m2=over,
        apart_m=apart,
    )


def _plane_depth_m(board: Board, name: str) -> float:
    """Return a plane's depth: the outer copper lies at 0, the inner one at the board's far side."""
    stack = board.tile.stackup
    return 0.0 if name == stack.copper[0] else stack.thickness_m


Own = dict[int, float]
Pairs = dict[tuple[int, int], float]


def _chords(board: Board, at: Spot, diameter_m: float) -> tuple[Meetings, np.ndarray]:
    """Return what a circle meets and the length of each trace's centreline within it, (K,)."""
    place, size = np.array([[at.x_m, at.y_m]]), np.array([diameter_m])
    met = meet(board.copper(), at.layer, place, size)
    half = np.maximum((0.5 * diameter_m) ** 2 - met.off_m**2, 0.0)
    return met, 2.0 * np.sqrt(half)


def own_loss_f(
    sheet: Sheet, layer: str, width_m: float, *, off_m: Real, bite_m: Real, diameter_m: Real
) -> Real:
    """Return what holes (K,) take from the own capacitance of the nets that they meet, F, (K,).

    The larger of what narrowing and missing dielectric take.
    """
    radius_m = 0.5 * diameter_m
    edge_m = np.maximum(off_m - 0.5 * width_m, 0.0)
    along_m = 2.0 * np.sqrt(np.maximum(radius_m**2 - edge_m**2, 0.0))
    chord_m = 2.0 * np.sqrt(np.maximum(radius_m**2 - off_m**2, 0.0))
    narrowed = sheet.own_slope[layer] * bite_m * along_m * (2.0 / 3.0)
    dry = (1.0 - BARE / sheet.epsilon_r) * sheet.own_f_m[layer] * chord_m
    return np.asarray(np.maximum(narrowed, dry))


def hole_f(board: Board, sheet: Sheet, hole: Hole) -> tuple[Own, Pairs, Pairs]:
    """Return (own, beside, over): what a hole takes from nets and pairs, F, at most 0."""
    layer = hole.at.layer
    met, _ = _chords(board, hole.at, hole.diameter_m)
    size = np.full(len(met), hole.diameter_m)
    less = own_loss_f(
        sheet, layer, board.tile.mesh.trace_m, off_m=met.off_m, bite_m=met.bite_m, diameter_m=size
    )
    own: Own = {}
    for net, loss in zip(met.net.tolist(), less.tolist(), strict=True):
        own[net] = own.get(net, 0.0) - loss
    pairs = _beside(board, sheet, met, layer, hole.diameter_m)
    return own, pairs, _over(board, sheet, hole.at, hole.diameter_m)


def _beside(board: Board, sheet: Sheet, met: Meetings, layer: str, diameter_m: float) -> Pairs:
    """Return what neighbours lose: their gap's field within the circle, copper and dielectric."""
    order = np.argsort(met.off_m, kind="stable")[:2]
    if order.size < 2 or met.net[order[0]] == met.net[order[1]]:
        return {}
    first, second = sorted((int(met.net[order[0]]), int(met.net[order[1]])))
    gone = 1.0 - BARE / sheet.epsilon_r
    width_m = min(diameter_m, board.tile.mesh.pitch_m - board.tile.mesh.trace_m)
    share = width_m / (board.tile.mesh.pitch_m - board.tile.mesh.trace_m)
    dry = gone * sheet.gap_f_m[layer] * share * diameter_m
    bite = float(met.bite_m[order].mean())
    narrowed = sheet.gap_slope[layer] * bite * diameter_m * (2.0 / 3.0)
    return {(first, second): -max(dry, narrowed)}


def _over(board: Board, sheet: Sheet, at: Spot, diameter_m: float) -> Pairs:
    """Return what the nets of two layers lose that lie over each other in the circle."""
    if sheet.apart_m <= 0.0:
        return {}
    here, chords = _chords(board, at, diameter_m)
    others = [name for name in board.tile.stackup.mesh if name != at.layer]
    there = Spot(tile=at.tile, layer=others[0], x_m=at.x_m, y_m=at.y_m)
    below, under = _chords(board, there, diameter_m)
    if len(here) == 0 or len(below) == 0:
        return {}
    area = 0.25 * math.pi * diameter_m**2
    whole = -sheet.over_f_m2 * area
    if diameter_m <= SLIM * sheet.apart_m:
        slim = drilled_crossing_f(
            diameter_m=diameter_m, apart_m=sheet.apart_m, epsilon_r=sheet.epsilon_r
        )
        whole = max(whole, slim)
    weights = np.outer(chords + 1e-12, under + 1e-12)
    weights /= weights.sum()
    found: Pairs = {}
    for p in range(len(here)):
        for q in range(len(below)):
            pair = (int(here.net[p]), int(below.net[q]))
            found[pair] = found.get(pair, 0.0) + whole * float(weights[p, q])
    return found


def pocket_f(board: Board, sheet: Sheet, pocket: Pocket) -> tuple[Own, Pairs, Pairs]:
    """Return (own, beside, over): what missing dielectric over a layer takes, F, at most 0.

    Half of the layer's field runs on its outer side; of that, what the film that is left does not
    hold (exp(-2 pi h/p) of a layer's near field lies beyond h).
    """
    layer, pitch_m = pocket.at.layer, board.tile.mesh.pitch_m
    met, chord = _chords(board, pocket.at, pocket.diameter_m)
    beyond = math.exp(-2.0 * math.pi * pocket.left_m / pitch_m)
    share = 0.5 * (1.0 - pocket.epsilon_r / sheet.epsilon_r) * beyond
    own: Own = {}
    pairs: Pairs = {}
    order = np.argsort(met.off_m, kind="stable")
    for k in order.tolist():
        net = int(met.net[k])
        own[net] = own.get(net, 0.0) - share * sheet.own_f_m[layer] * float(chord[k])
    for a, b in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        first, second = sorted((int(met.net[a]), int(met.net[b])))
        if first != second:
            loss = share * sheet.gap_f_m[layer] * float(min(chord[a], chord[b]))
            pairs[first, second] = pairs.get((first, second), 0.0) - loss
    return own, pairs, {}
