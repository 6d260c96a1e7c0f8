"""Compiled half of `blocks`: which rows of a block answer which chip, and what they sum up to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import as_int, put, raise_by

MISSING, LATE, CLIPPED, NOT_A_NUMBER, OUT_OF_ORDER = 1, 2, 4, 8, 16
RATE, STALLED, UNIT, RESET = 32, 64, 128, 256
"""`core.samples.Health`."""
TIMELY = MISSING | LATE | OUT_OF_ORDER | RATE | RESET
"""Flags that tell nothing about the value: such a chip is left out."""
MOST = 1e6
"""Shares of nominal are limited to this, with their sign: decision 11, section 1."""
SAME = 32
"""Values that repeat bit for bit until a converter counts as stuck (`core.watch.Limits`)."""
SOUND, LOST, BLURRED, AT_END = 0, 1, 2, 3


@njit(cache=True)
def align(
    t_s: Any, chip: Any, first: int, count: int, chip_s: float, patience: int, slack_s: float,
    most: int, floor: int, last: int, last_s: float, odd: int, flags: Any,
) -> Any:  # fmt: skip
    """Fill flags (K,) with 0 where a row is the next chip of its stream; return the new place.

    first, count: chips that are known. most: highest number that is due. floor: lowest that is not
    counted as lost already. last, last_s: number and time of the last good row, -1 and nan if none;
    odd: rows since then that came at a strange time. After `patience` such rows on end the stream
    goes on from where it now stands; but it never goes back to a chip that has been answered.
    """
    for k in range(chip.size):
        c, t = chip[k], t_s[k]
        if c < 0 or c < first or c >= first + count or c <= last:
            flags[k] = OUT_OF_ORDER
            continue
        if not np.isfinite(t):
            flags[k] = LATE
            continue
        strange = c > most or c < floor
        if last >= 0:
            strange = strange or not abs(t - last_s - (c - last) * chip_s) <= slack_s
        if strange:
            odd += 1
            if odd < patience:
                flags[k] = LATE
                continue
            floor = 0
        flags[k] = 0
        last, last_s, odd = c, t, 0
        most = most if most > c else c
    return last, last_s, odd


@njit(cache=True)
def judged(value: float, flags: int, run: int) -> int:
    """Return whether one value is sound, lost whatever it was, lost for what it was, at an end."""
    if flags & TIMELY:
        return LOST
    if flags & ~CLIPPED or value != value or run >= SAME:
        return BLURRED
    return AT_END if flags & CLIPPED or not np.isfinite(value) else SOUND


@njit(cache=True)
def clean(row: Any, flags: Any, last: Any, inverse: Any, share: Any) -> Any:
    """Fill share (C,) with values over nominal; return whether a row is sound and repeats nothing.

    Without a branch, so that it is vectorised: it is what nearly all rows are.
    """
    odd = 0
    for c in range(row.size):
        value = row[c]
        part = value * inverse[c]
        odd |= int(flags[c]) | int(value == last[c]) | int(not abs(value) < np.inf)
        part = MOST if part > MOST else part
        share[c] = -MOST if part < -MOST else part
    return odd == 0


@njit(cache=True)
def in_order(first: Any, channels: int) -> bool:
    """Return whether feature f reads channel f alone, for all channels."""
    odd = int(first.size != channels)
    for f in range(first.size):
        odd |= int(first[f] != f)
    return odd == 0


@njit(cache=True)
def of_one(share: Any, one: Any, total: Any) -> None:
    """Fill total (F,) with what features of one sound channel each read, in their order."""
    for f in range(total.size):
        total[f] = one[f] * share[f]


@njit(cache=True)
def by_feature(
    share: Any, first: Any, second: Any, one: Any, two: Any, pairs: bool, total: Any
) -> None:
    """Fill total (F,) with what features of sound channels read."""
    if pairs:
        for f in range(total.size):
            total[f] = one[f] * share[first[f]] + two[f] * share[second[f]]
    else:
        for f in range(total.size):
            total[f] = one[f] * share[first[f]]


@njit(cache=True)
def add_silent(total: Any, power: Any) -> None:
    """Add a silent chip of sound features (F,)."""
    for f in range(total.size):
        power[f] += total[f] * total[f]


@njit(cache=True)
def add_loud(total: Any, over: float, expected: Any, s1: Any, s2: Any) -> None:
    """Add a loud chip of sound features (F,); total becomes what each is off.

    With a fifth array the compiler would have to prove more of them apart than it does, and would
    take one feature at a time.
    """
    for f in range(total.size):
        off = total[f] * over - expected[f]
        total[f] = off
        s1[f] += off
        s2[f] += off * off


@njit(cache=True)
def in_noises(off: Any, shared: Any, scale: Any, x: Any) -> None:
    """Fill x (F,) with off less shared, in noises."""
    for f in range(off.size):
        x[f] = np.float32((off[f] - shared[f]) * scale[f])


@njit(cache=True)
def gather(
    values: Any, health: Any, drive: Any, use: Any, nominal: Any, first: Any, second: Any,
    weight: Any, expected: Any, noise: Any, shared: Any, last: Any, run: Any, said: Any,
    sums: Any, blurred: Any, x: Any, pieces: Any, quick: bool,
) -> int:  # fmt: skip
    """Add rows of one window to sums (5, F): s1, s2, loud, quiet power, quiet; sums[5]: at an end.

    values, health (K, C); drive (K,), real; use (K,): rows that count. last, run, said (C,): last
    value, how often it repeated, flags so far. blurred (F,): a chip was lost for its value.
    x (K, F): its first rows become keyed chips less `shared`, in noises, nan where lost; return how
    many: those that count and are loud. pieces (P, 4): where channels and features begin and end
    that are summed together, of `blocks.pieces_of`. quick: take the short way with sound rows,
    which comes to the same.
    """
    loud = 0
    for p in range(pieces.shape[0]):
        c, end, f, to = pieces[p, 0], pieces[p, 1], pieces[p, 2], pieces[p, 3]
        other = second[f:to].copy()
        for i in range(to - f):
            other[i] = other[i] - c if other[i] >= 0 else -1
        loud = gather_piece(
            values, health, drive, use, c, f, nominal[c:end], first[f:to] - c, other, weight[f:to],
            expected[f:to], noise[f:to], shared[f:to], last[c:end], run[c:end], said[c:end],
            sums, blurred[f:to], x, quick,
        )  # fmt: skip
    return loud


@njit(cache=True)
def paired(first: Any, second: Any, two: Any) -> bool:
    """Let second (F,) be some channel, and its weight two (F,) 0, where there is none.

    Return whether there is one anywhere.
    """
    found = False
    for f in range(first.size):
        if second[f] < 0:
            second[f], two[f] = first[f], 0.0
        else:
            found = True
    return found


@njit(cache=True)
def gather_piece(
    values: Any, health: Any, drive: Any, use: Any, c: int, f: int, nominal: Any, first: Any,
    second: Any, weight: Any, expected: Any, noise: Any, shared: Any, last: Any, run: Any,
    said: Any, sums: Any, blurred: Any, x: Any, quick: bool,
) -> int:  # fmt: skip
    """Do what `gather` does for channels from c on and features from f on.

    values, health, sums and x are whole, all else is cut to these channels and features.
    """
    channels, features = nominal.size, first.size
    inverse, scale = 1.0 / nominal, 1.0 / noise
    share, what = np.empty(channels), np.empty(channels, dtype=np.int64)
    one, two, total = weight[:, 0].copy(), weight[:, 1].copy(), np.empty(features)
    other, to = second.copy(), f + features
    pairs = paired(first, other, two)
    plain = not pairs and in_order(first, channels)
    counted, fresh, row, at = np.zeros(2), False, np.empty(features, dtype=np.float32), 0
    for k in range(drive.size):
        loud = drive[k] != 0.0
        over = 1.0 / drive[k] if loud else 0.0
        mine, flags = values[k, c : c + channels], health[k, c : c + channels]
        if quick and use[k] and clean(mine, flags, last, inverse, share):
            put(last, mine)
            fresh = True
            if plain:
                of_one(share, one, total)
            else:
                by_feature(share, first, other, one, two, pairs, total)
            if loud:
                add_loud(total, over, expected, sums[0, f:to], sums[1, f:to])
                counted[0] += 1.0
                in_noises(total, shared, scale, x[at, f:to])
                at += 1
            else:
                add_silent(total, sums[3, f:to])
                counted[1] += 1.0
            continue
        if fresh:
            run[:], fresh = 1, False
        one_row(
            mine, flags, use[k], loud, over, inverse, first, second, weight, expected,
            shared, scale, last, run, said, share, what, sums[:, f:to], blurred, row,
        )  # fmt: skip
        if use[k] and loud:
            put(x[at, f:to], row)
            at += 1
    if fresh:
        run[:] = 1
    raise_by(sums[2, f:to], counted[0])
    raise_by(sums[4, f:to], counted[1])
    return at


@njit(cache=True)
def one_row(
    row: Any, health: Any, use: bool, loud: bool, over: float, inverse: Any, first: Any,
    second: Any, weight: Any, expected: Any, shared: Any, scale: Any, last: Any, run: Any,
    said: Any, share: Any, what: Any, sums: Any, blurred: Any, x: Any,
) -> None:  # fmt: skip
    """Add a row in which anything may be wrong."""
    look(row, health, use, inverse, last, run, said, share, what)
    x[:] = np.nan
    if use:
        add_row(
            loud, over, what, share, first, second, weight, expected, shared, scale, sums, blurred,
            x,
        )  # fmt: skip


@njit(cache=True)
def look(
    row: Any, health: Any, use: bool, inverse: Any, last: Any, run: Any, said: Any, share: Any,
    what: Any,
) -> None:  # fmt: skip
    """Fill share and what (C,) for a row in which something may be wrong; move last, run, said."""
    for c in range(row.size):
        value, flags = row[c], int(health[c])
        run[c] = run[c] + 1 if value == last[c] else 1
        last[c] = value
        if not use:
            continue
        part = value * inverse[c]
        part = MOST if part > MOST else part
        share[c] = -MOST if part < -MOST else part
        what[c] = SOUND
        if flags == 0 and run[c] < SAME and np.isfinite(value):
            continue
        kind = judged(value, flags, run[c])
        what[c] = kind
        if run[c] >= SAME:
            flags |= STALLED
        if kind == BLURRED and flags == 0:
            flags = NOT_A_NUMBER
        if kind == AT_END:
            flags |= CLIPPED
        said[c] |= flags


@njit(cache=True)
def add_row(
    loud: bool, over: float, what: Any, share: Any, first: Any, second: Any, weight: Any,
    expected: Any, shared: Any, scale: Any, sums: Any, blurred: Any, x: Any,
) -> None:  # fmt: skip
    """Add a row in which channels may be lost, blurred or at an end."""
    for f in range(first.size):
        one, two = what[first[f]], SOUND
        total = weight[f, 0] * share[first[f]]
        if second[f] >= 0:
            two = what[second[f]]
            total += weight[f, 1] * share[second[f]]
        if one == BLURRED or two == BLURRED:
            blurred[f] = True
        elif one == LOST or two == LOST:
            continue
        elif not loud:
            sums[3, f] += total * total
            sums[4, f] += 1.0
        else:
            off = total * over - expected[f]
            sums[0, f] += off
            sums[1, f] += off * off
            sums[2, f] += 1.0
            if one == AT_END or two == AT_END:
                sums[5, f] += 1.0
            x[f] = np.float32((off - shared[f]) * scale[f])


@njit(cache=True)
def gather_field(
    values: Any, health: Any, drive: Any, place: Any, use: Any, heard: Any, count: Any, power: Any,
    quiet: Any, blurred: Any, said: Any,
) -> None:  # fmt: skip
    """Add rows (K, L) of one block of a cavity to heard (L, T, V), count (L, T) and the rest (L,).

    An infinity counts as lost for its value: it has no phase.
    """
    for k in range(drive.size):
        if not use[k] or place[k] < 0 or place[k] >= count.shape[1]:
            continue
        for link in range(power.size):
            value, flags = values[k, link], int(health[k, link])
            size = abs(value)
            kind = judged(size, flags, as_int(1))
            if kind == AT_END and not np.isfinite(size):
                kind = BLURRED
            if kind == BLURRED and flags == 0:
                flags = NOT_A_NUMBER
            said[link] |= flags
            if kind == BLURRED:
                blurred[link] = True
            elif kind == LOST:
                continue
            elif drive[k] == 0.0:
                power[link] += value.real * value.real + value.imag * value.imag
                quiet[link] += 2.0
            elif count[link, place[k]] < heard.shape[2]:
                heard[link, place[k], count[link, place[k]]] = value / drive[k]
                count[link, place[k]] += 1
