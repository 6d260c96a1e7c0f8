"""How the temperature of a place drifts: a seeded generator, fitted on a recording.

T = mean + daily cycle + slow Gaussian wander with mean reversion (G. E. Uhlenbeck and L. S.
Ornstein, Physical Review 36, 1930) + rare steps that rise and decay (shot noise, N. R. Campbell,
1909) + what the sensor adds. The fit matches quantiles of |dT| over several lags, which a few large
faults cannot bend as they bend variances, by simulation with common random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.twin.line_materials import Real

DAY_S = 86_400.0
QUANTILES = (0.5, 0.9, 0.99)
"""Of |T(t + lag) - T(t)|, matched by the fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What temperature does at one place, sampled every `step_s`.

    `daily_c`: cos and sin at one and two cycles a day from midnight. `slow_c`, `slow_s`: spread and
    time constant of the wander. `steps_1_s`: rate of steps; `step_c`: mean size of their Laplace
    law (either sign); `rise_s` < `decay_s`: their shape exp(-t/decay) - exp(-t/rise).
    `noise_c`: half width of the sensor's even noise, no part of the temperature.
    """

    step_s: float
    mean_c: float
    daily_c: tuple[float, float, float, float]
    slow_c: float
    slow_s: float
    steps_1_s: float
    step_c: float
    rise_s: float
    decay_s: float
    noise_c: float

    def __post_init__(self) -> None:
        times = (self.step_s, self.slow_s, self.rise_s, self.decay_s)
        sizes = (self.slow_c, self.steps_1_s, self.step_c, self.noise_c)
        if min(times) <= 0.0 or min(sizes) < 0.0 or self.rise_s >= self.decay_s:
            raise InputError(
                "a drift has a time that is not above 0, a size below 0, or rises after it decays.",
                remedy="give rise_s < decay_s, positive times and sizes of at least 0.",
                value=(times, sizes),
            )


def temperature_c(rng: np.random.Generator, drift: Drift, n: int, *, start_s: float = 0.0) -> Real:
    """Return `n` true temperatures from `start_s` after midnight on, shape (n,).

    Starts in balance; steps before the start have left their tails.
    """
    cycle = daily_c(drift, _times(drift.step_s, n, start_s))
    return _from_draws(_draws(rng, n + _warm_up(drift)), drift, cycle)


def read_c(rng: np.random.Generator, drift: Drift, n: int, *, start_s: float = 0.0) -> Real:
    """Return `temperature_c` as the recording's sensor would read it."""
    true = temperature_c(rng, drift, n, start_s=start_s)
    return true + drift.noise_c * rng.uniform(-1.0, 1.0, n)


def daily_c(drift: Drift, time_s: Real) -> Real:
    """Return the daily cycle at `time_s` after midnight, shape as given."""
    return np.asarray(_day(time_s) @ np.asarray(drift.daily_c), dtype=np.float64)


def _day(time_s: Real) -> Real:
    turn = 2.0 * np.pi / DAY_S * np.asarray(time_s)
    return np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)], axis=-1)


def _times(step_s: float, n: int, start_s: float) -> Real:
    return np.asarray(start_s + step_s * np.arange(n), dtype=np.float64)


def _warm_up(drift: Drift) -> int:
    return min(math.ceil(6.0 * drift.decay_s / drift.step_s), 200_000)


def _draws(rng: np.random.Generator, n: int) -> Real:
    """Return normals, even draws for when steps occur, their sizes; shape (3, n)."""
    return np.stack([rng.standard_normal(n), rng.random(n), rng.laplace(0.0, 1.0, n)])


def _from_draws(draws: Real, drift: Drift, cycle: Real) -> Real:
    from scipy.signal import lfilter

    before = draws.shape[1] - cycle.size
    normal, when, size = draws
    keep = math.exp(-drift.step_s / drift.slow_s)
    pushed = normal * drift.slow_c * math.sqrt(1.0 - keep * keep)
    pushed[0] = normal[0] * drift.slow_c
    slow = lfilter([1.0], [1.0, -keep], pushed)
    hits = np.where(when < drift.steps_1_s * drift.step_s, size * drift.step_c, 0.0)
    fall, rise = (math.exp(-drift.step_s / t) for t in (drift.decay_s, drift.rise_s))
    # exp(-k/decay) - exp(-k/rise) as one recursion of second order
    steps = lfilter([0.0, fall - rise], [1.0, -fall - rise, fall * rise], hits)
    return np.asarray(drift.mean_c + cycle + (slow + steps)[before:], dtype=np.float64)


def on_grid(time_s: Real, values: Real, step_s: float) -> Real:
    """Return values on an even grid from the first time on, shape (m,), nan where none was taken.

    Times are rounded to the grid; of two at one place (a clock set back) the later row stays.
    """
    place = np.rint((time_s - time_s[0]) / step_s).astype(np.int64)
    if place.min() < 0 or place.max() > 20 * len(place):
        raise InputError(
            "the recording jumps back before its start, or is mostly gaps.",
            remedy="cut it where its clock was set.",
            value=int(place.max()),
        )
    grid = np.full(int(place.max()) + 1, np.nan)
    grid[place] = values
    return grid


def change_quantiles(
    values: Real, lags: npt.NDArray[np.int64], quantiles: tuple[float, ...] = QUANTILES
) -> Real:
    """Return quantiles of |values[t + lag] - values[t]|, shape (L, Q); pairs with nan are left."""
    found = np.empty((lags.size, len(quantiles)))
    for k, lag in enumerate(lags.tolist()):
        change = np.abs(values[lag:] - values[:-lag])
        found[k] = np.quantile(change[np.isfinite(change)], quantiles)
    return found


def fit_drift(
    values: Real, *, step_s: float, lags: npt.NDArray[np.int64], start_s: float = 0.0, seed: int = 0
) -> Drift:
    """Return the drift whose `change_quantiles` are nearest those of `values` (n,), in logarithms.

    `values` may hold nan; `start_s`: their first time after midnight. Nelder and Mead on the
    logarithms of seven figures, from few large to many small steps; the best is kept. The same
    `seed` gives the same fit.
    """
    there = np.isfinite(values)
    day = _day(_times(step_s, values.size, start_s))
    design = np.column_stack([np.ones(values.size), day])[there]
    level = np.asarray(np.linalg.lstsq(design, values[there], rcond=None)[0], dtype=np.float64)
    target = change_quantiles(values, lags)
    n = min(max(values.size, 30_000), 60_000)
    rng = np.random.default_rng(seed)
    draws, noise = _draws(rng, n + 20_000), rng.uniform(-1.0, 1.0, n)
    guesses = _first_guesses(step_s, level, target, lags)
    cycle = daily_c(guesses[0], _times(step_s, n, start_s))  # of all: the fit leaves it alone

    def missed(drift: Drift) -> float:
        made = _from_draws(draws, drift, cycle) + drift.noise_c * noise
        return float(np.mean(np.log(change_quantiles(made, lags) / target) ** 2))

    found = [_nearest(first, missed) for first in guesses]
    return min(found, key=missed)


def _nearest(first: Drift, missed: Callable[[Drift], float]) -> Drift:
    from scipy.optimize import minimize

    start = _logs(first)

    def tied(logs: Real) -> float:
        # a weak tie keeps figures that the data do not see where they began
        return missed(_with_logs(first, logs)) + 1e-5 * float(np.mean((logs - start) ** 2))

    best = minimize(
        tied, start, method="Nelder-Mead",
        options={"maxfev": 600, "xatol": 2e-3, "fatol": 2e-6, "adaptive": True,
                 "initial_simplex": np.vstack([start, start + 0.6 * np.eye(start.size)])},
    )  # fmt: skip
    return _with_logs(first, np.asarray(best.x, dtype=np.float64))


FITTED = ("slow_c", "slow_s", "steps_1_s", "step_c", "rise_s", "decay_s", "noise_c")


def _first_guesses(
    step_s: float, level: Real, quantiles: Real, lags: npt.NDArray[np.int64]
) -> tuple[Drift, ...]:
    far = float(lags[-1]) * step_s
    one = Drift(
        step_s=step_s,
        mean_c=float(level[0]),
        daily_c=(float(level[1]), float(level[2]), float(level[3]), float(level[4])),
        slow_c=float(quantiles[-1, 0]),
        slow_s=far / 2.0,
        steps_1_s=0.3 / far,
        step_c=float(quantiles[-1, -1]) / 2.0,
        rise_s=4.0 * step_s,
        decay_s=max(far / 10.0, 12.0 * step_s),
        noise_c=float(quantiles[0, 0]) / 0.586,  # median |difference| of two even draws
    )
    many = replace(one, slow_s=3.0 * far, steps_1_s=3.0 / far, step_c=one.step_c / 2.0)
    more = replace(many, steps_1_s=10.0 / far, step_c=one.step_c / 6.0, decay_s=0.6 * one.decay_s)
    return one, many, more


def _logs(drift: Drift) -> Real:
    figures = [getattr(drift, name) for name in FITTED]
    figures[5] = drift.decay_s - drift.rise_s
    return np.log(np.maximum(figures, 1e-12))


def _with_logs(drift: Drift, logs: Real) -> Drift:
    figures = dict(zip(FITTED, np.exp(np.clip(logs, -30.0, 30.0)).tolist(), strict=True))
    figures["decay_s"] += figures["rise_s"]
    return replace(drift, **figures)
