"""Sixteen lanes side by side: each operation is numpy's float32, whatever the lanes hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.detect import _wide
from casemate.detect._wide import LANES, every, load, store


@njit(error_model="numpy")
def worked(x: Any, out: Any, one: Any) -> None:
    a, b, c = load(x, 1), load(x, 1 + LANES), load(x, 1 + 2 * LANES)
    _wide.fetch(x, 1_000_000)
    store(out, 0, _wide.plus(a, b))
    store(out, LANES, _wide.minus(a, b))
    store(out, 2 * LANES, _wide.times(a, b))
    store(out, 3 * LANES, _wide.fused(a, b, c))
    store(out, 4 * LANES, _wide.less(a, b, c))
    store(out, 5 * LANES, _wide.against(a, b, c))
    store(out, 6 * LANES, _wide.larger(a, b))
    store(out, 7 * LANES, _wide.smaller(a, b))
    store(out, 8 * LANES, _wide.above(a, b, c, every(one)))
    store(out, 9 * LANES, _wide.size(a))


def test_lanes_are_float32_one_by_one() -> None:
    x = np.random.default_rng(1).standard_normal(1 + 3 * LANES).astype(np.float32)
    x[3], x[LANES + 4], x[5], x[6] = np.nan, np.nan, np.inf, -np.inf
    a, b, c = x[1:].reshape(3, LANES)
    out = np.zeros(11 * LANES, dtype=np.float32)
    worked(x, out, np.float32(2.5))
    got = out.reshape(11, LANES)
    with np.errstate(invalid="ignore"):
        product = a.astype(float) * b
        exact = np.stack([a + b, a - b, a * b])
        once = np.stack([product + c, product - c, -product - c]).astype(np.float32)
        twice = np.stack([a * b + c, a * b - c, -(a * b) - c])
        picked = np.stack([np.where(a > b, a, b), np.where(a < b, a, b), np.where(a > b, c, 2.5)])
    assert np.array_equal(got[:3], exact, equal_nan=True)
    assert np.array_equal(got[3:6], once, equal_nan=True) or np.array_equal(
        got[3:6], twice, equal_nan=True
    )
    assert np.array_equal(got[6:9], picked.astype(np.float32), equal_nan=True)
    assert np.array_equal(got[9], np.abs(a), equal_nan=True) and not got[10].any()
    assert not np.array_equal(
        picked[0], np.fmax(a, b)
    )  # not a number: the second one, not the other
