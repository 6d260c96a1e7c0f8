"""FOCuS against all windows by brute force, and against its authors' package."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from casemate.core.errors import InputError
from casemate.detect import focus


def brute(x: np.ndarray) -> tuple[np.ndarray, int, float]:
    """Return max over starts of S^2 / 2n after each sample, and the last one's start and mean."""
    sums = np.r_[0.0, np.cumsum(x)]
    out = np.empty(x.size)
    for n in range(1, x.size + 1):
        tau = np.arange(n)
        gain = (sums[n] - sums[:n]) ** 2 / (2.0 * (n - tau))
        out[n - 1] = gain.max()
    lead = int(np.argmax(gain))
    return out, lead, float((sums[-1] - sums[lead]) / (x.size - lead))


@pytest.mark.parametrize("shift", [0.0, 0.4, -3.0])
def test_it_is_the_best_of_all_windows(shift: float) -> None:
    x = np.random.default_rng(1).standard_normal((400, 6))
    x[250:] += shift
    state = focus.start(6)
    got = focus.advance(state, x)
    found = focus.change(state)
    for f in range(6):
        wanted, time, size = brute(x[:, f])
        assert np.max(np.abs(got[:, f] - wanted)) < 1e-9
        assert found.time[f] == time and found.size[f] == pytest.approx(size, abs=1e-9)
        assert found.nats[f] == pytest.approx(wanted[-1], abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(float, st.integers(1, 40), elements=st.integers(-4, 4).map(float)))
def test_ties_and_flat_series_are_exact(x: np.ndarray) -> None:
    assert np.max(np.abs(focus.advance(focus.start(1), x[:, None])[:, 0] - brute(x)[0])) < 1e-9


def test_it_agrees_with_the_package_of_its_authors() -> None:
    from changepoint_online import Focus, Gaussian

    x = np.random.default_rng(2).standard_normal(300)
    x[200:] += 0.7
    theirs = Focus(Gaussian(loc=0))
    ours = focus.advance(focus.start(1), x[:, None])[:, 0]
    for value, mine in zip(x, ours, strict=True):
        theirs.update(value)
        assert theirs.statistic() == pytest.approx(mine, abs=1e-9)


def test_a_convex_series_keeps_all_its_corners_and_stays_exact() -> None:
    """A ramp: the worst case for memory."""
    x = np.linspace(0.01, 2.0, 300)
    state = focus.start(1)
    got = focus.advance(state, x[:, None])[:, 0]
    assert np.max(np.abs(got - brute(x)[0])) < 1e-9
    assert state.counts[0, 0] == 300 and state.times.shape[2] >= 300


def test_any_split_and_a_copy_give_the_same() -> None:
    x = np.random.default_rng(3).standard_normal((500, 3)) + 0.2
    whole = focus.advance(focus.start(3), x)
    state = focus.start(3)
    parts = [focus.advance(state, x[:1])]
    copy = state.copy()
    parts.append(focus.advance(state, x[1:333]))
    assert np.array_equal(focus.advance(copy, x[1:]), whole[1:])
    parts.append(focus.advance(state, x[333:]))
    assert np.array_equal(np.concatenate(parts), whole)
    assert state.counts.max() < 25


def test_what_is_no_series_is_refused() -> None:
    with pytest.raises(InputError):
        focus.start(0)
    for x in (np.zeros((2, 3)), np.array([[np.nan]])):
        with pytest.raises(InputError):
            focus.advance(focus.start(1), x)
    rest = focus.change(focus.start(2))
    assert np.all(rest.nats == 0.0) and np.all(rest.size == 0.0)
