"""The short way of `blocks`: rows of a window in which nothing is wrong, features in order.

The same sums in the same order as `_blocks_kernel.gather` makes, so the same to the bit. Features
are taken in tiles whose sums stay in the nearest cache while all rows go by, and all rows are
looked at before the first is added, so nothing has to be told apart on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import put, raise_by
from casemate.detect._blocks_kernel import MOST

TILE = 512
"""Features that are taken together (measured: 128 to 512 are alike, 64 costs a third more)."""
OTHER, ALONE, PAIRS = 0, 1, 2
"""Which channels features read: any, each its own, each both of its pair."""


@njit(cache=True, error_model="numpy")
def order_of(first: Any, second: Any, channels: int) -> int:
    """Return how features (F,) lie to their channels: OTHER, ALONE or PAIRS."""
    alone, pairs = first.size == channels, first.size == channels and channels % 2 == 0
    for f in range(first.size):
        alone = alone and first[f] == f and second[f] < 0
        pairs = pairs and first[f] == f - f % 2 and second[f] == f - f % 2 + 1
    if alone:
        return ALONE
    return PAIRS if pairs else OTHER


@njit(inline="always")
def row_is_odd(row: Any, before: Any, flags: Any) -> int:
    """Return 0 if values (C,) are finite, none repeats the one before, and none is flagged."""
    odd, flagged = 0, np.uint16(0)
    for c in range(row.size):
        odd |= int(not abs(row[c]) < np.inf) | int(row[c] == before[c])
    for c in range(flags.size):
        flagged |= flags[c]
    return odd | int(flagged != 0)


@njit(cache=True, error_model="numpy")
def all_calm(values: Any, health: Any, use: Any, last: Any) -> bool:
    """Return whether all rows (K, C) count and are sound; last (C,): before the first."""
    odd = 0 if values.shape[0] else 1
    for k in range(values.shape[0]):
        odd |= int(not use[k])
        if odd:
            return False
        if k == 0:
            odd |= row_is_odd(values[0], last, health[0])
        else:
            odd |= row_is_odd(values[k], values[k - 1], health[k])
    return odd == 0


@njit(cache=True, error_model="numpy")
def shares(row: Any, inverse: Any, share: Any) -> None:
    """Fill share (n,) with values over nominal, limited."""
    for i in range(share.size):
        part = row[i] * inverse[i]
        part = MOST if part > MOST else part
        share[i] = -MOST if part < -MOST else part


@njit(cache=True, error_model="numpy")
def swap(share: Any, swapped: Any) -> None:
    """Fill swapped (n,) with the other of each pair."""
    for p in range(share.size // 2):
        swapped[2 * p], swapped[2 * p + 1] = share[2 * p + 1], share[2 * p]


@njit(cache=True, error_model="numpy")
def add_pairs(share: Any, swapped: Any, own: Any, other: Any) -> None:
    """Let share (n,) become what features of both channels of their pair read."""
    for i in range(share.size):
        share[i] = own[i] * share[i] + other[i] * swapped[i]


@njit(cache=True, error_model="numpy")
def scaled(share: Any, own: Any) -> None:
    """Let share (n,) become what features of one channel each read."""
    for i in range(share.size):
        share[i] = own[i] * share[i]


@njit(cache=True, error_model="numpy")
def loud_row(total: Any, over: float, expected: Any, s1: Any, s2: Any) -> None:
    """Add a loud chip to s1, s2 (n,); total (n,) becomes what each is off."""
    for i in range(total.size):
        off = total[i] * over - expected[i]
        total[i] = off
        s1[i] += off
        s2[i] += off * off


@njit(cache=True, error_model="numpy")
def in_noises(off: Any, shared: Any, scale: Any, x: Any) -> None:
    """Fill x (n,) with off less shared, in noises."""
    for i in range(off.size):
        x[i] = np.float32((off[i] - shared[i]) * scale[i])


@njit(cache=True, error_model="numpy")
def silent_row(total: Any, power: Any) -> None:
    """Add a silent chip to power (n,)."""
    for i in range(total.size):
        power[i] += total[i] * total[i]


@njit(cache=True, error_model="numpy")
def add(
    values: Any, health: Any, drive: Any, use: Any, order: int, nominal: Any, weight: Any,
    expected: Any, noise: Any, shared: Any, last: Any, run: Any, sums: Any, x: Any,
) -> int:  # fmt: skip
    """Do what `gather` does if all rows are calm, else nothing; return how many chips are loud.

    order: ALONE or PAIRS. -1: it is for `gather`.
    """
    if not all_calm(values, health, use, last):
        return -1
    size = expected.size
    share, swapped = np.empty(TILE), np.empty(TILE)
    loud = 0
    for f in range(0, size, TILE):
        to = f + TILE if size - f > TILE else size
        n, loud = to - f, 0
        own, other = weight[f:to, 0].copy(), weight[f:to, 1].copy()
        if order == PAIRS:
            for i in range(1, n, 2):
                own[i], other[i] = other[i], own[i]
        inverse, scale = 1.0 / nominal[f:to], 1.0 / noise[f:to]
        off, about, wants = share[:n], shared[f:to], expected[f:to]
        s1, s2, power = sums[0, f:to], sums[1, f:to], sums[3, f:to]
        for k in range(drive.size):
            shares(values[k, f:to], inverse, off)
            if order == PAIRS:
                swap(off, swapped[:n])
                add_pairs(off, swapped[:n], own, other)
            else:
                scaled(off, own)
            if drive[k] != 0.0:
                loud_row(off, 1.0 / drive[k], wants, s1, s2)
                in_noises(off, about, scale, x[loud, f:to])
                loud += 1
            else:
                silent_row(off, power)
    put(last, values[values.shape[0] - 1])
    run[:] = 1
    raise_by(sums[2], loud)
    raise_by(sums[4], drive.size - loud)
    return loud
