"""What searches and engines themselves cost: losses are free, so all time is theirs. One core.

Run as a module it is the child process, kept on one core, and prints JSON.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.frame import Figure, child

if TYPE_CHECKING:
    from casemate.campaigns.search.margin import Real
    from casemate.campaigns.search.space import Candidate, Space

AXES = 20
TRIALS = 20_000
JOBS = 20_000


def run() -> list[Figure]:
    """Return evaluations a CPU second of each search, and jobs a second through the store."""
    got = child(["-m", "benchmarks.search"])
    name = "search"
    return [
        Figure(benchmark=name, name="adaptive, evaluations a CPU second", value=got["adaptive"],
               unit="1/s", target=3_000.0, sense=">=", note=f"{AXES} axes, a loss that is free"),
        Figure(benchmark=name, name="the same with whole choices", value=got["whole"], unit="1/s",
               note="half of the axes"),
        Figure(benchmark=name, name="atlas, evaluations a CPU second", value=got["atlas"],
               unit="1/s", target=500.0, sense=">=", note="10 x 10 x 10 cells"),
        Figure(benchmark=name, name="at random, evaluations a CPU second", value=got["random"],
               unit="1/s"),
        Figure(benchmark=name, name="jobs done and stored a CPU second", value=got["jobs"],
               unit="1/s", target=2_000.0, sense=">=", note="64 a batch, work that is free"),
        Figure(benchmark=name, name="jobs found and read a CPU second", value=got["found"],
               unit="1/s", note="a second run"),
    ]  # fmt: skip


def free(jobs: Sequence[object]) -> tuple[dict[str, float], ...]:
    """Do nothing, as the work of a job."""
    return tuple({"loss": 1.0} for _ in jobs)


def space(whole: int) -> Space:
    """Return a space of AXES parameters, `whole` of them whole."""
    from casemate.attacks.move import Parameter
    from casemate.campaigns.search.space import Space

    return Space(
        parameters=tuple(
            Parameter(
                name=f"p{k}", low=0, high=10, default=0, unit="", about="",
                scale="whole" if k < whole else "linear",
            )
            for k in range(AXES)
        )
    )  # fmt: skip


def losses(candidates: Sequence[Candidate], seeds: Sequence[int]) -> Real:
    """Return a bowl."""
    import numpy as np

    values = np.array([list(each.values.values()) for each in candidates])
    bowl: Real = ((values - 3.0) ** 2).sum(axis=1)
    return np.repeat(bowl[:, None], len(seeds), axis=1)


def measured(candidates: Sequence[Candidate], seeds: Sequence[int]) -> tuple[Real, Real]:
    """Return the bowl, and three coordinates as measures."""
    import numpy as np

    values = np.array([list(each.values.values())[:3] for each in candidates])
    return losses(candidates, seeds), values


def rate(count: int, do: Callable[[], object]) -> float:
    """Return how many a CPU second."""
    begin = time.process_time()
    do()
    return count / (time.process_time() - begin)


def main() -> None:
    """Measure, as the child process."""
    from casemate.campaigns.engines.jobs import Job
    from casemate.campaigns.engines.run import run as carry_out
    from casemate.campaigns.engines.store import Store
    from casemate.campaigns.search.adaptive import Effort, search
    from casemate.campaigns.search.at_random import at_random
    from casemate.campaigns.search.atlas import Axis, atlas

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    effort = Effort(budget=TRIALS, seeds=1, confirm=1, tolerance=-1.0, restarts=1)
    axes = tuple(
        Axis(name=f"p{k}", unit="", low=0.0, high=10.0, cells=10, log=False) for k in range(3)
    )
    plain, mixed = space(0), space(AXES // 2)
    atlas(measured, plain, axes, seed=1, budget=400, seeds=1)  # compiles pyribs' kernels
    trials = [search(losses, each, seed=1, effort=effort).trials for each in (plain, mixed)]
    jobs = [Job(kind="free", seed=seed, parameters={"x": 0.5}) for seed in range(JOBS)]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder=Path(folder), context="benchmark")
        got = {
            "adaptive": rate(trials[0], lambda: search(losses, plain, seed=1, effort=effort)),
            "whole": rate(trials[1], lambda: search(losses, mixed, seed=1, effort=effort)),
            "random": rate(TRIALS, lambda: at_random(losses, plain, seed=1, effort=effort)),
            "atlas": rate(
                TRIALS, lambda: atlas(measured, plain, axes, seed=1, budget=TRIALS, seeds=1)
            ),
            "jobs": rate(JOBS, lambda: carry_out(jobs, free, store)),
            "found": rate(JOBS, lambda: carry_out(jobs, free, store)),
        }
    print(json.dumps(got))


if __name__ == "__main__":
    main()
