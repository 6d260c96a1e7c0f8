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
