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
    """Add one window to r (F, 2, J) in place: up, energy (F, 2) of `both_sides`.

    A member goes to max(r, 1) e, which is at most (1 + r) e. rates, level (J,): lambda and level of
    each member. held, spent (F, 2, L): what the levels have summed so far. count: windows before
    this one.
    """
    features, levels, members = up.shape[0], spent.shape[2], rates.size
    for f in range(features):
        for side in range(2):
            for one in range(levels):
                spent[f, side, one] += energy[f, side]
                held[f, side, one] += up[f, side]
            for j in range(members):
                one = level[j]
                if (count + 1) % (1 << one) != 0 or spent[f, side, one] == 0.0:
                    continue
                gain = rates[j] * held[f, side, one]
                gain -= 0.5 * rates[j] * rates[j] * spent[f, side, one]
                before = r[f, side, j] if r[f, side, j] > 1.0 else 1.0
                grown = before * math.exp(gain if gain < 600.0 else 600.0)
                r[f, side, j] = grown if grown < MOST else MOST
            for one in range(levels):
                if (count + 1) % (1 << one) == 0:
                    spent[f, side, one] = 0.0
                    held[f, side, one] = 0.0


@njit(cache=True)
def nats_of(r: Any, out: Any) -> None:
    """Fill out (F,) with ln of the mean of r (F, 2, J) over signs and members; -700 at least."""
    for f in range(r.shape[0]):
        total = 0.0
        for side in range(2):
            for j in range(r.shape[2]):
                total += r[f, side, j] / (2.0 * r.shape[2])
        out[f] = math.log(total) if total > 1e-300 else -700.0
