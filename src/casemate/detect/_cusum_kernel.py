"""A two-sided CUSUM over a block (compiled): eight samples a pass, so that memory limits it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Single = npt.NDArray[np.float32]
_ZERO = np.float32(0.0)


@njit(inline="always")
def _floor(value: Any) -> Any:
    return _ZERO if value < _ZERO else value


@njit(inline="always")
def _larger(a: Any, b: Any) -> Any:
    return a if a > b else b


@njit(cache=True, nogil=True, error_model="numpy")
def _eight(x: Single, high: Single, low: Single, peak: Single, drift: Any) -> None:
    x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    for f in range(high.size):
        up, down, most = high[f], low[f], peak[f]
        v = x0[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        most = _larger(most, _larger(up, down))
        v = x1[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        most = _larger(most, _larger(up, down))
        v = x2[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        most = _larger(most, _larger(up, down))
        v = x3[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        most = _larger(most, _larger(up, down))
        v = x4[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        most = _larger(most, _larger(up, down))
        v = x5[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        most = _larger(most, _larger(up, down))
        v = x6[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        most = _larger(most, _larger(up, down))
        v = x7[f]
        up, down = _floor(up + (v - drift)), _floor(down - (v + drift))
        high[f], low[f] = up, down
        peak[f] = _larger(most, _larger(up, down))


@njit(cache=True, nogil=True, error_model="numpy")
def _one(x: Single, high: Single, low: Single, peak: Single, drift: Any) -> None:
    for f in range(high.size):
        v = x[f]
        up, down = _floor(high[f] + (v - drift)), _floor(low[f] - (v + drift))
        high[f], low[f] = up, down
        peak[f] = _larger(peak[f], _larger(up, down))


@njit(cache=True, nogil=True, error_model="numpy")
def advance(x: Single, high: Single, low: Single, peak: Single, drift: Any) -> None:
    """Advance by a block x (K, F); high, low (F,) move on, peak (F,) is raised."""
    count = x.shape[0]
    t = 0
    while t + 8 <= count:
        _eight(x[t : t + 8], high, low, peak, drift)
        t += 8
    while t < count:
        _one(x[t], high, low, peak, drift)
        t += 1
