"""Window evidence: all sign patterns by brute force, against drift and interference that react."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.detect._evidence_kernel import advance, both_sides
from casemate.detect.evidence import FAST, STRONG, Evidence, least_nats

Follower = Callable[[np.ndarray, int], np.ndarray]
"""Takes signs (P, n) and a chip's number t; returns a figure (P,) from signs before t alone."""


def patterns(size: int) -> np.ndarray:
    return np.array(list(itertools.product((-1.0, 1.0), repeat=size)))


def follower(generator: np.random.Generator, size: int) -> Follower:
    """Return an arbitrary function of earlier signs: a random table, over six decades."""
    tables = [10.0 ** generator.uniform(-3, 3, 2**t) * generator.choice([-1, 0, 1], 2**t, p=[0.4, 0.2, 0.4]) for t in range(size)]  # fmt: skip # noqa: E501

    def tell(signs: np.ndarray, t: int) -> np.ndarray:
        number = ((signs[:, :t] > 0) @ (2 ** np.arange(t))).astype(int)
        return np.asarray(tables[t][number])

    return tell


def played(
    signs: np.ndarray, tell: Follower, eps: float, generator: np.random.Generator
) -> np.ndarray:
    """Return x (P, n): drift within eps that may even know the chip, interference that reacts."""
    drift = eps * generator.choice([-1.0, -0.3, 0.0, 1.0], signs.shape)
    if generator.random() < 0.5:
        drift = eps * np.sign(signs) * generator.choice([-1.0, 1.0])
    if generator.random() < 0.3:
        drift = np.full(signs.shape, eps)
    return drift + signs * np.stack([tell(signs, t) for t in range(signs.shape[1])], axis=1)


def turned(rows: np.ndarray) -> np.ndarray:
    """Return (F, 2) as (2, F), in one piece."""
    return np.ascontiguousarray(rows.T)


def added(evidence: Evidence, x: np.ndarray, eps: float, scale: float) -> None:
    """Add one window x (P, n) to P features."""
    count, n = x.shape
    up, energy = np.empty((2, count)), np.empty((2, count))
    both_sides(
        x.sum(axis=1), (x**2).sum(axis=1), np.full(count, float(n)), np.zeros(count),
        np.full(count, eps), np.full(count, eps), np.full(count, scale), up, energy,
    )  # fmt: skip
    advance(
        evidence.r, evidence.held, evidence.spent, evidence.tails, evidence.count, up, energy,
        evidence.rates, evidence.level,
    )  # fmt: skip
    evidence.count += 1


def test_levels_hold_what_a_plain_sum_of_their_windows_does() -> None:
    """Members by definition, from all windows: max(r, 1) is the same, r never above."""
    generator = np.random.default_rng(8)
    evidence, count = Evidence.start(3, 5), 75
    up = 2.0 * generator.standard_normal((count, 3, 2)) + [0.8, -0.8]
    energy = generator.chisquare(3.0, (count, 3, 2)) / 3.0
    energy[20:30] = up[20:30] = 0.0  # nothing came: no level whose windows are all empty moves
    plain = np.zeros_like(evidence.r)
    for k in range(count):
        advance(
            evidence.r, evidence.held, evidence.spent, evidence.tails, k, turned(up[k]),
            turned(energy[k]), evidence.rates, evidence.level,
        )  # fmt: skip
        for j, (rate, level) in enumerate(zip(evidence.rates, evidence.level, strict=True)):
            size = 2 ** int(level)
            if (k + 1) % size == 0:
                total, spent = (each[k + 1 - size : k + 1].sum(axis=0) for each in (up, energy))
                grown = np.maximum(plain[..., j], 1.0) * np.exp(rate * total - rate**2 / 2 * spent)
                plain[..., j] = np.where(spent == 0.0, plain[..., j], grown)
        assert np.maximum(evidence.r, 1.0) == pytest.approx(np.maximum(plain, 1.0), rel=1e-9)
        assert np.all(evidence.r <= plain * (1.0 + 1e-9) + 1e-300)
    assert (plain > 10.0).any() and (plain < 0.1).any()


@settings(max_examples=120, deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**32), st.sampled_from([0.0, 1e-3, 0.3, 3.0]))
def test_one_window_has_mean_one_at_most(n: int, seed: int, eps: float) -> None:
    generator = np.random.default_rng(seed)
    signs = patterns(n)
    x = played(signs, follower(generator, n), eps, generator)
    evidence = Evidence.start(2**n, 1)
    added(evidence, x, eps, 10.0 ** generator.uniform(-3, 3))
    assert evidence.rates.tolist() == [*FAST, *STRONG]
    assert np.all(evidence.r.mean(axis=0) <= 1.0 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([(2, 4), (3, 4), (1, 8), (5, 2)]))
def test_windows_on_end_gain_one_a_tick_at_most(seed: int, shape: tuple[int, int]) -> None:
    """E R - ticks <= 0 for every member, all levels, interference reacting across windows too."""
    n, windows = shape
    generator = np.random.default_rng(seed)
    signs = patterns(n * windows)
    eps = float(generator.choice([0.0, 0.2, 2.0]))
    x = played(signs, follower(generator, n * windows), eps, generator)
    evidence, scale = Evidence.start(signs.shape[0], 4), 10.0 ** generator.uniform(-2, 2)
    for k in range(windows):
        added(evidence, x[:, k * n : (k + 1) * n], eps, scale)
        ticks = (k + 1) // 2**evidence.level
        assert np.all(evidence.r.mean(axis=0) <= ticks + 1e-9)
        assert np.exp(evidence.nats()).mean() <= k + 1 + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 3.0]))
def test_drift_may_lie_anywhere_on_the_other_side(n: int, seed: int, eps: float) -> None:
    """Up to a hundred tolerances below for the test upwards: a reference need not be the truth."""
    generator = np.random.default_rng(seed)
    signs = patterns(n)
    below = 10.0 ** generator.uniform(-2, 2, signs.shape) * generator.integers(0, 2, signs.shape)
    x = played(signs, follower(generator, n), eps, generator) - below
    evidence = Evidence.start(2**n, 1)
    added(evidence, x, eps, 10.0 ** generator.uniform(-3, 3))
    assert np.all(evidence.r[:, 0].mean(axis=0) <= 1.0 + 1e-9)


def test_a_tolerance_too_small_or_a_chip_that_leaks_breaks_the_bound() -> None:
    """The controls: drift of twice the tolerance; interference that knows its own chip."""
    signs = patterns(8)
    for x, eps in (
        (1.0 + 0.2 * signs, 0.5),
        (signs * signs, 0.1),
    ):
        evidence = Evidence.start(256, 1)
        added(evidence, x, eps, 1.0)
        assert evidence.r[:, 0].mean(axis=0).max() > 1.2
    evidence = Evidence.start(256, 1)
    added(evidence, 1.0 + 0.2 * signs, 1.0, 1.0)
    assert evidence.r.mean(axis=0).max() <= 1.0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(0, 2**32), st.floats(-5.0, 5.0))
def test_drift_may_end_anywhere_about_the_reference(n: int, seed: int, most: float) -> None:
    """A tolerance below 0 too: drift that never reaches the reference. Chips, windows alike."""
    generator = np.random.default_rng(seed)
    signs = patterns(n)
    below = 10.0 ** generator.uniform(-2, 2, signs.shape) * generator.integers(0, 2, signs.shape)
    x = most - below + played(signs, follower(generator, n), 0.0, generator)
    up, energy, one = np.empty((2, 2**n)), np.empty((2, 2**n)), np.ones(2**n)
    both_sides(
        x.sum(axis=1), (x**2).sum(axis=1), n * one, 2.0 * one, (most - 2.0) * one, one, one, up,
        energy,
    )  # fmt: skip
    for rate in 10.0 ** generator.uniform(-3, 2, 20):
        e = np.exp(rate * up[0] - 0.5 * rate**2 * energy[0])
        assert e.mean() <= 1.0 + 1e-6  # sums of squares lose digits where interference is 10^3


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32), st.floats(0.0, 10.0))
def test_energy_holds_nothing_of_what_drift_may_do(n: int, seed: int, eps: float) -> None:
    """Never above (|x| + eps sqrt n)^2, what Minkowski makes of it about the reference."""
    generator = np.random.default_rng(seed)
    x = 3.0 * generator.standard_normal((50, n)) + generator.uniform(-5.0, 5.0)
    up, energy, one = np.empty((2, 50)), np.empty((2, 50)), np.ones(50)
    both_sides(
        x.sum(axis=1), (x**2).sum(axis=1), n * one, 0.0 * one, eps * one, eps * one, one, up, energy
    )
    for side, y in enumerate((x - eps, -x - eps)):
        assert up[side] == pytest.approx(y.sum(axis=1), abs=1e-9)
        assert energy[side] == pytest.approx((y**2).sum(axis=1), rel=1e-9, abs=1e-9)
    wide = (np.sqrt((x**2).sum(axis=1)) + eps * np.sqrt(n)) ** 2
    assert np.all(energy <= wide * (1.0 + 1e-9))


def test_energy_about_the_windows_own_mean_breaks_the_bound() -> None:
    """The control: what a reference of this window takes out is interference as well."""
    x = 0.7 * patterns(6)
    about = x.sum(axis=1) ** 2 / 6.0
    own = np.exp(x.sum(axis=1) - 0.5 * ((x**2).sum(axis=1) - about))
    fair = np.exp(x.sum(axis=1) - 0.5 * (x**2).sum(axis=1))
    assert own.mean() > 1.2 and fair.mean() <= 1.0


def families() -> dict[str, Callable[[np.random.Generator, int, int, np.ndarray], np.ndarray]]:
    """Injections of n chips in K windows, heard signs (K, n) of the runs before them given."""
    return {
        "gauss": lambda g, k, n, c: 3.0 * g.standard_normal((c.shape[0], n)),
        "loud": lambda g, k, n, c: 100.0 * g.standard_normal((c.shape[0], n)),
        "cauchy": lambda g, k, n, c: g.standard_cauchy((c.shape[0], n)),
        "on-off": lambda g, k, n, c: np.full((c.shape[0], n), 5.0 * (k // 3 % 2)),
        "sine": lambda g, k, n, c: np.tile(
            4.0 * np.sin(0.7 * (k * n + np.arange(n))), (c.shape[0], 1)
        ),
        "pulse": lambda g, k, n, c: (
            np.where(np.arange(n) == k % n, 30.0, 0.0) * np.ones((c.shape[0], 1))
        ),
        "listens": lambda g, k, n, c: (
            2.0 * np.sign(c.sum(axis=1, keepdims=True) + 0.5) * np.ones((1, n))
        ),
        "grows": lambda g, k, n, c: np.full((c.shape[0], n), 10.0 ** (k % 12 - 3.0)),
    }


@pytest.mark.parametrize("name", sorted(families()))
def test_alarms_within_n_windows_are_at_most_n_over_a(name: str) -> None:
    """3000 runs of 40 windows of 12 chips at A = 400: 300 alarms allowed; chips with drift."""
    generator = np.random.default_rng(5)
    runs, n, windows, level, eps = 3000, 12, 40, 400.0, 0.2
    evidence, alarmed = Evidence.start(runs, 5), np.zeros(runs, bool)
    heard = np.zeros((runs, n))
    for k in range(windows):
        c = generator.choice([-1.0, 1.0], (runs, n))
        w = families()[name](generator, k, n, heard)
        x = eps * generator.choice([-1.0, 1.0]) + c * w + generator.standard_normal((runs, n))
        added(evidence, x, eps, np.sqrt(n))
        heard = c
        alarmed |= evidence.nats() >= np.log(level)
    assert alarmed.sum() <= runs * windows / level


def test_a_change_convicts_as_fast_as_its_size_allows() -> None:
    """88 chips, 8 standard deviations of a window: the matched rate brings 32 nats a window."""
    generator = np.random.default_rng(7)
    evidence = Evidence.start(2000, 6)
    x = 8.0 / np.sqrt(88.0) + generator.standard_normal((2000, 88))
    added(evidence, x, 0.0, np.sqrt(88.0))
    loss = np.log(2.0 * evidence.rates.size)
    # exponent of rate 4 about a mean of 8: 4 * 8 - 16/2 (1 + 64/88), the noise of it 4
    assert np.median(evidence.nats()) == pytest.approx(
        32.0 - 8.0 * (1.0 + 64.0 / 88.0) - loss, abs=0.5
    )
    strong = Evidence.start(1, 6)
    added(strong, np.full((1, 88), 1e5), 0.0, np.sqrt(88.0))
    assert strong.nats()[0] > 0.75 * 88.0 / 2.0 - loss - np.log(2.0)


def test_years_of_nothing_leave_little_evidence() -> None:
    """Shiryaev-Roberts would stand at ln(12 000) - 1.5 = 7.9 nats; a CUSUM stays near 0."""
    generator = np.random.default_rng(11)
    evidence, n, eps = Evidence.start(100, 10), 88.0, 0.1
    up, energy, none = np.empty((2, 100)), np.empty((2, 100)), np.zeros(100)
    most = np.zeros(100)
    for _ in range(12_000):
        g, q = generator.standard_normal(100), generator.chisquare(n - 1.0, 100)
        both_sides(
            np.sqrt(n) * g,
            g**2 + q,
            none + n,
            none,
            none + eps,
            none + eps,
            none + np.sqrt(n),
            up,
            energy,
        )
        advance(
            evidence.r, evidence.held, evidence.spent, evidence.tails, evidence.count, up, energy,
            evidence.rates, evidence.level,
        )  # fmt: skip
        evidence.count += 1
        most = np.maximum(most, evidence.nats())
    assert np.quantile(evidence.nats(), 0.9) < 1.0
    assert np.quantile(most, 0.9) < 8.0


def test_budgets_become_thresholds_by_the_theorem() -> None:
    """One in 10 years, windows of 0.1 s: ln(10 x 3.15576e8)."""
    assert least_nats(0.1, 0.1, 1) == pytest.approx(np.log(10 * 365.25 * 86_400 * 10))
    assert least_nats(0.1, 0.1, 50) - least_nats(0.1, 0.1, 1) == pytest.approx(np.log(50))
