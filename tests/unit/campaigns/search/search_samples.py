"""Losses whose least value and place are known, for the tests of searches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from casemate.attacks.move import Parameter
from casemate.campaigns.engines.jobs import Job, Outcome
from casemate.campaigns.search.margin import Real
from casemate.campaigns.search.space import Candidate, Space, Unit
from casemate.campaigns.search.trials import candidate_of


def plain(count: int) -> Space:
    """Return a space of `count` parameters from 0 to 1."""
    return Space(
        parameters=tuple(
            Parameter(name=f"p{k}", low=0.0, high=1.0, default=0.5, unit="", about="sample")
            for k in range(count)
        )
    )


class Of:
    """A margin from a function of the unit cube, with normal noise.

    common: the noise of a seed is the same for all candidates. asked: trials so far.
    """

    def __init__(
        self,
        space: Space,
        loss: Callable[[Unit], float],
        *,
        noise: float = 0.0,
        common: bool = True,
    ) -> None:
        self.space, self.loss, self.noise, self.common = space, loss, noise, common
        self.asked = 0
        self.seeds: set[int] = set()

    def __call__(self, candidates: Sequence[Candidate], seeds: Sequence[int]) -> Real:
        self.asked += len(candidates) * len(seeds)
        self.seeds |= set(seeds)
        rows = []
        for each in candidates:
            unit = self.space.encoded(each)
            own = [] if self.common else unit.view(np.uint64).tolist()
            noise = [np.random.default_rng([seed, *own]).standard_normal() for seed in seeds]
            rows.append(self.loss(unit) + self.noise * np.array(noise))
        return np.array(rows)


def bowl(unit: Unit) -> float:
    """Return a skewed ellipsoid, least (-3) at (0.3, ..., 0.7)."""
    best = 0.3 + 0.4 * np.arange(unit.size) / max(unit.size - 1, 1)
    turned = np.cumsum(unit - best)
    return float(np.sum(10.0 ** np.linspace(0, 2, unit.size) * turned**2)) - 3.0


def rugged(unit: Unit) -> float:
    """Return Rastrigin's function, least (0) at 0.4 everywhere, with 10 minima along each axis."""
    x = 10.24 * (unit - 0.4)
    return float(np.sum(x**2 - 10.0 * np.cos(2 * math.pi * x) + 10.0))


def corner(unit: Unit) -> float:
    """Return a wide basin (1 at 0.3) and a narrow one (-4) in the corner of all ones."""
    wide = 1.0 + 5.0 * float(np.sum((unit - 0.3) ** 2))
    return min(wide, -4.0 + 60.0 * float(np.sum((unit - 1.0) ** 2)))


def bowl_work(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Return `bowl` of the values of a candidate, with its noise, as a trial would."""
    rows = []
    for job in jobs:
        unit = np.array(list(candidate_of(job).values.values()))
        noise = np.random.default_rng(job.seed).standard_normal()
        rows.append({"loss": bowl(unit) + 0.1 * noise, "first": float(unit[0])})
    return tuple(rows)
