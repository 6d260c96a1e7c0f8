"""Mean time to alarm of a CUSUM by importance sampling: excursions drawn from the tilted law.

Under exp(theta U) times the null's law the walk climbs to the limit; an excursion that ends above h
at S counts exp(-theta S) (D. Siegmund, Annals of Statistics 4, 1976). The mean length of a cycle is
drawn from the null itself. ARL = length / p. The error does not grow with the ARL.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from casemate.campaigns.rarity.estimate import Estimate, estimate
from casemate.campaigns.rarity.exact import Cusum, Real
from casemate.campaigns.rarity.law import Steps
from casemate.core.errors import InputError, ProofError


def importance_arl(
    cusum: Cusum,
    generator: np.random.Generator,
    *,
    shift: float = 0.0,
    trials: int = 300_000,
    confidence: float = 0.95,
) -> Estimate:
    """Return the ARL of the CUSUM, residuals N(shift, 1), from `trials` excursions of either law.

    Two sides: two runs, rates added. The same generator state gives the same estimate. Raises
    InputError for fewer than 100 trials or steps that go up on average (then count instead).
    """
    from scipy.special import ndtri

    if trials < 100:
        raise InputError("an interval needs at least 100 trials.", remedy="give 1e5.", value=trials)
    logs, errors, total = [], [], 0
    for sign in (1.0, -1.0)[: cusum.sides]:
        log, error, steps = _side(cusum, sign * shift, generator, trials)
        logs.append(log)
        errors.append(error)
        total += steps
    rates = -np.asarray(logs)
    log_rate = float(np.logaddexp.reduce(rates))
    error = float(np.sqrt(np.sum((np.exp(rates - log_rate) * errors) ** 2)))
    quantile = float(ndtri(0.5 + confidence / 2.0))
    return estimate(-log_rate, error, confidence, quantile, trials * cusum.sides, total)


def _side(
    cusum: Cusum, shift: float, generator: np.random.Generator, trials: int
) -> tuple[float, float, int]:
    """Return (ln ARL, its standard error, samples drawn) of the upper side."""
    law = Steps(k=cusum.k, shift=shift, clip=cusum.clip)
    theta = law.exponent()
    if theta <= 0.0:
        raise InputError(
            "steps that go up on average make no rare alarm.", remedy="count, or use exact.arl.",
            key="shift", value=shift,
        )  # fmt: skip
    top, bottom, _ = law.tilted_mass(theta)
    tilted = _excursions(generator, trials, shift + theta, cusum.k, cusum.h, cusum.clip,
                         top, bottom, theta)  # fmt: skip
    high, low = law.atoms
    null = _excursions(generator, trials, shift, cusum.k, cusum.h, cusum.clip, high, low, 0.0)
    share, square, _, _, drawn = (float(x) for x in tilted)
    _, _, length, long_square, more = (float(x) for x in null)
    if share == 0.0:
        raise ProofError("no excursion reached the limit.", remedy="draw more of them.")
    p, mean = share / trials, length / trials
    relative = (square / trials - p * p) / (p * p) + (long_square / trials - mean * mean) / mean**2
    log = math.log(mean) - math.log(p) + theta * cusum.h
    return log, math.sqrt(relative / trials), int(drawn + more)


@njit(cache=True)
def _excursions(
    generator: np.random.Generator, trials: int, mean: float, k: float, h: float, clip: float,
    top: float, bottom: float, theta: float,
) -> Real:  # fmt: skip
    """Walk `trials` excursions from 0 until S <= 0 or S > h; steps are clip - k with probability

    `top`, -clip - k with `bottom`, else N(mean, 1) within the clip, less k. Return sums of the
    weight exp(-theta (S - h)) of those above h, of its square, of lengths, of their squares, and
    the number of samples.
    """
    clipped = top + bottom > 0.0
    weight = square = length = long_square = 0.0
    for _ in range(trials):
        s = 0.0
        n = 0
        while True:
            n += 1
            u = generator.random() if clipped else 1.0
            if u < top:
                x = clip
            elif u < top + bottom:
                x = -clip
            else:
                x = mean + generator.standard_normal()
                while clipped and (x > clip or x < -clip):
                    x = mean + generator.standard_normal()
            s += x - k
            if s <= 0.0 or s > h:
                break
        if s > h:
            w = math.exp(-theta * (s - h))
            weight += w
            square += w * w
        length += n
        long_square += n * n
    return np.array([weight, square, length, long_square, length])
