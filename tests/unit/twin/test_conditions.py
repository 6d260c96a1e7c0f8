"""The course of a scene: what is active when, how large, and what heat and moisture make of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.core.errors import InputError
from casemate.twin.assembly import Twin
from casemate.twin.conditions import (
    AIR_NODE,
    BOARD_NODE,
    SCALED,
    SKIN_NODE,
    WINDOW_S,
    _there,
    anchor_of,
    course,
    spread_of,
)
from casemate.twin.effects import (
    Ambient,
    Aperture,
    Effect,
    Gas,
    HeatSpot,
    Hole,
    Light,
    Load,
    Magnetic,
    Place,
    Radiated,
    Scatterer,
    Scene,
    Spot,
    Timed,
)
from casemate.twin.environment_sites import SITES
from casemate.twin.environment_thermal import settled_k

TILE = "top-1-1"
HOUR = 3600.0


def active(scene: Scene, now_s: float) -> tuple[Effect, ...]:
    """What is there in the window that begins now."""
    return tuple(effect for effect, _ in _there(scene, now_s))


def _course(twin: Twin, scene: Scene, times_s: np.ndarray) -> dict[str, np.ndarray]:
    run = course(twin, scene, times_s, np.random.default_rng(5))
    names = ("ambient_k", "air_k", "skin_k", "humidity", "water", "pressure_pa", "lux")
    return {name: np.array([getattr(step, name) for step in run.steps]) for name in names}


def _added(twin: Twin, scene: Scene, times_s: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a scene adds to a quiet course of the same seed."""
    quiet, found = _course(twin, (), times_s), _course(twin, scene, times_s)
    return {name: found[name] - quiet[name] for name in found}


@given(
    start=st.floats(0.0, 2.0), length=st.floats(1e-4, 2.0), rise=st.floats(0.0, 1.0),
    now=st.floats(0.0, 5.0),
)  # fmt: skip
def test_an_effect_is_there_when_any_of_its_time_lies_in_the_window(
    start: float, length: float, rise: float, now: float
) -> None:
    row = Timed(
        effect=Magnetic(tesla=1.0, hertz=50.0), start_s=start, stop_s=start + length, rise_s=rise
    )
    found = active((row,), now)
    inside = np.linspace(now, math.nextafter(now + WINDOW_S, 0.0), 101)
    inside = np.append(inside, [t for t in (start, math.nextafter(row.stop_s, 0.0))
                                if now <= t < now + WINDOW_S])  # fmt: skip
    largest = max(row.level(float(t)) for t in inside)
    if not found:
        # it may begin with a level of exactly 0 at the window's end
        assert largest <= 1e-12
    else:
        (effect,) = found
        assert isinstance(effect, Magnetic)
        assert effect.tesla == pytest.approx(largest, rel=1e-6, abs=1e-9)


def test_a_millisecond_is_seen_by_its_window_and_no_other(dpa_twin: Twin) -> None:
    row = Timed(effect=Ambient(pascal=50.0), start_s=0.3542, stop_s=0.3552)
    times_s = np.arange(10) * WINDOW_S
    added = _added(dpa_twin, (row,), times_s)["pressure_pa"]
    assert added == pytest.approx(np.where(np.arange(10) == 3, 50.0, 0.0), abs=1e-6)


def test_what_stops_is_gone(dpa_twin: Twin) -> None:
    row = Timed(effect=Light(lux=100.0), start_s=1.0, stop_s=2.0)
    door = Timed(effect=Aperture(face="top", length_m=0.01, width_m=0.01), start_s=0.0)
    times_s = np.arange(40) * WINDOW_S
    lux = _course(dpa_twin, (row, door), times_s)["lux"]
    during = (times_s > 1.0 - WINDOW_S + 1e-9) & (times_s < 2.0 - 1e-9)
    assert (lux[during] > 10.0 * lux[0]).all()
    assert lux[~during] == pytest.approx(np.full((~during).sum(), lux[0]), rel=1e-9)


SAMPLES: tuple[Effect, ...] = (
    Ambient(kelvin=2.0, humidity=0.1, pascal=30.0),
    Aperture(face="top", length_m=0.02, width_m=4e-3),
    Gas(kind="helium", share=0.4),
    HeatSpot(at=Place(tile=TILE, x_m=0.01, y_m=0.01), watt=-2.0, radius_m=1e-3),
    Load(watt=3.0),
    Magnetic(tesla=1e-3, hertz=50.0),
    Radiated(volt_m=10.0, hertz=5e9, band_hz=1e6, waveform="tone"),
    Scatterer(x_m=0.0, y_m=0.0, z_m=0.0, length_m=0.01, diameter_m=1e-4),
)


@pytest.mark.parametrize("effect", SAMPLES, ids=lambda each: type(each).__name__)
def test_levels_scale_what_can_be_partial(effect: Effect) -> None:
    (half,) = active((Timed(effect=effect, start_s=0.0, rise_s=1.0),), 0.5 - WINDOW_S)
    for name in SCALED[type(effect)]:
        assert getattr(half, name) == pytest.approx(0.5 * getattr(effect, name), rel=1e-9)
    same: Any = replace(half, **{name: getattr(effect, name) for name in SCALED[type(effect)]})
    assert same == effect  # and nothing else


def test_a_hole_is_whole_at_once() -> None:
    hole = Hole(at=Spot(tile=TILE, layer="In1.Cu", x_m=0.0, y_m=0.0), diameter_m=1e-3)
    assert active((Timed(effect=hole, start_s=0.05, rise_s=10.0),), 0.0) == (hole,)


def test_heat_adds_up_and_settles_where_a_direct_solve_does(dpa_twin: Twin) -> None:
    """Two loads at once add what each does alone; the end is the network's own steady state."""
    spot = HeatSpot(at=Place(tile=TILE, x_m=0.05, y_m=0.03), watt=1.5, radius_m=2e-3)
    one = Timed(effect=Load(watt=2.0), start_s=0.0)
    two = Timed(effect=spot, start_s=HOUR)
    three = Timed(effect=Ambient(kelvin=4.0), start_s=2.0 * HOUR)
    times_s = np.linspace(0.0, 60.0 * HOUR, 200)
    alone = [_added(dpa_twin, (row,), times_s) for row in (one, two, three)]
    both = _added(dpa_twin, (one, two, three), times_s)
    for name in ("air_k", "skin_k"):
        total = sum(each[name] for each in alone)
        assert both[name] == pytest.approx(total, abs=1e-9)
    power = np.zeros(3)
    power[BOARD_NODE], power[SKIN_NODE] = 2.0, 1.5
    settled = settled_k(dpa_twin.site.network, power, 4.0)
    assert both["skin_k"][-1] == pytest.approx(float(settled[SKIN_NODE]), rel=1e-3)
    assert both["air_k"][-1] == pytest.approx(float(settled[AIR_NODE]), rel=1e-3)
    assert both["ambient_k"][-1] == pytest.approx(4.0)


def test_heat_follows_the_network_step_by_step(dpa_twin: Twin) -> None:
    """Against an independent integration of C T' = P - G T (SciPy, stiff) of a step of load."""
    from scipy.integrate import solve_ivp

    network = dpa_twin.site.network
    times_s = np.linspace(0.0, 5.0 * HOUR, 300)
    found = _added(dpa_twin, (Timed(effect=Load(watt=2.0), start_s=0.0),), times_s)
    capacity = np.asarray(network.capacity_j_k, dtype=float)
    between = np.asarray(network.between_w_k, dtype=float)
    g = np.diag(between.sum(axis=1) + np.asarray(network.ambient_w_k)) - between
    power = np.array([2.0, 0.0, 0.0])
    solved = solve_ivp(
        lambda _t, k: (power - g @ k) / capacity, (0.0, times_s[-1]), np.zeros(3),
        method="LSODA", t_eval=times_s, rtol=1e-9, atol=1e-9,
    )  # fmt: skip
    worst = np.abs(found["skin_k"] - solved.y[SKIN_NODE]).max()
    assert worst < 5e-3 * solved.y[SKIN_NODE].max()  # straight lines between steps of 76 s


def test_short_heat_counts_by_its_length_and_not_before_it_begins(dpa_twin: Twin) -> None:
    """10 s of 360 W amid 5 hours, steps of 76 s: the same end as 3600 s of 1 W, nothing before."""
    times_s = np.linspace(0.0, 5.0 * HOUR, 300)
    flash, slow = (
        _added(
            dpa_twin,
            (Timed(effect=Load(watt=watt), start_s=start, stop_s=start + length),),
            times_s,
        )
        for watt, start, length in ((360.0, 4000.0, 10.0), (1.0, 2205.0, 3600.0))
    )
    step_s = times_s[-1] / 238.0
    assert not flash["skin_k"][times_s < 4000.0 - step_s].any()
    capacity = sum(dpa_twin.site.network.capacity_j_k)
    assert 0.2 < flash["skin_k"].max() * capacity / 3600.0 < 1.5
    assert flash["air_k"].sum() == pytest.approx(slow["air_k"].sum(), rel=0.01)


def test_ambient_humidity_gets_in_slowly_and_inside_at_once(dpa_twin: Twin) -> None:
    wet = Timed(effect=Ambient(humidity=0.2), start_s=0.0)
    times_s = np.linspace(0.0, 8.0 * dpa_twin.site.exchange_s.value, 200)
    added = _added(dpa_twin, (wet,), times_s)
    share = added["humidity"] / 0.2
    late = 1.0 - np.exp(-times_s / dpa_twin.site.exchange_s.value)
    assert share == pytest.approx(late, abs=0.005)
    assert (np.diff(added["water"]) >= -1e-12).all() and added["water"][-1] > 0.05
    open_door = Timed(effect=Ambient(humidity=0.2, inside=True), start_s=0.0)
    assert _added(dpa_twin, (open_door,), times_s)["humidity"][0] == pytest.approx(0.2)


def test_light_comes_through_what_is_open_and_clear(dpa_twin: Twin) -> None:
    light = Timed(effect=Light(lux=1000.0), start_s=0.0)
    door = Aperture(face="top", length_m=0.02, width_m=0.01)
    times_s = np.arange(3) * 1.0
    for scene, dark in (
        ((light,), True),
        ((light, Timed(effect=door, start_s=0.0)), False),
        ((light, Timed(effect=replace(door, clear=False), start_s=0.0)), True),
    ):
        lux = _course(dpa_twin, scene, times_s)["lux"]
        assert (lux == 0.0).all() if dark else (lux > 1.0).all()
        assert (lux <= 1000.0 + 1e5).all()


def test_a_quiet_site_stays_within_its_spread(dpa_twin: Twin) -> None:
    """Four weeks on every site: rms round the anchor is half to once what residuals are over."""
    times_s = np.arange(200) * 12_000.0
    for site in SITES.values():
        twin = replace(dpa_twin, site=site)
        anchor, spread = anchor_of(twin), spread_of(twin)
        found = _course(twin, (), times_s)
        for name, size in (
            ("skin_k", spread.skin_k), ("air_k", spread.air_k), ("humidity", spread.humidity)
        ):  # fmt: skip
            rms = np.sqrt(np.mean((found[name] - getattr(anchor, name)) ** 2))
            assert 0.4 < rms / size < 1.4, (site.name, name, rms, size)


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (Hole(at=Spot(tile="nowhere", layer="In1.Cu", x_m=0, y_m=0), diameter_m=1e-3), "nowhere"),
        (Hole(at=Spot(tile=TILE, layer="B.Cu", x_m=0, y_m=0), diameter_m=1e-3), "B.Cu"),
        (Hole(at=Spot(tile=TILE, layer="In1.Cu", x_m=math.nan, y_m=0), diameter_m=1e-3), "finite"),
        (Hole(at=Spot(tile=TILE, layer="In1.Cu", x_m=0, y_m=0), diameter_m=-1e-3), "diameter_m"),
        (HeatSpot(at=Place(tile=TILE, x_m=0, y_m=math.inf), watt=1, radius_m=1e-3), "finite"),
        (HeatSpot(at=Place(tile=TILE, x_m=0, y_m=0), watt=math.nan, radius_m=1e-3), "watt"),
        (Scatterer(x_m=0, y_m=0, z_m=0, length_m=-0.01, diameter_m=1e-4), "length_m"),
        (Aperture(face="lid", length_m=0.01, width_m=0.01), "lid"),
        (Radiated(volt_m=-1, hertz=1e9, band_hz=0, waveform="tone"), "volt_m"),
    ],
)  # fmt: skip
def test_impossible_scenes_are_refused(effect: Effect, said: str, dpa_twin: Twin) -> None:
    scene = (Timed(effect=effect, start_s=0.0),)
    with pytest.raises(InputError, match=said) as caught:
        course(dpa_twin, scene, np.arange(2.0), np.random.default_rng(1))
    assert caught.value.remedy


def test_effects_need_sound_times() -> None:
    for start, stop, rise in ((-1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (0.0, 1.0, -0.1)):
        with pytest.raises(InputError):
            Timed(effect=Load(watt=1.0), start_s=start, stop_s=stop, rise_s=rise)
