"""Compiled half of `evidence`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

MOST = 1e300
"""Evidence is capped here; a smaller figure is always allowed."""


@njit(cache=True)
def both_sides(
    s1: Any, s2: Any, loud: Any, offset: Any, above: Any, below: Any, scale: Any, up: Any,
    energy: Any,
) -> None:  # fmt: skip
    """Fill up (F, 2) with sums less what drift may add, energy (F, 2) with sums of squares of that.

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
            up[f, side] = sign * (s1[f] - n * edge) / scale[f] if some else 0.0
            energy[f, side] = square / (scale[f] * scale[f]) if some and square > 0.0 else 0.0


@njit(cache=True)
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


@njit(cache=True)
def begins(level: Any, levels: int) -> Any:
    """Return where each level's members begin, (levels + 1,): level (J,) rises."""
    found = np.zeros(levels + 1, dtype=np.int64)
    for j in range(level.size):
        found[level[j] + 1] = j + 1
    for one in range(levels):
        found[one + 1] = max(found[one + 1], found[one])
    return found


@njit(cache=True)
def advance(
    r: Any, held: Any, spent: Any, count: int, up: Any, energy: Any, rates: Any, level: Any
) -> None:
    """Add one window to r (F, 2, J) in place: up, energy (F, 2) of `both_sides`.

    A member goes to max(r, 1) e, which is at most (1 + r) e. rates, level (J,): lambda and level of
    each member, levels rising. held, spent (F, 2, L): what a level has of the windows since it was
    last full, but for what the levels below it still hold. count: windows before this one.
    """
    full, last, top = count + 1, spent.shape[2] - 1, 0
    while top < last and full % 2 == 0:
        full, top = full // 2, top + 1
    begin = begins(level, last + 1)
    n = begin[1]
    first, spare = rates[:n], np.empty(n)
    for f in range(up.shape[0]):
        for side in range(2):
            total = up[f, side] + held[f, side, 0]
            power = energy[f, side] + spent[f, side, 0]
            held[f, side, 0] = spent[f, side, 0] = 0.0
            row = r[f, side, :n]
            if power != 0.0:
                loud = 0
                for j in range(n):
                    gain = first[j] * (total - 0.5 * first[j] * power)
                    loud |= int(not gain <= 0.0) | int(not row[j] <= 1.0)
                    after = 1.0 + gain
                    spare[j] = after if after > 0.0 else 0.0
                if loud == 0:  # none needs an exponential
                    for j in range(n):
                        row[j] = spare[j]
                else:
                    for j in range(n):
                        row[j] = grown(row[j], first[j] * (total - 0.5 * first[j] * power))
            for one in range(1, top + 1):
                total += held[f, side, one]
                power += spent[f, side, one]
                held[f, side, one] = spent[f, side, one] = 0.0
                if power != 0.0:
                    for j in range(begin[one], begin[one + 1]):
                        gain = rates[j] * (total - 0.5 * rates[j] * power)
                        r[f, side, j] = grown(r[f, side, j], gain)
            if top < last:
                held[f, side, top + 1] += total
                spent[f, side, top + 1] += power


@njit(cache=True, fastmath={"reassoc"})
def _sum(row: Any) -> float:
    """Return the sum of a row, in any order: members are not negative, so 1e-14 of it at most."""
    total = 0.0
    for j in range(row.size):
        total += row[j]
    return total


@njit(cache=True)
def nats_of(r: Any, out: Any) -> None:
    """Fill out (F,) with ln of the mean of r (F, 2, J) over signs and members; -700 at least."""
    for f in range(r.shape[0]):
        total = (_sum(r[f, 0]) + _sum(r[f, 1])) / (2.0 * r.shape[2])
        out[f] = math.log(total) if total > 1e-300 else -700.0
