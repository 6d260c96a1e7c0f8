"""What goes on around an enclosure and inside it, as time series from a seed.

`slow_series` gives seconds to weeks: temperature, humidity, pressure, light, load, people.
`panel_vibration` gives a window of a panel's acceleration at full rate, from the same people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casemate.core.errors import InputError
from casemate.twin.environment_air import inside_humidity, saturation_pa
from casemate.twin.environment_forces import Drill, drill_force_n, fan_force_n, footfall_n
from casemate.twin.environment_panel import Point, acceleration_m_s2, plate_modes
from casemate.twin.environment_sites import Site
from casemate.twin.environment_thermal import settled_k, temperatures_k
from casemate.twin.line_materials import Real
from casemate.twin.walks import ou, smooth_walk

DAY_S = 86_400.0
WORK_S = (8 * 3_600.0, 18 * 3_600.0)
"""Working hours, Monday to Friday; time 0 is midnight before a Monday."""
WEATHER_SMOOTH_S = 10_800.0
"""Pressure of the weather has no detail below this (planning value)."""
DOOR_AIR_S = 300.0
"""In which the room's air recovers from an opened door (planning value)."""
DOOR_OPEN_S = 4.0
"""Mean time that a room's door stands open (planning value)."""
LIGHTS_S = 600.0
"""For which lights stay on after whoever switched them on at night is gone (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What people did: starts and durations in s, shape (E, 2) each, rising."""

    doors: Real
    passers: Real
    drillings: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowSeries:
    """Series at `times_s` (K,), evenly spaced; temperatures in K, `nodes_k` (K, 3) of Site.

    Load, sun and ambient at one time act until the next.
    """

    times_s: Real
    ambient_k: Real
    nodes_k: Real
    humidity: Real
    """Relative, of the air inside, 0 to 1."""
    pressure_pa: Real
    light_lux: Real
    """Outside the enclosure."""
    load_w: Real
    events: Events


def working(times_s: Real) -> NDArray[np.bool_]:
    """Return whether each time lies in working hours, shape as given."""
    day, hour = np.floor(times_s / DAY_S), np.mod(times_s, DAY_S)
    weekday = np.mod(day, 7) < 5
    return np.asarray(weekday & (hour >= WORK_S[0]) & (hour < WORK_S[1]))


def events(site: Site, duration_s: float, generator: np.random.Generator) -> Events:
    """Return doors, passages and drillings, Poisson with the rates of working hours and nights."""
    night = site.night_share.value
    return Events(
        doors=_poisson(site.door_1_s.value, DOOR_OPEN_S, night, duration_s, generator),
        passers=_poisson(site.passer_1_s.value, site.passer_s.value, night, duration_s, generator),
        drillings=_poisson(
            site.drilling_1_s.value, site.drilling_s.value, night, duration_s, generator
        ),
    )


def _poisson(
    rate_1_s: float, mean_s: float, night: float, duration_s: float, generator: np.random.Generator
) -> Real:
    count = generator.poisson(rate_1_s * duration_s)
    starts = np.sort(generator.random(count)) * duration_s
    kept = generator.random(count) < np.where(working(starts), 1.0, night)
    lengths = generator.exponential(mean_s, count)
    return np.column_stack([starts, lengths])[kept]


def slow_series(
    site: Site, duration_s: float, step_s: float, generator: np.random.Generator
) -> SlowSeries:
    """Return all slow series of a site; the same generator state gives the same series.

    Raises InputError for a duration below two steps.
    """
    if not duration_s >= 2.0 * step_s > 0.0:
        raise InputError(
            "The duration is too short for the step.",
            remedy="Give a duration of at least two positive steps.",
            value=(duration_s, step_s),
        )
    times_s: Real = np.arange(int(duration_s / step_s), dtype=np.float64) * step_s
    people = events(site, duration_s, generator)
    hvac = _sawtooth(site.hvac_period_s.value, times_s, generator)
    ambient_k = _ambient(site, times_s, hvac, generator)
    ambient_k += site.door_k.value * _pulses(times_s, people.doors[:, 0], DOOR_AIR_S)
    load_w = np.where(
        _telegraph(site.load_hold_s.value, times_s, generator), site.full_w.value, site.idle_w.value
    )
    clear = _clouds(times_s, generator)
    sun_w = site.sun_w.value * sunshine(times_s) * clear
    power_w = np.column_stack([load_w, np.zeros_like(load_w), sun_w])
    start_k = settled_k(site.network, power_w[0], float(ambient_k[0]))
    later_k = temperatures_k(site.network, start_k, power_w[:-1], ambient_k[:-1], step_s)
    nodes_k = np.vstack([start_k, later_k])
    wet = np.exp(site.vapour_spread.value * ou(DAY_S, times_s, generator)[:, 0])
    # dew takes what the air outside cannot hold
    vapour_pa = np.minimum(site.vapour_pa.value * wet, saturation_pa(ambient_k))
    return SlowSeries(
        times_s=times_s,
        ambient_k=ambient_k,
        nodes_k=nodes_k,
        humidity=inside_humidity(vapour_pa, nodes_k[:, 1], site.exchange_s.value, step_s),
        pressure_pa=_pressure(site, times_s, hvac, people, generator),
        light_lux=_light(site, times_s, clear, people),
        load_w=load_w,
        events=people,
    )


def sunshine(times_s: Real) -> Real:
    """Return the sine of the sun's height over a day of 12 hours, 0 at night, shape (K,)."""
    return np.asarray(np.maximum(-np.cos(2.0 * np.pi * times_s / DAY_S), 0.0))


def _clouds(times_s: Real, generator: np.random.Generator) -> Real:
    """Return the clear share of sunshine, 0.1 to 1; memory 20 min (planning values)."""
    return np.asarray(np.clip(0.6 + 0.4 * ou(1_200.0, times_s, generator)[:, 0], 0.1, 1.0))


def _ambient(site: Site, times_s: Real, hvac: Real, generator: np.random.Generator) -> Real:
    day = np.cos(2.0 * np.pi * (times_s / DAY_S - 15.0 / 24.0))
    slow = ou(site.slow_memory_s.value, times_s, generator)[:, 0]
    fast = ou(site.fast_memory_s.value, times_s, generator)[:, 0]
    walk = site.slow_k.value * slow + site.fast_k.value * fast
    return np.asarray(
        site.mean_k.value + site.daily_k.value * day + walk + site.hvac_k.value * hvac
    )


def _sawtooth(period_s: float, times_s: Real, generator: np.random.Generator) -> Real:
    """Return a thermostat's triangle, -1 to 1, its period walking by 5 % (planning value)."""
    step_s = float(times_s[1] - times_s[0])
    pace = 1.0 + 0.05 * ou(10.0 * period_s, times_s, generator)[:, 0]
    phase = np.mod(np.cumsum(pace) * step_s / period_s + generator.random(), 1.0)
    return np.asarray(4.0 * np.abs(phase - 0.5) - 1.0)


def _telegraph(hold_s: float, times_s: Real, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Return a two-state signal that stays for exponential times of mean `hold_s`."""
    count = generator.poisson(float(times_s[-1]) / hold_s)
    flips = np.sort(generator.random(count)) * float(times_s[-1])
    state = np.searchsorted(flips, times_s) + generator.integers(2)
    return np.asarray(np.mod(state, 2) == 1)


def _pressure(
    site: Site, times_s: Real, hvac: Real, people: Events, generator: np.random.Generator
) -> Real:
    weather = smooth_walk(site.weather_memory_s.value, WEATHER_SMOOTH_S, times_s, generator)
    pressure = 101_325.0 + site.weather_pa.value * weather
    rising = np.diff(hvac, prepend=hvac[0]) > 0.0
    pressure += site.hvac_pa.value * rising
    opened, closed = people.doors[:, 0], people.doors.sum(axis=1)
    pulses = _pulses(times_s, opened, 1.0) - _pulses(times_s, closed, 1.0)
    return np.asarray(pressure + site.door_pa.value * pulses)


def _pulses(times_s: Real, starts_s: Real, decay_s: float) -> Real:
    """Return the sum of unit pulses that start at once and die away, shape (K,)."""
    total = np.zeros_like(times_s)
    for start_s in starts_s:
        first, last = np.searchsorted(times_s, [start_s, start_s + 20.0 * decay_s])
        total[first:last] += np.exp(-(times_s[first:last] - start_s) / decay_s)
    return total


def _light(site: Site, times_s: Real, clear: Real, people: Events) -> Real:
    """Return light outside, shape (K,): sun and clouds, or lamps that people switch on, and doors.

    Lamps burn in working hours and, at other times, from a passage or a door until LIGHTS_S later.
    """
    if site.sun_w.value > 0.0:
        return np.asarray(site.night_lux.value + site.day_lux.value * sunshine(times_s) * clear)
    lit = working(times_s)
    for start_s, length_s in np.concatenate([people.passers, people.doors]):
        first, last = np.searchsorted(times_s, [start_s, start_s + length_s + LIGHTS_S])
        lit[first:last] = True
    light = np.where(lit, site.day_lux.value, site.night_lux.value)
    for start_s, length_s in people.doors:
        first, last = np.searchsorted(times_s, [start_s, start_s + length_s])
        light[first:last] += site.door_lux.value
    return np.asarray(light)


def panel_vibration(
    site: Site,
    people: Events,
    window_s: tuple[float, float],
    rate_hz: float,
    sense: Point,
    generator: np.random.Generator,
    attack: tuple[Drill, float, float, Point] | None = None,
) -> Real:
    """Return true acceleration at `sense` on the site's panel, shape (K,), over a window.

    Fans, walkers and neighbours' drills act at a corner region of the panel (a tenth in from both
    edges), an `attack` (drill, start, stop, place) where it is. From rest: the first tenth of a
    second is a transient.
    """
    count = int((window_s[1] - window_s[0]) * rate_hz)
    times_s = window_s[0] + np.arange(count) / rate_hz
    frame = np.zeros(count)
    for fan in site.fans:
        frame += site.fan_share.value * fan_force_n(fan, times_s, generator)
    for start_s, length_s in _within(people.passers, window_s):
        frame += site.floor_share.value * footfall_n(times_s, start_s, start_s + length_s)
    far = Drill(turns_1_s=25.0, thrust_n=site.neighbour_n.value, chatter_share=0.5)
    for start_s, length_s in _within(people.drillings, window_s):
        frame += drill_force_n(far, times_s, start_s, start_s + length_s, generator)
    modes = plate_modes(site.plate, rate_hz / 3.0)
    corner = (0.1 * site.plate.a_m, 0.1 * site.plate.b_m)
    moved = acceleration_m_s2(site.plate, modes, corner, sense, frame, rate_hz)
    if attack is not None:
        drill, start_s, stop_s, place = attack
        force = drill_force_n(drill, times_s, start_s, stop_s, generator)
        moved = moved + acceleration_m_s2(site.plate, modes, place, sense, force, rate_hz)
    return moved


def _within(spells: Real, window_s: tuple[float, float]) -> Real:
    return np.asarray(spells[(spells[:, 0] < window_s[1]) & (spells.sum(axis=1) > window_s[0])])
