"""FOCuS: the likelihood ratio of a shift of any size since any time, exactly, in one pass.

Romano, Eckley, Fearnhead, Rigaill, "Fast online changepoint detection via functional pruning CUSUM
statistics", JMLR 24 (2023), for Gaussian noise of variance 1 around a known mean of 0, both sides.
Some ten corners a side are kept after a million samples of noise; a convex series keeps all of its
points, and memory then grows with it. For fused and zone streams and for forensics: its threshold
is found by simulation, it carries no theorem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.detect import _focus_kernel as kernel

Real = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
_CORNERS = 32


@dataclass(slots=True, kw_only=True)
class FocusState:
    """Where FOCuS stands: corners of the hulls (F, 2, size), their counts (F, 2), sums (F,).

    Corners lie in order "F": most streams have one a side, and those are side by side then.
    """

    samples: int
    totals: Real
    counts: Whole
    times: Whole
    sums: Real

    def copy(self) -> FocusState:
        """Return an independent copy."""
        return FocusState(
            samples=self.samples,
            totals=self.totals.copy(),
            counts=self.counts.copy(),
            times=self.times.copy(order="F"),
            sums=self.sums.copy(order="F"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The likeliest change of each stream, arrays (F,).

    nats: gain over no change. time: samples before it. size: shift since then, in sigma.
    """

    nats: Real
    time: Whole
    size: Real


def start(streams: int) -> FocusState:
    """Return FOCuS at rest for so many streams."""
    if streams < 1:
        raise InputError("FOCuS needs a stream.", remedy="give 1 or more.", value=streams)
    return FocusState(
        samples=0,
        totals=np.zeros(streams),
        counts=np.zeros((streams, 2), dtype=np.int64),
        times=np.zeros((streams, 2, _CORNERS), dtype=np.int64, order="F"),
        sums=np.zeros((streams, 2, _CORNERS), order="F"),
    )


def advance(state: FocusState, x: Real) -> Real:
    """Advance by x (K, F), in sigma, finite; return the statistic in nats after each sample."""
    if x.ndim != 2 or x.shape[1] != state.totals.size or not np.all(np.isfinite(x)):
        raise InputError(
            "a block of FOCuS needs shape (samples, streams) and finite values.",
            remedy="give residuals in sigma; leave out streams that lack samples.",
            value=(x.shape, state.totals.size),
        )
    return advance_finite(state, np.ascontiguousarray(x, dtype=np.float64))


def advance_finite(state: FocusState, given: Real) -> Real:
    """Advance by rows (K, F) that are known to be finite, as one array; else as `advance`."""
    out = np.empty(given.shape)
    done = 0
    while True:
        done += kernel.advance(
            given[done:], state.times, state.sums, state.counts, state.totals,
            state.samples + done, out[done:],
        )  # fmt: skip
        if done == given.shape[0]:
            break
        more = np.zeros_like(state.times), np.zeros_like(state.sums)
        state.times = np.asfortranarray(np.concatenate([state.times, more[0]], axis=2))
        state.sums = np.asfortranarray(np.concatenate([state.sums, more[1]], axis=2))
    state.samples += done
    return out


def change(state: FocusState) -> Change:
    """Return the likeliest change of each stream so far; at rest: 0 nats, now, size 0."""
    streams = state.totals.size
    nats, size = np.zeros(streams), np.zeros(streams)
    time = np.full(streams, state.samples, dtype=np.int64)
    for f in range(streams):
        for side, sign in ((0, 1.0), (1, -1.0)):
            count = int(state.counts[f, side])
            hull = state.times[f, side]
            height = state.sums[f, side]
            total = sign * float(state.totals[f])
            gain, lead = kernel.scan(hull, height, count, state.samples, total)
            if gain > nats[f]:
                nats[f], time[f] = gain, hull[lead]
                size[f] = sign * (total - height[lead]) / (state.samples - hull[lead])
    return Change(nats=nats, time=time, size=size)
