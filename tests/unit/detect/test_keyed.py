"""The keyed e-detector: its bound chip by chip, its exact twin, gaps, and what breaks it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core.challenge import Challenge, chips
from casemate.core.errors import InputError
from casemate.detect import _keyed_kernel as kernel
from casemate.detect import keyed, keyed_exact

SINGLE = np.float32
VALUES = st.one_of(
    st.floats(-1e3, 1e3, width=32),
    st.floats(width=32, allow_nan=False, allow_infinity=True),
    st.sampled_from([0.0, math.inf, -math.inf, 1e-45, -1e-45, 3.4e38, -3.4e38]),
)


def one_chip(x: SINGLE, tolerance: float, gain: float, before: float) -> np.ndarray:
    """Return the kernel's processes after one chip, shape (2, 6), from R = before."""
    state = keyed.start([tolerance])
    state.gain[:] = gain
    state.processes[:] = before
    keyed.advance(state, np.array([[x]], dtype=SINGLE))
    return state.each()[:, :, 0].astype(np.float64)


@settings(max_examples=300, deadline=None)
@given(
    VALUES,
    st.floats(0.0, 1e6),
    st.floats(2.0**-40, 4.0),
    st.sampled_from([0.0, 1e-3, 1.0, 1e4, 1e20]),
)
def test_a_fair_sign_never_gains_on_average_in_float32(
    interference: float, tolerance: float, gain: float, before: float
) -> None:
    """Both signs of any interference, at the edge of what drift is allowed: the mean of R after
    the chip is at most 1 + R, rounding of x, of e and of R included."""
    up = one_chip(SINGLE(tolerance + interference), tolerance, gain, before)
    down = one_chip(SINGLE(tolerance - interference), tolerance, gain, before)
    assert np.all((up[0] + down[0]) / 2.0 <= 1.0 + before)
    up = one_chip(SINGLE(-tolerance - interference), tolerance, gain, before)
    down = one_chip(SINGLE(-tolerance + interference), tolerance, gain, before)
    assert np.all((up[1] + down[1]) / 2.0 <= 1.0 + before)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES, st.floats(0.0, 1e3))
def test_bets_rise_with_the_residual_in_float32(a: float, b: float, tolerance: float) -> None:
    low, high = sorted((a, b))
    less, more = one_chip(SINGLE(low), tolerance, 1.0, 0.0), one_chip(SINGLE(high), tolerance, 1, 0)
    assert np.all(less[0] <= more[0]) and np.all(less[1] >= more[1])
    assert np.all(less >= 0.0) and np.all(more <= 2.0)


@pytest.mark.parametrize("bet", [keyed_exact.logistic, keyed_exact.straight])
def test_exact_bets_are_fair(bet) -> None:
    value = np.concatenate([np.linspace(0, 40, 4001), [1e9, np.inf]])
    for size in keyed_exact.SIZES:
        assert np.all(np.abs(bet(size, value) + bet(size, -value) - 2.0) <= 1e-12)
        assert np.all(np.diff(bet(size, value)) >= 0.0)


def series(count: int, features: int, seed: int, shift: float = 0.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((count, features)) + shift
    x[generator.random(x.shape) < 0.1] = np.nan
    return x.astype(SINGLE)


def test_the_kernel_is_its_reference_with_the_same_bet() -> None:
    """Independent numpy in float64; rounding and what pays for it: 2^-20 a chip."""
    tolerance = np.linspace(0.0, 1.0, 700)
    x = series(400, 700, seed=1, shift=0.3)
    x[7, 3], x[8, 4] = np.inf, -np.inf
    state, exact = keyed.start(tolerance), keyed_exact.start(tolerance)
    got = keyed.advance(state, x)
    wanted = keyed_exact.advance(exact, x.astype(np.float64), keyed_exact.straight)
    assert np.max(np.abs(np.log1p(got) - np.log1p(wanted))) < 400 * 2.0**-19
    assert np.allclose(state.each(), exact.processes, rtol=400 * 2.0**-19)
    assert np.all(got <= wanted * (1.0 + 1e-5))


def test_the_exact_logistic_gathers_the_same_evidence() -> None:
    """The two bets agree to second order: growth a chip within 10 % from 0.1 to 1 sigma."""
    for shift, count in ((0.1, 6000), (0.25, 1500), (0.5, 500), (1.0, 150)):
        x = series(count, 100, seed=2, shift=shift)
        fast = keyed.advance(keyed.start(np.zeros(100)), x)[-1]
        exact = keyed_exact.advance(keyed_exact.start(np.zeros(100)), x.astype(float))[-1]
        ratio = np.mean(np.log(fast)) / np.mean(np.log(exact))
        assert 0.9 < ratio < 1.1, (shift, ratio)


@pytest.mark.parametrize("sizes", [[1] * 130, [64, 66], [3, 127], [130]])
def test_any_split_gives_the_same_bits(sizes: list[int]) -> None:
    x = series(130, 600, seed=3, shift=4.0)
    x[:, :3] = 9.0
    whole = keyed.start(np.full(600, 0.2))
    wanted = keyed.advance(whole, x)
    state, parts, first = keyed.start(np.full(600, 0.2)), [], 0
    for size in sizes:
        parts.append(keyed.advance(state, x[first : first + size]))
        first += size
    assert np.array_equal(np.concatenate(parts), wanted)
    assert np.array_equal(state.each(), whole.each())
    assert np.array_equal(state.gain, whole.gain) and state.chips == whole.chips == 130


def test_a_copy_goes_its_own_way() -> None:
    x = series(20, 5, seed=4)
    state = keyed.start(np.zeros(5))
    keyed.advance(state, x)
    copy = state.copy()
    before = state.each()
    after = keyed.advance(copy, x)
    assert np.array_equal(state.each(), before) and state.chips == 20
    assert np.array_equal(keyed.advance(state, x), after)


def test_gaps_leave_evidence_as_it_is() -> None:
    state = keyed.start(np.array([0.5, 0.5]))
    gap = np.full((1000, 2), np.nan, dtype=SINGLE)
    gap[:, 1] = 3.0
    keyed.advance(state, np.full((30, 2), 3.0, dtype=SINGLE))
    before, gain = state.each(), state.gain.copy()
    seen = keyed.advance(state, gap)
    assert np.array_equal(state.each()[:, :, 0], before[:, :, 0]) and state.gain[0] == gain[0]
    assert np.all(seen[:, 0] == seen[0, 0]) and np.all(state.each()[0, :, 1] > before[0, :, 1])


def test_evidence_is_capped_and_comes_down_again() -> None:
    state = keyed.start([0.0])
    top = keyed.advance(state, np.full((5000, 1), 10.0, dtype=SINGLE))
    assert np.all(np.isfinite(top)) and 69.0 < math.log(top.max()) < 81.0
    assert np.all(state.each() <= float(kernel.CAP) * 2.0**kernel.CAP_EVERY)
    x = np.where(np.arange(20_000) % 2, 1.0, -1.0).astype(SINGLE)[:, None]
    assert keyed.advance(state, x)[-1, 0] < top[-1, 0] / 1e6


def test_a_lost_reading_that_follows_the_chip_breaks_the_bound_and_an_infinity_keeps_it() -> None:
    """A rail at +5: with offset 6, chips of one sign are lost more often. Lost as missing they
    raise false alarms; given as infinities (beyond the linear range, with their sign) they do not.
    The linear range is -5..5 for the residual, well inside the rails."""
    generator = np.random.default_rng(5)
    sign = np.where(generator.random(3000) < 0.5, -1.0, 1.0)
    reading = sign[:, None] * 2.0 + 6.0 + generator.standard_normal((3000, 200)) * 2.0
    residual = reading - sign[:, None] * 2.0
    lost = np.where(reading > 5.0, np.nan, residual)
    clipped = np.where(np.abs(residual) > 3.0, np.copysign(np.inf, residual), residual)
    alarm = 3000 * 20.0  # at most 1 in 20
    drive = sign.astype(complex)
    bad = keyed.advance(keyed.start(np.zeros(200)), keyed.keyed(drive, lost, 1.0))
    good = keyed.advance(keyed.start(np.zeros(200)), keyed.keyed(drive, clipped, 1.0))
    assert np.mean(bad.max(axis=0) > alarm) > 0.9
    assert np.mean(good.max(axis=0) > alarm) <= 0.05


def test_an_injection_that_knows_the_chip_is_what_the_theorem_leaves_out() -> None:
    """A load phase-locked to the challenge raises an alarm: it must, for it is a response."""
    generator = np.random.default_rng(6)
    sign = np.where(generator.random(400) < 0.5, -1.0, 1.0)
    residual = 0.5 * sign[:, None] + generator.standard_normal((400, 50))
    seen = keyed.advance(keyed.start(np.zeros(50)), keyed.keyed(sign.astype(complex), residual, 1))
    assert np.mean(seen[-1] > 1e6) > 0.9


def test_drift_within_tolerance_stays_quiet_and_beyond_it_does_not() -> None:
    generator = np.random.default_rng(7)
    noise = generator.standard_normal((4000, 100))
    quiet = keyed.advance(keyed.start(np.full(100, 0.3)), (noise + 0.3).astype(SINGLE))
    assert np.mean(quiet.max(axis=0) > 4000 * 20.0) <= 0.05
    loud = keyed.advance(keyed.start(np.full(100, 0.3)), (noise - 0.6).astype(SINGLE))
    assert np.all(loud[-1] > 1e6)


def test_real_challenges_of_every_constellation_work() -> None:
    generator = np.random.default_rng(8)
    for constellation, symbols in (("sign", 2), ("amplitude", 8), ("phase", 16)):
        challenge = Challenge(key=bytes(32), modality="m", epoch=0, chip_s=1e-3, symbols=symbols,
                              constellation=constellation)  # fmt: skip
        drive = chips(challenge, 0, 3000).drive
        noise = generator.standard_normal((3000, 40)) + 1j * generator.standard_normal((3000, 40))
        x = keyed.keyed(drive, noise + 50.0, 1.0)
        assert np.array_equal(np.isnan(x[:, 0]), drive == 0.0)
        quiet = keyed.advance(keyed.start(np.zeros(40)), x)
        assert np.mean(quiet.max(axis=0) > 3000 * 20.0) <= 0.05
        moved = keyed.keyed(drive, noise + 0.5 * drive[:, None], 1.0)
        assert np.all(keyed.advance(keyed.start(np.zeros(40)), moved)[-1] > 1e9)


def test_the_mean_over_features_is_in_float64() -> None:
    assert keyed.fused(np.full((2, 4096), 1e38, dtype=SINGLE)) == pytest.approx(1e38)


@pytest.mark.parametrize("tolerance", [[-1.0], [np.nan], [np.inf], [[1.0]]])
def test_a_tolerance_that_is_none_is_refused(tolerance) -> None:
    with pytest.raises(InputError):
        keyed.start(tolerance)


def test_a_block_of_another_shape_or_type_is_refused() -> None:
    state = keyed.start([0.0])
    for x in (np.zeros((2, 2), SINGLE), np.zeros((2, 1)), np.zeros(1, SINGLE)):
        with pytest.raises(InputError):
            keyed.advance(state, x)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_one_row_takes_the_evidence_after_the_last_chip(order: Any, missing: bool) -> None:
    x = np.array(np.random.default_rng(4).standard_normal((7, 21)), dtype=SINGLE, order=order)
    if missing:
        x[3, 5] = np.nan
    wanted = keyed.advance(keyed.start(np.zeros(21)), x)[-1:]
    row = np.empty((2, 21), dtype=SINGLE)[:1] if order == "C" else np.empty((21, 1), SINGLE).T
    assert np.array_equal(keyed.advance(keyed.start(np.zeros(21)), x, out=row), wanted)
