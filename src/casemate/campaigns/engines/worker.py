"""What every engine runs for a batch, in whatever process: set up once, then work; never raises.

Matrix libraries are kept to one thread, so that sums are taken in one order wherever a batch runs.
"""

from __future__ import annotations

import pickle
import threading
import traceback
from dataclasses import dataclass

from casemate.campaigns.engines.jobs import Batch, Setup, Work
from casemate.campaigns.engines.store import encoded
from casemate.core.errors import CampaignError, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a batch: its stored lines, or else what went wrong."""

    lines: bytes = b""
    error: str = ""


_ONE_AT_A_TIME = threading.Lock()
_ready: dict[bytes, Work] = {}
"""The task that this process is set up for: pickled, and its work."""


def packed(work: Work, setup: Setup | None) -> bytes:
    """Return a task as bytes that any worker can open; InputError if it cannot be pickled."""
    try:
        return pickle.dumps((work, setup), protocol=5)
    except Exception as error:  # pickle raises whatever the object raises
        raise InputError(
            f"work and setup cannot be sent to a worker: {error}.",
            remedy="use functions of a module (functools.partial of one is fine), no lambdas.",
        ) from error


def carry_out(task: bytes, batch: Batch) -> Reply:
    """Return what came of a batch. One at a time in a process, whoever calls."""
    with _ONE_AT_A_TIME:
        try:
            return Reply(lines=_carried_out(task, batch))
        except Exception as error:
            return Reply(error=_told(error))


def _carried_out(task: bytes, batch: Batch) -> bytes:
    import scipy.linalg  # noqa: F401  (its own matrix library must be loaded to be limited)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        if task not in _ready:
            work, setup = pickle.loads(task)
            if setup is not None:
                setup()
            _ready.clear()
            _ready[task] = work
        return encoded(_ready[task](batch.jobs), len(batch.jobs))


def _told(error: Exception) -> str:
    if isinstance(error, CampaignError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def failed(batch: Batch, error: str) -> CampaignError:
    """Return the error of a batch whose work raised."""
    return CampaignError(
        f"{_named(batch)} failed: {error}",
        remedy="correct what it says and run again; batches that were done are kept.",
    )


def lost(batch: Batch, times: int) -> CampaignError:
    """Return the error of a batch that took its worker with it, again and again."""
    return CampaignError(
        f"{_named(batch)} ended its worker {times} times.",
        remedy="look for lack of memory, or make batches smaller; batches that were done are kept.",
    )


def _named(batch: Batch) -> str:
    first, last = batch.jobs[0], batch.jobs[-1]
    seeds = f"seeds {first.seed} to {last.seed}" if len(batch.jobs) > 1 else f"seed {first.seed}"
    return f"batch {batch.address[:12]} ({len(batch.jobs)} of {first.kind}, {seeds})"
