"""Readings of the demo's enclosures: the twin's surroundings of each kind's site, copper loops.

Air, heat, humidity, pressure and light are the twin's own series of a site, one a second, from a
seed. A loop's resistance follows its skin's temperature, as copper does. Opened, there is light
and the air of the room inside, and the loops are broken: they tell nothing more. It is a show:
no reader is modelled, and nothing is judged by it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from casemate.fleet.readings import series
from casemate.fleet.readings.looks import Array
from casemate.twin.environment import SlowSeries, slow_series
from casemate.twin.environment_sites import CAMERA, LABORATORY, RACK, Site
from casemate.twin.resistance import IACS_ALPHA_1_K

SITES: Mapping[str, Site] = {"nvl72": RACK, "camera": CAMERA, "dpa": LABORATORY}
LONGEST_S = 6 * 3600
"""For which surroundings are made; then they begin anew (planning value)."""
BEGINS_S = 9 * 3600.0
"""Of the site's Monday: by day, so that there is light (planning value)."""
LOOP_OHM, NOISE_OHM = 42.0, 2e-4
"""Of a net at 20 °C, and of its reader (planning values)."""
DISTURBED_OHM = 5e-3
"""What interference adds to a loop's noise (planning value)."""
OPEN_S = 20.0
"""In which the air inside becomes that of the room, once opened (planning value)."""
LOOPS = ("loop/left-1-1/In1.Cu-1", "loop/right-1-1/In1.Cu-1")
SKIN = "environment/temperature/front"
"""Channels of a place, named as sensors name theirs: every example has these tiles and this face.
"""
_UNITS = {
    "air outside": ("K", -3), "air inside": ("K", -3), SKIN: ("K", -3),
    "humidity inside": ("1", -5), "pressure": ("Pa", -1), "light inside": ("lux", -2),
    LOOPS[0]: ("ohm", -6), LOOPS[1]: ("ohm", -6),
}  # fmt: skip
"""Channels: unit, and exponent of ten of the integers they are told in."""
Row = tuple[str, str, int, int, int, list[int]]


class DemoReadings:
    """Readings of one enclosure, a second each, from the Unix time `start_s` on."""

    def __init__(self, kind: str, seed: int, start_s: int) -> None:
        self._start_s, self._told_s = start_s, start_s
        self._random = np.random.default_rng([seed, 1])
        length_s = BEGINS_S + LONGEST_S
        self._series: SlowSeries = slow_series(
            SITES[kind], length_s, 10.0, np.random.default_rng([seed, 0])
        )

    def until(
        self, now_s: int, *, disturbed: tuple[float, float] | None, opened_s: float | None
    ) -> bytes:
        """Return what came since it was last asked, as CBOR for the door; b"" if nothing.

        disturbed, opened_s: in seconds from the start; None: it does not happen.
        """
        first = max(self._told_s, now_s - 600)
        if now_s <= first:
            return b""
        self._told_s = now_s
        at_s = np.arange(first, now_s, dtype=np.float64) - self._start_s
        open_for = np.maximum(at_s - (np.inf if opened_s is None else opened_s), 0.0)
        loud = np.zeros(len(at_s), dtype=bool)
        if disturbed is not None:
            loud = (at_s >= disturbed[0]) & (at_s < disturbed[1])
        shut = np.exp(-open_for / OPEN_S)
        values = self._values(at_s, shut, loud)
        rows: list[Row] = []
        for name, (unit, exponent) in _UNITS.items():
            told = values[name][open_for == 0.0] if name in LOOPS else values[name]
            whole = np.rint(told / 10.0**exponent).astype(np.int64).tolist()
            if whole:
                rows.append((name, unit, exponent, 1000 * first, 1000, whole))
        return series.encode(rows)

    def _values(self, at_s: Array, shut: Array, loud: NDArray[np.bool_]) -> dict[str, Array]:
        held = self._series
        when = BEGINS_S + np.mod(at_s, LONGEST_S)

        def at(row: Array) -> Array:
            return np.asarray(np.interp(when, held.times_s, row))

        outside, air, skin = at(held.ambient_k), at(held.nodes_k[:, 1]), at(held.nodes_k[:, 2])
        wet = at(held.humidity)
        values = {
            "air outside": outside, "air inside": outside + (air - outside) * shut, SKIN: skin,
            "humidity inside": wet + (float(held.humidity.mean()) - wet) * (1 - shut),
            "pressure": at(held.pressure_pa), "light inside": at(held.light_lux) * (shut < 1.0),
        }  # fmt: skip
        for name in LOOPS:
            noise = np.where(loud, DISTURBED_OHM, NOISE_OHM) * self._random.normal(size=len(at_s))
            values[name] = LOOP_OHM * (1 + IACS_ALPHA_1_K * (skin - 293.15)) + noise
        return values
