"""The keyed e-detector's recursion (compiled): float32, sixteen channels to an AVX-512 register.

Processes lie in tiles of TILE channels, process by process within a tile, so that one loop over
channels holds all of a channel's processes in registers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

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
_FLAGS = {"contract", "nsz"}

LIMITS = np.array([BOUND / LEAST_SCALE / 2**k for k in (2, 3, 4, 5)], dtype=np.float32)
"""Largest x - eps, in medians, that scales up to the third, then the fourth, fifth, sixth count.

Handed over at run time: known at compile time, the chain of limits would become branches.
"""


@njit(inline="always")
def _clip(value: Any, limit: Any) -> Any:
    value = limit if value > limit else value
    return -limit if value < -limit else value


@njit(inline="always")
def _grow(ratio: Any, e: Any) -> Any:
    return ratio * e + e


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _tile(
    row: Single, eps: Single, gain: Single, r: Single, out: Single, n: int, limits: Single
) -> None:
    """Advance n channels by one chip that all have; out: mean of their processes."""
    c2, c3, c4, c5 = limits[0], limits[1], limits[2], limits[3]
    rise, fall, low, high = RISE, FALL, LEAST_GAIN, MOST_GAIN
    for f in range(n):
        x, g, tol = row[f], gain[f], eps[f]
        after = g * fall if abs(x) * g > _ONE else g * rise
        after = low if after < low else after
        gain[f] = high if after > high else after
        p = _clip((x - tol) * g, c2)
        r0 = _grow(r[f], KEEP + _L0 * p)
        r1 = _grow(r[f + TILE], KEEP + _L1 * p)
        r2 = _grow(r[f + 2 * TILE], KEEP + _L2 * p)
        p = _clip(p, c3)
        r3 = _grow(r[f + 3 * TILE], KEEP + _L3 * p)
        p = _clip(p, c4)
        r4 = _grow(r[f + 4 * TILE], KEEP + _L4 * p)
        p = _clip(p, c5)
        r5 = _grow(r[f + 5 * TILE], KEEP + _L5 * p)
        r[f], r[f + TILE], r[f + 2 * TILE] = r0, r1, r2
        r[f + 3 * TILE], r[f + 4 * TILE], r[f + 5 * TILE] = r3, r4, r5
        total = ((r0 + r1) + (r2 + r3)) + (r4 + r5)
        p = _clip((-x - tol) * g, c2)
        r0 = _grow(r[f + 6 * TILE], KEEP + _L0 * p)
        r1 = _grow(r[f + 7 * TILE], KEEP + _L1 * p)
        r2 = _grow(r[f + 8 * TILE], KEEP + _L2 * p)
        p = _clip(p, c3)
        r3 = _grow(r[f + 9 * TILE], KEEP + _L3 * p)
        p = _clip(p, c4)
        r4 = _grow(r[f + 10 * TILE], KEEP + _L4 * p)
        p = _clip(p, c5)
        r5 = _grow(r[f + 11 * TILE], KEEP + _L5 * p)
        r[f + 6 * TILE], r[f + 7 * TILE], r[f + 8 * TILE] = r0, r1, r2
        r[f + 9 * TILE], r[f + 10 * TILE], r[f + 11 * TILE] = r3, r4, r5
        total = total + (((r0 + r1) + (r2 + r3)) + (r4 + r5))
        out[f] = total * _SHARE


@njit(cache=True, nogil=True, fastmath={"reassoc"}, error_model="numpy")
def _finite(x: Single) -> Any:
    """Return whether all values are finite: 0 times them sums to 0."""
    total = _NONE
    for t in range(x.shape[0]):
        for f in range(x.shape[1]):
            total += x[t, f] * _NONE
    return total == _NONE


@njit(cache=True, nogil=True)
def _cap(r: Single) -> None:
    for i in range(r.size):
        r[i] = CAP if r[i] > CAP else r[i]


@njit(cache=True, nogil=True)
def _mean(r: Single, f: int) -> Any:
    total = np.float32(0.0)
    for k in range(PROCESSES):
        total += r[f + k * TILE]
    return total * _SHARE


@njit(cache=True, nogil=True, error_model="numpy")
def _with_gaps(
    row: Single,
    eps: Single,
    gain: Single,
    r: Single,
    out: Single,
    n: int,
    limits: Single,
    spare: Single,
) -> None:
    """Advance n channels, some of which lack this chip: those are put back as they were."""
    held, filled = spare[: r.size], spare[r.size : r.size + n]
    held[:] = r
    kept = gain[:n].copy()
    for f in range(n):
        filled[f] = row[f] if row[f] == row[f] else np.float32(0.0)
    _tile(filled, eps, gain, r, out, n, limits)
    for f in range(n):
        if row[f] != row[f]:
            gain[f] = kept[f]
            for k in range(PROCESSES):
                r[f + k * TILE] = held[f + k * TILE]
            out[f] = _mean(r, f)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    x: Single,
    eps: Single,
    gain: Single,
    processes: Single,
    out: Single,
    limits: Single,
    spare: Single,
    done: int,
) -> None:
    """Advance by a block. x, out: (K, F), or out (1, F) for the last chip's; eps, gain: (F,);
    processes: whole tiles, flat.

    spare: (TILE * (PROCESSES + 1),), overwritten. done: chips before this block. NaN in x: this
    channel lacks this chip. Processes are capped whenever CAP_EVERY chips are full.
    """
    count, features = x.shape
    width = TILE * PROCESSES
    whole = _finite(x)
    for start in range(0, features, TILE):
        n = TILE if features - start > TILE else features - start
        e, g = eps[start : start + n], gain[start : start + n]
        tile = start // TILE
        r = processes[tile * width : tile * width + width]
        for t in range(count):
            told = t if out.shape[0] > 1 else 0
            row, seen = x[t, start : start + n], out[told, start : start + n]
            if whole:
                _tile(row, e, g, r, seen, n, limits)
            else:
                _with_gaps(row, e, g, r, seen, n, limits, spare)
            if (done + t) % CAP_EVERY == CAP_EVERY - 1:
                _cap(r)
