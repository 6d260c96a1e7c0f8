"""Work for the tests of engines: functions of a module, so that workers can open them."""

from __future__ import annotations

import math
import os
import signal
from pathlib import Path

import numpy as np

from casemate.campaigns.engines.jobs import Job, Outcome

SETUPS: list[str] = []


def prepare(folder: str) -> None:
    """Leave a trace of each set-up, by process."""
    SETUPS.append(folder)
    with (Path(folder) / f"setup-{os.getpid()}").open("a") as stream:
        stream.write("x")


def unprepared() -> None:
    """Fail to set up."""
    raise FileNotFoundError("no twin here")


def draw(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Return numbers that only the right generator gives, to the last bit."""
    rows = []
    for job in jobs:
        generator = np.random.Generator(np.random.Philox(key=job.seed))
        mean = float(generator.standard_normal(1000).mean() * job.parameters.get("scale", 1.0))
        rows.append({"mean": mean, "seed": job.seed, "none": math.nan, "kind": job.kind})
    return tuple(rows)


def solve(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Return a sum whose last bits depend on how many threads a matrix library uses."""
    rows = []
    for job in jobs:
        a = np.random.default_rng(job.seed).standard_normal((300, 300))
        rows.append({"x": float((np.linalg.inv(a @ a.T + np.eye(300)) @ a).sum())})
    return tuple(rows)


def killed_once(folder: str, jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Kill this process at the job of seed 5 the first time that any process meets it."""
    _note(folder, jobs)
    for job in jobs:
        trace = Path(folder) / "killed"
        if job.seed == 5 and not trace.exists():
            trace.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return draw(jobs)


def killed_always(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Kill this process whenever the job of seed 5 is met."""
    if any(job.seed == 5 for job in jobs):
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(jobs)


def raising(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Raise at the job of seed 5."""
    if any(job.seed == 5 for job in jobs):
        raise ValueError("planted")
    return draw(jobs)


def too_few(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Forget a job."""
    return draw(jobs)[1:]


def not_plain(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Return what no file can hold."""
    return tuple({"array": np.zeros(2)} for _ in jobs)


def noted(folder: str, jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Leave a trace of each call."""
    _note(folder, jobs)
    return draw(jobs)


def slow(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Take a minute."""
    import time

    time.sleep(60)
    return draw(jobs)


def _note(folder: str, jobs: tuple[Job, ...]) -> None:
    with (Path(folder) / "calls").open("a") as stream:
        stream.write(f"{jobs[0].seed}\n")
