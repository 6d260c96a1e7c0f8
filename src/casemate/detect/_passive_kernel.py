"""Compiled half of `passive`: one window of C sensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import put_rows
from casemate.detect._bank_kernel import median_of


@njit(cache=True)
def off(
    values: Any, lost: Any, nominal: Any, spread: Any, log: Any, kind: Any, kinds: int,
    furthest: float, x: Any,
) -> bool:  # fmt: skip
    """Fill x (C,): how far values (C,) are off in spreads, nan where lost or no number.

    kind (C,): sensors of one kind are held against their median; -1 against nominal. False if a
    logarithm is none: then x is not to be used.
    """
    for c in range(x.size):
        one = values[c]
        one = np.nan if lost[c] or not abs(one) < np.inf else one
        if log[c] and one == one:
            size = abs(nominal[c])
            if size == 0.0:
                return False
            one = math.log((one if one > 1e-9 else 1e-9) / size)
        x[c] = one
    centre, group = np.empty(x.size), np.empty(x.size)
    for c in range(x.size):
        centre[c] = 0.0 if log[c] else nominal[c]
    for g in range(kinds):
        known = 0
        for c in range(x.size):
            if kind[c] == g and x[c] == x[c]:
                group[known] = x[c]
                known += 1
        middle = median_of(group[:known]) if known else np.nan
        for c in range(x.size):
            if kind[c] == g:
                centre[c] = middle
    for c in range(x.size):
        one = (x[c] - centre[c]) / spread[c]
        one = furthest if one > furthest else one
        x[c] = -furthest if one < -furthest else one
    return True


@njit(cache=True)
def innovations(x: Any, at: Any, taps: Any, memory: Any, made: Any, limit: float, z: Any) -> bool:
    """Fill z[at] with innovations of x[at], one each, and made (P, F) with the filter after them.

    taps (P + 1,): of `whiten.Factory`. memory (P, F). False, and nothing to be used, if one is no
    number or beyond `limit`: that takes the long way.
    """
    order = memory.shape[0]
    for f in range(at.size):
        now = x[at[f]]
        done = taps[0] * now + memory[0, f]
        if not abs(done) <= limit:
            return False
        z[at[f]] = done
    for p in range(order):
        for f in range(at.size):
            one = taps[p + 1] * x[at[f]]
            made[p, f] = one + memory[p + 1, f] if p + 1 < order else one
    return True


@njit(cache=True)
def sides(x: Any, z: Any, slack: Any, bound: Any, noise: Any, up: Any, down: Any) -> None:
    """Fill up and down (2 C,) with both sides of innovations, then of what is beyond the bound."""
    size = x.size
    for c in range(size):
        up[c] = np.float32(z[c] - slack[c])
        up[size + c] = np.float32((x[c] - bound[c]) / noise[c])
        down[c] = np.float32(-z[c] - slack[c])
        down[size + c] = np.float32((-x[c] - bound[c]) / noise[c])


@njit(cache=True)
def standing(
    told: Any, stands: Any, peak: Any, full: float, most: int, filled: Any, nats: Any
) -> bool:  # fmt: skip
    """Take scores told (2 C,) of one window; stands and peak (C,) move on as `passive` has them.

    filled (C,): whose evidence is `full`. nats (C,): what is shown. Return whether any is full.
    """
    size, some = nats.size, False
    for c in range(size):
        one, other = np.float64(told[c]), np.float64(told[size + c])
        top = one if one > other else other
        filled[c] = top >= full
        if filled[c]:
            stands[c], peak[c], some = most, top, True
        else:
            stands[c] = stands[c] - 1 if stands[c] > 1 else 0
            peak[c] = peak[c] if stands[c] > 0 else 0.0
        nats[c] = peak[c] if stands[c] > 0 and peak[c] > top else top
    return some


@njit(cache=True)
def soundly(x: Any, taps: Any, innovation: float, limit: float, memory: Any, done: Any) -> None:
    """Fill done (K, F) with innovations of x (K, F), clipped, as `whiten.whiten_soundly` has them.

    taps (P + 1,), P at least 1. memory (P, F) moves on. A calm block is filtered as it is; in any
    other each sample is what was expected and its clipped innovation.
    """
    before = memory.copy()
    calm = True
    for k in range(x.shape[0]):
        for f in range(x.shape[1]):
            done[k, f] = taps[0] * x[k, f] + memory[0, f]
            calm = calm and abs(done[k, f]) <= limit
            _remember(taps, memory, f, x[k, f])
    if calm:
        return
    put_rows(memory, before)
    for k in range(x.shape[0]):
        for f in range(x.shape[1]):
            guess = -memory[0, f] * innovation
            z = (x[k, f] - guess) / innovation
            z = limit if z > limit else z
            z = -limit if z < -limit else z
            done[k, f] = z
            z = z if z == z else 0.0
            _remember(taps, memory, f, guess + z * innovation)


@njit(cache=True, inline="always")
def _remember(taps: Any, memory: Any, f: int, now: float) -> None:
    """Move memory (P, F) of one channel on by a sample."""
    last = memory.shape[0] - 1
    for p in range(last):
        memory[p, f] = taps[p + 1] * now + memory[p + 1, f]
    memory[last, f] = taps[last + 1] * now
