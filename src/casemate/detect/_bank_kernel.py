"""Compiled half of `bank`: K windows on end, each held against the state that earlier ones left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import as_int
from casemate.detect._evidence_kernel import both_sides, move, sum_up

FORGETS = 0.5 / 64.0
"""Octaves a loud chip by which a noisy window is forgotten: c_t w_t of one size has equal signs all
through n chips once in 2^(n - 1) windows, and then looks calm. 64 chips make that 2^-63."""


@njit(cache=True, error_model="numpy")
def clipped(value: float, most: float) -> float:
    """Return value within -most .. most."""
    low = -most if value < -most else value
    return most if low > most else low


@njit(cache=True, error_model="numpy")
def doubted(doubt: float, error: float, share: float, most: float, cap: float) -> float:
    """Return how far a state may be off beyond its tolerance, after a window.

    error: by how much more than quiet noise the window's figure may be off. The state takes `share`
    of what is shown, so doubt d goes to (1 - share) d + share error, by at most `most` upwards.
    """
    goes = (1.0 - share) * doubt + share * error
    goes = goes if goes < doubt + most else doubt + most
    return goes if goes < cap else cap


FEW = 64
"""Values up to which sorting them in place is quicker than what numpy does (measured: 10 times for
a dozen)."""


@njit(cache=True, error_model="numpy")
def median_of(values: Any) -> float:
    """Return the median of values (n,), n >= 1, none nan; up to FEW are left sorted."""
    size = values.size
    if size > FEW:
        return float(np.median(values))
    for i in range(1, size):
        one, j = values[i], i - 1
        while j >= 0 and values[j] > one:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = one
    middle = size // 2
    if size % 2 == 1:
        return float(values[middle])
    return float((values[middle - 1] + values[middle]) / 2.0)


@njit(cache=True, error_model="numpy")
def common_towards(
    shown: Any,
    sound: Any,
    excess: Any,
    seconds: float,
    share: float,
    group: Any,
    expected: Any,
    bound: Any,
    rate: Any,
    late_s: float,
    common: Any,
    doubt: Any,
) -> None:
    """Move common (G,) towards the median of what is shown, and its doubt (G,), in place.

    The median lies between those of shown - excess and shown + excess, whatever interference does;
    features that are not sound may be anywhere. A state that was off by now may be so in the next
    window, as far as it falls behind at its rate: by what it moves in `late_s`.
    """
    size, groups = shown.size, common.size
    begin, at = np.zeros(groups + 2, dtype=np.int64), np.empty(size, dtype=np.int64)
    for f in range(size):
        if 0 <= group[f] < groups:
            begin[group[f] + 2] += 1
    for g in range(groups):
        begin[g + 2] += begin[g + 1]
    for f in range(size):
        if 0 <= group[f] < groups:
            at[begin[group[f] + 1]] = f
            begin[group[f] + 1] += 1
    ratio, low, high = np.empty(size), np.empty(size), np.empty(size)
    for g in range(groups):
        count, known, vague = begin[g + 1] - begin[g], 0, False
        cap = 2.0 * bound[g]
        for i in range(count):
            f = at[begin[g] + i]
            one, wide = 0.0, cap
            if sound[f]:
                one = shown[f] / expected[f]
                wide = excess[f] / abs(expected[f])
                ratio[known] = one
                known += 1
            low[i], high[i] = one - wide, one + wide
            vague |= wide != 0.0 or not sound[f]
        natural = rate[g] * seconds
        if known == 0:
            doubt[g] = doubted(doubt[g], cap, 1.0, natural, cap)
            continue
        middle = median_of(ratio[:known])
        error = 0.0  # where nothing is vague, both medians are the middle
        if vague:
            up, down = median_of(high[:count]) - middle, middle - median_of(low[:count])
            error = up if up > down else down
        most = 2.0 * natural
        if error <= doubt[g]:
            most += share * doubt[g]
        part = late_s / seconds if late_s < seconds else 1.0  # what comes in a window, of longer
        behind = clipped(part * abs(middle - common[g]), rate[g] * late_s)
        common[g] = clipped(common[g] + clipped(share * (middle - common[g]), most), bound[g])
        wide = doubted(doubt[g], error, share, 3.0 * natural, cap)
        doubt[g] = behind if behind > wide else wide


@njit(cache=True, error_model="numpy")
def towards(
    shown: Any,
    sound: Any,
    excess: Any,
    seconds: float,
    window_s: float,
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
    doubt: Any,
    common_doubt: Any,
) -> None:
    """Move own (F,) and common (G,) in place towards what is shown, and both doubts.

    excess (F,): by how much more than in quiet each figure may be off. window_s: of the windows
    that follow; a state falls behind by what comes in one, beside what its memory leaves.
    """
    quick = 1.0 - np.exp(-seconds / common_memory_s)
    late_s = common_memory_s + window_s
    share = 1.0 - np.exp(-seconds / memory_s)
    common_towards(
        shown, sound, excess, seconds, quick, group, expected, common_bound, common_rate, late_s,
        common, common_doubt,
    )  # fmt: skip
    for f in range(own.size):
        tied = group[f] >= 0 and common.size > 0
        cap, natural = 2.0 * bound[f], rate[f] * seconds
        if not sound[f]:
            doubt[f] = doubted(doubt[f], cap, 1.0, natural, cap)
            continue
        shared = expected[f] * common[group[f]] if tied else 0.0
        error = excess[f] + (abs(expected[f]) * common_doubt[group[f]] if tied else 0.0)
        most = natural + share * doubt[f] if error <= doubt[f] else natural
        step = clipped(share * (shown[f] - shared - own[f]), most)
        own[f] = clipped(own[f] + step, bound[f])
        doubt[f] = doubted(doubt[f], error, share, 2.0 * natural, cap)


@njit(cache=True, error_model="numpy")
def heard_in(
    s1: Any, s2: Any, loud: Any, noise: Any, restless: float, wide: float, heard: Any
) -> None:
    """Fill heard (F,) with how far the mean of a window may be off by more than quiet noise.

    `wide` standard deviations of the mean, from the scatter of its chips, as far as that lies above
    `restless` times the noise; decays over windows.
    """
    for f in range(s1.size):
        n = loud[f]
        if heard[f] != 0.0:
            heard[f] *= 2.0 ** (-FORGETS * n)
        if n > 1.0:
            scatter = (s2[f] - s1[f] * s1[f] / n) / (n - 1.0)
            over = np.sqrt(scatter if scatter > 0.0 else 0.0) - restless * noise[f]
            now = wide * over / np.sqrt(n)
            heard[f] = now if now > heard[f] else heard[f]


@njit(cache=True, error_model="numpy")
def tolerances(
    group: Any, expected: Any, bound: Any, step: Any, own: Any, common: Any, doubt: Any,
    common_doubt: Any, shown: Any, above: Any, below: Any, sudden: Any,
) -> None:  # fmt: skip
    """Fill, all (F,): what states say, what the anchor leaves above and below it, and the step."""
    for f in range(own.size):
        tied = group[f] >= 0 and common.size > 0
        unsure = abs(expected[f]) * common_doubt[group[f]] if tied else 0.0
        shown[f] = own[f] + (expected[f] * common[group[f]] if tied else 0.0)
        above[f] = bound[f] + unsure - own[f]
        below[f] = bound[f] + unsure + own[f]
        sudden[f] = step[f] + unsure + doubt[f]


@njit(cache=True, error_model="numpy")
def windows(
    s1: Any, s2: Any, loud: Any, open_: Any, window_s: float, memory_s: float,
    common_memory_s: float, group: Any, expected: Any, bound: Any, step: Any, rate: Any,
    common_bound: Any, common_rate: Any, own: Any, common: Any, doubt: Any, common_doubt: Any,
    heard: Any, noise: Any, restless: float, wide: float, rates: Any, level: Any, count: int,
    scale: Any, r_a: Any, held_a: Any, spent_a: Any, tails_a: Any, r_s: Any, held_s: Any,
    spent_s: Any, tails_s: Any,
) -> None:  # fmt: skip
    """Take in windows (K, F) one after the other; all states in place.

    Both tests are held against the tracked states, within what the anchor leaves above and below
    them, and within `step`; each tolerance is opened by the doubt about the states that it needs.
    """
    count_k, features = s1.shape
    top = as_int(-1)
    up, energy = np.empty((2, features)), np.empty((2, features))
    shown, sound = np.empty(features), np.empty(features, dtype=np.bool_)
    above, below, sudden = np.empty(features), np.empty(features), np.empty(features)
    for k in range(count_k):
        tolerances(
            group, expected, bound, step, own, common, doubt, common_doubt, shown, above, below,
            sudden,
        )  # fmt: skip
        both_sides(s1[k], s2[k], loud[k], shown, above, below, scale, up, energy)
        moved = move(r_a, held_a, spent_a, count + k, up, energy, rates, level)
        top = moved if moved > top else top
        both_sides(s1[k], s2[k], loud[k], shown, sudden, sudden, scale, up, energy)
        move(r_s, held_s, spent_s, count + k, up, energy, rates, level)
        heard_in(s1[k], s2[k], loud[k], noise, restless, wide, heard)
        for f in range(features):
            sound[f] = loud[k, f] > 1.0 and not open_[k, f]
            shown[f] = s1[k, f] / loud[k, f] if loud[k, f] > 0.0 else 0.0
        towards(
            shown, sound, heard, window_s, window_s, memory_s, common_memory_s, group, expected,
            bound, rate, common_bound, common_rate, own, common, doubt, common_doubt,
        )  # fmt: skip
    sum_up(r_a, level, top, tails_a)  # once, whatever the number of windows
    sum_up(r_s, level, top, tails_s)
