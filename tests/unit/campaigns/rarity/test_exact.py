"""Exact run lengths: tables, renewal theory's constant, a Markov chain, and counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr

from casemate.campaigns.rarity.exact import (
    Cusum,
    arl,
    cycle,
    log_arl,
    mean_delay,
    siegmund,
    threshold_for,
)
from casemate.campaigns.rarity.lattice import coded, lattice_arl
from casemate.campaigns.rarity.law import Steps
from casemate.core.errors import InputError


@pytest.mark.parametrize(
    ("k", "h", "shift", "expected"),
    [
        # J. M. Lucas and R. B. Crosier, Technometrics 24, 1982, table 1 (two-sided), k = 0.5
        (0.5, 4.0, 0.0, 168.0), (0.5, 4.0, 0.25, 74.2), (0.5, 4.0, 0.5, 26.6),
        (0.5, 4.0, 1.0, 8.38), (0.5, 4.0, 2.0, 3.34), (0.5, 5.0, 0.0, 465.0),
        (0.5, 5.0, 0.5, 38.0), (0.5, 5.0, 1.0, 10.4), (0.5, 5.0, 4.0, 2.01),
    ],
)  # fmt: skip
def test_two_sides_are_those_of_the_table(
    k: float, h: float, shift: float, expected: float
) -> None:
    # printed to three digits
    assert arl(Cusum(k=k, h=h, sides=2), shift) == pytest.approx(expected, rel=4e-3)


@pytest.mark.parametrize(("h", "expected"), [(4, 335.37), (5, 930.89), (12, 1.0366e6)])
def test_one_side_is_the_known_value(h: float, expected: float) -> None:
    assert arl(Cusum(k=0.5, h=h)) == pytest.approx(expected, rel=5e-5)


def renewal_arl(k: float, h: float) -> float:
    """ARL of a walk far from its limit: e^{2kh}/(2 k^2 nu^2), nu by F. Spitzer's series

    (D. Siegmund, Sequential Analysis, 1985, chapters 8 and 10). What it leaves out falls as
    exp(-r h), r = Re sqrt(k^2 + 4 pi i) - k: 2.0 for k = 0.5, 0.93 for k = 2.
    """
    n = np.arange(1, 20_001)
    nu = 2.0 / (4.0 * k * k) * math.exp(-2.0 * float(np.sum(ndtr(-k * np.sqrt(n)) / n)))
    return math.exp(2.0 * k * h) / (2.0 * k * k * nu * nu)


@pytest.mark.slow
def test_and_at_any_size_that_doubles_hold() -> None:
    assert arl(Cusum(k=0.5, h=400.0)) == pytest.approx(renewal_arl(0.5, 400.0), rel=1e-9)


@pytest.mark.parametrize(
    ("k", "h"), [(0.5, 30.0), (0.5, 35.9), (0.5, 36.6), (0.25, 70.0), (1.0, 18.0), (2.0, 30.0),
                 (0.5, 100.0)],
)  # fmt: skip
def test_rare_alarms_have_the_rate_of_renewal_theory(k: float, h: float) -> None:
    """ARL of 1e13 to 1e52, nine digits: an equation for the ARL itself has none left at 1e16."""
    assert arl(Cusum(k=k, h=h)) == pytest.approx(renewal_arl(k, h), rel=1e-9)


def test_siegmunds_approximation_is_within_a_few_percent() -> None:
    for k, h in ((0.25, 8.0), (0.5, 5.0), (0.5, 12.0), (0.5, 35.9)):
        assert arl(Cusum(k=k, h=h)) == pytest.approx(siegmund(k, h), rel=0.02)
    assert arl(Cusum(k=0.5, h=35.9)) == pytest.approx(2.4846e16, rel=1e-4)


def test_the_equation_of_the_arl_itself_agrees_where_it_has_digits() -> None:
    """Fredholm equation L = 1 + Phi(k - s) L(0) + int phi(y - s + k) L(y) dy, 200 nodes."""
    for k, h in ((0.5, 4.0), (0.3, 10.0), (1.0, 3.0)):
        x, w = np.polynomial.legendre.leggauss(200)
        y = np.concatenate([[0.0], (x + 1) * h / 2])
        w = np.concatenate([[0.0], w * h / 2])
        matrix = w * np.exp(-0.5 * (y - y[:, None] + k) ** 2) / math.sqrt(2 * math.pi)
        matrix[:, 0] += ndtr(k - y)
        ours = np.linalg.solve(np.eye(201) - matrix, np.ones(201))[0]
        assert arl(Cusum(k=k, h=h)) == pytest.approx(ours, rel=1e-9)


def lattice(k: float, h: float, clip: float, per_sigma: int) -> float:
    """The same CUSUM with its clipped input rounded to 1/per_sigma: an exact Markov chain."""
    top = round(clip * per_sigma)
    codes = coded((np.arange(-top, top) + 0.5) / per_sigma)
    return lattice_arl(-top - round(k * per_sigma), codes, round(h * per_sigma))


@pytest.mark.parametrize(("k", "h", "clip"), [(0.5, 4.0, 3.0), (0.5, 6.0, 2.0), (0.25, 5.0, 4.0)])
def test_a_clipped_input_is_the_limit_of_finer_codes(k: float, h: float, clip: float) -> None:
    """Codes of 1/40 to 1/160 sigma, taken to none: off by O(step) for the limit's own step."""
    coarse, fine, finest = (lattice(k, h, clip, per_sigma) for per_sigma in (40, 80, 160))
    first = (2 * fine - coarse, 2 * finest - fine)
    limit = (4 * first[1] - first[0]) / 3
    assert arl(Cusum(k=k, h=h, clip=clip)) == pytest.approx(limit, rel=2e-4)
    # and it is not the unclipped value: this check would see a clip that does nothing
    assert abs(arl(Cusum(k=k, h=h)) / limit - 1) > 5e-3 or clip == 4.0


def test_clipped_rates_converge_with_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.campaigns.rarity import exact

    for clip, h in ((4.0, 12.0), (3.0, 20.0), (2.0, 10.0)):
        known = log_arl(Cusum(k=0.5, h=h, clip=clip))
        exact._one_side.cache_clear()
        monkeypatch.setattr(exact, "WIDTH", 0.7)
        assert log_arl(Cusum(k=0.5, h=h, clip=clip)) == pytest.approx(known, abs=1e-6)
        monkeypatch.undo()
        exact._one_side.cache_clear()


def test_a_lattice_of_whole_numbers_has_a_closed_form() -> None:
    """Steps +1, -1: gambler's ruin. From 0: up to 1 with p, then ruin between 0 and H + 1."""
    p, limit = 0.3, 25
    r = (1 - p) / p
    reach = p * (1 - r) / (1 - r ** (limit + 1))
    # mean length of the game from 1, ends 0 and limit + 1
    game = 1 / (1 - 2 * p) - (limit + 1) / (1 - 2 * p) * (1 - r) / (1 - r ** (limit + 1))
    assert lattice_arl(-1, [1 - p, 0.0, p], limit) == pytest.approx(
        (1 + p * game) / reach, rel=1e-9
    )


def run_lengths(k: float, h: float, clip: float, sides: int, runs: int) -> tuple[float, float]:
    """Count: mean and its standard error, all runs side by side."""
    generator = np.random.default_rng(7)
    s = np.zeros((2, runs))
    ended = np.zeros(runs, dtype=int)
    step = 0
    while (ended == 0).any():
        step += 1
        x = np.clip(generator.standard_normal(runs), -clip, clip)
        s = np.maximum(0.0, s + np.array([x, -x]) - k)
        over = (s[:sides] > h).any(axis=0)
        ended[over & (ended == 0)] = step
    return float(ended.mean()), float(ended.std() / math.sqrt(runs))


@pytest.mark.parametrize(("clip", "sides"), [(math.inf, 1), (math.inf, 2), (1.5, 1), (1.5, 2)])
def test_counting_gives_the_same(clip: float, sides: int) -> None:
    mean, error = run_lengths(0.5, 2.5, clip, sides, 20_000)
    ours = arl(Cusum(k=0.5, h=2.5, clip=clip, sides=sides))  # type: ignore[arg-type]
    assert abs(mean - ours) < 4 * error
    assert error < 0.01 * mean


def test_thresholds_are_those_that_give_the_arl() -> None:
    for target in (400.0, 1e6, 2.5e16):
        for clip, sides in ((math.inf, 1), (4.0, 2)):
            h = threshold_for(target, 0.5, clip, sides)  # type: ignore[arg-type]
            found = arl(Cusum(k=0.5, h=h, clip=clip, sides=sides))  # type: ignore[arg-type]
            assert found == pytest.approx(target, rel=1e-6)
    assert threshold_for(930.887, 0.5) == pytest.approx(5.0, abs=1e-6)


def test_delays_are_those_of_the_reference() -> None:
    """Reference facts: k = .5 at ARL 2.6e16 sees 1 sigma in 72.7 samples, 2 sigma in 24.7."""
    cusum = Cusum(k=0.5, h=threshold_for(2.6e16, 0.5))
    assert mean_delay(cusum, 1.0) == pytest.approx(72.7, rel=0.01)
    assert mean_delay(cusum, 2.0) == pytest.approx(24.7, rel=0.015)
    # far from the limit a walk of drift d takes (h + overshoot)/d, less what the start at 0 gives
    assert mean_delay(cusum, 3.0) == pytest.approx((cusum.h + 1.2) / 2.5, rel=0.02)


def test_no_limit_is_one_look() -> None:
    """h = 0 alarms at the first residual above k: a Shewhart chart."""
    assert arl(Cusum(k=2.0, h=0.0)) == pytest.approx(1 / ndtr(-2.0), rel=1e-12)
    assert cycle(Cusum(k=0.5, h=0.0)).length == 1.0


def test_the_conjugate_exponent_is_2k_and_grows_with_the_clip() -> None:
    assert Steps(k=0.5).exponent() == 1.0
    assert Steps(k=0.5, clip=30.0).exponent() == pytest.approx(1.0, abs=1e-12)
    for clip in (1.0, 2.0, 4.0):
        steps = Steps(k=0.5, clip=clip)
        theta = steps.exponent()
        z = np.clip(np.linspace(-9, 9, 400_001), -clip, clip)
        density = np.exp(-0.5 * np.linspace(-9, 9, 400_001) ** 2) / math.sqrt(2 * math.pi)
        moment = np.trapezoid(density * np.exp(theta * (z - 0.5)), dx=18 / 400_000)
        assert theta > 1.0 and moment == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize(
    "wrong",
    [lambda: Cusum(k=0.0, h=1.0), lambda: Cusum(k=0.5, h=-1.0), lambda: Cusum(k=0.5, h=math.inf),
     lambda: Cusum(k=0.5, h=1.0, clip=0.4), lambda: threshold_for(1.0, 0.5),
     lambda: threshold_for(math.inf, 0.5), lambda: lattice_arl(-1, [0.3, 0.0, 0.7], 5),
     lambda: lattice_arl(-1, [0.5, 0.6], 5)],
)  # fmt: skip
def test_what_is_no_cusum_is_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        wrong()
