"""Injection by whoever lacks the key: false alarms of the keyed detector within its bound.

Beside it a CUSUM on the same residual without the key, of a nominal ARL a hundred times the run,
which every injection overruns. Runs differ in key, noise and phase of the injection.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from casemate.detect import keyed

CHIPS, RUNS, RATE = 2000, 4000, 0.02
"""Chips a run; runs a family; bound of false alarms a run: alarm at CHIPS / RATE."""


def gauss(size: float):
    return lambda g, t, f: size * g.standard_normal((t.size, f))


def cauchy(g, t, f):
    return g.standard_cauchy((t.size, f))


def on_off(g, t, f):
    """Return a constant of 5 sigma switched on and off about every 50 chips."""
    return 5.0 * (np.cumsum(g.random((t.size, f)) < 0.02, axis=0) % 2)


def sine(g, t, f):
    return 3.0 * np.sin(2 * np.pi * (t[:, None] * g.uniform(0.001, 0.05, f) + g.random(f)))


def chirp(g, t, f):
    return 3.0 * np.sin(2 * np.pi * (t[:, None] ** 2 * 1e-4 + g.random(f)))


def replay(g, t, f):
    """Return answers of 5 sigma to chips of the epoch before."""
    return 5.0 * g.choice([-1.0, 1.0], (t.size, f))


def correlated(g, t, f):
    return lfilter([3.0 * math.sqrt(1 - 0.81)], [1.0, -0.9], g.standard_normal((t.size, f)), axis=0)


FAMILIES = {
    "gauss of 3 sigma": gauss(3.0), "gauss of 100 sigma": gauss(100.0), "cauchy": cauchy,
    "on and off": on_off, "sine": sine, "chirp": chirp, "replay": replay,
    "correlated": correlated,
}  # fmt: skip


def cusum_overrun(residual: np.ndarray) -> float:
    """Return the share of runs that a two-sided CUSUM of k = 1/2, h = 9 alarms in (no key)."""
    high, low, over = (np.zeros(residual.shape[1]) for _ in range(3))
    for row in residual:
        high = np.maximum(high + row - 0.5, 0.0)
        low = np.maximum(low - row - 0.5, 0.0)
        over = np.maximum(over, np.maximum(high, low))
    return float(np.mean(over > 9.0))


def most_allowed(runs: int) -> float:
    """Return the bound's count with four standard deviations on top: missed once in 30,000."""
    return RATE * runs + 4.0 * math.sqrt(RATE * runs)


def made(family: str, runs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals and signs of the challenge, each (CHIPS, runs)."""
    generator = np.random.default_rng(seed)
    injected = FAMILIES[family](generator, np.arange(CHIPS, dtype=float), runs)
    residual = generator.standard_normal((CHIPS, runs)) + injected
    return residual, generator.choice([-1.0, 1.0], (CHIPS, runs))


def check(family: str, runs: int, seed: int, tolerance: float) -> None:
    residual, sign = made(family, runs, seed)
    x = (sign * residual + tolerance).astype(np.float32)
    seen = keyed.advance(keyed.start(np.full(runs, tolerance)), x)
    alarms = np.sum(seen.max(axis=0) >= CHIPS / RATE)
    assert alarms <= most_allowed(runs), (family, alarms)
    assert cusum_overrun(residual) > 0.9, family


@pytest.mark.parametrize("family", FAMILIES)
def test_a_few_runs_of_each_family_keep_the_bound(family: str) -> None:
    check(family, 200, 1, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [0.0, 0.3])
@pytest.mark.parametrize("family", FAMILIES)
def test_4000_runs_of_each_family_keep_the_bound(family: str, tolerance: float) -> None:
    check(family, RUNS, 3, tolerance)


def test_the_count_of_alarms_can_fail() -> None:
    """Signs that the injection knows: nearly every run alarms, which the check would report."""
    residual, sign = made("sine", 200, 5)
    known = np.where(np.arange(CHIPS)[:, None] % 2 == 0, np.abs(residual), sign * residual)
    seen = keyed.advance(keyed.start(np.zeros(200)), known.astype(np.float32))
    assert np.sum(seen.max(axis=0) >= CHIPS / RATE) > most_allowed(200)


def test_the_control_is_quiet_without_injection() -> None:
    noise = np.random.default_rng(6).standard_normal((CHIPS, 200))
    assert cusum_overrun(noise) < 0.1
