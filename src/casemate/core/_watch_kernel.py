"""Compiled half of `watch`: whether a block is sound, in one pass over it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def row_is_odd(row: Any, before: Any, low: Any, high: Any) -> int:
    """Return 0 if all of row (C,) lies within low and high (C,) and repeats none of before (C,)."""
    odd = 0
    for c in range(row.size):
        value = row[c]
        inside = (value >= low[c]) & (value <= high[c]) & (abs(value) < np.inf)
        odd |= int(not inside) | int(value == before[c])
    return odd


@njit(cache=True)
def turned_is_odd(row: Any, before: Any, low: Any, high: Any, swing: Any) -> int:
    """The same for complex values; swing (C,): of those that are driven, inf for the others."""
    odd = 0
    for c in range(row.size):
        value = row[c]
        size = abs(value)
        inside = (value.real >= low[c]) & (value.real <= high[c]) & (value.imag == 0.0)
        if swing[c] < np.inf:
            inside = size <= swing[c]
        odd |= int(not (inside and size < np.inf)) | int(value == before[c])
    return odd


@njit(cache=True)
def real_sound(values: Any, last: Any, low: Any, high: Any) -> bool:
    """Return whether values (K, C) lie within low and high (C,) and none repeats the one before it.

    last (C,): before the first row, nan if there was none.
    """
    odd = row_is_odd(values[0], last, low, high)
    for k in range(1, values.shape[0]):
        odd |= row_is_odd(values[k], values[k - 1], low, high)
    return odd == 0


@njit(cache=True)
def complex_sound(values: Any, last: Any, low: Any, high: Any, swing: Any) -> bool:
    """The same for complex values."""
    odd = turned_is_odd(values[0], last, low, high, swing)
    for k in range(1, values.shape[0]):
        odd |= turned_is_odd(values[k], values[k - 1], low, high, swing)
    return odd == 0


@njit(cache=True)
def union(health: Any, out: Any) -> int:
    """Fill out (C,) with the union of flags (K, C) by channel; return that of all."""
    out[:] = 0
    for k in range(health.shape[0]):
        row = health[k]
        for c in range(out.size):
            out[c] |= row[c]
    all_of = 0
    for c in range(out.size):
        all_of |= int(out[c])
    return all_of
