"""The three sites: plausible, repeatable, sourced, and one held against a recording."""

from __future__ import annotations

import csv
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.signal import welch

from casemate.core.errors import InputError
from casemate.twin.environment import (
    Events,
    events,
    panel_vibration,
    slow_series,
    working,
)
from casemate.twin.environment_air import saturation_pa
from casemate.twin.environment_forces import Drill
from casemate.twin.environment_sites import CAMERA, LABORATORY, RACK, SITES, Figure, Site
from casemate.twin.environment_thermal import settled_k
from truths import Truth, abs_error, recorded, rel_error

DAY_S = 86_400.0


@pytest.mark.parametrize("site", SITES.values(), ids=list(SITES))
def test_every_figure_has_a_source(site: Site) -> None:
    for field in fields(site):
        value = getattr(site, field.name)
        if isinstance(value, Figure):
            assert len(value.source) > 5, field.name
    assert site.network_source


@pytest.mark.parametrize("site", SITES.values(), ids=list(SITES))
def test_series_are_plausible_and_repeat(site: Site) -> None:
    series = slow_series(site, 3 * DAY_S, 30.0, np.random.default_rng(1))
    again = slow_series(site, 3 * DAY_S, 30.0, np.random.default_rng(1))
    for field in fields(series):
        if field.name != "events":
            assert np.array_equal(getattr(series, field.name), getattr(again, field.name))
    other = slow_series(site, 3 * DAY_S, 30.0, np.random.default_rng(2))
    assert not np.array_equal(series.ambient_k, other.ambient_k)
    assert np.all((series.nodes_k > 253.0) & (series.nodes_k < 363.0))
    assert np.all(series.nodes_k[:, 0].mean() > series.ambient_k.mean() + 2.0)
    assert np.all((series.humidity >= 0.0) & (series.humidity <= 1.0))
    assert np.all(np.abs(series.pressure_pa - 101_325.0) < 6_000.0)


def test_the_rack_settles_where_its_heat_balance_says(truth: Truth) -> None:
    series = slow_series(RACK, 7 * DAY_S, 60.0, np.random.default_rng(3))
    full = series.load_w == RACK.full_w.value
    since = np.where(full, 1, 0)
    for k in range(1, since.size):
        since[k] *= since[k - 1] + 1
    late = since > 120  # two hours at full load, 20 time constants of the boards
    assert late.any()
    rise = (series.nodes_k[:, 1] - series.ambient_k)[late]
    # 12 kW out through 800 W/K of air and 60 W/K in series with 60 W/K of skin
    truth(
        kernel="twin.environment.slow_series",
        against="heat balance of the rack, 12 kW through 830 W/K",
        found=abs_error(rise.mean(), 12_000 / (800 + 30)),
        allowed=0.3,
        unit="K",
    )


def test_people_come_in_working_hours() -> None:
    people = events(LABORATORY, 70 * DAY_S, np.random.default_rng(4))
    inside = working(people.passers[:, 0])
    hours = 50 * 36_000.0
    assert inside.sum() == pytest.approx(hours * LABORATORY.passer_1_s.value, rel=0.1)
    for spells, mean in (
        (people.passers, LABORATORY.passer_s),
        (people.drillings, LABORATORY.drilling_s),
    ):
        assert spells[:, 1].mean() == pytest.approx(mean.value, rel=0.25)
    share = (~inside).sum() / (70 * DAY_S - hours) / LABORATORY.passer_1_s.value
    assert share == pytest.approx(LABORATORY.night_share.value, rel=0.25)


def test_fans_keep_the_rack_within_the_envelope_and_a_drill_shows() -> None:
    """physics.md 4: an operating rack has 0.01 to 0.1 g rms."""
    people = events(RACK, DAY_S, np.random.default_rng(5))
    sense = (0.3, 0.22)
    attack = (Drill(), 3601.0, 3602.0, (0.15, 0.2))
    quiet, drilled = (
        panel_vibration(RACK, people, (3600.0, 3602.0), 12e3, sense, np.random.default_rng(6), each)
        for each in (None, attack)
    )
    assert 0.01 < quiet[6000:].std() / 9.80665 < 0.1
    assert np.array_equal(quiet[:11_000], drilled[:11_000])
    assert drilled[13_000:].std() > 3.0 * quiet[13_000:].std()


def test_temperatures_begin_where_they_had_settled_and_lag_the_load() -> None:
    """A board cannot be warmer at the very sample at which its load rises."""
    series = slow_series(LABORATORY, DAY_S, 10.0, np.random.default_rng(9))
    power_w = np.array([series.load_w[0], 0.0, 0.0])
    settled = settled_k(LABORATORY.network, power_w, float(series.ambient_k[0]))
    assert series.nodes_k[0] == pytest.approx(settled)
    up = np.flatnonzero(np.diff(series.load_w) > 0.0) + 1
    board = series.nodes_k[:, 0]
    assert up.size > 5
    # 3 W on 60 J/K: half a kelvin in ten seconds, seen one sample after the step, not at it
    assert np.median(np.abs(board[up] - board[up - 1])) < 0.1
    assert np.median(board[up + 1] - board[up]) > 0.3


def test_the_day_is_warmest_at_three_and_the_thermostat_swings() -> None:
    pole = slow_series(CAMERA, 60 * DAY_S, 600.0, np.random.default_rng(19))
    day = pole.ambient_k.reshape(60, -1).mean(axis=0)
    turn = np.mean(day * np.exp(-2j * np.pi * np.arange(day.size) / day.size))
    assert np.mod(-np.angle(turn), 2 * np.pi) / (2 * np.pi) * 24.0 == pytest.approx(15.0, abs=0.7)
    assert 2.0 * np.abs(turn) == pytest.approx(CAMERA.daily_k.value, rel=0.15)
    # a triangle of amplitude a has the variance a^2/3; the rack's other parts have none so fast
    rack = slow_series(RACK, 10 * DAY_S, 30.0, np.random.default_rng(20)).ambient_k
    f_hz, power = welch(rack, 1 / 30.0, nperseg=2048)
    near = np.abs(f_hz * RACK.hvac_period_s.value - 1.0) < 0.25
    swing = np.trapezoid(power[near], f_hz[near])
    assert swing == pytest.approx(8.0 / np.pi**4 * 4.0 * RACK.hvac_k.value**2, rel=0.3)


def test_loads_hold_for_their_mean_time() -> None:
    series = slow_series(LABORATORY, 40 * DAY_S, 60.0, np.random.default_rng(10))
    steps = np.count_nonzero(np.diff(series.load_w))
    assert 40 * DAY_S / steps == pytest.approx(LABORATORY.load_hold_s.value, rel=0.08)
    assert set(np.unique(series.load_w)) == {2.0, 5.0}


def test_sun_and_clouds_act_on_light_and_on_the_skin_alike() -> None:
    series = slow_series(CAMERA, 5 * DAY_S, 60.0, np.random.default_rng(11))
    hour = np.mod(series.times_s, DAY_S) / 3600.0
    noon, night = (hour > 11.0) & (hour < 13.0), (hour < 5.0) | (hour > 19.0)
    assert np.all(series.light_lux[night] == CAMERA.night_lux.value)
    assert 0.3 < series.light_lux[noon].mean() / CAMERA.day_lux.value < 0.9
    assert series.light_lux[noon].std() > 0.1 * CAMERA.day_lux.value
    # 9 W of sun on 1 W/K of skin and what the board adds
    skin = series.nodes_k[:, 2] - series.ambient_k
    assert 3.0 < skin[noon].mean() - skin[night].mean() < 8.0
    lit = series.light_lux[noon] > np.median(series.light_lux[noon])
    assert skin[noon][lit].mean() > skin[noon][~lit].mean() + 0.3


@pytest.mark.parametrize("site", [RACK, LABORATORY], ids=["rack", "laboratory"])
def test_people_switch_on_lamps_at_night_and_doors_let_light_in(site: Site) -> None:
    series = slow_series(site, 3 * DAY_S, 1.0, np.random.default_rng(12))
    by_day = working(series.times_s)
    assert series.light_lux[by_day].min() == site.day_lux.value
    start_s = next(row[0] for row in series.events.passers if not working(row[:1])[0])
    at = int(start_s) + 2
    assert series.light_lux[at] >= site.day_lux.value
    dark = series.light_lux == site.night_lux.value
    assert 0.5 < dark[~by_day].mean() < 1.0
    opened_s = next(row[0] for row in series.events.doors if row[1] > 3.0)
    door = int(opened_s) + 2
    assert series.light_lux[door] == site.day_lux.value + site.door_lux.value


def test_doors_and_ventilation_move_the_room_and_its_air() -> None:
    """A door's pulse of pressure, its breath of other air, and steps of the ventilation."""
    series = slow_series(LABORATORY, 2 * DAY_S, 0.5, np.random.default_rng(13))
    jumps = np.abs(np.diff(series.pressure_pa))
    opened = np.searchsorted(series.times_s, series.events.doors[:, 0])
    at_doors = np.array([jumps[max(k - 2, 0) : k + 2].max() for k in opened])
    assert np.median(at_doors) == pytest.approx(LABORATORY.door_pa.value, rel=0.4)
    hvac = np.abs(jumps - LABORATORY.hvac_pa.value) < 0.5
    assert hvac.sum() == pytest.approx(2 * 2 * DAY_S / LABORATORY.hvac_period_s.value, rel=0.15)
    apart = opened[(opened > 10) & (opened < series.times_s.size - 10)]
    fall = series.ambient_k[apart + 3] - series.ambient_k[apart - 3]
    assert np.median(fall) == pytest.approx(LABORATORY.door_k.value, abs=0.02)
    weather = slow_series(RACK, 60 * DAY_S, 600.0, np.random.default_rng(14)).pressure_pa
    assert weather.std() == pytest.approx(RACK.weather_pa.value, rel=0.35)


def test_cold_air_brings_no_more_water_than_it_can_hold() -> None:
    """A pole at -10 C: 900 Pa of vapour would be three times what saturated air has there."""
    frost = replace(CAMERA, mean_k=Figure(value=263.15))
    series = slow_series(frost, 40 * DAY_S, 300.0, np.random.default_rng(15))
    inside_pa = series.humidity * saturation_pa(series.nodes_k[:, 1])
    outside_pa = saturation_pa(series.ambient_k)
    # what saturated air brought in, but for the first hours; the box is warmer than the air
    assert inside_pa[1000:].mean() == pytest.approx(outside_pa[1000:].mean(), rel=0.1)


def test_humidity_of_the_room_reaches_each_box_in_its_own_time() -> None:
    """Relative spread of vapour inside: the weather's of a day's memory, smoothed by exchange."""
    for site, seed in ((RACK, 17), (LABORATORY, 18)):
        series = slow_series(site, 120 * DAY_S, 600.0, np.random.default_rng(seed))
        inside_pa = series.humidity * saturation_pa(series.nodes_k[:, 1])
        kept = DAY_S / (DAY_S + site.exchange_s.value)  # variance of a walk after a low-pass
        expected = site.vapour_spread.value * np.sqrt(kept)
        assert np.std(np.log(inside_pa)) == pytest.approx(expected, rel=0.25)
        assert np.median(inside_pa) == pytest.approx(site.vapour_pa.value, rel=0.05)


def test_walkers_and_a_neighbours_drill_reach_the_panel() -> None:
    none = np.zeros((0, 2))
    spell = np.array([[3600.5, 1.2]])
    quiet = Events(doors=none, passers=none, drillings=none)
    sense, window = (0.03, 0.02), (3600.0, 3602.0)

    def moved(people: Events, site: Site = LABORATORY) -> np.ndarray:
        return panel_vibration(site, people, window, 6e3, sense, np.random.default_rng(16))

    assert not moved(quiet).any()
    walked = moved(replace(quiet, passers=spell))
    drilled = moved(replace(quiet, drillings=spell))
    for found in (walked, drilled):
        assert not found[: int(0.49 * 6e3)].any() and found[int(0.6 * 6e3) : int(1.6 * 6e3)].any()
    # the neighbour's machine turns 25 times a second less its sag, with two edges
    f_hz, power = welch(drilled[3600 : 3600 + 6144], 6e3, nperseg=6144)
    assert power[(f_hz > 43) & (f_hz < 47)].max() > 3.0 * np.median(
        power[(f_hz > 30) & (f_hz < 80)]
    )


def test_too_short_a_series_is_refused() -> None:
    with pytest.raises(InputError, match="too short"):
        slow_series(RACK, 1.0, 1.0, np.random.default_rng(7))


def test_the_laboratory_drifts_as_the_second_half_of_the_recording(truth: Truth) -> None:
    """Figures were set on the first half; hourly air temperature, taken to be in degrees F."""
    path = recorded("temperature") / "ambient_temperature_system_failure.csv"
    with path.open() as file:
        rows = list(csv.reader(file))[1:]
    celsius = (np.array([float(row[1]) for row in rows]) - 32.0) / 1.8
    held_out = celsius[celsius.size // 2 :]
    ours = slow_series(LABORATORY, 150 * DAY_S, 3600.0, np.random.default_rng(8)).ambient_k
    for share in (50, 90, 99):
        real = np.percentile(np.abs(np.diff(held_out)), share)
        made = np.percentile(np.abs(np.diff(ours)), share)
        truth(
            kernel="twin.environment_sites.LABORATORY",
            against="held-out half of the ambient recording: hourly changes, 50, 90, 99 %",
            found=rel_error(made, real),
            allowed=0.15,
        )
    for hours in (3, 6, 12, 24, 72):
        real = np.std(held_out[hours:] - held_out[:-hours])
        made = np.std(ours[hours:] - ours[:-hours])
        truth(
            kernel="twin.environment_sites.LABORATORY",
            against="held-out half of the ambient recording: rms change over 3 h to 3 days",
            found=rel_error(made, real),
            allowed=0.4,
        )
