"""A course without an end: surroundings go on, and what is done to an enclosure can be added to.

`course` knows a whole scene before it begins. A stage is asked instant by instant, and a scene may
begin at any of them: what it adds to heat and humidity is superposed, as the equations are linear.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np

from casemate.twin.assembly import Twin
from casemate.twin.conditions import (
    AIR_NODE,
    EVEN,
    FILM,
    SKIN_NODE,
    Conditions,
    added_humidity,
    added_k,
    instant,
)
from casemate.twin.effects import Scene
from casemate.twin.environment import slow_series
from casemate.twin.environment_air import saturation_pa
from casemate.twin.line_materials import Real
from casemate.twin.moisture import mean_water
from casemate.twin.scene_checks import checked

HORIZON_S, STEP_S = 2.0 * 86_400.0, 10.0
"""Surroundings are made for two days, then they stand still (planning value)."""
SCENE_S = 5.0
"""Step of what a scene adds to heat and humidity; after EVEN of them that stands still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Added:
    """What one scene adds from `start_s` on, at steps of SCENE_S: rows of air, skin, humidity."""

    start_s: float
    rows: Real
    water: Real


class Stage:
    """What surrounds a twin and is done to it, from time 0 on. Threads may add scenes.

    The same seed, and the same scenes at the same times, give the same conditions.
    """

    def __init__(
        self, twin: Twin, *, seed: int, horizon_s: float = HORIZON_S, step_s: float = STEP_S
    ) -> None:
        self._twin = twin
        series = slow_series(twin.site, horizon_s, step_s, np.random.default_rng([seed, 0]))
        humidity = np.clip(series.humidity, 0.0, 1.0)
        water = mean_water(FILM, step_s, np.concatenate([humidity[:1], humidity]))[1:]
        self._times_s = series.times_s
        self._rows = np.stack(
            (series.ambient_k, series.nodes_k[:, AIR_NODE], series.nodes_k[:, SKIN_NODE],
             humidity, water, series.pressure_pa, series.light_lux)
        )  # fmt: skip
        self._scene: Scene = ()
        self._added: tuple[_Added, ...] = ()
        self._lock = threading.Lock()

    def begin(self, scene: Scene, now_s: float) -> None:
        """Let a scene begin at `now_s`; InputError if it is impossible on this design."""
        checked(scene, self._twin.enclosure)
        times_s: Real = np.arange(EVEN, dtype=np.float64) * SCENE_S
        warm = added_k(self._twin, scene, times_s, SCENE_S)
        vapour = added_humidity(self._twin, scene, times_s, SCENE_S)
        rows = np.stack([warm[:, AIR_NODE], warm[:, SKIN_NODE], vapour])
        wet = mean_water(FILM, SCENE_S, np.concatenate([[0.0], vapour]))[1:]
        later = tuple(
            replace(each, start_s=each.start_s + now_s, stop_s=each.stop_s + now_s)
            for each in scene
        )
        with self._lock:
            self._scene += later
            self._added += (_Added(start_s=now_s, rows=rows, water=wet),)

    def at(self, now_s: float) -> Conditions:
        """Return the instant that begins at `now_s`."""
        with self._lock:
            scene, added = self._scene, self._added
        ambient_k, air_k, skin_k, humidity, water, *others = (
            float(np.interp(now_s, self._times_s, row)) for row in self._rows
        )
        warm_k, vapour = 0.0, 0.0
        for each in added:
            at = (now_s - each.start_s) / SCENE_S
            index = np.arange(EVEN, dtype=np.float64)
            air, skin, wet = (float(np.interp(at, index, row)) for row in each.rows)
            warm_k, skin_k, vapour = warm_k + air, skin_k + skin, vapour + wet
            water += float(np.interp(at, index, each.water))
        held_pa = saturation_pa(np.array([air_k, air_k + warm_k]))
        dry = float(held_pa[0] / held_pa[1])
        humidity = min(max(humidity * dry + vapour, 0.0), 1.0)
        row = np.array([ambient_k, air_k + warm_k, skin_k, humidity, water, *others])
        return instant(self._twin, scene, now_s, row)
