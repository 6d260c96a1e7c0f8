"""How far a spot of heat on a board warms its nets: a plate that conducts, and the path of copper.

A steady source of radius a on an infinite plate of sheet conductance k t that loses h (W/m2K) warms
it by P/(2 pi k t) K0(r/L), L = sqrt(k t/h): the exact solution of div(k t grad T) = h T outside the
spot for a <<  L (H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids, 1959, 5.5).
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from casemate.twin.board import Board, kept_copper
from casemate.twin.effects import HeatSpot, Place
from casemate.twin.facing import sample
from casemate.twin.line_materials import Real

COPPER_W_MK = 390.0
BOARD_W_MK = 0.3
"""Copper, and glass-epoxy in its plane (handbook values)."""
LOSS_W_M2K = 10.0
"""To still air on one side (planning value: natural convection and radiation)."""


def sheet_w_k(board: Board) -> float:
    """Return k t of a board, W/K: its dielectric and solid planes; meshes carry little across."""
    stack = board.tile.stackup
    return BOARD_W_MK * stack.thickness_m + COPPER_W_MK * stack.copper_m * len(stack.plane)


def rise_k(off_m: Real, *, watt: float, radius_m: float, sheet_w_k: float) -> Real:
    """Return the steady rise at distances from the middle of a spot, shape as given."""
    from scipy.special import k0

    reach_m = math.sqrt(sheet_w_k / LOSS_W_M2K)
    far = np.maximum(off_m, radius_m) / reach_m
    return np.asarray(watt / (2.0 * math.pi * sheet_w_k) * k0(far), dtype=np.float64)


def net_rise_k(board: Board, spot: HeatSpot) -> Real:
    """Return the mean rise along each net, (N,): what its resistance sees."""
    per_watt = _per_watt_k(
        board.path, len(board.nets), spot.at.x_m, spot.at.y_m, spot.radius_m, sheet_w_k(board)
    )
    return spot.watt * per_watt


@lru_cache(maxsize=64)
def _per_watt_k(
    path: Path, nets: int, x_m: float, y_m: float, radius_m: float, sheet_w_k: float
) -> Real:
    places, net = _samples(path)
    off_m = np.hypot(places[:, 0] - x_m, places[:, 1] - y_m)
    rise = rise_k(off_m, watt=1.0, radius_m=radius_m, sheet_w_k=sheet_w_k)
    return np.asarray(np.bincount(net, rise, nets) / np.maximum(np.bincount(net, None, nets), 1))


def net_share(board: Board, at: Place, radius_m: float) -> Real:
    """Return the share of each net's length within a radius of a place, (N,)."""
    places, nets = _samples(board.path)
    near = np.hypot(places[:, 0] - at.x_m, places[:, 1] - at.y_m) <= radius_m
    size = len(board.nets)
    inside = np.bincount(nets, near.astype(np.float64), size)
    return np.asarray(inside / np.maximum(np.bincount(nets, None, size), 1))


@lru_cache(maxsize=2)
def _samples(path: Path) -> tuple[Real, npt.NDArray[np.int64]]:
    copper = kept_copper(path)
    parts = [sample(copper, layer) for layer in copper.layers.values()]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[2] for part in parts])
