"""Trials of candidates as jobs: a search then runs on any engine, and takes up where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from casemate.campaigns.engines.jobs import Job, Outcome, Setup, Work
from casemate.campaigns.engines.run import Engine, run
from casemate.campaigns.engines.store import Store
from casemate.campaigns.search.margin import Real
from casemate.campaigns.search.space import Candidate
from casemate.core.errors import CampaignError, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A margin whose trials are jobs of `kind`, one for each candidate and seed.

    A job's parameters are `job_of(...)`'s; `work` returns the figure `loss` in each outcome, and
    those that `measures` names. common: parameters that all jobs have besides. engine: such as a
    `LocalPool`, else one worker in this process.
    """

    kind: str
    work: Work
    store: Store
    loss: str = "loss"
    measures: tuple[str, ...] = ()
    common: Mapping[str, Any] = field(default_factory=dict)
    engine: Engine | None = None
    batch: int = 8
    setup: Setup | None = None

    def __call__(self, candidates: Sequence[Candidate], seeds: Sequence[int]) -> Real:
        """Return losses, (candidates, seeds)."""
        return self.figures(candidates, seeds, (self.loss,))[:, :, 0]

    def measured(self, candidates: Sequence[Candidate], seeds: Sequence[int]) -> tuple[Real, Real]:
        """Return losses (candidates, seeds), and measures (candidates, measures) as means."""
        found = self.figures(candidates, seeds, (self.loss, *self.measures))
        return found[:, :, 0], found[:, :, 1:].mean(axis=1)

    def figures(
        self, candidates: Sequence[Candidate], seeds: Sequence[int], names: Sequence[str]
    ) -> Real:
        """Return figures of outcomes by name, (candidates, seeds, names)."""
        jobs = [job_of(self.kind, each, seed, self.common) for each in candidates for seed in seeds]
        outcomes = run(
            jobs, self.work, self.store, engine=self.engine, batch=self.batch, setup=self.setup
        )
        rows = [[_figure(outcome, name) for name in names] for outcome in outcomes]
        return np.array(rows).reshape(len(candidates), len(seeds), len(names))


def job_of(kind: str, candidate: Candidate, seed: int, common: Mapping[str, Any]) -> Job:
    """Return the job of a trial: parameters `values`, `tile`, `place`, and what is common."""
    own = {"values": dict(candidate.values), "tile": candidate.tile, "place": candidate.place}
    return Job(kind=kind, seed=seed, parameters={**common, **own})


def candidate_of(job: Job) -> Candidate:
    """Return the candidate of `job_of`; InputError if the job is of another make."""
    try:
        x, y = job.parameters["place"]
        return Candidate(
            values=dict(job.parameters["values"]), tile=job.parameters["tile"], place=(x, y)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the job of kind {job.kind} is no trial of a candidate: {error!r}.",
            remedy="make it with `job_of`.",
            key="parameters",
        ) from error


def _figure(outcome: Outcome, name: str) -> float:
    try:
        return float(outcome[name])
    except (KeyError, TypeError, ValueError) as error:
        raise CampaignError(
            f"an outcome has no figure {name!r}.", remedy="let `work` return it as a number."
        ) from error
