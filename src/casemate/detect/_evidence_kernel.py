"""Compiled half of `evidence`."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

MOST = 1e300
"""Evidence is capped here; a smaller figure is always allowed."""


@njit(cache=True)
def both_sides(
    s1: Any, s2: Any, loud: Any, offset: Any, above: Any, below: Any, scale: Any, up: Any,
    energy: Any,
) -> None:  # fmt: skip
    """Fill up (F, 2) with sums less tolerance, energy (F, 2) with sums of squares plus it.

    Both about `offset` (F,), over `scale` (F,) and its square; 0 where no chip was loud. above,
    below (F,): how far drift may lie above and below the offset, at least 0.
    """
    for f in range(s1.size):
        n = loud[f]
        first = s1[f] - n * offset[f]
        square = s2[f] - 2.0 * offset[f] * s1[f] + n * offset[f] * offset[f]
        root = math.sqrt(square) if square > 0.0 else 0.0
        for side in range(2):
            sign = 1.0 if side == 0 else -1.0
            slack = above[f] if side == 0 else below[f]
            up[f, side] = (sign * first - n * slack) / scale[f] if n > 0.0 else 0.0
            wide = (root + math.sqrt(n) * slack) / scale[f]
            energy[f, side] = wide * wide


@njit(cache=True)
def advance(
    r: Any, held: Any, spent: Any, count: int, up: Any, energy: Any, rates: Any, level: Any
) -> None:
    """Add one window to r (F, 2, J) in place: up, energy (F, 2) of `both_sides`; see `one_feature`.

    count: windows before this one.
    """
    for f in range(up.shape[0]):
        one_feature(r[f], held[f], spent[f], count, up[f], energy[f], rates, level)


@njit(cache=True)
def one_feature(
    r: Any, held: Any, spent: Any, count: int, up: Any, energy: Any, rates: Any, level: Any
) -> None:
    """Add one window to r (2, J) of a feature in place: up, energy (2,).

    A member goes to max(r, 1) e, which is at most (1 + r) e. rates, level (J,): lambda and level of
    each member, levels rising. held, spent (2, L): what a level has of the windows since it was
    last full, but for what the levels below it still hold. count: windows before this one.
    """
    full, last = count + 1, spent.shape[1] - 1
    top = 0
    while top < last and full % 2 == 0:
        full, top = full // 2, top + 1
    for side in range(2):
        total, power = up[side], energy[side]
        j = 0
        for one in range(top + 1):
            total += held[side, one]
            power += spent[side, one]
            held[side, one] = spent[side, one] = 0.0
            while j < rates.size and level[j] == one:
                if power != 0.0:
                    gain = rates[j] * (total - 0.5 * rates[j] * power)
                    r[side, j] = grown(r[side, j], gain)
                j += 1
        if top < last:
            held[side, top + 1] += total
            spent[side, top + 1] += power


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
def nats_of(r: Any, out: Any) -> None:
    """Fill out (F,) with ln of the mean of r (F, 2, J) over signs and members; -700 at least."""
    for f in range(r.shape[0]):
        total = 0.0
        for side in range(2):
            for j in range(r.shape[2]):
                total += r[f, side, j] / (2.0 * r.shape[2])
        out[f] = math.log(total) if total > 1e-300 else -700.0
