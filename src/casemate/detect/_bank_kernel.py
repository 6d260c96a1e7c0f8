"""Compiled half of `bank`: K windows on end, each held against the state that earlier ones left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.detect._evidence_kernel import advance, both_sides


@njit(cache=True)
def clipped(value: float, most: float) -> float:
    """Return value within -most .. most."""
    low = -most if value < -most else value
    return most if low > most else low


@njit(cache=True)
def towards(
    shown: Any,
    sound: Any,
    seconds: float,
    memory_s: float,
    common_memory_s: float,
    group: Any,
    expected: Any,
    bound: Any,
    rate: Any,
    common_bound: Any,
    common_rate: Any,
    own: Any,
    common: Any,
) -> None:
    """Move own (F,) and common (G,) in place towards what is shown, as `tracked` says."""
    features, groups = own.size, common.size
    ratio = np.empty(features)
    quick = 1.0 - np.exp(-seconds / common_memory_s)
    share = 1.0 - np.exp(-seconds / memory_s)
    for g in range(groups):
        count = 0
        for f in range(features):
            if group[f] == g and sound[f]:
                ratio[count] = shown[f] / expected[f]
                count += 1
        if count > 0:
            middle = np.median(ratio[:count])
            step = clipped(quick * (middle - common[g]), common_rate[g] * seconds)
            common[g] = clipped(common[g] + step, common_bound[g])
    for f in range(features):
        if sound[f]:
            shared = expected[f] * common[group[f]] if group[f] >= 0 and groups > 0 else 0.0
            step = clipped(share * (shown[f] - shared - own[f]), rate[f] * seconds)
            own[f] = clipped(own[f] + step, bound[f])


@njit(cache=True)
def windows(
    s1: Any,
    s2: Any,
    loud: Any,
    open_: Any,
    window_s: float,
    memory_s: float,
    common_memory_s: float,
    group: Any,
    expected: Any,
    bound: Any,
    step: Any,
    rate: Any,
    common_bound: Any,
    common_rate: Any,
    own: Any,
    common: Any,
    doubt: Any,
    noise: Any,
    restless: float,
    rates: Any,
    level: Any,
    count: int,
    scale: Any,
    r_a: Any,
    held_a: Any,
    spent_a: Any,
    r_s: Any,
    held_s: Any,
    spent_s: Any,
) -> None:
    """Take in windows (K, F) one after the other; all states in place.

    doubt (F,): share by which the sensitive test's tolerance is opened to twice the bound: 1 as
    soon as a window is lost or its chips scatter by more than `restless` times their noise's
    square, for then the state is not followed well; it heals in three memories.
    """
    features = s1.shape[1]
    up, energy = np.empty((features, 2)), np.empty(features)
    shared, shown, tolerance = np.empty(features), np.empty(features), np.empty(features)
    sound = np.empty(features, dtype=np.bool_)
    heals = np.exp(-window_s / (3.0 * memory_s))
    for k in range(s1.shape[0]):
        for f in range(features):
            tied = group[f] >= 0 and common.size > 0
            shared[f] = expected[f] * common[group[f]] if tied else 0.0
            n = loud[k, f]
            scatter = (s2[k, f] - s1[k, f] * s1[k, f] / n) / (n - 1.0) if n > 1.0 else np.inf
            calm = scatter <= restless * noise[f] * noise[f]
            doubt[f] = doubt[f] * heals if calm else 1.0
            tolerance[f] = step[f] + 2.0 * bound[f] * doubt[f]
        both_sides(s1[k], s2[k], loud[k], shared, bound, scale, up, energy)
        advance(r_a, held_a, spent_a, count + k, up, energy, rates, level)
        for f in range(features):
            shown[f] = shared[f] + own[f]
        both_sides(s1[k], s2[k], loud[k], shown, tolerance, scale, up, energy)
        advance(r_s, held_s, spent_s, count + k, up, energy, rates, level)
        for f in range(features):
            sound[f] = loud[k, f] > 0.0 and not open_[k, f]
            shown[f] = s1[k, f] / loud[k, f] if loud[k, f] > 0.0 else 0.0
        towards(
            shown, sound, window_s, memory_s, common_memory_s, group, expected, bound, rate,
            common_bound, common_rate, own, common,
        )  # fmt: skip
