"""The course of a scene: what surrounds an enclosure and what is done to it, instant by instant.

The surroundings come from the site's own series; what effects add to heat, humidity and pressure is
added by superposition, for all of these equations are linear.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from casemate.twin.assembly import Twin
from casemate.twin.effects import (
    Ambient,
    Aperture,
    BusFault,
    Conducted,
    Dose,
    Effect,
    Force,
    Gas,
    HeatSpot,
    Lifted,
    Light,
    Load,
    Magnetic,
    Radiated,
    Scatterer,
    Scene,
    Shaken,
    Sound,
    Timed,
)
from casemate.twin.environment import slow_series
from casemate.twin.environment_air import saturation_pa
from casemate.twin.environment_sites import Site
from casemate.twin.environment_thermal import settled_k, temperatures_k
from casemate.twin.line_materials import Real
from casemate.twin.moisture import Film, mean_water
from casemate.twin.scene_checks import checked

BOARD_NODE, AIR_NODE, SKIN_NODE = 0, 1, 2
"""Of a site's thermal network."""
WINDOW_S = 0.1
"""Of one instant: effects that are shorter act on the windows that they fall in."""
EVEN = 240
"""Steps of the grid on which heat and moisture are solved."""
PERMEABLE_M = 5e-4
"""Dielectric through which water reaches the mesh: half a board (planning value)."""
FILM = Film(thickness_m=PERMEABLE_M, diffusivity_m2_s=1e-12)
"""Of the boards, as water sees them (planning values)."""
LIGHT_LOST = 0.5
"""Of light that falls on the inner surface, per reflection (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """One instant. Temperatures K; `humidity` relative, of the air inside; `water`: of the boards'

    dielectric, as a share of saturation; `lux`: inside. `active`: effects that are there, those
    that can be partial scaled to their level, and for how long each has been, `age_s`.
    """

    now_s: float
    ambient_k: float
    air_k: float
    skin_k: float
    humidity: float
    water: float
    pressure_pa: float
    lux: float
    active: tuple[Effect, ...]
    age_s: tuple[float, ...] = ()

    def spots(self, tile: str) -> tuple[tuple[HeatSpot, float], ...]:
        """Return the spots of heat on a board and how long each has heated, s.

        Without ages, as of states that are made by hand, they have settled.
        """
        ages = self.age_s or (math.inf,) * len(self.active)
        return tuple(
            (each, age)
            for each, age in zip(self.active, ages, strict=True)
            if isinstance(each, HeatSpot) and each.at.tile == tile
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A scene at `times_s` (K,), evenly spaced, and the quiet state at its commissioning."""

    times_s: Real
    anchor: Conditions
    steps: tuple[Conditions, ...]


def anchor_of(twin: Twin) -> Conditions:
    """Return the state in which a unit is commissioned: its site's means, nothing done."""
    return _anchor_of(twin.site)


@lru_cache(maxsize=64)
def _anchor_of(site: Site) -> Conditions:
    power = np.array([0.5 * (site.idle_w.value + site.full_w.value), 0.0, 0.0])
    nodes = settled_k(site.network, power, site.mean_k.value)
    humidity = site.vapour_pa.value / float(saturation_pa(nodes[AIR_NODE]))
    return Conditions(
        now_s=0.0,
        ambient_k=site.mean_k.value,
        air_k=float(nodes[AIR_NODE]),
        skin_k=float(nodes[SKIN_NODE]),
        humidity=min(humidity, 1.0),
        water=min(humidity, 1.0),
        pressure_pa=101_325.0,
        lux=0.0,
        active=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far a quiet site moves by itself round its anchor, standard deviations or more."""

    air_k: float
    skin_k: float
    humidity: float


def spread_of(twin: Twin) -> Spread:
    """Return how far a quiet unit's temperatures and humidity lie from its anchor by themselves.

    Surroundings as the site's figures say, daily swing at its full amplitude; load and sun by half
    of their range through the thermal network; vapour's own spread, and saturation with air.
    """
    site, anchor = twin.site, anchor_of(twin)
    around = math.hypot(site.daily_k.value, site.slow_k.value, site.fast_k.value, site.hvac_k.value)
    load = settled_k(
        site.network, np.array([0.5 * (site.full_w.value - site.idle_w.value), 0.0, 0.0]), 0.0
    )
    sun = settled_k(site.network, np.array([0.0, 0.0, 0.5 * site.sun_w.value]), 0.0)
    air, skin = (
        math.hypot(around, float(load[node]), float(sun[node])) for node in (AIR_NODE, SKIN_NODE)
    )
    half_k = saturation_pa(anchor.air_k + np.array([-0.5, 0.5]))
    per_k = float(half_k[1] / half_k[0]) - 1.0
    relative = math.hypot(site.vapour_spread.value, per_k * air)
    return Spread(air_k=air, skin_k=skin, humidity=relative * anchor.humidity)


def course(twin: Twin, scene: Scene, times_s: Real, generator: np.random.Generator) -> Course:
    """Return a scene's course at rising times (K >= 2,) from 0 on, each the start of a window.

    Heat and moisture are solved on an even grid over the whole and interpolated. InputError for a
    scene that is impossible on this design.
    """
    checked(scene, twin.enclosure)
    step_s = max(float(times_s[-1]), WINDOW_S) / (EVEN - 2)
    even: Real = np.arange(EVEN, dtype=np.float64) * step_s
    series = slow_series(twin.site, (EVEN + 0.5) * step_s, step_s, generator)
    warm = added_k(twin, scene, even, step_s)
    air = series.nodes_k[:EVEN, AIR_NODE] + warm[:, AIR_NODE]
    dry = saturation_pa(series.nodes_k[:EVEN, AIR_NODE]) / saturation_pa(air)
    vapour = added_humidity(twin, scene, even, step_s)
    humidity = np.clip(series.humidity[:EVEN] * dry + vapour, 0.0, 1.0)
    anchor = anchor_of(twin)
    # the film has stood in the air of the first instant
    water = mean_water(FILM, step_s, np.concatenate([humidity[:1], humidity]))[1:]
    rows = (
        series.ambient_k[:EVEN], air, series.nodes_k[:EVEN, SKIN_NODE] + warm[:, SKIN_NODE],
        humidity, water, series.pressure_pa[:EVEN], series.light_lux[:EVEN],
    )  # fmt: skip
    at = np.stack([np.interp(times_s, even, row) for row in rows], axis=1)
    steps = tuple(instant(twin, scene, now_s, at[k]) for k, now_s in enumerate(times_s.tolist()))
    return Course(times_s=times_s, anchor=anchor, steps=steps)


def instant(twin: Twin, scene: Scene, now_s: float, at: Real) -> Conditions:
    """Return one instant from the interpolated rows `at` (7,) and what is active."""
    there = _there(scene, now_s)
    active = tuple(effect for effect, _ in there)
    ambient_k, air_k, skin_k, humidity, water, pressure_pa, light_lux = at.tolist()
    around, within = _ambient(active, inside=False), _ambient(active, inside=True)
    dried = sum(each.share for each in active if isinstance(each, Gas))
    return Conditions(
        now_s=now_s,
        ambient_k=ambient_k + around.kelvin,
        air_k=air_k + within.kelvin,
        skin_k=skin_k,
        humidity=min(max(humidity * max(1.0 - dried, 0.0) + within.humidity, 0.0), 1.0),
        water=water,
        pressure_pa=pressure_pa + around.pascal + within.pascal,
        lux=_lux(twin, active, light_lux),
        active=active,
        age_s=tuple(age for _, age in there),
    )


def _there(scene: Scene, now_s: float) -> list[tuple[Effect, float]]:
    """Return what is there at any time of the window that begins now, at its largest, with ages."""
    rows = []
    end_s = math.nextafter(now_s + WINDOW_S, 0.0)
    for each in scene:
        late_s = max(now_s, min(end_s, math.nextafter(each.stop_s, 0.0)))
        level = max(each.level(now_s), each.level(late_s))
        if level > 0.0:
            rows.append((_scaled(each.effect, level), late_s - each.start_s))
    return rows


SCALED: dict[type[Effect], tuple[str, ...]] = {
    Ambient: ("kelvin", "humidity", "pascal"),
    Aperture: ("width_m",),
    BusFault: ("seconds", "share"),
    Conducted: ("volt",),
    Dose: ("gray_s",),
    Force: ("newton",),
    Gas: ("share",),
    HeatSpot: ("watt",),
    Lifted: ("gap_m", "strain"),
    Light: ("lux",),
    Load: ("watt",),
    Magnetic: ("tesla",),
    Radiated: ("volt_m",),
    Scatterer: ("length_m",),
    Shaken: ("m_s2",),
    Sound: ("pascal",),
}
"""What grows with an effect's level; others are whole as soon as they begin."""


def _scaled(effect: Effect, level: float) -> Effect:
    """Return an effect at a part of its full size."""
    names = SCALED.get(type(effect), ())
    if level >= 1.0 or not names:
        return effect
    parts: dict[str, Any] = {name: level * getattr(effect, name) for name in names}
    return replace(effect, **parts)


def _ambient(active: tuple[Effect, ...], *, inside: bool) -> Ambient:
    mine = [each for each in active if isinstance(each, Ambient) and each.inside == inside]
    return Ambient(
        kelvin=sum(each.kelvin for each in mine),
        humidity=sum(each.humidity for each in mine),
        pascal=sum(each.pascal for each in mine),
    )


def added_k(twin: Twin, scene: Scene, times_s: Real, step_s: float) -> Real:
    """Return what effects add to the nodes' temperatures by each time, (K, 3): first nothing."""
    power = np.zeros((times_s.size, 3))
    ambient = np.zeros(times_s.size)
    for row in scene:
        each = row.effect
        if not isinstance(each, Ambient | HeatSpot | Load):
            continue
        mean = np.array([_mean_level(row, now_s, step_s) for now_s in times_s.tolist()])
        if isinstance(each, Ambient):
            ambient += 0.0 if each.inside else each.kelvin * mean
        elif isinstance(each, HeatSpot):
            power[:, SKIN_NODE] += each.watt * mean
        else:
            waves = [_square(each.hertz, now_s, step_s) for now_s in times_s.tolist()]
            power[:, BOARD_NODE] += each.watt * mean * np.array(waves)
    ends = temperatures_k(twin.site.network, np.zeros(3), power, ambient, step_s)
    return np.concatenate([np.zeros((1, 3)), ends[:-1]])


def _mean_level(row: Timed, from_s: float, step_s: float) -> float:
    """Return the mean of an effect's level over a step, exact: a short one counts by its length."""
    grown_s = row.start_s + row.rise_s
    until_s = min(from_s + step_s, row.stop_s)
    ramp = [min(max(t, row.start_s), grown_s) - row.start_s for t in (from_s, until_s)]
    rising = 0.5 * (ramp[1] ** 2 - ramp[0] ** 2) / row.rise_s if row.rise_s > 0.0 else 0.0
    whole = max(until_s - max(from_s, grown_s), 0.0)
    return (max(rising, 0.0) + whole) / step_s


def _square(hertz: float, now_s: float, step_s: float) -> float:
    """Return the mean over a step of a square wave between 0 and 1, or 1 without a frequency."""
    if hertz <= 0.0:
        return 1.0
    if hertz * step_s > 0.5:
        return 0.5
    return 1.0 if math.fmod(now_s * hertz, 1.0) < 0.5 else 0.0


def added_humidity(twin: Twin, scene: Scene, times_s: Real, step_s: float) -> Real:
    """Return what effects add to the relative humidity inside, (K,): exchange of air delays it."""
    outside = np.zeros(times_s.size)
    for row in scene:
        if isinstance(row.effect, Ambient) and not row.effect.inside:
            mean = [_mean_level(row, now_s, step_s) for now_s in times_s.tolist()]
            outside += row.effect.humidity * np.array(mean)
    keep, inside = math.exp(-step_s / twin.site.exchange_s.value), 0.0
    found = np.empty(times_s.size)
    for k, value in enumerate(outside.tolist()):
        found[k] = inside
        inside = keep * inside + (1.0 - keep) * value
    return found


def _lux(twin: Twin, active: tuple[Effect, ...], light_lux: float) -> float:
    """Return the light inside: what comes through what is open, spread over the inner surface."""
    open_m2 = sum(
        each.length_m * each.width_m for each in active if isinstance(each, Aperture) and each.clear
    )
    outside = light_lux + sum(each.lux for each in active if isinstance(each, Light))
    return outside * min(open_m2 / (twin.volume.cavity.walls.area_m2 * LIGHT_LOST), 1.0)
