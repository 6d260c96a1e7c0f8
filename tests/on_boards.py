"""What the tests of modalities share: places on copper, and readings with effects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from casemate.sensors.modality import Fitted, Reading
from casemate.twin.assembly import Twin
from casemate.twin.board import Board
from casemate.twin.conditions import Conditions, anchor_of
from casemate.twin.effects import Effect, Spot


def with_effects(twin: Twin, *effects: Effect, **other: float) -> Conditions:
    """Return the anchor's conditions with effects active and other figures changed."""
    return replace(anchor_of(twin), active=effects, **other)


def read(fitted: Fitted, twin: Twin, *effects: Effect) -> Reading:
    """Return a reading with effects."""
    return fitted.read(with_effects(twin, *effects))


def along(board: Board, net: int, share: float, off_m: float = 0.0) -> Spot:
    """Return a place at a share of a net's length, in the middle of a segment, `off_m` beside it.

    The longest of the nearby segments is taken, so that bends do not matter.
    """
    layer = board.layer_of[net]
    copper = board.copper().layers[layer]
    mine = np.flatnonzero(copper.net == net)
    long = np.hypot(*(copper.b[mine] - copper.a[mine]).T)
    near = np.abs(copper.arc_m[mine] - share * board.length_m[net]) <= 0.01 * board.length_m[net]
    k = int(np.argmax(np.where(near, long, -1.0)))
    a, b = copper.a[mine[k]] * 1e-9, copper.b[mine[k]] * 1e-9
    unit = (b - a) / np.hypot(*(b - a))
    x, y = 0.5 * (a + b) + off_m * np.array([-unit[1], unit[0]])
    return Spot(tile=board.tile.id, layer=layer, x_m=float(x), y_m=float(y))


def z_of(fitted: Fitted, reading: Reading, chips: int = 87) -> np.ndarray:
    """Return the residuals of one window without noise, (R,)."""
    values = reading.quantity[None]
    return fitted.residuals(values, reading.health[None], chips, np.ones(values.shape)).z[0]
