"""The splitting of `splitting`, compiled, for detectors that are a vector of numbers.

The state is float64 (d,), parameters included; a compiled `step(state, generator)` takes one sample
of the null in, in place, and returns the statistic. Copying the state is copying the vector.
The CUSUM's kernels are compiled once and kept; those of another step in each process, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import njit

from casemate.campaigns.rarity.estimate import Estimate
from casemate.campaigns.rarity.exact import Cusum, Real
from casemate.campaigns.rarity.law import Steps
from casemate.campaigns.rarity.splitting import PATIENCE, Plan, Replicate, even_levels, joined
from casemate.core._rows_kernel import put
from casemate.core.errors import ProofError

Step = Callable[[Real, np.random.Generator], float]


def fast_splitting_arl(
    step: Step | None,
    start: Real,
    plan: Plan,
    generator: np.random.Generator,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Return the ARL of a compiled detector from its state at rest, `start` (d,).

    No step: the CUSUM of `cusum_state`. What it means and raises is as in `splitting_arl`.
    """
    levels = np.asarray(plan.levels, dtype=np.float64)
    state = np.asarray(start, dtype=np.float64)
    found = []
    for _ in range(plan.replicates):
        per_entry, share, steps = _replicate(
            step, state, levels, plan.rest, plan.effort, plan.warm_up, generator
        )
        if steps < 0.0:
            raise ProofError(
                "a run found neither rest nor the next level.",
                remedy="choose a rest that the statistic returns to under the null.",
            )
        found.append(Replicate(steps_per_entry=per_entry, share=share, steps=int(steps)))
    return joined(found, confidence)


def split_cusum(
    cusum: Cusum,
    generator: np.random.Generator,
    *,
    effort: int = 2000,
    replicates: int = 20,
    confidence: float = 0.95,
) -> Estimate:
    """Return the ARL of a CUSUM under N(0, 1) by splitting: what validates the method."""
    theta = Steps(k=cusum.k, clip=cusum.clip).exponent()
    plan = Plan(levels=even_levels(cusum.h, 1.5 / theta), effort=effort, replicates=replicates)
    return fast_splitting_arl(None, cusum_state(cusum), plan, generator, confidence=confidence)


def cusum_state(cusum: Cusum, rho: float = 0.0) -> Real:
    """Return a CUSUM at rest as a vector: [S up, S down, k, clip, sides, rho, last residual].

    Its null is an AR(1) of unit variance, x = rho x' + sqrt(1 - rho^2) e, from its stationary law.
    """
    return np.array([0.0, 0.0, cusum.k, cusum.clip, float(cusum.sides), rho, math.nan])


@njit(cache=True)
def cusum_step(state: Real, generator: np.random.Generator) -> float:
    """Take one sample of the null into a `cusum_state`; return the larger of its sides."""
    rho, before = state[5], state[6]
    x = generator.standard_normal()
    if not (rho == 0.0 or math.isnan(before)):
        x = rho * before + math.sqrt(1.0 - rho * rho) * x
    state[6] = x
    k, clip = state[2], state[3]
    x = clip if x > clip else (-clip if x < -clip else x)
    up = state[0] + x - k
    up = up if up > 0.0 else 0.0
    state[0] = up
    if state[4] < 2.0:
        return float(up)
    down = state[1] - x - k
    down = down if down > 0.0 else 0.0
    state[1] = down
    return float(up if up > down else down)


@njit(cache=True)
def _advance(step: Step | None, state: Real, generator: np.random.Generator) -> float:
    # None is a type of its own to the compiler: what takes no step can be kept on disk
    if step is None:
        return float(cusum_step(state, generator))
    return step(state, generator)


@njit(cache=True)
def _warm(
    step: Step | None, state: Real, rest: float, warm_up: int, generator: np.random.Generator
) -> None:
    statistic, n = rest, 0
    while n < warm_up or (n > 0 and statistic > rest and n < PATIENCE):
        statistic = _advance(step, state, generator)
        n += 1


@njit(cache=True)
def _replicate(
    step: Step | None, start: Real, levels: Real, rest: float, effort: int, warm_up: int,
    generator: np.random.Generator,
) -> tuple[float, float, float]:  # fmt: skip
    """Return (samples per entry, share that alarms, samples drawn < 0 if one run got lost)."""
    states, tops, base = _entries(step, start, levels, rest, effort, warm_up, generator)
    if base < 0.0:
        return 0.0, 0.0, -1.0
    share, total = 1.0, base
    for level in levels[1:]:
        states, tops, steps = _stage(step, states, tops, level, rest, effort, generator)
        if steps < 0.0:
            return 0.0, 0.0, -1.0
        total += steps
        share *= tops.size / effort
        if tops.size == 0:
            break
    return base / effort, share, total


@njit(cache=True)
def _entries(
    step: Step | None, start: Real, levels: Real, rest: float, effort: int, warm_up: int,
    generator: np.random.Generator,
) -> tuple[Real, Real, float]:  # fmt: skip
    states, tops = np.empty((effort, start.size)), np.empty(effort)
    state = start.copy()
    _warm(step, state, rest, warm_up, generator)
    count, steps, since = 0, 0, 0
    while count < effort:
        inside = False
        while True:
            statistic = _advance(step, state, generator)
            steps += 1
            if statistic <= rest:
                break
            if statistic > levels[0] and not inside:
                put(states[count], state)
                tops[count] = statistic
                count += 1
                inside, since = True, steps
            if statistic > levels[-1]:
                put(state, start)
                _warm(step, state, rest, warm_up, generator)
                break
            if steps - since > PATIENCE:
                return states, tops, -1.0
    return states, tops, float(steps)


@njit(cache=True)
def _stage(
    step: Step | None, states: Real, tops: Real, level: float, rest: float, effort: int,
    generator: np.random.Generator,
) -> tuple[Real, Real, float]:  # fmt: skip
    """Return the states that passed the level, their statistics, and the samples drawn."""
    order = np.arange(tops.size)
    for i in range(tops.size - 1, 0, -1):  # Fisher and Yates
        j = int(generator.random() * (i + 1))
        order[i], order[j] = order[j], order[i]
    out, high = np.empty((effort, states.shape[1])), np.empty(effort)
    count, total = 0, 0
    state = np.empty(states.shape[1])
    for n in range(effort):
        pick = order[n % tops.size]
        put(state, states[pick])
        statistic, steps = tops[pick], 0
        while statistic > rest and statistic <= level and steps < PATIENCE:
            statistic = _advance(step, state, generator)
            steps += 1
        if steps == PATIENCE:
            return out, high, -1.0
        total += steps
        if statistic > level:
            put(out[count], state)
            high[count] = statistic
            count += 1
    return out[:count], high[:count], float(total)
