"""The keyed e-detector's recursion (compiled): float32, sixteen channels side by side (`_wide`).

All that is kept lies in one array, `room`: processes in tiles of TILE channels, process by process
within a tile, then gains, then tolerances, then what is overwritten. So a call hands over three
arrays, which takes less time than its arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from casemate.core._rows_kernel import as_int
from casemate.detect._wide import (
    LANES,
    above,
    every,
    fused,
    larger,
    load,
    minus,
    plus,
    size,
    smaller,
    store,
    times,
)

Single = npt.NDArray[np.float32]

TILE = 256
SCALES = 6
PROCESSES = 2 * SCALES
LEAST_SCALE = 1.0 / 32.0
"""Smallest bet: optimal for a shift of 0.05 sigma of Gaussian noise (its median is 0.67 sigma)."""
BOUND = 15.0 / 16.0
"""Largest bet: 1 + BOUND is the most that one chip can multiply evidence with."""
KEEP = np.float32(1.0 - 2.0**-20)
"""What rounding can add to an e-value, with room: decision 11, section 1."""
CAP = np.float32(2.0**100)
CAP_EVERY = 16
"""A chip at most doubles a process, so the sum of all stays below 12 * 2^116."""
RISE = np.float32(1.0 + 1.0 / 32.0)
"""Step of the median's tracker: it follows an octave in 23 chips (planning value)."""
FALL = np.float32(1.0) / RISE
LEAST_GAIN = np.float32(2.0**-40)
MOST_GAIN = np.float32(4.0)

_NONE, _ONE = np.float32(0.0), np.float32(1.0)
_SHARE = np.float32(1.0 / PROCESSES)
_L0 = np.float32(KEEP * LEAST_SCALE)
_L1 = np.float32(_L0 * 2.0)
_L2 = np.float32(_L0 * 4.0)
_L3 = np.float32(_L0 * 8.0)
_L4 = np.float32(_L0 * 16.0)
_L5 = np.float32(_L0 * 32.0)
_SPARE = TILE * (PROCESSES + 2)
"""Values at the end of a room: processes and gains of a tile, and a row of it."""

LIMITS = np.array([BOUND / LEAST_SCALE / 2**k for k in (2, 3, 4, 5)], dtype=np.float32)
"""Largest x - eps, in medians, that scales up to the third, then the fourth, fifth, sixth count."""
_C2, _C3, _C4, _C5 = LIMITS


def room_size(features: int) -> int:
    """Return how many float32 a room for F channels has."""
    return -(-features // TILE) * TILE * (PROCESSES + 2) + _SPARE


@njit(inline="always")
def _clip(value: Any, limit: Any, least: Any) -> Any:
    return larger(least, smaller(limit, value))


@njit(inline="always")
def _grown(before: Any, rate: Any, p: Any) -> Any:
    """Return R e + e, e = KEEP + rate p."""
    e = fused(every(rate), p, every(KEEP))
    return fused(before, e, e)


@njit(inline="always")
def _limited(value: Any, tolerance: Any, gain: Any) -> Any:
    return _clip(times(minus(value, tolerance), gain), every(_C2), every(-_C2))


@njit(inline="always")
def _put(room: Any, at: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    store(room, at, a)
    store(room, at + TILE, b)
    store(room, at + 2 * TILE, c)
    store(room, at + 3 * TILE, d)
    store(room, at + 4 * TILE, e)
    store(room, at + 5 * TILE, f)


@njit(cache=True, nogil=True, error_model="numpy")
def _row(
    x: Any, x_at: int, out: Any, out_at: int, room: Any, at: tuple[int, int, int], n: int
) -> None:
    """Advance n channels, whole LANES, by one chip; out: mean of their processes.

    at: where in the room their processes, gains and tolerances begin.
    """
    r, g, e = at
    for f in range(0, n, LANES):
        value, gain, tolerance = load(x, x_at + f), load(room, g + f), load(room, e + f)
        # all that is put back is fetched first: rows lie 1 kB apart, and a processor takes a fetch
        # for one of what it is about to put 4 kB away
        r0, r1 = load(room, r + f), load(room, r + f + TILE)
        r2, r3 = load(room, r + f + 2 * TILE), load(room, r + f + 3 * TILE)
        r4, r5 = load(room, r + f + 4 * TILE), load(room, r + f + 5 * TILE)
        r6, r7 = load(room, r + f + 6 * TILE), load(room, r + f + 7 * TILE)
        r8, r9 = load(room, r + f + 8 * TILE), load(room, r + f + 9 * TILE)
        r10, r11 = load(room, r + f + 10 * TILE), load(room, r + f + 11 * TILE)
        fall, rise = times(gain, every(FALL)), times(gain, every(RISE))
        after = above(times(size(value), gain), every(_ONE), fall, rise)
        after = larger(every(LEAST_GAIN), after)
        p = _limited(value, tolerance, gain)
        q = _limited(minus(every(_NONE), value), tolerance, gain)
        r0, r6 = _grown(r0, _L0, p), _grown(r6, _L0, q)
        r1, r7 = _grown(r1, _L1, p), _grown(r7, _L1, q)
        r2, r8 = _grown(r2, _L2, p), _grown(r8, _L2, q)
        p, q = _clip(p, every(_C3), every(-_C3)), _clip(q, every(_C3), every(-_C3))
        r3, r9 = _grown(r3, _L3, p), _grown(r9, _L3, q)
        p, q = _clip(p, every(_C4), every(-_C4)), _clip(q, every(_C4), every(-_C4))
        r4, r10 = _grown(r4, _L4, p), _grown(r10, _L4, q)
        p, q = _clip(p, every(_C5), every(-_C5)), _clip(q, every(_C5), every(-_C5))
        r5, r11 = _grown(r5, _L5, p), _grown(r11, _L5, q)
        store(room, g + f, smaller(every(MOST_GAIN), after))
        _put(room, r + f, r0, r1, r2, r3, r4, r5)
        _put(room, r + f + SCALES * TILE, r6, r7, r8, r9, r10, r11)
        up = plus(plus(plus(r0, r1), plus(r2, r3)), plus(r4, r5))
        down = plus(plus(plus(r6, r7), plus(r8, r9)), plus(r10, r11))
        store(out, out_at + f, times(plus(up, down), every(_SHARE)))


@njit(cache=True, nogil=True, error_model="numpy")
def _whole(
    x: Single,
    x_at: int,
    out: Single,
    out_at: int,
    room: Single,
    at: tuple[int, int, int],
    n: int,
    spare: int,
) -> None:
    """Advance n channels that all have a chip; what fills no LANES goes by way of `spare`.

    x, out: flat.
    """
    full = n // LANES * LANES
    _row(x, x_at, out, out_at, room, at, full)
    if full == n:
        return
    for i in range(LANES):
        room[spare + i] = x[x_at + full + i] if full + i < n else _NONE
    r, g, e = at
    here, one = (r + full, g + full, e + full), as_int(LANES)
    _row(room, spare, room, spare + LANES, room, here, one)
    for i in range(n - full):
        out[out_at + full + i] = room[spare + LANES + i]


@njit(cache=True, nogil=True, error_model="numpy")
def _finite(x: Single, room: Single, spare: int) -> Any:
    """Return whether all values of x, flat, are finite: 0 times them sums to 0.

    spare: overwritten.
    """
    count, none = x.size, every(_NONE)
    a, b, total = none, none, _NONE
    whole = count // (2 * LANES) * (2 * LANES)
    for i in range(0, whole, 2 * LANES):
        a, b = fused(load(x, i), none, a), fused(load(x, i + LANES), none, b)
    store(room, spare, plus(a, b))
    for i in range(LANES):
        total += room[spare + i]
    for i in range(whole, count):
        total += x[i] * _NONE
    return total == _NONE


@njit(cache=True, nogil=True)
def _cap(room: Single, at: int) -> None:
    for i in range(at, at + TILE * PROCESSES, LANES):
        store(room, i, smaller(every(CAP), load(room, i)))


@njit(cache=True, nogil=True)
def _mean(room: Single, at: int) -> Any:
    total = _NONE
    for k in range(PROCESSES):
        total += room[at + k * TILE]
    return total * _SHARE


@njit(cache=True, nogil=True, error_model="numpy")
def _with_gaps(
    x: Single,
    x_at: int,
    out: Single,
    out_at: int,
    room: Single,
    at: tuple[int, int, int],
    n: int,
    spare: int,
) -> None:
    """Advance n channels, some of which lack this chip: those are put back as they were.

    x, out: flat.
    """
    r, g, _ = at
    kept = spare + TILE * PROCESSES
    row = kept + TILE
    for i in range(TILE * PROCESSES):
        room[spare + i] = room[r + i]
    for f in range(n):
        room[kept + f] = room[g + f]
    whole = (n + LANES - 1) // LANES * LANES
    for f in range(whole):
        value = x[x_at + f] if f < n else _NONE
        room[row + f] = value if value == value else _NONE
    _row(room, row, room, row, room, at, whole)
    for f in range(n):
        out[out_at + f] = room[row + f]
        if x[x_at + f] != x[x_at + f]:
            room[g + f] = room[kept + f]
            for k in range(PROCESSES):
                room[r + f + k * TILE] = room[spare + f + k * TILE]
            out[out_at + f] = _mean(room, r + f)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(x: Single, out: Single, room: Single, done: int) -> None:
    """Advance by a block. x, out: (K, F), C-contiguous, or out (1, F) for the last chip's; room: of
    `room_size`, for F channels.

    done: chips before this block. NaN in x: this channel lacks this chip. Processes are capped
    whenever CAP_EVERY chips are full.
    """
    count, features = x.shape
    tiles = (features + TILE - 1) // TILE
    gains = tiles * TILE * PROCESSES
    bounds = gains + tiles * TILE
    spare = bounds + tiles * TILE
    rows, seen = x.reshape(-1), out.reshape(-1)
    whole = _finite(rows, room, spare)
    for tile in range(tiles):
        start = tile * TILE
        n = TILE if features - start > TILE else features - start
        at = tile * TILE * PROCESSES, gains + start, bounds + start
        for t in range(count):
            here = t * features + start
            told = here if out.shape[0] > 1 else start
            if whole:
                _whole(rows, here, seen, told, room, at, n, spare)
            else:
                _with_gaps(rows, here, seen, told, room, at, n, spare)
            if (done + t) % CAP_EVERY == CAP_EVERY - 1:
                _cap(room, at[0])
