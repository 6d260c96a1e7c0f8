"""Kernels that take a window in one pass, against what numpy makes of the same definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from casemate.core.samples import to_read
from casemate.detect import _bank_kernel as bank
from casemate.detect import _blocks_kernel as blocks
from casemate.detect import _evidence_kernel as evidence
from casemate.detect import _live_kernel as kernel
from casemate.detect import whiten
from casemate.detect.evidence import Evidence

FEATURES, CHANNELS, ROWS = 7, 9, 40


def plain_member(r: float, gain: float) -> float:
    if r <= 1.0:
        if gain <= 0.0:
            return max(1.0 + gain, 0.0)
        r = 1.0
    return min(r * math.exp(min(gain, 600.0)), evidence.MOST)


def turned(rows: np.ndarray) -> np.ndarray:
    """Return (F, 2) as (2, F), in one piece."""
    return np.ascontiguousarray(rows.T)


def plain_advance(state: Evidence, up: np.ndarray, energy: np.ndarray) -> None:
    """One member after the other, as its definition says."""
    levels = state.spent.shape[2]
    for f in range(up.shape[0]):
        for side in range(2):
            total, power = float(up[f, side]), float(energy[f, side])
            for level in range(levels):
                total += float(state.held[f, side, level])
                power += float(state.spent[f, side, level])
                state.held[f, side, level] = state.spent[f, side, level] = 0.0
                for j in np.flatnonzero(state.level == level) if power != 0.0 else ():
                    rate = float(state.rates[j])
                    gain = rate * (total - 0.5 * rate * power)
                    state.r[f, side, j] = plain_member(float(state.r[f, side, j]), gain)
                if level + 1 < levels and (state.count + 1) % 2 ** (level + 1):
                    state.held[f, side, level + 1] += total
                    state.spent[f, side, level + 1] += power
                    break
    state.count += 1


@pytest.mark.parametrize("shift", [-3.0, 0.0, 2.0, 40.0])
def test_evidence_is_its_definition_to_the_bit(shift: float) -> None:
    generator = np.random.default_rng(3)
    one, other = Evidence.start(FEATURES, 5), Evidence.start(FEATURES, 5)
    for number in range(70):
        up = generator.standard_normal((FEATURES, 2)) + shift
        energy = np.abs(generator.standard_normal((FEATURES, 2))) + 1.0
        if number % 9 == 0:
            up[2], energy[2] = 0.0, 0.0
        evidence.advance(
            one.r, one.held, one.spent, one.tails, one.count, turned(up),
            turned(energy), one.rates, one.level,
        )  # fmt: skip
        one.count += 1
        plain_advance(other, up, energy)
        for name in ("r", "held", "spent"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        kept = one.tails.copy()
        one.settle()  # the same sums, each from all of its members
        assert np.allclose(kept, one.tails, rtol=1e-13, atol=0.0)
        level = np.array([one.r[:, :, one.level >= each].sum(axis=(1, 2)) for each in range(6)])
        assert np.allclose(kept, level, rtol=1e-13, atol=0.0)
    plain = np.log((one.r / (2.0 * one.r.shape[2])).sum(axis=(1, 2)))
    assert np.allclose(one.nats(), plain, rtol=0.0, atol=1e-12)


def test_sums_by_level_are_kept_over_many_windows_and_features() -> None:
    """More features than are taken together; windows on end tell sums once, after the last."""
    generator, features = np.random.default_rng(5), evidence.NEAR + 3
    one, highest = Evidence.start(features, 6), 0
    for number in range(40):
        up = turned(generator.standard_normal((features, 2)) - 0.5)
        energy = turned(np.abs(generator.standard_normal((features, 2))) + 0.5)
        top = evidence.move(
            one.r, one.held, one.spent, number, up, energy, one.rates, one.level
        )  # fmt: skip
        assert top == min((number + 1 & -(number + 1)).bit_length() - 1, 5)
        if number % 3 == 2:  # of three windows, 2 in the mean: the highest of them counts
            evidence.sum_up(one.r, one.level, 5 if number > 20 else max(top, highest), one.tails)
            kept = one.tails.copy()
            one.settle()
            assert np.array_equal(kept, one.tails)
        highest = max(top, highest) if number % 3 else top
    assert not np.array_equal(one.tails[1], one.tails[0])
    one.tails[2] = -1.0  # a fault that is planted: a level that was not told
    evidence.sum_up(one.r, one.level, 1, one.tails)
    wrong = one.nats()
    one.settle()
    assert not np.allclose(wrong, one.nats(), atol=1e-9)


def test_evidence_at_its_cap_is_a_number() -> None:
    state = Evidence.start(2, 26)
    state.r[:] = evidence.MOST
    state.settle()
    assert np.allclose(state.nats(), math.log(evidence.MOST), atol=1e-9)
    state.r[:] = 0.0
    state.settle()
    assert np.array_equal(state.nats(), [-700.0, -700.0])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80))
def test_the_median_is_numpys(values: list[float]) -> None:
    assert bank.median_of(np.array(values)) == np.median(values)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999))
def test_common_modes_follow_the_median_of_their_group(seed: int) -> None:
    generator = np.random.default_rng(seed)
    size, groups = 30, 5
    group = generator.integers(-1, groups - 1, size)  # the last group is empty
    shown, sound = generator.standard_normal(size), generator.random(size) < 0.8
    common, doubt = np.zeros(groups), np.full(groups, 10.0)
    wide = np.full(groups, 1e9)
    bank.common_towards(
        shown, sound, np.zeros(size), 1.0, 1.0, group, np.ones(size), wide, wide, 0.4, common, doubt
    )  # fmt: skip
    for g in range(groups):
        mine = (group == g) & sound
        assert common[g] == (np.median(shown[mine]) if mine.any() else 0.0)


def gathered(clean: bool, seed: int, fault: str) -> tuple[np.ndarray, ...]:
    """Sums of a window by `gather`; unless `clean`, as if every row had something wrong."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((ROWS, CHANNELS)) + 3.0
    health = np.zeros((ROWS, CHANNELS), dtype=np.uint16)
    drive = np.where(generator.random(ROWS) < 0.2, 0.0, generator.choice([-1.0, 1.0], ROWS))
    use = np.ones(ROWS, dtype=np.bool_)
    if fault == "flags":
        health[11, 2], health[12, 5] = blocks.LATE, blocks.CLIPPED
    elif fault == "not a number":
        values[7, 1], values[8, 4] = np.nan, np.inf
    elif fault == "stuck":
        values[:, 3] = 1.5
    elif fault == "unused":
        use[5:9] = False
    elif fault == "huge":
        values[4, 6] = 1e30
    first = generator.integers(0, CHANNELS, FEATURES)
    second = np.where(np.arange(FEATURES) % 2 == 0, -1, generator.integers(0, CHANNELS, FEATURES))
    weight = generator.standard_normal((FEATURES, 2))
    nominal, noise = generator.random(CHANNELS) + 1.0, generator.random(FEATURES) + 0.1
    expected, shared = weight.sum(axis=1), generator.standard_normal(FEATURES) * 1e-3
    last, run = np.full(CHANNELS, np.nan), np.zeros(CHANNELS, dtype=np.int64)
    said, sums = np.zeros(CHANNELS, dtype=np.int64), np.zeros((6, FEATURES))
    blurred, x = np.zeros(FEATURES, dtype=np.bool_), np.empty((ROWS, FEATURES), dtype=np.float32)
    loud = blocks.gather(
        to_read(values), to_read(health), drive, use, nominal, first, second, weight, expected,
        noise, shared, last, run, said, sums, blurred, x,
        np.array([[0, CHANNELS, 0, FEATURES]]), clean,
    )  # fmt: skip
    assert loud == np.count_nonzero(use & (drive != 0.0))
    return sums, blurred, said, last, run, x[:loud]


@pytest.mark.parametrize("fault", ["none", "flags", "not a number", "stuck", "unused", "huge"])
def test_sound_rows_are_summed_as_all_others(fault: str) -> None:
    for seed in range(20):
        pairs = zip(gathered(True, seed, fault), gathered(False, seed, fault), strict=True)
        for one, other in pairs:
            assert np.array_equal(one, other, equal_nan=True), fault


def test_one_sample_is_whitened_as_by_scipy_to_the_bit() -> None:
    factory = whiten.Factory(coefficients=(0.5, 0.0, -0.2, 0.1), innovation=0.7)
    state = whiten.start_whitening(factory, 3)
    memory = state.memory.copy()
    taps = np.r_[1.0, -np.asarray(factory.coefficients)] / factory.innovation
    for row in np.random.default_rng(4).standard_normal((50, 1, 3)):
        plain, memory = lfilter(taps, [1.0], row, axis=0, zi=memory)
        assert np.array_equal(whiten.whiten(factory, state, row), plain)
        assert np.array_equal(state.memory, memory)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["none", "nan", "inf", "loud", "quiet"]), st.integers(0, 6))
def test_what_is_not_sound_is_seen(fault: str, at: int) -> None:
    parts = [np.ones((2, FEATURES)) for _ in range(5)]
    if fault == "nan":
        parts[at % 5][1, at] = np.nan
    elif fault == "inf":
        parts[at % 5][1, at] = -np.inf
    elif fault != "none":
        parts[2 if fault == "loud" else 4][0, at] = -1.0
    assert kernel.all_sound(*parts) is (fault == "none")


def test_what_lies_beyond_is_limited() -> None:
    out = np.empty(4)
    kernel.limited(np.array([np.nan, np.inf, -9.0, 2.0]), 8.0, out)
    assert np.array_equal(out, [0.0, 8.0, -8.0, 2.0])
    s1, loud, own = np.array([10.0, -10.0, 1.0, 5.0]), np.array([4.0, 4.0, 4.0, 0.0]), np.zeros(4)
    kernel.beyond(s1, loud, own, own, np.full(4, 0.5), np.full(4, 0.1), out)
    assert np.array_equal(out, np.array([2.0, -2.0, 0.0, 0.0]) / 0.1 * 2.0)


@pytest.mark.parametrize("window_s", [0.1, 0.3, 1.2])
def test_doubt_covers_what_a_common_mode_falls_behind(window_s: float) -> None:
    """A ramp at the full rate: once it stands, the next window lies no further off than doubt."""
    one, far = np.ones(1), np.full(1, 1e9)
    common, doubt, zero = np.zeros(1), np.zeros(1), np.zeros(1)
    for n in range(1, 100):
        shown = np.full(1, n * window_s)
        behind = abs(shown[0] - common[0])
        if n > 80:
            assert behind <= doubt[0] * (1.0 + 1e-9)
        bank.towards(
            shown, one > 0.0, zero, window_s, window_s, 10.0, 0.3, np.zeros(1, dtype=np.int64),
            one, far, far, far, one, np.zeros(1), common, np.zeros(1), doubt,
        )  # fmt: skip
    assert behind > 0.3 + 0.4 * window_s  # more than memory leaves, so a fixed part is not enough
