"""The least detectable version of a move: CMA-ES on the expected loss, restarted at random.

Each restart may spend half of what is left. It first draws points, every second one with some
coordinates at their ends (where weaknesses like to be), and starts at the best. Restarts alternate
between the usual population and ever larger ones, which see through ruggedness (Auger and Hansen
2005). A last descent refines the best point of all. Whole choices keep a margin of probability, so
that they never freeze (Hamano and others, arXiv 2205.13482). The same seed gives the same search.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.campaigns.search.margin import (
    Found,
    Ledger,
    Margin,
    Restart,
    Shortfall,
    generator_of,
    seeds_of,
)
from casemate.campaigns.search.space import Candidate, Space, Unit
from casemate.core.errors import InputError

PROBES = 0.2
"""Share of a restart's budget that is spent on points drawn before it starts."""
STEPS = (0.2, 0.3)
"""First standard deviations, of the usual and of larger populations, in units of the ranges."""
GENERATIONS = 20
"""That a restart has room for, else the one before it takes what is left."""
REFINED, LAST_STEP = 0.1, 0.05
"""Share of the budget kept for a last descent from the best point, and its first step."""
SMALLEST_STEP = 1e-5
"""Converged: the distribution is this narrow along all axes."""
ASKS = 20
"""Candidates drawn for each that the budget pays for, at most: most may fall short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to search. budget: trials in all. restarts: at most. seeds: common to candidates.

    confirm: fresh seeds for the best. tolerance: nats; a restart that gains less for long stalls.
    """

    budget: int
    restarts: int = 8
    seeds: int = 4
    confirm: int = 32
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        if min(self.budget // max(self.seeds, 1), self.restarts, self.seeds, self.confirm) < 1:
            raise InputError(
                "a search needs a trial for each seed, a restart and a seed.",
                remedy="raise budget, restarts, seeds or confirm.",
                key="budget",
                value=self.budget,
            )


def search(
    margin: Margin,
    space: Space,
    *,
    seed: int,
    effort: Effort,
    shortfall: Shortfall | None = None,
    starts: Sequence[Candidate] = (),
) -> Found:
    """Return the candidate of least expected loss, how it was found, and all that was tried.

    shortfall: what a candidate must meet; it costs no trial. starts: candidates to try first, such
    as what lesser means found. A space that the budget pays for whole is tried whole.
    CampaignError if no candidate meets its goal, or a loss is nan.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # eigenvectors to the last bit, however many cores there are
        return _search(margin, space, seed, effort, shortfall, starts)


def _search(
    margin: Margin,
    space: Space,
    seed: int,
    effort: Effort,
    shortfall: Shortfall | None,
    starts: Sequence[Candidate],
) -> Found:
    ledger = Ledger(
        margin=margin,
        seeds=seeds_of(seed, 0, effort.seeds),
        budget=effort.budget,
        shortfall=shortfall,
    )
    ledger.losses([space.nearest(each) for each in starts], 0)
    if space.count <= ledger.left:
        ledger.losses(list(space.all()), 0)
        return ledger.found(seeds_of(seed, 1, effort.confirm), ())
    kept = int(REFINED * ledger.left)
    rows: list[Restart] = []
    for number in range(effort.restarts):
        free = ledger.left - kept
        least = GENERATIONS * _usual(space)
        share = free // 2 if free >= 2 * least and number < effort.restarts - 1 else free
        if rows and share < least:
            break
        rows.append(_restart(ledger, space, seed, number, share, effort.tolerance))
    if ledger.best is not None and ledger.left:
        best = space.encoded(ledger.best.candidate)
        plan = _Plan(start=best, loss=ledger.best.loss, step=LAST_STEP, population=_usual(space))
        rows.append(_descend(ledger, space, plan, seed, len(rows), ledger.left, effort.tolerance))
    return ledger.found(seeds_of(seed, 1, effort.confirm), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Where and how a descent starts."""

    start: Unit
    loss: float
    step: float
    population: int


def _usual(space: Space) -> int:
    """Return the population that cmaes takes by itself."""
    return 4 + math.floor(3 * math.log(space.size))


def _restart(
    ledger: Ledger, space: Space, seed: int, number: int, share: int, tolerance: float
) -> Restart:
    """Draw, then descend from the best drawn, within `share` candidates."""
    before = ledger.left
    start, loss = _start(ledger, space, seed, number, share)
    usual = _usual(space)
    larger = min(usual * 2 ** ((number + 1) // 2), share // GENERATIONS)
    plan = _Plan(
        start=start,
        loss=loss,
        step=STEPS[number % 2],
        population=max(larger, usual) if number % 2 else usual,
    )
    spent = before - ledger.left
    done = _descend(ledger, space, plan, seed, number, share - spent, tolerance)
    return replace(done, trials=done.trials + spent * len(ledger.seeds))


def _start(ledger: Ledger, space: Space, seed: int, number: int, share: int) -> tuple[Unit, float]:
    """Return the best of the points drawn for a restart and its loss."""
    points = probes(space, max(1, int(PROBES * share)), generator_of(seed, 2, number))
    losses = ledger.losses([space.decoded(point) for point in points], number)
    best = int(np.argmin(losses))
    return points[best], losses[best]


def probes(space: Space, count: int, generator: np.random.Generator) -> Unit:
    """Return points drawn, (count, axes): every second one with coordinates at their ends.

    How many, from none to all, is drawn too: a weakness may need one end or a whole vertex.
    """
    points = space.drawn(count, generator)
    ends = generator.random(points.shape) < generator.random((count, 1))
    ends[::2] = False
    points[ends] = np.round(points[ends])
    return points


@dataclass(frozen=True, slots=True, kw_only=True)
class _Optimizer:
    """cmaes with and without whole axes, behind one face. smooth: axes that are continuous."""

    inner: Any
    smooth: npt.NDArray[np.bool_]

    def ask(self) -> tuple[list[Unit], list[Unit]]:
        """Return a population: points to try, and the same as they are told."""
        asked = [self.inner.ask() for _ in range(self.inner.population_size)]
        if self.smooth.all():
            return asked, asked
        return [shown for shown, _ in asked], [told for _, told in asked]

    def tell(self, points: list[Unit], losses: list[float]) -> None:
        """Learn from a whole population."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            self.inner.tell(list(zip(points, losses, strict=True)))

    def done(self, points: list[Unit]) -> bool:
        """Return whether a population is a point."""
        spread = np.std([point[self.smooth] for point in points], axis=0)
        narrow = spread.size > 0 and spread.max() < SMALLEST_STEP
        return bool(narrow or self.inner.should_stop())


def _optimizer(space: Space, plan: _Plan, seed: int) -> _Optimizer:
    from cmaes import CMA, CMAwM

    given = {
        "mean": np.clip(plan.start, 1e-6, 1.0 - 1e-6),
        "sigma": plan.step,
        "bounds": np.tile([0.0, 1.0], (space.size, 1)),
        "seed": seed,
        "population_size": plan.population,
    }
    steps = space.steps
    inner = CMAwM(**given, steps=steps) if (steps > 0.0).any() else CMA(**given)
    return _Optimizer(inner=inner, smooth=steps <= 0.0)


def _descend(
    ledger: Ledger,
    space: Space,
    plan: _Plan,
    seed: int,
    number: int,
    share: int,
    tolerance: float,
) -> Restart:
    """Run CMA-ES for at most `share` candidates."""
    begin, stop = ledger.trials, ledger.left - share
    optimizer = _optimizer(space, plan, int(generator_of(seed, 3, number).integers(1 << 32)))
    patience = 10 + math.ceil(30 * space.size / plan.population)
    least, mark, waited, ended = plan.loss, plan.loss, 0, "budget"
    for _ in range(ASKS * max(1, share // plan.population)):
        if ledger.left - plan.population < stop:
            break
        shown, points = optimizer.ask()
        losses = ledger.losses([space.decoded(point) for point in shown], number)
        optimizer.tell(points, losses)
        least = min(least, *losses)
        waited = 0 if least < mark - tolerance else waited + 1
        mark = least if waited == 0 else mark
        if optimizer.done(points) or waited >= patience:
            ended = "converged" if waited < patience else "stalled"
            break
    return Restart(
        start=space.decoded(plan.start),
        loss=least,
        trials=ledger.trials - begin,
        population=plan.population,
        ended=ended,
    )
