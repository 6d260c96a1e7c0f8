"""Compiled half of `watch`: whether a block is sound, in one pass over it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(inline="always")
def row_is_odd(row: Any, before: Any, low: Any, high: Any) -> int:
    """Return 0 if all of row (C,) lies within low and high (C,) and repeats none of before (C,)."""
    odd = 0
    for c in range(row.size):
        value = row[c]
        inside = (value >= low[c]) & (value <= high[c]) & (abs(value) < np.inf)
        odd |= int(not inside) | int(value == before[c])
    return odd


@njit(inline="always")
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


@njit(inline="always")
def row_is_flagged(flags: Any) -> int:
    """Return 0 if flags (C,) are."""
    found = 0
    for c in range(flags.size):
        found |= int(flags[c])
    return found


@njit(cache=True)
def real_sound(values: Any, health: Any, last: Any, low: Any, high: Any) -> bool:
    """Return whether no value of (K, C) is flagged, all lie within low and high (C,), and none
    repeats the one before it.

    last (C,): before the first row, nan if there was none.
    """
    odd = row_is_odd(values[0], last, low, high) | row_is_flagged(health[0])
    for k in range(1, values.shape[0]):
        odd |= row_is_odd(values[k], values[k - 1], low, high) | row_is_flagged(health[k])
    return odd == 0


@njit(cache=True)
def complex_sound(values: Any, health: Any, last: Any, low: Any, high: Any, swing: Any) -> bool:
    """The same for complex values."""
    odd = turned_is_odd(values[0], last, low, high, swing) | row_is_flagged(health[0])
    for k in range(1, values.shape[0]):
        odd |= turned_is_odd(values[k], values[k - 1], low, high, swing)
        odd |= row_is_flagged(health[k])
    return odd == 0


@njit(cache=True)
def follow(t_s: Any, chip: Any, last_s: float, last: int, chip_s: float, slack_s: float) -> bool:
    """Return whether samples t_s, chip (K,) follow the last one and one another, in number and, to
    `slack_s`, in time. A time that is no number follows nothing.
    """
    for k in range(t_s.size):
        step_s = t_s[k] - last_s
        if chip[k] != last + 1 or not (step_s > 0.0 and abs(step_s - chip_s) <= slack_s):
            return False
        last_s, last = t_s[k], chip[k]
    return True


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
