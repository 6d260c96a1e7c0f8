"""Compiled half of `evidence`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

MOST = 1e300
"""Evidence is capped here; a smaller figure is always allowed."""


@njit(cache=True)
def statistic(sum_: float, root: float, loud: float, tolerance: float) -> float:
    """Return z of one window: (sum - n eps) over (root + sqrt(n) eps), from below if negative.

    root: of the sum of squares. `evidence` has the proof.
    """
    if loud <= 0.0:
        return 0.0
    above = sum_ - loud * tolerance
    slack = math.sqrt(loud) * tolerance
    if above > 0.0:
        return above / (root + slack)
    below = root - slack
    if below <= 0.0:
        return -math.sqrt(loud)
    low = above / below
    return low if low > -math.sqrt(loud) else -math.sqrt(loud)


@njit(cache=True)
def advance(
    r: Any,
    held: Any,
    heard: Any,
    count: int,
    z: Any,
    loud: Any,
    rates: Any,
    level: Any,
) -> None:
    """Add one window: z (F, 2) of both signs, loud (F,), to r (F, 2, J) in place.

    rates, level (J,): lambda and level of each member. held (F, 2, L), heard (F, L): what the
    levels have summed so far and how many sound windows of it. count: windows before this one.
    """
    features, levels, members = z.shape[0], heard.shape[1], rates.size
    for f in range(features):
        sound = 1.0 if loud[f] > 0.0 else 0.0
        for one in range(levels):
            heard[f, one] += sound
            for side in range(2):
                held[f, side, one] += z[f, side]
        for j in range(members):
            one = level[j]
            if (count + 1) % (1 << one) != 0 or heard[f, one] == 0.0:
                continue
            size = math.sqrt(heard[f, one])
            for side in range(2):
                up = rates[j] * held[f, side, one] / size - 0.5 * rates[j] * rates[j]
                grown = (1.0 + r[f, side, j]) * math.exp(up if up < 600.0 else 600.0)
                r[f, side, j] = grown if grown < MOST else MOST
        for one in range(levels):
            if (count + 1) % (1 << one) == 0:
                heard[f, one] = 0.0
                for side in range(2):
                    held[f, side, one] = 0.0


@njit(cache=True)
def both_sides(s1: Any, s2: Any, loud: Any, offset: Any, tolerance: Any, out: Any) -> None:
    """Fill out (F, 2) with z upward and downward of sums taken about `offset` (F,)."""
    for f in range(s1.size):
        n = loud[f]
        first = s1[f] - n * offset[f]
        square = s2[f] - 2.0 * offset[f] * s1[f] + n * offset[f] * offset[f]
        root = math.sqrt(square) if square > 0.0 else 0.0
        out[f, 0] = statistic(first, root, n, tolerance[f])
        out[f, 1] = statistic(-first, root, n, tolerance[f])


@njit(cache=True)
def nats_of(r: Any, out: Any) -> None:
    """Fill out (F,) with ln of the mean of r (F, 2, J) over signs and members; -700 at least."""
    for f in range(r.shape[0]):
        total = 0.0
        for side in range(2):
            for j in range(r.shape[2]):
                total += r[f, side, j] / (2.0 * r.shape[2])
        out[f] = math.log(total) if total > 1e-300 else -700.0


NOTHING = np.empty(0)
