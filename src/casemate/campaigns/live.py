"""A twin's readers without an end: each window is made when it is asked for, from a stage.

Slow change that a quiet enclosure makes by itself comes in stretches, each of which fades into the
next by cos and sin of an angle, so that its spread stays the same and nothing jumps.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np

from casemate.campaigns.reader import TwinReader, Windows
from casemate.core.samples import Values
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.conditions import WINDOW_S
from casemate.twin.line_materials import Real
from casemate.twin.stage import Stage

STRETCH_S = 600
"""A stretch fades in this long and out as long (planning value)."""
GRID_S = 1.0
"""Slow change is drawn so often, and goes evenly on between (planning value)."""


class SlowChange:
    """Slow change of one modality at any time that rises, from a seed."""

    def __init__(self, fitted: Fitted, *, seed: int) -> None:
        self._fitted = fitted
        self._key = [seed, 2, zlib.crc32(fitted.id.encode())]
        self._number = -1
        self._fading: Values
        self._rising: Values

    def at(self, now_s: float) -> Values:
        """Return what is added to the quantities, (C,)."""
        number, into_s = divmod(now_s, STRETCH_S)
        if int(number) != self._number:
            follows = int(number) == self._number + 1 and self._number >= 0
            self._fading = self._rising if follows else self._drawn(int(number))
            self._rising = self._drawn(int(number) + 1)
            self._number = int(number)
        angle = 0.5 * math.pi * into_s / STRETCH_S
        fading = _between(self._fading, into_s + STRETCH_S)
        rising = _between(self._rising, into_s)
        found: Values = math.cos(angle) * fading + math.sin(angle) * rising
        return found

    def _drawn(self, number: int) -> Values:
        """Return a stretch: it rises during stretch number - 1, and fades during `number`."""
        times_s: Real = np.arange(int(2 * STRETCH_S / GRID_S) + 2, dtype=np.float64) * GRID_S
        generator = np.random.default_rng([*self._key, number])
        return self._fitted.nuisance(times_s, generator)


def _between(rows: Values, at_s: float) -> Values:
    first = int(at_s / GRID_S)
    share = at_s / GRID_S - first
    found: Values = (1.0 - share) * rows[first] + share * rows[first + 1]
    return found


def live_reader(
    twin: Twin, fitted: Fitted, stage: Stage, *, seed: int, first: Callable[[], int] = lambda: 0
) -> TwinReader:
    """Return a reader of a modality whose surroundings and scenes are those of `stage`.

    first: gives the number of the window with which a stream begins, when it does.
    """
    slow = SlowChange(fitted, seed=seed)

    def windows(_generator: np.random.Generator) -> Windows:
        number = first()
        while True:
            now_s = number * WINDOW_S
            yield stage.at(now_s), slow.at(now_s)
            number += 1

    return TwinReader.fed(twin, fitted, windows, seed=seed)
