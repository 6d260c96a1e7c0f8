"""A two-sided CUSUM of one drift over many channels, as fast as memory brings samples.

S = max(0, S + x - k), and the same for -x. For whitened, clipped series whose null is trusted; for
shifts of unknown size and length see `pyramid`. What is missing is for the caller to leave out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.detect import _aligned
from casemate.detect import _cusum_kernel as kernel

Single = npt.NDArray[np.float32]


@dataclass(slots=True, kw_only=True)
class CusumState:
    """Where the sums stand, in sigma: high, low (F,). drift: k."""

    drift: float
    high: Single
    low: Single

    def copy(self) -> CusumState:
        """Return an independent copy."""
        return CusumState(
            drift=self.drift, high=_aligned.copy(self.high), low=_aligned.copy(self.low)
        )


def start(channels: int, drift: float) -> CusumState:
    """Return sums at rest; drift: half the shift that it is fastest for, in sigma."""
    if channels < 1 or not drift >= 0.0:
        raise InputError(
            "a CUSUM needs a channel and a drift of 0 or more.",
            remedy="correct them.",
            value=(channels, drift),
        )
    return CusumState(drift=drift, high=_aligned.zeros(channels), low=_aligned.zeros(channels))


def advance(state: CusumState, x: Single) -> Single:
    """Advance by x (K, F) float32; return the highest sum of each channel in the block, (F,).

    Any split gives the same sums. Where the peak passes the threshold, a copy from before the block
    finds the sample.
    """
    if x.dtype != np.float32 or x.ndim != 2 or x.shape[1] != state.high.size:
        raise InputError(
            "a block of a CUSUM needs shape (samples, channels) and float32.",
            remedy="give whitened residuals in sigma.",
            value=(x.shape, str(x.dtype), state.high.size),
        )
    peak = _aligned.zeros(state.high.size)
    kernel.advance(x, state.high, state.low, peak, np.float32(state.drift))
    return peak
