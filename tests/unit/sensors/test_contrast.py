"""The middle of a board's channels: loud and moved ones do not pull it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.sensors.contrast import middle


def test_alike_channels_have_their_median() -> None:
    rows = np.random.default_rng(1).standard_normal((50, 7))
    assert middle(rows, np.ones(rows.shape)) == pytest.approx(np.median(rows, axis=1))
    pair = rows[:, :2]
    assert middle(pair, np.ones(pair.shape)) == pytest.approx(pair.mean(axis=1))
    assert middle(rows[:, :1], np.ones((50, 1))) == pytest.approx(rows[:, 0])


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12))
def test_it_lies_among_its_channels_in_any_order(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    values, noise = rng.standard_normal((3, count)), rng.uniform(0.1, 100.0, (3, count))
    found = middle(values, noise)
    assert (found >= values.min(axis=1)).all() and (found <= values.max(axis=1)).all()
    order = rng.permutation(count)
    assert middle(values[:, order], noise[:, order]) == pytest.approx(found)
    assert middle(values + 2.0, 3.0 * noise) == pytest.approx(found + 2.0)


@pytest.mark.parametrize(
    "noise", [(1, 100), (1, 1, 100), (1, 100, 100), (1, 1, 50, 50), (1, 20, 20, 20, 20), (1,) * 9]
)
def test_no_quiet_channel_is_further_from_it_than_its_own_noise(noise: tuple[int, ...]) -> None:
    """A plain median of these lies up to tens of the quietest channel's noises off."""
    spread = np.tile(np.array(noise, dtype=np.float64), (20_000, 1))
    values = spread * np.random.default_rng(2).standard_normal(spread.shape)
    z = (values - middle(values, spread)[:, None]) / spread
    rms = np.sqrt(np.mean(z**2, axis=0))
    assert (rms < 1.3).all(), rms


def test_a_few_moved_channels_pull_it_little() -> None:
    values = np.random.default_rng(3).standard_normal((1000, 16))
    values[:, :3] += 1000.0
    assert np.abs(middle(values, np.ones(values.shape))).max() < 3.0
