"""Tails of known laws: their shapes, their rates beyond the data, and clusters of a known index."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import genpareto, norm, t

from casemate.campaigns.rarity.tails import (
    Tail,
    _fitted,
    _log_likelihood,
    _log_survival,
    _profile,
    extremal_index,
    fit_tail,
    rarity,
)
from casemate.core.errors import InputError

LAWS = {"normal": norm(), "t5": t(5), "exponential": genpareto(0.0)}


def drawn(law: str, n: int, seed: int) -> np.ndarray:
    return LAWS[law].rvs(size=n, random_state=np.random.default_rng(seed))


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2, 0.5])
def test_the_fit_is_scipys_or_likelier(shape: float) -> None:
    x = genpareto(shape, scale=2.0).rvs(800, random_state=np.random.default_rng(3))
    scale, found = _fitted(x)
    theirs, _, their_scale = genpareto.fit(x, floc=0.0)
    assert _log_likelihood(x, scale, found) >= _log_likelihood(x, their_scale, theirs) - 1e-6
    assert found == pytest.approx(theirs, abs=5e-3)
    assert (scale, found) == pytest.approx((2.0, shape), abs=0.25)
    # the likelihood itself is scipy's
    assert _log_likelihood(x, scale, found) == pytest.approx(
        genpareto(found, scale=scale).logpdf(x).sum(), rel=1e-9
    )


@pytest.mark.parametrize(("law", "level"), [("normal", 4.4), ("t5", 14.0), ("exponential", 12.0)])
def test_a_rate_beyond_the_data_is_within_its_interval(law: str, level: float) -> None:
    """50,000 samples, threshold at 2 %: a level that 5e-6 exceed, four times beyond one in all."""
    true = float(LAWS[law].sf(level))
    held = []
    for seed in range(20):
        x = drawn(law, 50_000, seed)
        tail = fit_tail(x, float(np.quantile(x, 0.98)))
        found = rarity(tail, level, confidence=0.95)
        assert found.low <= found.rate <= found.high
        held.append(found.low <= true <= found.high)
    assert np.mean(held) >= 0.85  # the law of a finite threshold is not yet Pareto: some is lost


def test_the_shape_tells_light_from_heavy() -> None:
    for law, low, high in (("normal", -0.25, 0.0), ("t5", 0.05, 0.35), ("exponential", -0.1, 0.1)):
        x = drawn(law, 50_000, 40)
        assert low < fit_tail(x, float(np.quantile(x, 0.98))).shape < high
    uniform = np.random.default_rng(1).uniform(size=20_000)
    tail = fit_tail(uniform, 0.95)
    assert tail.shape == pytest.approx(-1.0, abs=0.15)
    assert tail.end == pytest.approx(1.0, abs=1e-3)


def armax(index: float, n: int, seed: int) -> np.ndarray:
    """X = max((1 - index) X', index Z), Z unit Frechet: extremal index `index` exactly

    (J. Beirlant and others, Statistics of Extremes, 2004, 10.2).
    """
    generator = np.random.default_rng(seed)
    z = -1.0 / np.log(generator.uniform(size=n))
    x = np.empty(n)
    x[0] = z[0]
    for i in range(1, n):
        x[i] = max((1.0 - index) * x[i - 1], index * z[i])
    return x


def test_the_profile_is_what_a_search_over_all_laws_finds() -> None:
    """Every scale and shape on a fine grid whose likelihood is within 1.92 of the best."""
    x = genpareto(0.1).rvs(200, random_state=np.random.default_rng(8))
    scale, shape = _fitted(x)
    tail = Tail(threshold=0.0, scale=scale, shape=shape, index=1.0, exceedances=200,
                samples=10_000, peaks=x)  # fmt: skip
    for above in (2.0, 12.0):
        enough = _log_likelihood(x, scale, shape) - 1.9207
        shares = [
            _log_survival(above, b, a)
            for a in np.linspace(-0.4, 0.7, 111)
            for b in np.linspace(0.6, 1.6, 101)
            if _log_likelihood(x, b, a) >= enough
        ]
        low, high = (math.log(each) if each else -math.inf for each in _profile(tail, above, 0.95))
        assert high == pytest.approx(max(shares), abs=0.02 * abs(max(shares)) + 0.02)
        assert low <= max(min(shares), -700) + 0.02
        assert low == pytest.approx(min(shares), rel=0.1) or not math.isfinite(min(shares))


@pytest.mark.parametrize("index", [1.0, 0.7, 0.4, 0.2])
def test_the_extremal_index_of_a_known_process(index: float) -> None:
    x = armax(index, 60_000, seed=9)
    found = extremal_index(x, float(np.quantile(x, 0.98)))
    assert found == pytest.approx(index, abs=0.08)


def test_clusters_count_once() -> None:
    """Each value held for 5 samples: as many alarms as of independent values at a fifth of them."""
    x = np.repeat(np.random.default_rng(4).exponential(size=10_000), 5)
    tail = fit_tail(x, 3.0)
    assert tail.index == pytest.approx(0.2, abs=0.05)
    assert tail.peaks.size == pytest.approx(math.exp(-3.0) * 10_000, rel=0.15)
    found = rarity(tail, 8.0)
    true = math.exp(-8.0) / 5.0
    assert found.low < true < found.high
    # planted: exceedances that are taken as independent give the rate five times over
    loose = replace(tail, index=1.0, peaks=x[x > 3.0] - 3.0)
    assert rarity(loose, 8.0).low > true


def test_what_the_data_do_not_carry_is_said() -> None:
    x = drawn("normal", 20_000, 5)
    tail = fit_tail(x, float(np.quantile(x, 0.97)))
    near, far = rarity(tail, 3.9), rarity(tail, 6.0)
    assert near.finding == "" and near.carried
    assert not far.carried and far.decades > 2.0
    assert far.finding.startswith("far.extrapolated: ")
    # and the interval opens
    assert far.high / max(far.rate, 1e-300) > 3 * near.high / near.rate


def test_an_extrapolation_is_no_guarantee() -> None:
    """A normal tail from 20,000 samples, eight decades on: the truth may lie outside, and is said

    to be beyond what the data carry each time.
    """
    for seed in range(5):
        x = drawn("normal", 20_000, 60 + seed)
        found = rarity(fit_tail(x, float(np.quantile(x, 0.97))), 6.5)
        assert not found.carried and found.finding


def test_what_has_no_tail_is_refused() -> None:
    with pytest.raises(InputError):
        fit_tail(np.arange(20.0), 5.0)
    with pytest.raises(InputError):
        fit_tail(np.array([1.0, math.nan] * 100), 0.5)
    with pytest.raises(InputError):
        extremal_index(np.zeros(9), 1.0)
    with pytest.raises(InputError):
        rarity(fit_tail(drawn("exponential", 5000, 1), 2.0), 1.0)
