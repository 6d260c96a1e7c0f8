"""Whitening, batches and clipping: white out of coloured, and any split of a stream."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from casemate.core.errors import InputError
from casemate.detect import whiten


def test_factory_coefficients_give_back_the_innovations() -> None:
    """Against scipy's recursive filter, which made the series."""
    kicks = np.random.default_rng(1).standard_normal((500, 3))
    made = lfilter([2.0], [1.0, -1.2, 0.5], kicks, axis=0)
    factory = whiten.Factory(coefficients=(1.2, -0.5), innovation=2.0)
    state = whiten.start_whitening(factory, 3)
    first = whiten.whiten(factory, state, made[:7])
    copy = state.copy()
    rest = whiten.whiten(factory, state, made[7:])
    assert np.allclose(np.concatenate([first, rest]), kicks)
    assert np.allclose(whiten.whiten(factory, copy, made[7:]), rest)
    plain = whiten.Factory(coefficients=(), innovation=4.0)
    assert np.allclose(whiten.whiten(plain, whiten.start_whitening(plain, 3), made), made / 4.0)


@pytest.mark.parametrize("given", [((1.0,), 1.0), ((0.5,), 0.0), ((1.2, -0.1), 1.0)])
def test_what_is_not_stationary_is_refused(given) -> None:
    with pytest.raises(InputError):
        whiten.Factory(coefficients=given[0], innovation=given[1])


def test_batches_keep_the_variance_and_any_split() -> None:
    x = np.random.default_rng(2).standard_normal((1003, 40))
    state = whiten.start_batches(10, 40)
    whole = whiten.batch(state, x)
    assert whole.shape == (100, 40) and state.rest.shape == (3, 40)
    assert np.std(whole) == pytest.approx(1.0, abs=0.04)
    assert np.allclose(whole[0], x[:10].sum(axis=0) / np.sqrt(10.0))
    again = whiten.start_batches(10, 40)
    parts = [whiten.batch(again, x[:4]), whiten.batch(again.copy(), x[4:4])]
    parts.append(whiten.batch(again, x[4:]))
    assert np.allclose(np.concatenate(parts), whole)
    with pytest.raises(InputError):
        whiten.start_batches(0, 1)


def test_clipping_bounds_both_sides() -> None:
    assert np.array_equal(whiten.clip(np.array([-9.0, 1.0, 9.0])), [-4.0, 1.0, 4.0])


def test_a_filter_stands_and_expects() -> None:
    """Against the same filter that was fed a constant for long, or went on without innovations."""
    factory = whiten.Factory(coefficients=(0.7, 0.1, 0.1), innovation=2.0)
    fed, stood = (whiten.start_whitening(factory, 2) for _ in range(2))
    level = np.array([3.0, -5.0])
    whiten.whiten(factory, fed, np.tile(level, (50, 1)))
    whiten.stand(factory, stood, level, np.array([True, True]))
    assert np.allclose(fed.memory, stood.memory)
    assert whiten.expected(factory, stood) == pytest.approx(0.9 * level)
    guess = whiten.expected(factory, stood)
    assert whiten.whiten(factory, stood, guess[None]) == pytest.approx(np.zeros((1, 2)))
    whiten.stand(factory, stood, np.zeros(2), np.array([False, True]))
    assert whiten.expected(factory, stood)[0] != 0.0 == whiten.expected(factory, stood)[1]
    plain = whiten.Factory(coefficients=(), innovation=1.0)
    assert whiten.expected(plain, whiten.start_whitening(plain, 3)).tolist() == [0.0] * 3


def test_one_wild_sample_is_one_innovation_at_the_limit() -> None:
    factory = whiten.Factory(coefficients=(0.9,), innovation=0.5)
    x = np.random.default_rng(3).standard_normal((40, 2)) * 0.3
    calm = whiten.whiten_soundly(factory, whiten.start_whitening(factory, 2), x)
    assert np.allclose(calm, whiten.whiten(factory, whiten.start_whitening(factory, 2), x))
    x[20, 0], x[30, 1] = 1e200, np.nan
    found = whiten.whiten_soundly(factory, whiten.start_whitening(factory, 2), x)
    assert found[20, 0] == 4.0 and np.isnan(found[30, 1])
    assert np.isnan(found).sum() == 1 and np.nanmax(np.abs(found)) == 4.0
    # what follows forgets it as the series would an innovation of 4
    assert np.abs(found[21:25, 0] - calm[21:25, 0]).max() < 0.9 * 4.0 + 1.5
    assert np.allclose(found[:20], calm[:20])


@pytest.mark.parametrize("size", [1.0, 40.0])
def test_wild_blocks_are_what_samples_are_one_by_one(size: float) -> None:
    """By the definition: what was expected, and the clipped rest; calm and wild, with gaps."""
    factory = whiten.Factory(coefficients=(0.5, 0.2, -0.1), innovation=0.7)
    x = size * np.random.default_rng(8).standard_normal((30, 2))
    x[11, 1] = np.nan
    plain, state = whiten.start_whitening(factory, 2), whiten.start_whitening(factory, 2)
    expected = []
    for row in x:
        guess = whiten.expected(factory, plain)
        z = np.clip((row - guess) / factory.innovation, -4.0, 4.0)
        used = guess + np.nan_to_num(z) * factory.innovation
        whiten.whiten(factory, plain, used[None])
        expected.append(z)
    found = whiten.whiten_soundly(factory, state, x)
    assert found == pytest.approx(np.array(expected), rel=1e-9, abs=1e-12, nan_ok=True)
    assert state.memory == pytest.approx(plain.memory, rel=1e-9, abs=1e-12)
