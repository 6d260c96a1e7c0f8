"""Compiled half of `live`, `bank` and `silence`: what one window of F features comes to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

LN2 = math.log(2.0)


@njit(cache=True, error_model="numpy")
def close(
    sums: Any, blurred: Any, noise: Any, share: float, found: Any, open_: Any, lost: Any
) -> None:
    """Fill found (5, F) with s1, s2, loud, quiet power over noise^2, quiet, and open_, lost (F,).

    sums (6, F), blurred (F,): of `gather`; what is blurred counts as nothing. share: of loud chips
    at an end from which a feature stands open.
    """
    for f in range(noise.size):
        gone = blurred[f]
        s1, s2 = 0.0 if gone else sums[0, f], 0.0 if gone else sums[1, f]
        loud, power = 0.0 if gone else sums[2, f], 0.0 if gone else sums[3, f]
        quiet, ends = 0.0 if gone else sums[4, f], 0.0 if gone else sums[5, f]
        mean = power / quiet if quiet > 0.0 else 0.0
        found[0, f], found[1, f], found[2, f] = s1, s2, loud
        found[3, f], found[4, f] = mean / (noise[f] * noise[f]), quiet
        open_[f] = loud > 0.0 and ends >= share * loud
        lost[f] = loud == 0.0


@njit(cache=True, error_model="numpy")
def all_sound(s1: Any, s2: Any, loud: Any, power: Any, quiet: Any) -> bool:
    """Return whether sums (K, F) are finite and no count is below 0."""
    odd = 0
    for k in range(s1.shape[0]):
        for f in range(s1.shape[1]):
            size = abs(s1[k, f]) + abs(s2[k, f]) + abs(loud[k, f])
            size += abs(power[k, f]) + abs(quiet[k, f])
            odd |= int(not size < np.inf) | int(loud[k, f] < 0.0) | int(quiet[k, f] < 0.0)
    return odd == 0


@njit(cache=True, error_model="numpy")
def shared_of(group: Any, expected: Any, common: Any, out: Any) -> None:
    """Fill out (F,) with what common modes (G,) do to each feature."""
    for f in range(out.size):
        tied = group[f] >= 0 and common.size > 0
        out[f] = common[group[f]] * expected[f] if tied else 0.0 * expected[f]


@njit(cache=True, error_model="numpy")
def beyond(
    s1: Any, loud: Any, shared: Any, own: Any, step: Any, noise: Any, out: Any
) -> None:  # fmt: skip
    """Fill out (F,): how far a window lies beyond what is followed and its step, in noises."""
    for f in range(out.size):
        off = s1[f] / loud[f] - (shared[f] + own[f]) if loud[f] > 0.0 else 0.0
        over = abs(off) - step[f]
        over = over if over > 0.0 else 0.0
        out[f] = (over if off > 0.0 else -over) / noise[f] * math.sqrt(loud[f])


@njit(cache=True, error_model="numpy")
def hear(
    s1: Any, s2: Any, loud: Any, quiet_power: Any, quiet: Any, noise: Any, keep: float,
    power: Any, count: Any, last: Any,
) -> None:  # fmt: skip
    """Take one window (F,) into running power and count (F,); last: its own mean power, or 1."""
    for f in range(noise.size):
        n = loud[f]
        free = n - 1.0 if n > 1.0 else 0.0
        mean = s1[f] * s1[f] / (n if n > 1.0 else 1.0)
        scatter = s2[f] - mean
        scatter = scatter if scatter > 0.0 else 0.0
        heard = quiet_power[f] * quiet[f] + scatter / (noise[f] * noise[f])
        came = quiet[f] + free
        power[f] = keep * power[f] + heard
        count[f] = keep * count[f] + came
        last[f] = heard / came if came > 0.0 else 1.0


@njit(cache=True, error_model="numpy")
def inform(
    must: Any, bound: Any, noise: Any, group: Any, expected: Any, common_doubt: Any, loud: Any,
    lost: Any, louder: Any, out: Any,
) -> None:  # fmt: skip
    """Fill out (F,) with nats that a window brings about the least change to be caught."""
    for f in range(out.size):
        tied = group[f] >= 0 and common_doubt.size > 0
        unsure = common_doubt[group[f]] * abs(expected[f]) if tied else 0.0 * abs(expected[f])
        least = must[f] - (bound[f] + unsure)
        ratio = (least if least > 0.0 else 0.0) / (noise[f] * louder[f])
        full = 0.5 * loud[f] * (ratio * ratio)
        most = LN2 * loud[f]
        out[f] = 0.0 if lost[f] else (full if full < most else most)


@njit(cache=True, error_model="numpy")
def outcome(s1: Any, loud: Any, own: Any, bound: Any, off: Any, at_bound: Any) -> None:
    """Fill off (F,) with the last window's mean, nan without one, and whether states stand at their
    bounds (F,).
    """
    for f in range(off.size):
        off[f] = s1[f] / loud[f] if loud[f] > 0.0 else np.nan
        at_bound[f] = abs(own[f]) >= bound[f]


@njit(cache=True, error_model="numpy")
def louder_than(power: Any, count: Any, least: float, at: Any, mean: Any) -> int:
    """List features (F,) whose mean power over `count` is at least `least`, and over 1: at, mean.

    Return how many they are.
    """
    found = 0
    for f in range(power.size):
        if count[f] > 0.0:
            one = power[f] / count[f]
            if one >= least and one > 1.0:
                at[found], mean[found] = f, one
                found += 1
    return found


@njit(cache=True, error_model="numpy")
def limited(z: Any, most: float, out: Any) -> None:
    """Fill out (F,) with z within -most .. most, 0 where it is no number."""
    for f in range(z.size):
        one = z[f] if z[f] == z[f] else 0.0
        one = most if one > most else one
        out[f] = -most if one < -most else one


@njit(cache=True, error_model="numpy")
def levelled(drive: Any, share: float) -> bool:
    """Return whether the powers of chips (K,) are of more than one level, further than `share`."""
    low, high = np.inf, 0.0
    for k in range(drive.size):
        power = drive[k] * drive[k]
        low = power if power < low else low
        high = power if power > high else high
    return drive.size > 0 and high > low * (1.0 + share)
