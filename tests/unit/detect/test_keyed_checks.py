"""Each check finds what is planted for it, and no injection without the key makes it speak."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from casemate.core.challenge import Challenge, chips, points
from casemate.core.errors import InputError
from casemate.detect.checks import Check, Weighed, linearity, reciprocity, second_harmonic

NOISE, CHIPS = 1e-3, 100
LEVELS = points("amplitude", 4).real
ALARM = 24.0


def asked(k, constellation="amplitude", symbols=4, epoch=1):
    challenge = Challenge(key=bytes(32), modality="m", epoch=epoch, chip_s=1e-3,
                          constellation=constellation, symbols=symbols)  # fmt: skip
    return chips(challenge, CHIPS * k, CHIPS).drive.real


def most(check, windows):
    return max(float(check.add(each).max()) for each in windows)


def heard(generator, answer, k):
    drive = asked(k)
    return drive, (answer(drive) + NOISE * generator.standard_normal(CHIPS))[:, None]


def nonlinear(answer, seed=1, windows=30, tolerance=3e-4):
    generator, check = np.random.default_rng(seed), Check([NOISE * math.sqrt(CHIPS)])
    at, room = np.ones(1), np.full(1, tolerance)
    return most(check, (linearity(*heard(generator, answer, k), at, room) for k in range(windows)))


def test_a_nonlinear_shunt_is_not_linear() -> None:
    assert nonlinear(lambda c: c) < 5.0
    assert nonlinear(lambda c: c * (1.0 + 2e-4)) < 5.0
    assert nonlinear(lambda c: c - 5e-3 * c**3 + 5e-3 * c) > ALARM  # a contact takes more of much
    assert nonlinear(lambda c: np.tanh(0.2 * c) / 0.2 * 1.02) > ALARM  # a receiver overloads


def test_chips_of_one_level_tell_nothing_of_linearity() -> None:
    with pytest.raises(InputError):
        linearity(np.array([1.0, -1.0, 0.0]), np.ones((3, 1)), np.ones(1), np.zeros(1))


def harmonic(shape, constellation, symbols, seed=2, windows=30):
    generator = np.random.default_rng(seed)
    level = np.abs(points(constellation, symbols).real) ** 2
    check, floor = Check([NOISE * math.sqrt(CHIPS)]), np.full(1, 1e-5)
    found = []
    for k in range(windows):
        drive = asked(k, constellation, symbols)
        values = shape(drive) + NOISE * generator.standard_normal(CHIPS)
        found.append(second_harmonic(drive, values[:, None], floor, mean_power=0.875,
                                     range_power=float(level.max())))  # fmt: skip
    return most(check, found)


@pytest.mark.parametrize(("constellation", "symbols"), [("sign", 2), ("amplitude", 4)])
def test_a_contact_rectifies(constellation, symbols) -> None:
    assert harmonic(lambda c: 0.0 * c, constellation, symbols) < 5.0
    assert harmonic(lambda c: 1e-5 * c**2, constellation, symbols) < 5.0
    assert harmonic(lambda c: 5e-3 * c**2, constellation, symbols) > ALARM
    # a load at twice the carrier that knows no chip says nothing, however strong
    assert harmonic(lambda c: 5.0 + 0.0 * c, constellation, symbols) < 5.0


def ways(forth_gain, back_gain, seed=3, windows=40):
    generator = np.random.default_rng(seed)
    check = Check([NOISE * math.sqrt(2 * CHIPS)])
    at, floor, step = np.ones(1), np.full(1, 3e-3), np.full(1, 1e-3)
    found = []
    for k in range(windows):
        pair = [(d, gain * d + NOISE * generator.standard_normal(CHIPS)) for d, gain in
                ((asked(k), forth_gain), (asked(k, epoch=2), back_gain))]  # fmt: skip
        forth, back = ((d, v[:, None]) for d, v in pair)
        found.append(reciprocity(forth, back, at, floor, step))
    return most(check, found)


def test_a_one_way_relay_is_not_reciprocal() -> None:
    assert ways(1.0, 1.0) < 5.0
    assert ways(1.001, 0.999) < 5.0
    assert ways(1.0 + 8e-3, 1.0) > ALARM
    assert ways(1.0, 1.0 - 0.02) > ALARM


def test_each_bet_has_mean_at_most_one_for_any_interference() -> None:
    """All signs and levels of three chips, any w: the mean of e over the key is at most 1."""
    generator = np.random.default_rng(5)
    keys = [np.array(each) for each in itertools.product(LEVELS, repeat=3)]
    for _ in range(20):
        w = generator.standard_cauchy((3, 1)) * 10.0 ** generator.uniform(-2, 2)
        tolerance = np.full(1, 10.0 ** generator.uniform(-2, 1))
        drift = float(tolerance[0]) * generator.uniform(-1, 1)
        lam = 10.0 ** generator.uniform(-2, 1)
        by_check: dict[str, list[float]] = {"linear": [], "harmonic": []}
        for c in keys:
            if np.ptp(c**2) > 0.0:
                share = c[:, None] * (1.0 + drift) + w
                by_check["linear"].append(bet(linearity(c, share, np.ones(1), tolerance), lam))
            own = drift * c[:, None] ** 2 + w
            by_check["harmonic"].append(
                bet(second_harmonic(c, own, tolerance, mean_power=1.0, range_power=1.6), lam)
            )
        # keys of one level are left out of linearity: 16 of 64, where it bets nothing (e = 1)
        left = len(keys) - len(by_check["linear"])
        assert (sum(by_check["linear"]) + left) / len(keys) <= 1.0 + 1e-9
        assert np.mean(by_check["harmonic"]) <= 1.0 + 1e-9


def bet(window: Weighed, lam: float) -> float:
    up = float(window.total[0] - window.slack[0])
    return math.exp(min(lam * up - 0.5 * lam**2 * float(window.energy[0]), 500.0))


def test_reciprocity_bets_have_mean_at_most_one() -> None:
    generator = np.random.default_rng(6)
    signs = [np.array(each) for each in itertools.product([-1.0, 1.0], repeat=4)]
    for _ in range(40):
        w = generator.standard_cauchy((4, 1)) * 10.0 ** generator.uniform(-2, 2)
        floor, step = np.full(1, 0.1), np.full(1, 10.0 ** generator.uniform(-2, 1))
        off, apart = float(step[0]) * generator.uniform(-1, 1), 0.1 * generator.uniform(-1, 1)
        near = np.clip([off, off + apart], -step[0], step[0])
        lam, values = 10.0 ** generator.uniform(-2, 1), []
        for s in signs:
            forth = (s[:2], s[:2, None] * (1.0 + near[0]) + w[:2])
            back = (s[2:], s[2:, None] * (1.0 + near[1]) + w[2:])
            values.append(bet(reciprocity(forth, back, np.ones(1), floor, step), lam))
        assert np.mean(values) <= 1.0 + 1e-9


def test_a_window_that_is_no_number_counts_as_none_and_copies_part() -> None:
    check = Check([1.0])
    nan = np.full(1, np.nan)
    before = check.copy()
    assert check.add(Weighed(total=nan, slack=nan, energy=nan))[0] == -700.0
    check.add(Weighed(total=np.full(1, 9.0), slack=np.zeros(1), energy=np.full(1, 1.0)))
    assert before.evidence.count == 0 and before.evidence.r.max() == 0.0
    with pytest.raises(InputError):
        Check([0.0])
