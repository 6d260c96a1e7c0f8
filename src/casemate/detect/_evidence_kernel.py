"""Compiled half of `evidence`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import put

MOST = 1e300
"""Evidence is capped here; a smaller figure is always allowed."""
NEAR = 1024
"""Features that are taken together, so that their sums stay in the nearest cache."""


@njit(cache=True, error_model="numpy")
def both_sides(
    s1: Any, s2: Any, loud: Any, offset: Any, above: Any, below: Any, scale: Any, up: Any,
    energy: Any,
) -> None:  # fmt: skip
    """Fill up (2, F) with sums less what drift may add, energy (2, F) with sums of squares of that.

    up: sum (x - most), and sum (least - x) beside it; energy: sums of the same figures' squares,
    over `scale` (F,) and its square; 0 where no chip was loud. most = offset + above, least =
    offset - below, all (F,): between which drift lies.
    """
    for f in range(s1.size):
        n = loud[f]
        for side in range(2):
            sign = 1.0 if side == 0 else -1.0
            edge = offset[f] + above[f] if side == 0 else offset[f] - below[f]
            square = s2[f] - 2.0 * edge * s1[f] + n * edge * edge
            some = n > 0.0
            up[side, f] = sign * (s1[f] - n * edge) / scale[f] if some else 0.0
            energy[side, f] = square / (scale[f] * scale[f]) if some and square > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def grown(before: float, gain: float) -> float:
    """Return max(before, 1) exp(gain), up to MOST; at most that where it would not exceed 1.

    1 + x <= exp(x) spares most of the exponentials of quiet times; a smaller figure is allowed.
    """
    if before <= 1.0:
        if gain <= 0.0:
            return 1.0 + gain if gain > -1.0 else 0.0
        before = 1.0
    after = before * math.exp(gain if gain < 600.0 else 600.0)
    return after if after < MOST else MOST


@njit(cache=True, error_model="numpy")
def begins(level: Any, levels: int) -> Any:
    """Return where each level's members begin, (levels + 1,): level (J,) rises."""
    found = np.zeros(levels + 1, dtype=np.int64)
    for j in range(level.size):
        found[level[j] + 1] = j + 1
    for one in range(levels):
        found[one + 1] = max(found[one + 1], found[one])
    return found


@njit(cache=True, error_model="numpy")
def join(mine: Any, held: Any, total: Any) -> None:
    """Set total (F,) to `mine` and what a level held, which then holds nothing."""
    for f in range(total.size):
        total[f] = mine[f] + held[f]
        held[f] = 0.0


@njit(cache=True, error_model="numpy")
def add_to(held: Any, total: Any) -> None:
    """Let a level hold total (F,) besides."""
    for f in range(total.size):
        held[f] += total[f]


@njit(cache=True, error_model="numpy")
def member(row: Any, rate: float, total: Any, power: Any) -> None:
    """Move one member of all features, row (F,), on by what a level's windows brought.

    First all that need no exponential, without a branch, so that they are taken many at a time; the
    others, if there are any, are still as they were, and those that were moved are told by that.
    """
    odd = 0
    for f in range(row.size):
        gain = rate * (total[f] - 0.5 * rate * power[f])
        before, after = row[f], 1.0 + gain
        after = after if after > 0.0 else 0.0
        calm, still = (before <= 1.0) & (gain <= 0.0), power[f] == 0.0
        after = after if calm else before
        row[f] = before if still else after
        odd |= int(not (calm | still))
    if odd:
        for f in range(row.size):
            gain = rate * (total[f] - 0.5 * rate * power[f])
            if power[f] != 0.0 and not (row[f] <= 1.0 and gain <= 0.0):
                row[f] = grown(row[f], gain)


@njit(cache=True, error_model="numpy")
def move(
    r: Any, held: Any, spent: Any, count: int, up: Any, energy: Any, rates: Any, level: Any
) -> int:
    """Add one window to r (F, 2, J) in place; return the highest level that it moved.

    As `advance`, but for the tails, which have to be told of it by `sum_up`.
    """
    full, last, top = count + 1, spent.shape[2] - 1, 0
    while top < last and full % 2 == 0:
        full, top = full // 2, top + 1
    begin = begins(level, last + 1)
    ours, waits, used, features = r.T, held.T, spent.T, up.shape[1]
    for f in range(0, features, NEAR):
        to = f + NEAR if features - f > NEAR else features
        total, power = np.empty(to - f), np.empty(to - f)
        for side in range(2):
            put(total, up[side, f:to])
            put(power, energy[side, f:to])
            for one in range(top + 1):
                join(total, waits[one, side, f:to], total)
                join(power, used[one, side, f:to], power)
                for j in range(begin[one], begin[one + 1]):
                    member(ours[j, side, f:to], rates[j], total, power)
            if top < last:
                add_to(waits[top + 1, side, f:to], total)
                add_to(used[top + 1, side, f:to], power)
    return top


@njit(cache=True, error_model="numpy")
def sum_up(r: Any, level: Any, top: int, tails: Any) -> None:
    """Fill tails (L + 1, F) of levels up to `top` from r (F, 2, J); those above are as they were.

    tails: sums of r over signs and members of a level and all above.
    """
    rows = r.T
    begin, features = begins(level, tails.shape[0] - 1), tails.shape[1]
    for f in range(0, features, NEAR):
        to = f + NEAR if features - f > NEAR else features
        for one in range(top, -1, -1):
            mine = tails[one, f:to]
            mine[:] = 0.0
            for j in range(begin[one], begin[one + 1]):
                for side in range(2):
                    add_to(mine, rows[j, side, f:to])
            add_to(mine, tails[one + 1, f:to])


@njit(cache=True, error_model="numpy")
def advance(
    r: Any, held: Any, spent: Any, tails: Any, count: int, up: Any, energy: Any, rates: Any,
    level: Any,
) -> None:  # fmt: skip
    """Add one window to r (F, 2, J) in place: up, energy (2, F) of `both_sides`.

    A member goes to max(r, 1) e, which is at most (1 + r) e. rates, level (J,): lambda and level of
    each member, levels rising. held, spent (F, 2, L): what a level has of the windows since it was
    last full, but for what the levels below it still hold. tails (L + 1, F): of `sum_up`, kept up:
    levels that do not move need not be added again. count: windows before this one. Quick if
    features lie side by side in memory (order "F"), as `Evidence` has them.
    """
    sum_up(r, level, move(r, held, spent, count, up, energy, rates, level), tails)


@njit(cache=True, error_model="numpy")
def nats_of(tail: Any, members: int, out: Any) -> None:
    """Fill out (F,) with ln of the mean over signs and members; -700 at least.

    tail (F,): the first of the tails, the sum over all of them.
    """
    for f in range(out.size):
        total = tail[f] / (2.0 * members)
        out[f] = math.log(total) if total > 1e-300 else -700.0
