"""Compiled half of `turned`: all that the end of one window asks of F features, in one call."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from casemate.core._rows_kernel import raise_by
from casemate.detect import _live_kernel as live
from casemate.detect._bank_kernel import windows
from casemate.detect._court_kernel import told
from casemate.detect._evidence_kernel import nats_of

ROWS, BITS = 13, 3
"""Rows of figures and of bits that a window fills, as `turn` has them."""


@njit(cache=True, error_model="numpy")
def loudest(power: Any, count: Any) -> Any:
    """Return the largest count of (F,), and the largest mean power of those that have any."""
    most, top = 0.0, 0.0
    for f in range(power.size):
        most = count[f] if count[f] > most else most
        one = power[f] / count[f] if count[f] > 0.0 else 0.0
        top = one if one > top else top
    return most, top


@njit(cache=True, error_model="numpy")
def turn(
    sums: Any, blurred: Any, said: Any, share: float, clip: float, noise: Any, bound: Any,
    step: Any, rate: Any, must: Any, group: Any, common_bound: Any, common_rate: Any, own: Any,
    common: Any, doubt: Any, common_doubt: Any, heard: Any, expected: Any, shared: Any,
    window_s: float, memory_s: float, common_memory_s: float, restless: float, wide: float,
    rates: Any, level: Any, count: int, scale: Any, r_a: Any, held_a: Any, spent_a: Any,
    tails_a: Any, r_s: Any, held_s: Any, spent_s: Any, tails_s: Any, power: Any, freedom: Any,
    last: Any, keep: float, fast: Any, weight: float, kept: float, rows: Any, bits: Any,
) -> Any:  # fmt: skip
    """End a window of sums (6, F) of `gather`; states as `_bank_kernel.windows` and `hear` move.

    rows (ROWS, F): the sums of `close`, then how far beyond what is followed, limited to `clip`;
    off; information; nats of both tests; those of the first with chips, and of all; noise. bits
    (BITS, F): open, lost, at the bound. shared (F,): moves on. Return whether sums were numbers; if
    not, nothing has been done. And whether all is lost, whether a channel said anything, and what
    `loudest` tells of interference.
    """
    live.close(sums, blurred, noise, share, rows[:5], bits[0], bits[1])
    s1, s2, loud, quiet_power, quiet = rows[0], rows[1], rows[2], rows[3], rows[4]
    if not live.all_sound(rows[0:1], rows[1:2], rows[2:3], rows[3:4], rows[4:5]):
        return False, False, False, 0.0, 0.0
    live.beyond(s1, loud, shared, own, step, noise, rows[5])
    live.limited(rows[5], clip, rows[5])
    windows(
        rows[0:1], rows[1:2], rows[2:3], bits[0:1], window_s, memory_s, common_memory_s, group,
        expected, bound, step, rate, common_bound, common_rate, own, common, doubt, common_doubt,
        heard, noise, restless, wide, rates, level, count, scale, r_a, held_a, spent_a, tails_a,
        r_s, held_s, spent_s, tails_s,
    )  # fmt: skip
    live.hear(s1, s2, loud, quiet_power, quiet, noise, keep, power, freedom, last)
    live.outcome(s1, loud, own, bound, rows[6], bits[2])
    for f in range(noise.size):
        rows[12, f] = math.sqrt(last[f] if last[f] > 1.0 else 1.0)
    live.inform(must, bound, noise, group, expected, common_doubt, loud, bits[1], rows[12], rows[7])
    nats_of(tails_a[0], rates.size, rows[8])
    nats_of(tails_s[0], rates.size, rows[9])
    raise_by(rows[8], kept)
    raise_by(rows[9], kept)
    told(rows[8], rows[9], fast, weight, rows[10], rows[11])
    live.shared_of(group, expected, common, shared)
    lost, any_said = True, False
    for f in range(noise.size):
        lost = lost and bits[1, f]
    for c in range(said.size):
        any_said = any_said or said[c] != 0
    sums[:] = 0.0
    blurred[:] = False
    most, top = loudest(power, freedom)
    return True, lost, any_said, most, top
