"""The block CUSUM against plain numpy and Siegmund's mean time to a false alarm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.core.errors import InputError
from casemate.detect import cusum


def test_blocks_are_plain_sums_and_any_split_is_the_same() -> None:
    x = np.random.default_rng(1).standard_normal((61, 37)).astype(np.float32)
    state, whole = cusum.start(37, 0.5), cusum.start(37, 0.5)
    peak = cusum.advance(whole, x)
    high = low = most = np.zeros(37)
    for row in x.astype(float):
        high, low = np.maximum(high + row - 0.5, 0.0), np.maximum(low - row - 0.5, 0.0)
        most = np.maximum(most, np.maximum(high, low))
    assert np.allclose(peak, most, atol=1e-5) and np.allclose(whole.high, high, atol=1e-5)
    first = cusum.advance(state, x[:11])
    copy = state.copy()
    second = cusum.advance(state, x[11:])
    assert np.array_equal(np.maximum(first, second), peak)
    assert np.array_equal(state.low, whole.low) and not np.array_equal(copy.low, state.low)


def test_false_alarms_come_as_rarely_as_siegmund_says() -> None:
    """One side at h = 4: (exp(2 k b) - 2 k b - 1) / 2 k^2 with b = h + 1.166; two sides: half."""
    generator = np.random.default_rng(2)
    state, waited, going = cusum.start(4000, 0.5), np.zeros(4000), np.ones(4000, bool)
    while going.any():
        waited[going] += 1
        peak = cusum.advance(state, generator.standard_normal((1, 4000), dtype=np.float32))
        going &= peak < 4.0
    b = 4.0 + 1.166
    assert np.mean(waited) == pytest.approx((math.exp(b) - b - 1.0) / 0.5 / 2.0, rel=0.06)


def test_what_is_no_block_is_refused() -> None:
    for channels, drift in ((0, 0.5), (1, -1.0), (1, math.nan)):
        with pytest.raises(InputError):
            cusum.start(channels, drift)
    with pytest.raises(InputError):
        cusum.advance(cusum.start(2, 0.5), np.zeros((3, 2)))
