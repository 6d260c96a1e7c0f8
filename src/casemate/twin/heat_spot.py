"""How far a spot of heat on a board warms its nets: a plate that conducts, and the path of copper.

A source on an infinite plate of sheet conductance k t, heat capacity rho c t and loss h warms it by
P/(4 pi k t) times the integral of exp(-s/tau - r^2/(4 D s))/s from 0 to the age: an instantaneous
line source summed up (H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids, 1959, 10.3,
14.8). In the end that is P/(2 pi k t) K0(r/L), L = sqrt(k t/h). When a source stops its heat is
taken as gone at once.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from casemate.twin._course_kernel import weighed
from casemate.twin.board import Board, kept_copper
from casemate.twin.effects import HeatSpot, Place
from casemate.twin.facing import sample
from casemate.twin.line_materials import Real

COPPER_W_MK = 390.0
BOARD_W_MK = 0.3
"""Copper, and glass-epoxy in its plane (handbook values)."""
HEAT_J_M3K = 1.9e6
"""Of a board: glass-epoxy 1.85e6, copper 3.4e6 (handbook values)."""
RADII = 200
SETTLED_S = 1e6
"""Age beyond which nothing changes any more: a board settles in minutes."""
MOST_KEPT = 512
LOSS_W_M2K = 10.0
"""To still air on one side (planning value: natural convection and radiation)."""


def sheet_w_k(board: Board) -> float:
    """Return k t of a board, W/K: its dielectric and solid planes; meshes carry little across."""
    stack = board.tile.stackup
    return BOARD_W_MK * stack.thickness_m + COPPER_W_MK * stack.copper_m * len(stack.plane)


def rise_k(off_m: Real, *, board: Board, watt: float, radius_m: float, age_s: float) -> Real:
    """Return the rise at distances from the middle of a spot that has heated so long, as given.

    Within the spot as at its edge.
    """
    r = radii_m(radius_m)
    found = watt * at_radii_k(board, radius_m, age_s)
    return np.asarray(np.interp(np.log(np.maximum(off_m, r[0])), np.log(r), found))


@lru_cache(maxsize=64)
def radii_m(radius_m: float) -> Real:
    """Return the distances (RADII,) at which a spot's rise is computed, not to be written to."""
    found = np.asarray(np.geomspace(max(radius_m, 1e-6), 2.0, RADII))
    found.flags.writeable = False
    return found


def at_radii_k(board: Board, radius_m: float, age_s: float) -> Real:
    """Return the rise a watt at `radii_m`, (RADII,)."""
    sheet, heat = sheet_w_k(board), HEAT_J_M3K * board.tile.stackup.thickness_m
    r = radii_m(radius_m)
    settle_s = heat / LOSS_W_M2K
    spread = sheet / heat
    # the integrand is smooth in ln s between where heat arrives and where loss or age ends it
    low, high = (
        np.log(r**2 / (4.0 * spread) / 40.0),
        math.log(min(max(age_s, 1e-9), 40.0 * settle_s)),
    )
    nodes, weights = _nodes()
    half = 0.5 * np.maximum(high - low, 0.0)
    s = np.exp(low[:, None] + half[:, None] * (nodes + 1.0))
    kernel = np.exp(-s / settle_s - r[:, None] ** 2 / (4.0 * spread * s))
    return np.asarray(half * (kernel @ weights) / (4.0 * math.pi * sheet))


@lru_cache(maxsize=1)
def _nodes() -> tuple[Real, Real]:
    nodes, weights = np.polynomial.legendre.leggauss(60)
    return nodes, weights


def net_rise_k(board: Board, spot: HeatSpot, age_s: float) -> Real:
    """Return the mean rise along each net, (N,): what its resistance sees; ages to 10 %."""
    age = 10.0 ** (round(20.0 * math.log10(min(max(age_s, 1e-3), SETTLED_S))) / 20.0)
    return spot.watt * _per_watt_k(board, spot.at.x_m, spot.at.y_m, spot.radius_m, age)


_kept: dict[tuple[Path, float, float, float], Real] = {}


def _per_watt_k(board: Board, x_m: float, y_m: float, radius_m: float, age_s: float) -> Real:
    """Return the mean rise of each net, (N,): its length's weights at `radii_m`, kept by place."""
    key = (board.path, x_m, y_m, radius_m)
    if key not in _kept:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = _weights(board, x_m, y_m, radius_m)
    return np.asarray(_kept[key] @ at_radii_k(board, radius_m, age_s))


def _weights(board: Board, x_m: float, y_m: float, radius_m: float) -> Real:
    """Return (N, RADII): the share of each net's length that interpolation gives each radius."""
    places, net = _samples(board.path)
    r = np.log(radii_m(radius_m))
    left, right = np.zeros((2, len(board.nets), RADII))
    weighed(places, net, x_m, y_m, r[0], r[1] - r[0], left, right)
    table = left + right
    return np.asarray(table / np.maximum(table.sum(axis=1, keepdims=True), 1.0))


def net_share(board: Board, at: Place, radius_m: float) -> Real:
    """Return the share of each net's length within a radius of a place, (N,)."""
    places, nets = _samples(board.path)
    near = np.hypot(places[:, 0] - at.x_m, places[:, 1] - at.y_m) <= radius_m
    size = len(board.nets)
    inside = np.bincount(nets, near.astype(np.float64), size)
    return np.asarray(inside / np.maximum(np.bincount(nets, None, size), 1))


@lru_cache(maxsize=128)
def _samples(path: Path) -> tuple[Real, npt.NDArray[np.int32]]:
    """Return places (K, 2) m and nets (K,) along a board's copper: some 5 MB."""
    copper = kept_copper(path)
    parts = [sample(copper, layer) for layer in copper.layers.values()]
    nets = np.concatenate([part[2] for part in parts])
    return np.concatenate([part[0] for part in parts]), nets.astype(np.int32)
