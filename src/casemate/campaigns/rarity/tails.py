"""How rarely a level is exceeded that no sample reached: generalised Pareto tails of excesses.

Peaks over a threshold (J. Pickands, Annals of Statistics 3, 1975); clusters count once by the
extremal index, estimated from the times between exceedances (C. A. T. Ferro and J. Segers, JRSS B
65, 2003); intervals of the rate beyond a level by its profile likelihood (S. Coles, An Introduction
to Statistical Modeling of Extreme Values, 2001, 4.3). An extrapolation is no guarantee: it audits a
threshold, and it says how far beyond the data it reaches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.campaigns.rarity.exact import Real
from casemate.core.errors import InputError

FEWEST = 30
"""Clusters below which no tail is fitted (planning value)."""
DECADES = 2.0
"""Decades beyond the rarest sample that a fit may be taken to carry (planning value)."""
EXPONENTIAL = 1e-9
"""Shapes nearer to 0 are taken as the exponential law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Exceedances of `threshold` in a series of `samples`: P(excess > y) = (1 + shape y/scale)^

    (-1/shape). `peaks` (n,) are the excesses that were fitted: one a cluster. `index`: extremal
    index, clusters over exceedances. `exceedances`: samples above the threshold.
    """

    threshold: float
    scale: float
    shape: float
    index: float
    exceedances: int
    samples: int
    peaks: Real

    @property
    def end(self) -> float:
        """Return the level that the fitted law never exceeds, inf unless the shape is below 0."""
        return self.threshold - self.scale / self.shape if self.shape < 0.0 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Rarity:
    """Clusters above `level` per sample, and their interval. `decades`: how many below the rarest

    that the series could show, one in all its samples. carried: whether that is within DECADES.
    """

    level: float
    rate: float
    low: float
    high: float
    confidence: float
    decades: float
    carried: bool

    @property
    def finding(self) -> str:
        """Return what has to be said with the figure, empty if nothing."""
        if self.carried:
            return ""
        return (
            f"far.extrapolated: {self.decades:.1f} decades beyond the recording, "
            f"{DECADES:g} are carried; take the figure as no more than a check of order"
        )


def extremal_index(series: npt.ArrayLike, threshold: float) -> float:
    """Return the extremal index of (n,) at a threshold, by intervals: 1 if exceedances stand alone.

    Raises InputError with fewer than 3 exceedances.
    """
    times = np.flatnonzero(np.asarray(series) > threshold)
    if times.size < 3:
        raise InputError("an extremal index needs 3 exceedances.", remedy="lower the threshold.",
                         value=int(times.size))  # fmt: skip
    gaps = np.diff(times).astype(np.float64)
    if gaps.max() <= 2.0:
        top, bottom = 2.0 * gaps.sum() ** 2, gaps.size * (gaps**2).sum()
    else:
        top = 2.0 * (gaps - 1.0).sum() ** 2
        bottom = gaps.size * ((gaps - 1.0) * (gaps - 2.0)).sum()
    return min(1.0, float(top / bottom))


def cluster_peaks(series: npt.ArrayLike, threshold: float) -> tuple[Real, float]:
    """Return the largest value of each cluster of exceedances of (n,), and the extremal index.

    The longest times between exceedances part the clusters: index x (count - 1) of them.
    """
    x = np.asarray(series, dtype=np.float64)
    index = extremal_index(x, threshold)
    times = np.flatnonzero(x > threshold)
    gaps = np.diff(times)
    count = math.floor(index * (times.size - 1))
    if index >= 1.0 or count >= gaps.size:
        return x[times], index
    shortest = np.sort(gaps)[::-1][count] if count < gaps.size else 0
    starts = np.flatnonzero(np.concatenate([[True], gaps > shortest]))
    return np.maximum.reduceat(x[times], starts), index


def fit_tail(series: npt.ArrayLike, threshold: float) -> Tail:
    """Return the tail of a stationary series (n,) above a threshold, by maximum likelihood.

    Raises InputError if it has nan, or fewer than FEWEST clusters lie above.
    """
    x = np.asarray(series, dtype=np.float64)
    if bool(np.isnan(x).any()):
        raise InputError("a series has nan.", remedy="leave them out, and their samples.")
    peaks, index = cluster_peaks(x, threshold)
    excess = peaks - threshold
    if excess.size < FEWEST:
        raise InputError(
            f"a tail needs {FEWEST} clusters above its threshold.",
            remedy="lower the threshold, or record for longer.", value=int(excess.size),
        )  # fmt: skip
    scale, shape = _fitted(excess)
    return Tail(
        threshold=threshold, scale=scale, shape=shape, index=index,
        exceedances=int((x > threshold).sum()), samples=x.size, peaks=excess,
    )  # fmt: skip


def rarity(tail: Tail, level: float, confidence: float = 0.95) -> Rarity:
    """Return how many clusters a sample exceed `level`, with the interval of profile likelihood

    for the tail and the exact one of Poisson for how often the threshold itself is exceeded; each
    takes half of what the confidence leaves. Raises InputError for a level below the threshold.
    """
    from casemate.campaigns.rarity.intervals import poisson_rate

    above = level - tail.threshold
    if not above >= 0.0:
        raise InputError("a level lies below the threshold of its tail.",
                         remedy="count the exceedances instead.", value=level)  # fmt: skip
    clusters = tail.peaks.size
    share = math.exp(_log_survival(above, tail.scale, tail.shape))
    each = 0.5 + confidence / 2.0
    few, many = poisson_rate(clusters, float(tail.samples), each)
    low, high = _profile(tail, above, each)
    rate = clusters / tail.samples * share
    # what one more sample could have shown is 1/n; a rate of 0 (beyond the end) counts its high
    told = rate if rate > 0.0 else max(high * many, 1e-300)
    decades = max(0.0, -math.log10(told * tail.samples))
    return Rarity(
        level=level, rate=rate, low=few * low, high=many * high, confidence=confidence,
        decades=decades, carried=decades <= DECADES,
    )  # fmt: skip


def _log_survival(above: float, scale: float, shape: float) -> float:
    if abs(shape) < EXPONENTIAL:
        return -above / scale
    inside = 1.0 + shape * above / scale
    return -math.log(inside) / shape if inside > 0.0 else -math.inf


def _log_likelihood(excess: Real, scale: float, shape: float) -> float:
    if not 0.0 < scale < math.inf:
        return -math.inf
    if abs(shape) < EXPONENTIAL:
        return float(-excess.size * math.log(scale) - excess.sum() / scale)
    inside = 1.0 + shape * excess / scale
    if inside.min() <= 0.0 or shape < -1.0:  # below -1 the likelihood has no maximum
        return -math.inf
    return float(-excess.size * math.log(scale) - (1.0 + 1.0 / shape) * np.log(inside).sum())


def _fitted(excess: Real) -> tuple[float, float]:
    """Return (scale, shape): for each shape/scale the best shape is a mean (S. D. Grimshaw,

    Technometrics 35, 1993), so the search has one dimension.
    """
    from scipy.optimize import minimize_scalar

    mean = float(excess.mean())

    def of(ratio: float) -> tuple[float, float]:
        if abs(ratio) * mean < 1e-7:
            return mean, 0.0
        shape = max(-1.0, float(np.log1p(ratio * excess).mean()))
        return shape / ratio, shape

    grid = _ratios(excess)[::4]
    values = np.array([_log_likelihood(excess, *of(float(each))) for each in grid])
    best = int(np.argmax(values))
    a, b = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, grid.size - 1)])
    found = minimize_scalar(lambda r: -_log_likelihood(excess, *of(r)), bounds=(a, b),
                            method="bounded", options={"xatol": 1e-10 * (b - a)})  # fmt: skip
    ratio = float(found.x) if -found.fun >= values[best] else float(grid[best])
    return of(ratio)


def _profile(tail: Tail, above: float, confidence: float) -> tuple[float, float]:
    """Return the interval of P(excess > above): its least and largest value among the laws whose

    log likelihood is within half the quantile of chi-square (1) of the best. With the ratio r =
    shape/scale held, that is n (v - ln v - 1) <= what is left, v = best shape/shape: Lambert's W.
    """
    from scipy.special import chdtri, lambertw

    x, n = tail.peaks, tail.peaks.size
    if above == 0.0:
        return 1.0, 1.0
    enough = _log_likelihood(x, tail.scale, tail.shape)
    enough -= 0.5 * float(chdtri(1, 1.0 - confidence))
    ratios = _ratios(x)
    ratios = np.concatenate([ratios[ratios != 0.0], [tail.shape / tail.scale or 1e-7 / x.mean()]])
    best = np.log1p(ratios[:, None] * x).mean(axis=1)
    left = (-n * np.log(best / ratios) - n * (1.0 + best) - enough) / n
    kept = left >= 0.0
    ratios, best, left = ratios[kept], best[kept], left[kept]
    inside = -np.exp(-1.0 - left)
    ends = [best / -lambertw(inside, branch).real for branch in (0, -1)]
    shapes = np.concatenate([np.maximum(-1.0, each) for each in ends])
    # a law with a shape below -1 has no likelihood to speak of; at -1 it is even to its end
    allowed = np.tile(np.maximum(*ends) >= -1.0, 2)
    reach = 1.0 + np.tile(ratios, 2) * above
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.where(reach > 0.0, -np.log(reach) / shapes, -np.inf)[allowed]
    return math.exp(float(logs.min())), math.exp(float(logs.max()))


def _ratios(excess: Real) -> Real:
    """Return ratios shape/scale from just above -1/top to far above 1/mean, dense at both ends."""
    near = -(1.0 - np.logspace(-8, 0, 300)) / float(excess.max())
    far = np.logspace(-6, 3, 400) / float(excess.mean())
    return np.unique(np.concatenate([near, -far[far < -near[0]], far, [0.0]]))
