"""How often the pyramid alarms by itself on white normal noise, at any rarity.

Levels go in blocks of BLOCK; a block is a small pyramid of its own, whose sample is a sum of 2^m,
and rates of blocks add (union bound). Within a block, importance sampling on the pyramid's state:
noise from a random start on follows the law under which one random component climbs, and an alarm
at T counts 1 / (likelihood ratio of the mixture over all components and starts), which is a mean of
Shiryaev-Roberts sums (D. Siegmund and B. Yakir, The Statistics of Gene Mapping, 2007, on such
mixtures; decision 20 derives it for levels). That ratio is at least the alarm's own evidence, so
weights are bounded and the error does not grow with the rarity. Where alarms are not rare they are
counted.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numba import njit

from casemate.campaigns.rarity.estimate import Estimate, estimate
from casemate.campaigns.rarity.exact import Real
from casemate.core.errors import InputError, ProofError
from casemate.detect.pyramid import CLIP, DRIFTS, MOST_LEVELS

BLOCK = 6
"""Levels simulated together; alarms that two blocks share are counted twice."""
FEW = 9.0
"""Nats at a block's base below which alarms are counted, not drawn by importance."""
COUNTED = 3_000_000
"""Samples of a block in which they are."""
SURE = 2.0
"""Standard errors by which a limit's rate stays below what was asked for."""
AIM = 0.88
"""Of the rate that was asked for; what comes out lies between its square and all of it."""
TURNS = 8
GAINED = 2.2
"""Nats that the pyramid is better than its bound, to begin with."""
TILTS = (1.0, 2.5)
"""Shifts of level 0 that noise is drawn with: 2k of its drifts within the clip."""


def pyramid_arl(
    score: float,
    levels: int,
    generator: np.random.Generator,
    *,
    trials: int = 400,
    confidence: float = 0.95,
) -> Estimate:
    """Return the mean number of samples between alarms at `score` of a pyramid of two sides.

    Samples are N(0, 1), clipped at CLIP; a sided pyramid with a slack alarms no more often. From
    `trials` runs a block of levels. It is a bound in so far as blocks' rates add, 10 % at most.
    Raises InputError for sizes that make no pyramid, ProofError if no run alarmed.
    """
    from scipy.special import ndtri

    if not (1 <= levels <= MOST_LEVELS and trials >= 30 and math.isfinite(score)):
        raise InputError("a pyramid has 1 to 36 levels, an estimate 30 trials or more.",
                         remedy="give 400.", value=(score, levels, trials))  # fmt: skip
    components = 2 * (levels + len(DRIFTS) - 1)
    rate = variance = 0.0
    steps = 0
    for first in range(0, levels, BLOCK):
        count = min(BLOCK, levels - first)
        base = score + math.log(components) - first * math.log(2.0)
        mean, error, drawn = block_rate(base, count, first == 0, generator, trials)
        rate += mean * 2.0**-first
        variance += (error * 2.0**-first) ** 2
        steps += drawn
    if rate == 0.0:
        raise ProofError("no run alarmed.", remedy="take more trials.")
    quantile = float(ndtri(0.5 + confidence / 2.0))
    return estimate(
        -math.log(rate), math.sqrt(variance) / rate, confidence, quantile, trials, steps
    )


def block_rate(
    nats: float, levels: int, ground: bool, generator: np.random.Generator, trials: int
) -> tuple[float, float, int]:
    """Return (alarms a sample of the block, standard error, samples drawn).

    nats: evidence that alarms at the block's own level 0; level l needs l ln 2 less. ground:
    whether that is the pyramid's level 0, with all drifts and the clip.
    """
    drifts = np.array(DRIFTS if ground else DRIFTS[:1])
    clip = CLIP if ground else math.inf
    if nats < FEW:
        alarms = int(_count(generator, COUNTED, nats, levels, drifts, clip))
        return alarms / COUNTED, math.sqrt(max(alarms, 1)) / COUNTED, COUNTED
    tilts = np.array(TILTS if ground else TILTS[:1])
    most = max(nats - (levels - 1) * math.log(2.0), 1.0)
    # the highest level gains half a nat a tick under its tilt, with a spread of one
    warm = 2 ** (levels - 1) * math.ceil(2.0 * most + 8.0 * math.sqrt(most) + 8.0)
    found = _weights(generator, trials, warm, nats, levels, drifts, tilts, clip)
    shares = found[:trials]
    mean, error = float(shares.mean()), float(shares.std(ddof=1)) / math.sqrt(trials)
    # q (1 - q) is the share that alarms in the second half, q what gets through a half
    q = 0.5 + 0.5 * math.sqrt(max(1.0 - 4.0 * mean, 0.0))
    return -math.log(q) / warm, error / warm, int(found[-1])


@lru_cache(maxsize=64)
def limit_for(per_sample: float, levels: int, trials: int = 400) -> tuple[float, Estimate]:
    """Return the score at which a pyramid alarms `per_sample` times a sample, with its estimate.

    The estimate is of that very score, SURE standard errors on the safe side. Kept in the process.
    Raises InputError for a rate that no alarm has.
    """
    if not 0.0 < per_sample < 0.01:
        raise InputError("a rate of alarms is above 0 and below one in a hundred samples.",
                         remedy="correct the budget.", value=per_sample)  # fmt: skip
    score = -math.log(per_sample) - GAINED
    for turn in range(TURNS):
        found = pyramid_arl(score, levels, np.random.default_rng([levels, turn]), trials=trials)
        share = math.exp(SURE * found.relative_error) / found.arl / per_sample
        if AIM**2 <= share <= 1.0:
            return score, found
        # a nat is a factor e of the rate, nearly
        score += math.log(share / AIM)
    raise ProofError("no threshold was found for the rate.", remedy="take more trials.")


@njit(cache=True)
def _moved(sums: Real, at: int, value: float, drift: float) -> float:
    """Advance both sides of component `at` by a sample; return the larger evidence."""
    cost = 2.0 * drift * drift
    up = sums[at, 0] + 2.0 * drift * value - cost
    down = sums[at, 1] - 2.0 * drift * value - cost
    sums[at, 0] = up if up > 0.0 else 0.0
    sums[at, 1] = down if down > 0.0 else 0.0
    return float(sums[at, 0] if sums[at, 0] > sums[at, 1] else sums[at, 1])


@njit(cache=True)
def _step(sums: Real, last: Real, total: float, value: float, t: int, drifts: Real) -> float:
    """Take in sample number t, clipped; return the most evidence plus its level's ln 2^l.

    sums (D + L - 1, 2): S of each component. last (L,): `total` of all samples, this one included,
    as it was at each level's last tick.
    """
    most = -1.0
    for d in range(drifts.size):
        found = _moved(sums, d, value, drifts[d])
        most = found if found > most and found > 0.0 else most
    level = 1
    while level < last.size and t & ((1 << level) - 1) == (1 << level) - 1:
        z = (total - last[level]) * 2.0 ** (-0.5 * level)
        last[level] = total
        found = _moved(sums, drifts.size + level - 1, z, 0.5)
        if found > 0.0 and found + level * math.log(2.0) > most:
            most = found + level * math.log(2.0)
        level += 1
    return most


@njit(cache=True)
def _count(
    generator: np.random.Generator, samples: int, nats: float, levels: int, drifts: Real,
    clip: float,
) -> int:  # fmt: skip
    """Return the alarms among noise, all evidence begun anew after each."""
    sums, last = np.zeros((drifts.size + levels - 1, 2)), np.zeros(levels)
    total, alarms = 0.0, 0
    for t in range(samples):
        y = generator.standard_normal()
        y = clip if y > clip else (-clip if y < -clip else y)
        total += y
        if _step(sums, last, total, y, t, drifts) >= nats:
            alarms += 1
            sums[:] = 0.0
    return alarms


@njit(cache=True)
def _taken(ratio: Real, past: Real, raw: float, t: int, tilts: Real) -> None:
    """Take in sample t into the Shiryaev-Roberts sums, (tilts + L - 1, 2), at their own ticks."""
    levels = past.size
    for level in range(levels):
        if t & ((1 << level) - 1) != (1 << level) - 1:
            break
        gone = raw - past[level]
        past[level] = raw
        for k in range(tilts.size if level == 0 else 1):
            a = tilts[k] if level == 0 else 2.0 ** (-0.5 * level)
            row = k if level == 0 else tilts.size + level - 1
            cost = 0.5 * a * a * (1 << level)
            ratio[row, 0] = (1.0 + ratio[row, 0]) * math.exp(a * gone - cost)
            ratio[row, 1] = (1.0 + ratio[row, 1]) * math.exp(-a * gone - cost)


@njit(cache=True)
def _mixture(ratio: Real, past: Real, raw: float, t: int, tilts: Real) -> float:
    """Return the sum of 2^l R over components after sample t, begun ticks included."""
    found = 0.0
    for k in range(tilts.size):
        found += ratio[k, 0] + ratio[k, 1]
    for level in range(1, past.size):
        row, a = tilts.size + level - 1, 2.0 ** (-0.5 * level)
        up, down, begun = ratio[row, 0], ratio[row, 1], (t + 1) & ((1 << level) - 1)
        if begun > 0:
            gone, cost = raw - past[level], 0.5 * a * a * begun
            up = (1.0 + up) * math.exp(a * gone - cost)
            down = (1.0 + down) * math.exp(-a * gone - cost)
        found += (up + down) * (1 << level)
    return found


@njit(cache=True)
def _weights(
    generator: np.random.Generator, trials: int, warm: int, nats: float, levels: int,
    drifts: Real, tilts: Real, clip: float,
) -> Real:  # fmt: skip
    """Return each run's estimate of P(warm < T <= 2 warm), (trials,), and the samples drawn."""
    found = np.zeros(trials + 1)
    sums, last = np.zeros((drifts.size + levels - 1, 2)), np.zeros(levels)
    ratio, past = np.zeros((tilts.size + levels - 1, 2)), np.zeros(levels)
    components = 2 * (tilts.size + levels - 1)
    for run in range(trials):
        sums[:], last[:], ratio[:], past[:] = 0.0, 0.0, 0.0, 0.0
        pick = int(generator.random() * components)
        row = pick // 2
        level = 0 if row < tilts.size else row - tilts.size + 1
        shift = tilts[row] if level == 0 else 2.0 ** (-0.5 * level)
        shift = shift if pick % 2 == 0 else -shift
        start = int(generator.random() * (2 * warm >> level)) << level
        total, raw = 0.0, 0.0
        for t in range(2 * warm):
            y = generator.standard_normal() + (shift if t >= start else 0.0)
            raw += y
            z = clip if y > clip else (-clip if y < -clip else y)
            total += z
            found[trials] += 1.0
            _taken(ratio, past, raw, t, tilts)
            if _step(sums, last, total, z, t, drifts) >= nats:
                if t >= warm:
                    found[run] = 2.0 * warm * components / _mixture(ratio, past, raw, t, tilts)
                break
    return found
