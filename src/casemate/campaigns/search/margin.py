"""What a search minimises, and what it counts: a continuous loss of trials, never alarm or none.

A loss is in nats and below 0 where the adversary wins. A search asks for all its candidates under
the same seeds (common random numbers), so that their difference is theirs and not the noise's.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from casemate.campaigns.search.space import Candidate
from casemate.core.errors import CampaignError

Real = npt.NDArray[np.float64]
MOST = 1e9
"""Nats that stand for an infinite loss; what falls short of the goal lies above them."""
Shortfall = Callable[[Candidate], float]
"""By how much a candidate misses what it is for or exceeds its means; 0 or less: not at all."""


class Margin(Protocol):
    """The loss of candidates under seeds."""

    def __call__(self, candidates: Sequence[Candidate], seeds: Sequence[int]) -> npt.ArrayLike:
        """Return nats, (candidates, seeds); inf for an alarm without doubt, never nan."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One candidate as the search saw it. loss: its mean over seeds. trials: spent by then."""

    candidate: Candidate
    loss: float
    by_seed: tuple[float, ...]
    trials: int
    restart: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """One start of a search. ended: converged, stalled (no gain for long) or budget."""

    start: Candidate
    loss: float
    trials: int
    population: int
    ended: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found. loss: of `best` in the search, lower than its true mean by selection.

    fresh: losses of `best` under seeds that the search never saw. trials: spent in the search,
    `fresh` not counted.
    """

    best: Candidate
    loss: float
    fresh: tuple[float, ...]
    trials: int
    evaluations: tuple[Evaluation, ...]
    restarts: tuple[Restart, ...]

    @property
    def confirmed(self) -> float:
        """Return the mean of `fresh`, which no selection has touched."""
        return math.fsum(self.fresh) / len(self.fresh)

    @property
    def standard_error(self) -> float:
        """Return the standard error of `confirmed`, nan for one fresh seed."""
        count = len(self.fresh)
        return statistics.stdev(self.fresh) / math.sqrt(count) if count > 1 else math.nan

    @property
    def won(self) -> float:
        """Return the share of `fresh` below 0."""
        return sum(each < 0.0 for each in self.fresh) / len(self.fresh)

    @property
    def curve(self) -> tuple[tuple[int, float], ...]:
        """Return (trials, least loss so far) at each gain, and at the end."""
        rows: list[tuple[int, float]] = []
        for each in self.evaluations:
            if not rows or each.loss < rows[-1][1]:
                rows.append((each.trials, each.loss))
        return (*rows, (self.trials, self.loss)) if rows[-1][0] < self.trials else tuple(rows)


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The owner of a budget: evaluates candidates within it, each different one once.

    budget: trials (a candidate under one seed).
    """

    margin: Margin
    seeds: tuple[int, ...]
    budget: int
    shortfall: Shortfall | None = None
    trials: int = 0
    rows: list[Evaluation] = field(default_factory=list)
    best: Evaluation | None = None
    _known: dict[tuple[object, ...], float] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Return how many more candidates the budget pays for."""
        return (self.budget - self.trials) // len(self.seeds)

    def losses(self, candidates: Sequence[Candidate], restart: int) -> list[float]:
        """Return the mean loss of each; what falls short of its goal is ranked behind all others.

        Candidates beyond the budget rank last. CampaignError if the margin gives nan, or too few.
        """
        new: dict[tuple[object, ...], Candidate] = {}
        for each in candidates:
            key = each.key()
            if key in self._known or key in new:
                continue
            short = 0.0 if self.shortfall is None else self.shortfall(each)
            if not short <= 0.0:  # nan falls short too
                self._known[key] = MOST * (1.0 + (short if short < MOST else MOST))
            elif len(new) < self.left:
                new[key] = each
        self._evaluate(new, restart)
        return [self._known.get(each.key(), np.inf) for each in candidates]

    def _evaluate(self, new: dict[tuple[object, ...], Candidate], restart: int) -> None:
        if not new:
            return
        for (key, each), row in zip(
            new.items(), table(self.margin, tuple(new.values()), self.seeds), strict=True
        ):
            self.trials += len(self.seeds)
            loss = float(row.mean())
            self._known[key] = loss
            told = Evaluation(
                candidate=each, loss=loss, by_seed=tuple(row.tolist()), trials=self.trials,
                restart=restart,
            )  # fmt: skip
            self.rows.append(told)
            if self.best is None or loss < self.best.loss:
                self.best = told

    def found(self, confirm: Sequence[int], restarts: Sequence[Restart]) -> Found:
        """Return what was found, its best candidate tried again under fresh seeds.

        CampaignError if no candidate was evaluated.
        """
        if self.best is None:
            raise CampaignError(
                "no candidate of the search meets its goal within its means.",
                remedy="widen the ranges, raise the budget, or ask for less.",
            )
        fresh = table(self.margin, (self.best.candidate,), confirm)[0]
        return Found(
            best=self.best.candidate,
            loss=self.best.loss,
            fresh=tuple(fresh.tolist()),
            trials=self.trials,
            evaluations=tuple(self.rows),
            restarts=tuple(restarts),
        )


def table(margin: Margin, candidates: Sequence[Candidate], seeds: Sequence[int]) -> Real:
    """Return losses, (candidates, seeds), infinite ones as MOST; CampaignError if they are none."""
    found = np.asarray(margin(candidates, seeds), dtype=np.float64)
    if found.shape != (len(candidates), len(seeds)):
        raise CampaignError(
            f"a margin gave {found.shape} losses for {len(candidates)} candidates and "
            f"{len(seeds)} seeds.",
            remedy="return one row a candidate, one column a seed.",
        )
    if np.isnan(found).any():
        row = int(np.argwhere(np.isnan(found))[0][0])
        raise CampaignError(
            f"a margin is not a number, for {dict(candidates[row].values)}.",
            remedy="let a trial that cannot be judged raise, or count it as detected.",
        )
    return np.clip(found, -MOST, MOST)


def seeds_of(seed: int, part: int, count: int) -> tuple[int, ...]:
    """Return 64-bit seeds; part 0: common to a search, 1: for confirmation."""
    sequence = np.random.SeedSequence(seed, spawn_key=(part,))
    return tuple(sequence.generate_state(count, np.uint64).tolist())


def generator_of(seed: int, part: int, number: int) -> np.random.Generator:
    """Return the generator of one restart or emitter."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(part, number)))
