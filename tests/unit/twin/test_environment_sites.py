"""The three sites: plausible, repeatable, sourced, and one held against a recording."""

from __future__ import annotations

import csv
from dataclasses import fields

import numpy as np
import pytest

from casemate.core.errors import InputError
from casemate.twin.environment import events, panel_vibration, slow_series, working
from casemate.twin.environment_forces import Drill
from casemate.twin.environment_sites import LABORATORY, RACK, SITES, Figure, Site
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
