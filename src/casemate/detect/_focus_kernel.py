"""FOCuS for a known mean of 0 (compiled): candidates for a change are corners of a convex hull.

A change at tau with shift m > 0 gains m (S_n - S_tau) - m^2 (n - tau) / 2. Over all m only points
(tau, S_tau) on the lower convex hull can be best, and of those only where it rises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Real = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _push(times: Whole, sums: Real, count: int, time: int, total: float) -> int:
    """Add the newest point to a hull, dropping corners that it hides; return the new count."""
    while count > 0:
        rise = total - sums[count - 1]
        run = time - times[count - 1]
        if count == 1:
            hidden = rise <= 0.0
        else:
            before = sums[count - 1] - sums[count - 2]
            hidden = rise * (times[count - 1] - times[count - 2]) <= before * run
        if not hidden:
            break
        count -= 1
    times[count], sums[count] = time, total
    return count + 1


@njit(cache=True, nogil=True)
def scan(times: Whole, sums: Real, count: int, time: int, total: float) -> tuple[float, int]:
    """Return the largest gain in nats over a hull's corners, and which corner has it."""
    most, lead = 0.0, count - 1
    for k in range(count):
        rise = total - sums[k]
        if rise > 0.0:
            gain = rise * rise / (2.0 * (time - times[k]))
            if gain > most:
                most, lead = gain, k
    return most, lead


@njit(cache=True, nogil=True)
def advance(
    x: Real, times: Whole, sums: Real, counts: Whole, totals: Real, done: int, out: Real
) -> Any:
    """Advance by rows of x (K, F) until a hull is full; return how many were taken.

    times, sums: (F, 2, size); counts: (F, 2); totals: (F,); side 1 sees -x.
    """
    size = times.shape[2]
    for t in range(x.shape[0]):
        if counts.max() >= size:
            return t
        for f in range(x.shape[1]):
            before = totals[f]
            totals[f] = before + x[t, f]
            most = 0.0
            for side in range(2):
                sign = 1.0 - 2.0 * side
                hull, height = times[f, side], sums[f, side]
                count = _push(hull, height, counts[f, side], done + t, sign * before)
                counts[f, side] = count
                gain, _ = scan(hull, height, count, done + t + 1, sign * totals[f])
                most = gain if gain > most else most
            out[t, f] = most
    return x.shape[0]
