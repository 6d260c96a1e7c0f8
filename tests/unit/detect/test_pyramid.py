"""The pyramid against plain numpy, its bound, its lead component, gaps and splits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.core.errors import InputError
from casemate.detect import pyramid


def plain(up: np.ndarray, down: np.ndarray, levels: int, clip: float) -> np.ndarray:
    """Return evidence (levels + 2, 2, F) after all samples: whole levels summed anew, float64."""
    components = [(0, k) for k in pyramid.DRIFTS] + [(level, 0.5) for level in range(1, levels)]
    out = np.zeros((len(components), 2, up.shape[1]))
    for c, (level, k) in enumerate(components):
        for side, x in enumerate((up, down)):
            z = np.clip(x, -clip, clip)
            for _ in range(level):
                z = z[: z.shape[0] // 2 * 2]
                both = np.stack([z[::2], z[1::2]])
                missing = np.isnan(both).all(axis=0)
                z = np.where(missing, np.nan, np.nansum(both, axis=0) / math.sqrt(2.0))
            for row in z:
                moved = np.maximum(out[c, side] + 2 * k * row - 2 * k * k, 0.0)
                out[c, side] = np.where(np.isnan(row), out[c, side], moved)
    return out


def series(count: int, features: int, seed: int, gaps: float = 0.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((count, features)) * 1.5 + 0.3
    x[generator.random(x.shape) < gaps] = np.nan
    return x


@pytest.mark.parametrize("gaps", [0.0, 0.4])
@pytest.mark.parametrize("sided", [False, True])
def test_all_levels_are_those_of_plain_numpy(gaps: float, sided: bool) -> None:
    up = series(203, 600, 1, gaps).astype(np.float32)
    down = series(203, 600, 2, gaps).astype(np.float32) if sided else -up
    state = pyramid.start(600, 7, clip=5.0, sided=sided)
    pyramid.advance(state, up, down if sided else None)
    wanted = plain(up.astype(float), down.astype(float), 7, 5.0)
    found = state.evidence()
    assert np.max(np.abs(found - wanted)) < 203 * 1.1 * pyramid.ROUNDING
    assert np.all(found <= wanted)
    assert wanted.max() > 10.0 and np.all(wanted.max(axis=(1, 2)) > 0.0)


@pytest.mark.parametrize("gaps", [0.0, 0.2])
@pytest.mark.parametrize("sided", [False, True])
@pytest.mark.parametrize("sizes", [[1] * 77, [3, 64, 10], [76, 1]])
def test_any_split_gives_the_same_bits(gaps: float, sided: bool, sizes: list[int]) -> None:
    up = series(77, 700, 3, gaps).astype(np.float32)
    down = series(77, 700, 4, gaps).astype(np.float32)
    whole = pyramid.start(700, 5, sided=sided)
    wanted = pyramid.advance(whole, up, down if sided else None)
    state, parts, first = pyramid.start(700, 5, sided=sided), [], 0
    for size in sizes:
        at = slice(first, first + size)
        parts.append(pyramid.advance(state, up[at], down[at] if sided else None))
        first += size
        state = state.copy()
    assert np.array_equal(np.concatenate(parts), wanted)
    assert np.array_equal(state.evidence(), whole.evidence()) and state.samples == 77


@pytest.mark.parametrize("clip", [4.0, math.inf])
@pytest.mark.parametrize("levels", [1, 4, 20])
def test_the_quick_way_is_the_plain_one_to_the_bit(levels: int, clip: float) -> None:
    """A pyramid that was told of a gap takes the way in which samples may be missing."""
    x = series(150, 530, 12).astype(np.float32)
    quick, plain_way = pyramid.start(530, levels, clip=clip), pyramid.start(530, levels, clip=clip)
    plain_way._par[5] = 1.0
    assert np.array_equal(pyramid.advance(quick, x), pyramid.advance(plain_way, x))
    assert np.array_equal(quick.evidence(), plain_way.evidence())
    assert quick.evidence().max() > 10.0


@pytest.mark.parametrize("sizes", [[200], [1, 2, 3, 5, 64, 125], [33] * 6 + [2]])
@pytest.mark.parametrize(("gaps", "levels"), [(0.0, 6), (0.1, 6), (0.0, 9), (0.0, 2)])
def test_peaks_of_blocks_leave_the_same_state_to_the_bit(
    sizes: list[int], gaps: float, levels: int
) -> None:
    x = series(200, 700, 9, gaps).astype(np.float32)
    one, other, first = pyramid.start(700, levels), pyramid.start(700, levels), 0
    score = np.full(700, pyramid.NO_SCORE, dtype=np.float32)
    for size in sizes:
        part = x[first : first + size]
        first += size
        before = score
        each = pyramid.advance(one, part)
        score = each[-1]
        peak = pyramid.peaks(other, part)
        if first > size:
            assert np.array_equal(peak, np.maximum(before, each.max(axis=0)))
        assert np.array_equal(one.evidence(), other.evidence())
        assert np.array_equal(one._best, other._best) and one.samples == other.samples
    assert np.array_equal(pyramid.advance(one, x), pyramid.advance(other, x))


def test_the_score_is_that_of_the_leading_component() -> None:
    x = series(300, 50, 5).astype(np.float32)
    x[250:, 10] += 5.0
    x[:, 11] -= 1.0
    state = pyramid.start(50, 6, clip=math.inf)
    score = pyramid.advance(state, x)[-1]
    lead = pyramid.best(state)
    over = score > pyramid.least_alarm(6)
    assert np.allclose(score[over], lead.score[over]) and np.mean(over) > 0.5
    assert lead.side[11] == -1 and lead.side[10] == 1 and lead.drift[10] > 0.5
    weight = pyramid.weights(6)[lead.level]
    assert np.allclose(lead.score - weight, lead.nats)


@pytest.mark.parametrize("levels", [1, 3, 14, 36])
def test_weights_spend_exactly_one_false_alarm_budget(levels: int) -> None:
    """Sum over components of weight x ticks a sample: the bound is n / A and not a bit less."""
    weight = np.exp(pyramid.weights(levels))
    ticks = 0.5 ** np.arange(levels)
    sides = 2.0 * (weight[0] * len(pyramid.DRIFTS) + np.sum((weight * ticks)[1:]))
    assert sides == pytest.approx(1.0)


def test_false_alarms_keep_the_bound_on_white_noise_and_not_under_a_jammer() -> None:
    """P(alarm by n) <= n / A on its null; means of 16 chips under Cauchy noise are not that."""
    generator = np.random.default_rng(6)
    n, channels, most = 512, 3000, 0.05
    x = generator.standard_normal((n, channels)).astype(np.float32)
    score = pyramid.advance(pyramid.start(channels, 8), x)
    rate = np.mean(score.max(axis=0) > math.log(n / most))
    assert 0.0005 < rate <= most
    chips = generator.standard_cauchy((n, 16, 400)) + 0.3
    signs = generator.choice([-1.0, 1.0], (n, 16, 1))
    naive = (chips * signs).sum(axis=1).astype(np.float32) / 4.0
    score = pyramid.advance(pyramid.start(400, 8), naive)
    assert np.mean(score.max(axis=0) > math.log(n / most)) > 0.5


def test_float32_never_claims_more_than_exact_sums() -> None:
    """What is taken off an update is more than rounding adds, after twelve levels too."""
    x = series(4096, 60, 7).astype(np.float32)
    state = pyramid.start(60, 12)
    pyramid.advance(state, x)
    exact = plain(x.astype(float), -x.astype(float), 12, pyramid.CLIP)
    assert np.all(state.evidence() <= exact + 1e-9)


def test_a_long_weak_shift_shows_on_a_high_level_and_a_jump_on_the_ground() -> None:
    generator = np.random.default_rng(8)
    weak = (generator.standard_normal((6000, 20)) + 0.1).astype(np.float32)
    state = pyramid.start(20, 14)
    score = pyramid.advance(state, weak)
    assert np.all(score[-1] > math.log(1e5)) and np.median(pyramid.best(state).level) >= 4
    jump = generator.standard_normal((3, 20)).astype(np.float32) + 8.0
    state = pyramid.start(20, 14, clip=math.inf)
    assert np.mean(pyramid.advance(state, jump)[0] > math.log(1e5)) > 0.9
    assert np.all(pyramid.best(state).level == 0)


def test_sizes_and_blocks_that_fit_nothing_are_refused() -> None:
    for features, levels, clip in ((0, 3, 4.0), (1, 0, 4.0), (1, 37, 4.0), (1, 3, 0.0)):
        with pytest.raises(InputError):
            pyramid.start(features, levels, clip=clip)
    state = pyramid.start(2, 3)
    for up, down in ((np.zeros((1, 2)), None), (np.zeros((1, 3), np.float32), None),
                     (np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32))):  # fmt: skip
        with pytest.raises(InputError):
            pyramid.advance(state, up, down)


def test_wiped_channels_begin_anew_and_the_others_go_on() -> None:
    """Level by level: a wiped channel at a count of 2^L samples is one that has just begun."""
    x = series(64 + 100, 600, 11).astype(np.float32)
    state, fresh = pyramid.start(600, 6), pyramid.start(600, 6)
    whole = pyramid.start(600, 6)
    pyramid.advance(state, x[:64])
    which = np.arange(600) % 7 == 0
    pyramid.wipe(state, which)
    assert state.evidence()[:, :, which].max() == 0.0
    found, wanted = pyramid.advance(state, x[64:]), pyramid.advance(fresh, x[64:])
    pyramid.advance(whole, x)
    assert np.array_equal(found[:, which], wanted[:, which])
    assert np.array_equal(state.evidence()[:, :, ~which], whole.evidence()[:, :, ~which])
