"""Mean time to alarm of any detector with copyable state, by fixed-effort multilevel splitting.

P. Glasserman and others, Operations Research 47, 1999; M. J. Garvels, The splitting method in rare
event simulation, 2000. Levels lie between rest and the limit. A long run of the null gives how
often excursions from rest enter the first level, and the states at which they do; from states at
one level a fixed number of runs tells the share that reaches the next before rest. Rate of alarms
= rate of entries x product of shares. Nothing is assumed to begin anew at rest: entries come from
the long run itself, so noise with memory is treated as it is (flux sampling, R. J. Allen and
others, Physical Review Letters 94, 2005).

Two faults to avoid. An excursion is followed back to rest before the next entry counts: cut short,
the ARL comes out 17 % low. And levels do not help against noise that jumps to the limit at once
(heavy tails): clip first, or draw the jump by importance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

import numpy as np

from casemate.campaigns.rarity.estimate import Estimate, estimate
from casemate.core.errors import InputError, ProofError

PATIENCE = 50_000_000
"""Samples after which a run that finds neither rest nor a level is given up."""


class Splittable(Protocol):
    """A detector together with the null that drives it; its future depends on its state alone."""

    def step(self, generator: np.random.Generator) -> float:
        """Draw one sample of the null, take it in, and return the statistic after it.

        The statistic grows towards an alarm, which is when it is above the limit.
        """

    def copy(self) -> Self:
        """Return a second detector in the same state, noise with memory included."""


D = TypeVar("D", bound=Splittable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to split. `levels` rise from above `rest` to the limit, which is the last.

    `rest`: a statistic not above it ends an excursion. `effort`: runs from each level.
    `replicates`: independent repeats, from whose spread the interval comes. `warm_up`: samples
    until the null has forgotten its start; the next rest is waited for.
    """

    levels: tuple[float, ...]
    effort: int = 1000
    replicates: int = 20
    rest: float = 0.0
    warm_up: int = 0

    def __post_init__(self) -> None:
        ends = (self.rest, *self.levels)
        rising = all(a < b for a, b in zip(ends[:-1], ends[1:], strict=True))
        if not self.levels or not rising or self.effort < 10 or self.replicates < 3:
            raise InputError(
                "levels rise from above rest to the limit; an effort is 10 and replicates 3 or "
                "more.",
                remedy="see even_levels and pilot_levels.",
                value=self.levels[:4],
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """One repeat: samples of the null per entry, share of entries that alarm, samples drawn."""

    steps_per_entry: float
    share: float
    steps: int


@dataclass(frozen=True, slots=True)
class Entry(Generic[D]):
    """A detector as it stood when it first passed a level."""

    detector: D
    statistic: float


def even_levels(limit: float, spacing: float, rest: float = 0.0) -> tuple[float, ...]:
    """Return levels from rest to the limit, evenly, at most `spacing` apart.

    1.5/theta is good for a CUSUM (theta: `law.Steps.exponent`): a fifth goes on at each.
    """
    if not (spacing > 0.0 and limit > rest):
        raise InputError("levels need a spacing above 0 and a limit above rest.",
                         remedy="1.5 is good for k = 0.5.", value=(limit, spacing))  # fmt: skip
    count = math.ceil((limit - rest) / spacing - 1e-9)
    return tuple(rest + (limit - rest) * (i + 1) / count for i in range(count))


def splitting_arl(
    start: Callable[[np.random.Generator], Splittable],
    plan: Plan,
    generator: np.random.Generator,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Return the ARL of the detectors that `start` makes at rest, in samples.

    Raises ProofError if no path reached the limit.
    """
    found = [_replicate(start, plan, generator) for _ in range(plan.replicates)]
    return joined(found, confidence)


def joined(found: Sequence[Replicate], confidence: float) -> Estimate:
    """Return the estimate from independent replicates, with Student's interval.

    Mean samples per entry and mean share are each without bias; their ratio is to first order.
    """
    from scipy.special import stdtrit

    steps = np.array([each.steps_per_entry for each in found])
    shares = np.array([each.share for each in found])
    if not shares.any():
        raise ProofError(
            "no path reached the limit.", remedy="take more levels or a larger effort."
        )
    mean, p = float(steps.mean()), float(shares.mean())
    # of one replicate to first order; pairs, since both come from the same run
    off = steps / mean - shares / p
    error = float(np.std(off, ddof=1)) / math.sqrt(len(found))
    quantile = float(stdtrit(len(found) - 1, 0.5 + confidence / 2.0))
    log = math.log(mean) - math.log(p)
    total = sum(each.steps for each in found)
    return estimate(log, error, confidence, quantile, len(found), total)


def _replicate(
    start: Callable[[np.random.Generator], D], plan: Plan, generator: np.random.Generator
) -> Replicate:
    entries, base = _entries(start, plan, generator)
    share, total = 1.0, base
    for level in plan.levels[1:]:
        tried = _chosen(entries, plan.effort, generator)
        through = []
        for entry in tried:
            reached, steps = _onward(entry, level, plan.rest, generator)
            total += steps
            if reached is not None:
                through.append(reached)
        share *= len(through) / len(tried)
        if not through:
            break
        entries = through
    return Replicate(steps_per_entry=base / plan.effort, share=share, steps=total)


def _entries(
    start: Callable[[np.random.Generator], D], plan: Plan, generator: np.random.Generator
) -> tuple[list[Entry[D]], int]:
    """Return `effort` states at entry of the first level, and the samples of their whole cycles."""
    detector, found, steps = _warm(start, plan, generator), list[Entry[D]](), 0
    since = 0
    while len(found) < plan.effort:
        inside = False
        while True:
            statistic = detector.step(generator)
            steps += 1
            if statistic <= plan.rest:
                break
            if statistic > plan.levels[0] and not inside:
                found.append(Entry(detector.copy(), statistic))
                inside, since = True, steps
            if statistic > plan.levels[-1]:  # an alarm: the detector begins anew
                detector = _warm(start, plan, generator)
                break
            if steps - since > PATIENCE:
                raise _lost()
    return found, steps


def _warm(
    start: Callable[[np.random.Generator], D], plan: Plan, generator: np.random.Generator
) -> D:
    detector, statistic, n = start(generator), plan.rest, 0
    while n < plan.warm_up or (n > 0 and statistic > plan.rest and n < PATIENCE):
        statistic = detector.step(generator)
        n += 1
    return detector


def _chosen(entries: list[Entry[D]], effort: int, generator: np.random.Generator) -> list[Entry[D]]:
    """Return `effort` of the entries, each as often as the others but for the rest, at random."""
    order = generator.permutation(len(entries))
    return [entries[order[i % len(entries)]] for i in range(effort)]


def _onward(
    entry: Entry[D], level: float, rest: float, generator: np.random.Generator
) -> tuple[Entry[D] | None, int]:
    """Run from an entry until the level is passed or rest is reached; None at rest."""
    if entry.statistic > level:  # one jump may pass several levels
        return entry, 0
    detector, steps = entry.detector.copy(), 0
    while steps < PATIENCE:
        statistic = detector.step(generator)
        steps += 1
        if statistic > level:
            return Entry(detector, statistic), steps
        if statistic <= rest:
            return None, steps
    raise _lost()


def pilot_levels(
    start: Callable[[np.random.Generator], D],
    limit: float,
    first: float,
    generator: np.random.Generator,
    *,
    rest: float = 0.0,
    effort: int = 200,
    share: float = 0.2,
    warm_up: int = 0,
) -> tuple[float, ...]:
    """Return levels from `first` to the limit such that about `share` of runs pass each.

    For a statistic whose scale is unknown. The levels are then fixed: the run that uses them draws
    afresh, so its estimate is without the bias of levels chosen from its own paths.
    """
    plan = Plan(levels=(first, limit), effort=effort, rest=rest, warm_up=warm_up)
    entries, _ = _entries(start, plan, generator)
    levels = [first]
    while levels[-1] < limit:
        tops = [
            _top(entry, limit, rest, generator) for entry in _chosen(entries, effort, generator)
        ]
        level = min(limit, float(np.quantile(tops, 1.0 - share)))
        if level <= levels[-1]:
            raise ProofError(
                f"paths from {levels[-1]:.4g} rise no further.",
                remedy="lower the first level or the share that goes on.",
            )
        levels.append(level)
        onward = [_onward(each, level, rest, generator)[0] for each in entries * 5]
        entries = [each for each in onward if each is not None]
        if not entries:
            break
    return tuple(levels if levels[-1] == limit else [*levels, limit])


def _top(entry: Entry[D], limit: float, rest: float, generator: np.random.Generator) -> float:
    """Return the largest statistic of a run from an entry to rest or over the limit."""
    detector, top = entry.detector.copy(), entry.statistic
    for _ in range(PATIENCE):
        if top > limit:
            return top
        statistic = detector.step(generator)
        top = max(top, statistic)
        if statistic <= rest:
            return top
    raise _lost()


def _lost() -> ProofError:
    return ProofError(
        "a run found neither rest nor the next level.",
        remedy="choose a rest that the statistic returns to under the null.",
    )
