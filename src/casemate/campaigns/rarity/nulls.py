"""Nulls from recordings: frozen coefficients, shuffles, permuted blocks, and alarms on them.

Coefficients come from the first part of a recording and are frozen, as a factory's are; what
follows is held out. A shuffle keeps the marginal law and loses all memory; permuted blocks longer
than the correlation time keep what memory there is within a block. What a detector does on the one
and on the other, against what independent normals predict, tells tails from memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit

from casemate.campaigns.rarity.exact import Cusum, Real, arl
from casemate.campaigns.rarity.intervals import poisson_rate
from casemate.core.errors import InputError

Order = Literal["recorded", "blocks", "shuffled"]
Detector = Callable[[Real], int]
"""Alarms of one channel's residuals (T,), the detector begun anew after each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """How readings (T, C) become residuals in noises, fitted once: `mean`, `spread` (C,) of the

    readings; `memory` (P, C) of an AR(P) that whitens, P = 0 for none; `batch`: samples summed to
    one; `offset`, `scale` (C,): mean and spread of what comes out of the above; `clip` in noises.
    """

    mean: Real
    spread: Real
    memory: Real
    batch: int
    offset: Real
    scale: Real
    clip: float

    def residuals(self, values: Real) -> Real:
        """Return residuals ((T - P) // batch, C) of readings (T, C)."""
        x = _batched(_whitened((values - self.mean) / self.spread, self.memory), self.batch)
        return np.clip((x - self.offset) / self.scale, -self.clip, self.clip)


def freeze(first: Real, *, order: int = 0, batch: int = 1, clip: float = math.inf) -> Frozen:
    """Return coefficients fitted on the first part (T, C) of a recording, AR by least squares.

    Raises InputError if it has nan, fewer than 20 samples a coefficient, or a channel that rests.
    """
    if first.ndim != 2 or first.shape[0] < 20 * (order + 1) * batch or not np.isfinite(first).all():
        raise InputError(
            "coefficients need finite readings (T, C), 20 samples for each.",
            remedy="take a longer first part, a lower order or a smaller batch.",
            value=first.shape,
        )
    mean, spread = first.mean(axis=0), first.std(axis=0)
    if not (spread > 0.0).all():
        raise InputError("a channel never changes.", remedy="leave it out: it measures nothing.",
                         value=int(np.argmin(spread)))  # fmt: skip
    x = (first - mean) / spread
    memory = np.empty((order, x.shape[1]))
    for c in range(x.shape[1] if order else 0):
        past = np.column_stack([x[order - 1 - p : x.shape[0] - 1 - p, c] for p in range(order)])
        memory[:, c] = np.linalg.lstsq(past, x[order:, c], rcond=None)[0]
    out = _batched(_whitened(x, memory), batch)
    return Frozen(mean=mean, spread=spread, memory=memory, batch=batch,
                  offset=out.mean(axis=0), scale=out.std(axis=0), clip=clip)  # fmt: skip


def _whitened(x: Real, memory: Real) -> Real:
    order = memory.shape[0]
    out = x[order:].copy()
    for p in range(order):
        out -= memory[p] * x[order - 1 - p : x.shape[0] - 1 - p]
    return out


def _batched(x: Real, batch: int) -> Real:
    count = x.shape[0] // batch
    return np.asarray(x[: count * batch].reshape(count, batch, -1).sum(axis=1))


def correlation_time(x: Real) -> float:
    """Return the integrated correlation time of (T, C) in samples, 1 for white noise: the mean over

    channels, summed to 5 times itself (A. Sokal, Monte Carlo Methods in Statistical Mechanics).
    """
    y = x - x.mean(axis=0)
    n = y.shape[0]
    spectrum = np.abs(np.fft.rfft(y, 2 * n, axis=0)) ** 2
    by_lag = np.fft.irfft(spectrum, axis=0)[:n]
    rho = np.mean(by_lag / np.maximum(by_lag[0], 1e-300), axis=1)
    total = 1.0 + 2.0 * np.cumsum(rho[1:])
    enough = np.flatnonzero(np.arange(1, n) >= 5.0 * total)
    return float(max(1.0, total[enough[0]] if enough.size else total.max()))


def effective_channels(x: Real) -> float:
    """Return how many independent channels (T, C) is worth: (sum of eigenvalues)^2 over the sum of

    their squares, of the correlation matrix; C if all are independent, 1 if all are one.
    """
    if x.shape[1] == 1:
        return 1.0
    r = np.corrcoef(x, rowvar=False)
    return float(x.shape[1] ** 2 / np.sum(r * r))


def shuffled(x: Real, generator: np.random.Generator) -> Real:
    """Return the rows of (T, C) in random order; channels stay together."""
    return np.asarray(x[generator.permutation(x.shape[0])])


def block_permuted(x: Real, block: int, generator: np.random.Generator) -> Real:
    """Return blocks of `block` rows of (T, C) in random order, cut at a random place of the circle.

    Raises InputError unless at least 4 blocks fit.
    """
    if not 1 <= block <= x.shape[0] // 4:
        raise InputError("blocks are at least 4 to a recording.", remedy="take shorter ones.",
                         value=(block, x.shape[0]))  # fmt: skip
    rolled = np.roll(x, int(generator.integers(x.shape[0])), axis=0)
    starts = np.arange(0, x.shape[0], block)
    return np.concatenate([rolled[s : s + block] for s in generator.permutation(starts)])


@dataclass(frozen=True, slots=True, kw_only=True)
class NullCount:
    """Alarms on a null: `rate` a channel-sample with its exact interval at `confidence`.

    `samples`: channel-samples looked at, repeats of the order included. `exposure`: samples of the
    recording itself times effective channels; the interval rests on it, not on `samples`: to order
    the same readings anew is no new exposure. `predicted`: rate under independent normals, nan if
    unknown. `decades`: log10 of rate over predicted; with no alarm, of the interval's high end.
    """

    order: Order
    alarms: int
    samples: int
    exposure: float
    rate: float
    low: float
    high: float
    confidence: float
    predicted: float
    decades: float


def count_alarms(
    residuals: Real,
    detector: Detector | Cusum,
    generator: np.random.Generator,
    *,
    order: Order = "recorded",
    block: int = 1,
    repeats: int = 1,
    confidence: float = 0.95,
) -> NullCount:
    """Return what a detector does on residuals (T, C), channel by channel, in an order of rows.

    `repeats` new orders are averaged. A `Cusum` brings its exact rate along; its residuals have to
    be clipped as it says.
    """
    counts = [
        _alarms(detector, _ordered(residuals, order, block, generator)) for _ in range(repeats)
    ]
    samples = residuals.size * repeats
    exposure = residuals.shape[0] * effective_channels(residuals)
    rate = sum(counts) / samples
    # as many independent alarms as the exposure would have shown
    low, high = poisson_rate(round(rate * exposure), exposure, confidence)
    predicted = 1.0 / arl(detector) if isinstance(detector, Cusum) else math.nan
    told = rate if rate > 0.0 else high
    return NullCount(
        order=order, alarms=sum(counts), samples=samples, exposure=exposure, rate=rate,
        low=min(low, rate), high=max(high, rate), confidence=confidence, predicted=predicted,
        decades=math.log10(told / predicted) if predicted > 0.0 else math.nan,
    )  # fmt: skip


def _ordered(x: Real, order: Order, block: int, generator: np.random.Generator) -> Real:
    if order == "shuffled":
        return shuffled(x, generator)
    return block_permuted(x, block, generator) if order == "blocks" else x


def _alarms(detector: Detector | Cusum, x: Real) -> int:
    if isinstance(detector, Cusum):
        return int(_cusum_alarms(np.ascontiguousarray(x), detector.k, detector.h, detector.clip,
                                 detector.sides))  # fmt: skip
    return sum(detector(np.ascontiguousarray(x[:, c])) for c in range(x.shape[1]))


@njit(cache=True)
def _cusum_alarms(x: Real, k: float, h: float, clip: float, sides: int) -> int:
    """Return alarms of a CUSUM on each channel of (T, C); both sides begin anew after one."""
    count = 0
    for c in range(x.shape[1]):
        up = down = 0.0
        for t in range(x.shape[0]):
            value = x[t, c]
            value = clip if value > clip else (-clip if value < -clip else value)
            up = up + value - k if up + value > k else 0.0
            down = down - value - k if down - value > k else 0.0
            if up > h or (sides == 2 and down > h):
                count += 1
                up = down = 0.0
    return count
