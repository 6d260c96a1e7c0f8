"""Rates of the pyramid's alarms: against exact values, counts, and splitting on its own state."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.campaigns.rarity import pyramid_null
from casemate.campaigns.rarity.exact import Cusum, arl
from casemate.campaigns.rarity.pyramid_null import block_rate, limit_for, pyramid_arl
from casemate.campaigns.rarity.splitting import Plan, splitting_arl
from casemate.core.errors import InputError
from casemate.detect import pyramid


def test_the_recursion_is_that_of_the_detector() -> None:
    """The compiled one in float64 against `detect.pyramid`, sample by sample."""
    levels, count = 6, 400
    x = np.random.default_rng(1).standard_normal(count) * 1.4 + 0.9
    state = pyramid.start(1, levels)
    scores = pyramid.advance(state, x.astype(np.float32)[:, None])[:, 0]
    sums, last = np.zeros((len(pyramid.DRIFTS) + levels - 1, 2)), np.zeros(levels)
    total, least = 0.0, pyramid.least_alarm(levels)
    weight = pyramid.weights(levels)[0]
    for t, value in enumerate(np.clip(x, -4.0, 4.0).tolist()):
        total += value
        pyramid_null._step(sums, last, total, value, t, np.array(pyramid.DRIFTS))
        lead = sums[: len(pyramid.DRIFTS)].max() + weight
        above = sums[len(pyramid.DRIFTS) :].max(axis=1) + pyramid.weights(levels)[1:]
        found = max(lead, float(above.max()))
        if scores[t] > least:
            assert found == pytest.approx(scores[t], abs=0.05)
    assert np.allclose(sums, state.evidence()[:, :, 0], atol=0.05) and sums.max() > 20.0


@pytest.mark.parametrize("nats", [12.0, 20.0, 32.0])
def test_one_level_is_the_exact_cusum(nats: float) -> None:
    """S in nats at k = 1/2 is Page's statistic; its integral equation is solved to rounding."""
    rate, error, _ = block_rate(nats, 1, False, np.random.default_rng(2), 4000)
    assert error < 0.03 * rate
    assert rate * arl(Cusum(k=0.5, h=nats, sides=2)) == pytest.approx(1.0, abs=0.08)


def test_weights_agree_with_counts_where_alarms_can_be_counted() -> None:
    drifts, generator = np.array(pyramid.DRIFTS), np.random.default_rng(3)
    rate, error, _ = block_rate(10.0, 4, True, generator, 2000)
    samples = 8_000_000
    alarms = pyramid_null._count(generator, samples, 10.0, 4, drifts, 4.0)
    off = math.hypot(error / rate, alarms**-0.5)
    assert off < 0.08
    assert rate * samples / alarms == pytest.approx(1.0, abs=3.0 * off)


@pytest.mark.slow
def test_the_detector_itself_alarms_as_often_on_plain_noise() -> None:
    """`detect.pyramid` on 6·10⁷ channel-samples, evidence wiped after each alarm."""
    levels, score, channels, generator = 5, 8.5, 2000, np.random.default_rng(4)
    state, alarms, rows = pyramid.start(channels, levels), 0, 30_000
    for _ in range(rows):
        x = generator.standard_normal((1, channels)).astype(np.float32)
        over = pyramid.advance(state, x)[0] >= score
        if over.any():
            alarms += int(over.sum())
            pyramid.wipe(state, over)
    found = pyramid_arl(score, levels, generator, trials=4000)
    assert alarms > 400
    off = math.hypot(found.relative_error, alarms**-0.5)
    assert rows * channels / alarms / found.arl == pytest.approx(1.0, abs=3.0 * off + 0.03)


class Split:
    """The detector's own state and its null; rest is evidence that has gone."""

    def __init__(self, levels: int) -> None:
        self.state = pyramid.start(1, levels)

    def step(self, generator: np.random.Generator) -> float:
        x = np.array([[generator.standard_normal()]], dtype=np.float32)
        return float(pyramid.advance(self.state, x)[0, 0])

    def copy(self) -> Split:
        found = Split.__new__(Split)
        found.state = self.state.copy()
        return found


@pytest.mark.slow
def test_splitting_on_the_detectors_state_agrees() -> None:
    levels, score = 3, 10.0
    plan = Plan(levels=(1.5, 3.0, 4.5, 6.0, 7.5, 9.0, score), effort=150, replicates=8, rest=0.0)
    one = splitting_arl(lambda _: Split(levels), plan, np.random.default_rng(5))
    other = pyramid_arl(score, levels, np.random.default_rng(6), trials=3000)
    off = math.hypot(one.relative_error, other.relative_error)
    assert off < 0.2
    assert math.log(one.arl / other.arl) == pytest.approx(0.0, abs=3.0 * off)


def test_blocks_lose_little_against_one_pyramid() -> None:
    """Eight levels at once, against two blocks of four whose rates add."""
    generator = np.random.default_rng(7)
    whole, error, _ = block_rate(18.0, 8, True, generator, 1500)
    low, _, _ = block_rate(18.0, 4, True, generator, 1500)
    high, _, _ = block_rate(18.0 - 4.0 * math.log(2.0), 4, False, generator, 1500)
    parts = low + high / 16.0
    assert whole - 3.0 * error < parts < 1.35 * whole


def test_a_limit_keeps_its_rate_and_the_theorem_is_above_it() -> None:
    rate = 12.0 / (30.0 * 3.156e8)
    score, found = limit_for(rate, 29)
    assert limit_for(rate, 29) == (score, found)
    assert 0.65 * rate < 1.0 / found.arl < rate and found.relative_error < 0.06
    # the pyramid's own bound asks for ln(1 / rate); a stricter budget asks for more
    assert 1.5 < -math.log(rate) - score < 3.0
    assert limit_for(rate / 1e4, 29)[0] - score == pytest.approx(math.log(1e4), abs=0.6)


def test_what_makes_no_pyramid_is_refused() -> None:
    for score, levels, trials in ((20.0, 0, 400), (20.0, 37, 400), (20.0, 5, 3), (math.nan, 5, 99)):
        with pytest.raises(InputError):
            pyramid_arl(score, levels, np.random.default_rng(8), trials=trials)
    for rate in (0.0, 0.5, math.nan):
        with pytest.raises(InputError):
            limit_for(rate, 5)
