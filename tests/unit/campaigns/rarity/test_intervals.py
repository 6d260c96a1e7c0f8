"""Intervals from counts: closed forms, tables, scipy's own, and coverage counted exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, poisson

from casemate.campaigns.rarity.intervals import (
    Side,
    clopper_pearson,
    poisson_rate,
    quantile_interval,
    trials_for,
)
from casemate.core.errors import InputError


@pytest.mark.parametrize(
    ("probability", "confidence", "trials"),
    [(0.999, 0.95, 2_995), (0.9999, 0.95, 29_956), (0.99, 0.95, 299), (0.95, 0.95, 59),
     (0.9, 0.95, 29), (0.9, 0.9, 22), (0.5, 0.5, 1), (0.9, 0.99, 44)],
)  # fmt: skip
def test_trials_without_a_miss_are_those_of_the_tables(
    probability: float, confidence: float, trials: int
) -> None:
    assert trials_for(probability, confidence) == trials


def test_one_trial_fewer_does_not_show_it() -> None:
    for probability in (0.8, 0.95, 0.999, 0.9999):
        for misses in (0, 1, 2, 5):
            n = trials_for(probability, 0.95, misses=misses)
            enough = clopper_pearson(n - misses, n, 0.95, side="low")[0]
            less = clopper_pearson(n - 1 - misses, n - 1, 0.95, side="low")[0]
            assert less < probability <= enough
            # the binomial law says the same, without any inverse
            assert binom.cdf(misses, n, 1 - probability) <= 0.05
            assert binom.cdf(misses, n - 1, 1 - probability) > 0.05


@given(st.integers(1, 400), st.data())
def test_shares_are_scipys(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    confidence = data.draw(st.sampled_from([0.8, 0.95, 0.999]))
    theirs = binomtest(successes, trials).proportion_ci(confidence, method="exact")
    assert clopper_pearson(successes, trials, confidence) == pytest.approx(theirs, abs=1e-9)


def test_no_failure_and_nothing_but_failures_have_closed_forms() -> None:
    for n in (1, 10, 2_995, 10**9):
        low, high = clopper_pearson(n, n, 0.95)
        assert high == 1.0 and low == pytest.approx(0.025 ** (1 / n), rel=1e-9)
        low, high = clopper_pearson(0, n, 0.95)
        assert low == 0.0 and high == pytest.approx(-math.expm1(math.log(0.025) / n), rel=1e-6)
        assert clopper_pearson(n, n, 0.95, side="low")[0] == pytest.approx(0.05 ** (1 / n))
        assert clopper_pearson(0, n, 0.95, side="low") == (0.0, 1.0)


@pytest.mark.parametrize("side", ["both", "low", "high"])
def test_a_share_is_covered_at_least_as_often_as_promised(side: Side) -> None:
    """Counted exactly over all outcomes, not sampled."""
    n = 40
    ends = [clopper_pearson(k, n, 0.9, side=side) for k in range(n + 1)]
    for p in (0.001, 0.03, 0.2, 0.5, 0.77, 0.999):
        held = sum(binom.pmf(k, n, p) for k, (a, b) in enumerate(ends) if a <= p <= b)
        assert held >= 0.9 - 1e-12


def test_rates_are_garwoods() -> None:
    # Garwood 1936, table 1: 95 % two-sided of counts 0, 1, 5, 10
    for count, low, high in ((0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668),
                             (10, 4.795, 18.390)):  # fmt: skip
        assert poisson_rate(count, 1.0, 0.95) == pytest.approx((low, high), abs=6e-4)


def test_a_rate_is_covered_at_least_as_often_as_promised() -> None:
    for mean in (0.02, 0.7, 3.3, 12.0):
        for side in ("both", "low", "high"):
            held = sum(
                poisson.pmf(k, mean)
                for k in range(80)
                for low, high in [poisson_rate(k, 2.0, 0.9, side=side)]  # type: ignore[arg-type]
                if low <= mean / 2.0 <= high
            )
            assert held >= 0.9 - 1e-9


def test_a_rate_of_one_in_a_hundred_years_needs_three_hundred_quiet_years() -> None:
    for confidence, years in ((0.9, 230.3), (0.95, 299.6), (0.99, 460.6)):
        assert poisson_rate(0, years, confidence, side="high")[1] == pytest.approx(0.01, rel=1e-3)
    for count, years in ((1, 474.4), (3, 775.4)):
        assert poisson_rate(count, years, 0.95, side="high")[1] == pytest.approx(0.01, rel=1e-3)


def test_a_quantile_lies_between_its_order_statistics() -> None:
    """The binomial law of how many values lie below says which; one place nearer is too near."""
    n, share, confidence = 60, 0.8, 0.95
    low, high = quantile_interval(np.arange(1, n + 1), share, confidence)
    first, last = int(low), int(high)
    held = binom.cdf(last - 1, n, share) - binom.cdf(first - 1, n, share)
    assert held >= confidence
    assert binom.cdf(first - 1, n, share) <= 0.025 < binom.cdf(first, n, share)
    assert binom.sf(last - 1, n, share) <= 0.025 < binom.sf(last - 2, n, share)


def test_a_quantile_interval_covers_in_simulation() -> None:
    generator = np.random.default_rng(5)
    true = -math.log(0.1)
    held = [
        a <= true <= b
        for a, b in (quantile_interval(generator.exponential(size=80), 0.9) for _ in range(2000))
    ]
    assert 0.94 < np.mean(held) < 0.985


def test_a_quantile_that_the_sample_does_not_carry_has_no_end() -> None:
    assert quantile_interval(np.arange(367.0), 0.99)[1] == math.inf
    assert quantile_interval(np.arange(368.0), 0.99)[1] == 367.0
    delays = [0.1] * 50 + [math.inf] * 5
    assert quantile_interval(delays, 0.5) == (0.1, 0.1)
    assert quantile_interval(delays, 0.95)[1] == math.inf
    assert quantile_interval([3.0], 0.5) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    "wrong",
    [lambda: clopper_pearson(2, 1), lambda: clopper_pearson(0, 0), lambda: clopper_pearson(-1, 5),
     lambda: clopper_pearson(1, 2, 1.0), lambda: poisson_rate(-1, 1.0),
     lambda: poisson_rate(0, 0.0), lambda: trials_for(1.0), lambda: quantile_interval([], 0.5),
     lambda: quantile_interval([1.0, math.nan], 0.5)],
)  # fmt: skip
def test_what_is_no_count_is_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        wrong()
