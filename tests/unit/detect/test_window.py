"""The keyed window: all sign patterns by brute force, its drawn law, a reacting injection."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from casemate.core.errors import InputError
from casemate.detect import window

BETS = np.array([0.05, 0.3, 1.0, 2.0, 4.0, 8.0])


def patterns(size: int) -> np.ndarray:
    return np.array(list(itertools.product((-1.0, 1.0), repeat=size))).T


def worst_mean(x: np.ndarray, tolerance: float, limit: float = np.inf) -> float:
    """Return the largest mean of exp(l z - l^2/2) over columns of x, both sides."""
    up, down = window.statistic(window.sums(x, limit), tolerance)
    e = [np.exp(BETS[:, None] * z - BETS[:, None] ** 2 / 2).mean(axis=1).max() for z in (up, down)]
    return max(e)


def assert_below_the_drift_free(x: np.ndarray, free: np.ndarray, eps: float) -> None:
    """z never exceeds what the interference alone would give: the step that the proof rests on."""
    norm = np.sqrt((free**2).sum(axis=0))
    with np.errstate(invalid="ignore"):
        ideal = np.where(norm > 0.0, free.sum(axis=0) / norm, 0.0)
    up, down = window.statistic(window.sums(x), eps)
    assert np.all(up <= ideal + 1e-6) and np.all(down <= -ideal + 1e-6)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**32), st.sampled_from([0.0, 1e-3, 0.3, 1.0, 30.0]))
def test_every_pattern_of_signs_keeps_the_mean_at_most_one(n: int, seed: int, eps: float) -> None:
    """Magnitudes over six decades; drifts anywhere in the tolerance, also following the sign."""
    generator = np.random.default_rng(seed)
    size = 10.0 ** generator.uniform(-3, 3, n)
    size[generator.random(n) < 0.2] = 0.0
    signs = patterns(n)
    own = generator.choice([-1.0, 1.0, 0.0, generator.uniform(-1, 1)], (n, 1))
    reacting = generator.choice([-1.0, 1.0], signs.shape)
    for drift in (own * np.ones_like(signs), signs * own, reacting, np.ones_like(signs)):
        x = signs * size[:, None] + eps * drift
        assert worst_mean(x, eps) <= 1.0 + 1e-9
        assert_below_the_drift_free(x, signs * size[:, None], eps)
        assert worst_mean(x, eps, limit=float(eps + np.median(size))) <= 1.0 + 1e-9


def test_a_fixed_scale_or_a_forgotten_tolerance_breaks_the_bound() -> None:
    """The controls: sums over a noise of 1 under an injection of 3; drift that nothing allows."""
    signs = patterns(6)
    fixed = (3.0 * signs).sum(axis=0) / np.sqrt(6.0)
    assert np.exp(fixed - 0.5).mean() > 10.0
    assert worst_mean(3.0 * signs, 0.0) <= 1.0 + 1e-9
    assert worst_mean(signs + 0.5, 0.0) > 1.5
    assert worst_mean(signs + 0.5, 0.5) <= 1.0 + 1e-9


def test_windows_without_chips_say_nothing_and_flat_ones_stay_bounded() -> None:
    x = np.full((9, 2), np.nan)
    x[:, 1] = 0.0
    up, down = window.statistic(window.sums(x), 0.5)
    assert np.isnan(up[0]) and np.isnan(down[0])
    assert up[1] == down[1] == -3.0
    up, down = window.statistic(window.sums(np.zeros((4, 1))), 0.0)
    assert up[0] == down[0] == 0.0
    with pytest.raises(InputError):
        window.sums(np.array([[np.inf]]))


def test_the_drawn_law_is_that_of_chips() -> None:
    """Two-sample Kolmogorov-Smirnov against chips, both sides, and the joint mean of products."""
    generator = np.random.default_rng(1)
    for offset, noise, n, eps in ((0.4, 1.0, 8, 0.2), (0.0, 2.0, 1, 0.5), (-1.0, 0.5, 40, 0.0)):
        x = offset + noise * generator.standard_normal((n, 20_000))
        made = window.statistic(window.sums(x), eps)
        drawn = window.drawn_window(offset, noise, np.full(20_000, n), eps, generator)
        for one, other in zip(made, drawn, strict=True):
            assert stats.ks_2samp(one, other).pvalue > 1e-4
        assert np.mean(made[0] * made[1]) == pytest.approx(np.mean(drawn[0] * drawn[1]), rel=0.1)


def test_drawn_windows_broadcast_and_know_empty_ones() -> None:
    generator = np.random.default_rng(2)
    loud = np.array([[0], [5], [6]])
    up, down = window.drawn_window(np.zeros(7), 1.0, loud, 0.1, generator)
    assert up.shape == down.shape == (3, 7)
    assert np.all(np.isnan(up[0])) and np.all(np.isfinite(down[1:]))


def test_a_shift_beyond_the_tolerance_grows_with_the_root_of_chips() -> None:
    generator = np.random.default_rng(3)
    up, down = window.drawn_window(1.5, 1.0, np.full(4000, 400), 0.5, generator)
    expected = (1.5 - 0.5) * 20.0 / (np.sqrt(1.0 + 1.5**2) + 0.5)
    assert np.mean(up) == pytest.approx(expected, rel=0.02)
    assert np.all(down < 0.0)


def test_an_injection_that_reacts_within_the_window_is_left_out_by_the_theorem() -> None:
    """After a first chip that went its way it falls silent, else it goes on louder: the mean of z
    is 0.2 instead of at most 0. The e-detector of `keyed` does not mind: it bets chip by chip."""
    z = []
    for first, second in itertools.product((-1.0, 1.0), repeat=2):
        x = np.array([[first], [0.0 if first > 0 else 2.0 * second]])
        z.append(window.statistic(window.sums(x), 0.0)[0][0])
    assert np.mean(z) > 0.2
    assert np.mean(np.exp(0.3 * np.array(z) - 0.045)) > 1.0


def reacting(n: int, generator: np.random.Generator, drift: float) -> np.ndarray:
    """Return x (n, 2^n) whose sizes and drifts at each chip follow from all earlier signs."""
    signs = patterns(n)
    x = np.empty_like(signs)
    for t in range(n):
        past = ((signs[:t] + 1) / 2 * 2.0 ** np.arange(t)[:, None]).sum(axis=0).astype(int)
        size = 10.0 ** generator.uniform(-2, 1, 2**t)
        size[generator.random(2**t) < 0.3] = 0.0
        x[t] = signs[t] * size[past] + drift * generator.choice([-1.0, 0.3, 1.0], 2**t)[past]
    return x


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 7), st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 2.0]),
    st.floats(0.05, 30.0),
)  # fmt: skip
def test_a_scale_from_the_past_holds_against_whoever_reacts_within_the_window(
    n: int, seed: int, eps: float, scale: float
) -> None:
    """Brute force over all signs, for injections that are any function of earlier chips."""
    x = reacting(n, np.random.default_rng(seed), eps)
    bets = np.array([0.1, 0.5, 1.0, 2.5, 7.0])[:, None]
    for z in window.reaction_proof(window.sums(x), eps, scale):
        assert np.all(np.exp(bets * z - bets**2 / 2).mean(axis=1) <= 1.0 + 1e-9)


def test_a_scale_from_the_past_costs_little_where_it_fits() -> None:
    generator = np.random.default_rng(9)
    x = 0.5 + generator.standard_normal((100, 3000))
    own = window.statistic(window.sums(x), 0.1)[0]
    past = window.reaction_proof(window.sums(x), 0.1, 1.3 * np.sqrt(125.0) + 1.0)[0]
    assert np.mean(past) > 0.7 * np.mean(own) > 1.0
    assert np.isnan(window.reaction_proof(window.sums(np.full((3, 1), np.nan)), 0.1, 1.0)[0][0])
