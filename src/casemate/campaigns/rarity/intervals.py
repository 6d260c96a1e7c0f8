"""Exact intervals from counts: shares of trials, rates over an exposure, quantiles.

No normal approximation: C. J. Clopper and E. S. Pearson, Biometrika 26, 1934 (shares); F. Garwood,
Biometrika 28, 1936 (rates); order statistics for quantiles (H. A. David, Order Statistics, 2.5).
All are conservative: they cover at least with the confidence asked.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError

Side = Literal["both", "low", "high"]
"""both: (1 - confidence)/2 in each tail. low or high: all of it in one, the other end is trivial.

A claim "at least p" or "at most r" needs one side only.
"""


def clopper_pearson(
    successes: int, trials: int, confidence: float = 0.95, *, side: Side = "both"
) -> tuple[float, float]:
    """Return (low, high) of the probability of success after `successes` of `trials`.

    With no success low is 0, with nothing else high is 1. Raises InputError unless
    0 <= successes <= trials, trials >= 1 and 0 < confidence < 1.
    """
    from scipy.special import betaincinv

    below, above = _tails(confidence, side)
    if trials < 1 or not 0 <= successes <= trials:
        raise InputError(
            "a share needs at least one trial and no more successes than trials.",
            remedy="count each trial once.",
            value=(successes, trials),
        )
    low, high = 0.0, 1.0
    if successes > 0 and below > 0.0:
        low = float(betaincinv(successes, trials - successes + 1, below))
    if successes < trials and above > 0.0:
        high = float(betaincinv(successes + 1, trials - successes, 1.0 - above))
    return low, high


def poisson_rate(
    count: int, exposure: float, confidence: float = 0.95, *, side: Side = "both"
) -> tuple[float, float]:
    """Return (low, high) of a rate after `count` events in `exposure`, per unit of exposure.

    Events must be independent: join those of one cluster first. Without an event high is
    -ln(1 - confidence)/exposure one-sided (3/exposure at 95 %). Raises InputError unless count >= 0
    and exposure > 0.
    """
    from scipy.special import gammainccinv, gammaincinv

    below, above = _tails(confidence, side)
    if count < 0 or not (exposure > 0.0 and math.isfinite(exposure)):
        raise InputError(
            "a rate needs a count of at least 0 and a finite exposure above 0.",
            remedy="give what was watched, in time or samples.",
            value=(count, exposure),
        )
    low = float(gammaincinv(count, below)) if count > 0 and below > 0.0 else 0.0
    high = float(gammainccinv(count + 1, above)) if above > 0.0 else math.inf
    return low / exposure, high / exposure


def trials_for(probability: float, confidence: float = 0.95, *, misses: int = 0) -> int:
    """Return the fewest trials that show at least `probability` if `misses` of them fail.

    One-sided: `clopper_pearson(n - misses, n, confidence, side="low")[0] >= probability`.
    0.999 at 95 % without a miss: 2,995. Raises InputError unless 0 < probability < 1.
    """
    _tails(confidence, "low")
    if not 0.0 < probability < 1.0 or misses < 0:
        raise InputError(
            "a claim needs a probability between 0 and 1, and misses of at least 0.",
            remedy="1 can never be shown by trials.",
            value=(probability, misses),
        )

    def shown(trials: int) -> bool:
        low = clopper_pearson(trials - misses, trials, confidence, side="low")[0]
        return low >= probability

    if misses == 0:
        # p^n <= 1 - confidence; the last digit is settled by what the interval itself says
        guess = max(1, math.ceil(math.log1p(-confidence) / math.log(probability)) - 1)
        while not shown(guess):
            guess += 1
        return guess
    few, many = misses, misses + 1
    while not shown(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if shown(middle) else (middle, many)
    return many


def quantile_interval(
    values: npt.ArrayLike, share: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return two of `values` (n,) between which the quantile `share` lies, of any continuous law.

    inf stands for what never came (a delay of a miss). An end that the sample does not carry is
    -inf or inf: the 0.99 quantile has an upper end from 368 values on (95 %). Raises InputError if
    there are no values, or one is nan.
    """
    from scipy.special import bdtr

    below, _ = _tails(confidence, "both")
    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    n = ordered.size
    if n == 0 or bool(np.isnan(ordered).any()) or not 0.0 < share < 1.0:
        raise InputError(
            "a quantile needs values without nan, and a share between 0 and 1.",
            remedy="give a miss as inf.",
            value=(n, share),
        )
    # at most `number` of n lie below the quantile: binomial distribution function
    at_most = np.asarray(bdtr(np.arange(n + 1), n, share))
    first = int(np.count_nonzero(at_most[:n] <= below))  # largest l with P(B <= l - 1) <= below
    last = int(np.searchsorted(at_most, 1.0 - below)) + 1  # smallest u with P(B >= u) <= below
    low = float(ordered[first - 1]) if first > 0 else -math.inf
    high = float(ordered[last - 1]) if last <= n else math.inf
    return low, high


def _tails(confidence: float, side: Side) -> tuple[float, float]:
    if not 0.0 < confidence < 1.0:
        raise InputError(
            "a confidence lies between 0 and 1.", remedy="give 0.95 for 95 %.", value=confidence
        )
    left = 1.0 - confidence
    return {"both": (left / 2.0, left / 2.0), "low": (left, 0.0), "high": (0.0, left)}[side]
