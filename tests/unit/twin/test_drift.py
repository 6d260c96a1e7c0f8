"""Drift of temperature: laws of its parts, and recordings that the fit has not seen."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime
from functools import cache

import numpy as np
import pytest

from casemate.core.errors import InputError
from casemate.twin.drift import (
    DAY_S,
    Drift,
    change_quantiles,
    daily_c,
    fit_drift,
    on_grid,
    read_c,
    temperature_c,
)
from truths import Truth, recorded, rel_error

QUIET = Drift(
    step_s=300.0, mean_c=20.0, daily_c=(0.0, 0.0, 0.0, 0.0), slow_c=0.0, slow_s=3600.0,
    steps_1_s=0.0, step_c=0.0, rise_s=600.0, decay_s=7200.0, noise_c=0.0,
)  # fmt: skip
STEP_S = {"ambient": 3600.0, "machine": 300.0}
LAGS = {
    "ambient": np.array([1, 2, 4, 8, 24, 48]),
    "machine": np.array([1, 2, 4, 12, 36, 144, 288]),
}


@cache
def recording(name: str) -> tuple[np.ndarray, float]:
    """Return degrees C on an even grid and the first time after midnight; the files hold F."""
    file = recorded("temperature") / f"{name}_temperature_system_failure.csv"
    with file.open() as lines:
        rows = list(csv.reader(lines))[1:]
    times = np.array([(datetime.fromisoformat(at) - datetime(2013, 1, 1)).total_seconds()
                      for at, _ in rows])  # fmt: skip
    celsius = (np.array([float(value) for _, value in rows]) - 32.0) / 1.8
    return on_grid(times, celsius, STEP_S[name]), float(times[0] % DAY_S)


@cache
def fitted(name: str, half: int) -> tuple[Drift, np.ndarray, float]:
    """Return the drift fitted on one half, the other half, and where in the day that starts."""
    values, start_s = recording(name)
    middle = len(values) // 2
    halves = (values[:middle], values[middle:])
    starts = (start_s, (start_s + middle * STEP_S[name]) % DAY_S)
    drift = fit_drift(halves[half], step_s=STEP_S[name], lags=LAGS[name], start_s=starts[half])
    return drift, halves[1 - half], starts[1 - half]


@pytest.mark.parametrize(
    ("name", "half", "factor"),
    [
        pytest.param("machine", 0, 1.45, marks=pytest.mark.slow),
        pytest.param("ambient", 0, 1.7, marks=pytest.mark.slow),
        pytest.param("machine", 1, 1.45, marks=pytest.mark.slow),
        pytest.param("ambient", 1, 1.7, marks=pytest.mark.slow),
    ],
)
def test_rates_of_held_out_halves(name: str, half: int, factor: float, truth: Truth) -> None:
    """Quantiles 50, 90, 99 % of |dT/dt| over lags of one sample to one or two days.

    The halves themselves differ by factors of up to 1.26 (machine) and 1.49 (ambient).
    """
    drift, held, start_s = fitted(name, half)
    runs = [
        np.log(change_quantiles(read_c(np.random.default_rng(s), drift, len(held), start_s=start_s),
                                LAGS[name]))
        for s in range(10)
    ]  # fmt: skip
    gap = np.mean(runs, axis=0) - np.log(change_quantiles(held, LAGS[name]))
    truth(
        kernel="twin.drift.fit_drift",
        against=f"held-out half of the {name} temperature: quantiles of its changes, worst factor",
        found=float(np.exp(np.abs(gap)).max()) - 1.0,
        allowed=factor - 1.0,
    )
    assert np.exp(np.sqrt(np.mean(gap**2))) < 1.0 + 0.6 * (factor - 1.0)


@pytest.mark.slow
def test_most_of_the_fast_change_of_the_recordings_is_the_sensor() -> None:
    """Neighbouring changes cancel (-1/2 for pure noise) and are those of even draws.

    Differences of two even draws over +-a: quantiles a (2 - 2 sqrt(1 - q)).
    """
    drift, held, _ = fitted("machine", 0)
    change = np.diff(held)
    both = np.isfinite(change[1:]) & np.isfinite(change[:-1])
    assert np.corrcoef(change[1:][both], change[:-1][both])[0, 1] < -0.2
    ratio = change_quantiles(held, np.array([1]))[0]
    even = 2.0 - 2.0 * np.sqrt(1.0 - np.array([0.5, 0.9]))
    assert ratio[1] / ratio[0] == pytest.approx(even[1] / even[0], rel=0.05)
    true = temperature_c(np.random.default_rng(1), drift, 20_000)
    assert change_quantiles(true, np.array([1]))[0, 0] < 0.5 * ratio[0]


@pytest.mark.slow
def test_fit_finds_again_what_it_was_made_of() -> None:
    made = replace(QUIET, slow_c=2.0, slow_s=1e5, steps_1_s=2e-5, step_c=6.0, rise_s=1500.0,
                   decay_s=15_000.0, noise_c=0.5, daily_c=(1.0, 0.0, 0.0, 0.0))  # fmt: skip
    values = read_c(np.random.default_rng(3), made, 30_000)
    values[::97] = np.nan
    found = fit_drift(values, step_s=300.0, lags=LAGS["machine"])
    again = read_c(np.random.default_rng(4), found, 30_000)
    ratio = change_quantiles(again, LAGS["machine"]) / change_quantiles(values, LAGS["machine"])
    assert np.abs(np.log(ratio)).max() < np.log(1.3)
    assert found.noise_c == pytest.approx(0.5, rel=0.15)


def test_wander_alone_is_ornstein_uhlenbeck(truth: Truth) -> None:
    """E[(T(t + lag) - T(t))^2] = 2 v (1 - exp(-lag/tau))."""
    drift = replace(QUIET, slow_c=2.0)
    true = temperature_c(np.random.default_rng(5), drift, 1_000_000)
    for lag in (1, 6, 12, 48):
        found = np.mean((true[lag:] - true[:-lag]) ** 2)
        truth(
            kernel="twin.drift.temperature_c",
            against="mean squared change of an Ornstein-Uhlenbeck process",
            found=rel_error(found, 8.0 * (1.0 - np.exp(-lag / 12.0))),
            allowed=0.02,
        )


def test_steps_alone_keep_to_campbell(truth: Truth) -> None:
    """Variance = rate E[s^2] times the integral of (exp(-t/d) - exp(-t/r))^2, E[s^2] = 2 b^2."""
    drift = replace(QUIET, steps_1_s=1e-4, step_c=3.0)
    true = temperature_c(np.random.default_rng(6), drift, 2_000_000)
    d, r = drift.decay_s, drift.rise_s
    energy = d / 2 + r / 2 - 2 * d * r / (d + r)
    truth(
        kernel="twin.drift.temperature_c",
        against="Campbell's theorem for steps that rise and decay",
        found=rel_error(np.var(true), 1e-4 * 18.0 * energy),
        allowed=0.03,
    )


def test_noise_alone_is_even_and_the_day_repeats(truth: Truth) -> None:
    read = read_c(np.random.default_rng(7), replace(QUIET, noise_c=0.7), 400_000)
    law = 0.7 * (2.0 - 2.0 * np.sqrt(1.0 - np.array([0.5, 0.9, 0.99])))
    truth(
        kernel="twin.drift.read_c",
        against="quantiles of the difference of two even draws",
        found=rel_error(change_quantiles(read, np.array([1]))[0], law),
        allowed=0.01,
    )
    day = replace(QUIET, daily_c=(1.0, 0.5, 0.2, 0.1))
    assert daily_c(day, np.array([DAY_S / 2])) == pytest.approx([-1.0 + 0.2])
    true = temperature_c(np.random.default_rng(8), day, 600, start_s=7200.0)
    assert true[288:576] == pytest.approx(true[:288])
    assert true[0] == pytest.approx(20.0 + daily_c(day, np.array([7200.0]))[0])


def test_seeds_repeat_and_nonsense_is_refused() -> None:
    drift = replace(QUIET, slow_c=1.0)
    one, two = (temperature_c(np.random.default_rng(9), drift, 50) for _ in range(2))
    assert (one == two).all()
    with pytest.raises(InputError):
        replace(QUIET, rise_s=7200.0)
    with pytest.raises(InputError):
        on_grid(np.array([0.0, 300.0, -600.0]), np.zeros(3), 300.0)
    grid = on_grid(np.array([0.0, 300.0, 1200.0]), np.array([1.0, 2.0, 3.0]), 300.0)
    assert np.isnan(grid[2:4]).all() and grid[4] == 3.0
