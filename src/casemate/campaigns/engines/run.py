"""Run jobs: what is stored is skipped, what comes in is stored at once, results in jobs' order.

    store = Store(folder=Path("out/campaign"), context=digest)
    outcomes = run(jobs, work, store, workers=2)

Whatever the engine and the number of workers, files and outcomes are the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from casemate.campaigns.engines.jobs import BATCH, Batch, Job, Outcome, Setup, Work, batches
from casemate.campaigns.engines.local import Local
from casemate.campaigns.engines.store import Store
from casemate.campaigns.engines.worker import Reply, failed, packed
from casemate.core.errors import CampaignError

Say = Callable[[str], None]


class Engine(Protocol):
    """Carries out batches somewhere. Ends what it started when the iterator is closed."""

    def replies(self, task: bytes, todo: Sequence[Batch]) -> Iterator[tuple[Batch, Reply]]:
        """Yield each batch with its reply as it comes in, in any order, until all are done.

        `task` is opened by `worker.carry_out`. CampaignError for a batch that ends its workers.
        """
        ...


def run(
    jobs: Iterable[Job],
    work: Work,
    store: Store,
    *,
    workers: int = 1,
    engine: Engine | None = None,
    batch: int = BATCH,
    setup: Setup | None = None,
    say: Say | None = None,
) -> tuple[Outcome, ...]:
    """Return the outcomes of jobs in their order; done ones are read from the store.

    workers: local processes; 1 works in this one. engine: instead of local processes. setup: called
    once by each worker. say: told of progress. CampaignError names the batch that could not be
    done; it, and an interrupt, leave all that was done by then.
    """
    told = say or _silent
    wanted = tuple(batches(jobs, store.context, batch))
    todo = tuple({each.address: each for each in wanted if not store.has(each)}.values())
    told(f"{len(wanted) - len(todo)} of {len(wanted)} batches were there")
    if todo:
        _carry_out(todo, store, engine or Local(workers=workers), packed(work, setup), told)
    return tuple(outcome for each in wanted for outcome in _stored(store, each))


def _carry_out(
    todo: tuple[Batch, ...], store: Store, engine: Engine, task: bytes, say: Say
) -> None:
    begin, jobs = time.monotonic(), 0
    replies = engine.replies(task, todo)
    try:
        for done, (each, reply) in enumerate(replies, start=1):
            if reply.error:
                raise failed(each, reply.error)
            store.put(each, reply.lines)
            jobs += len(each.jobs)
            rate = jobs / max(time.monotonic() - begin, 1e-9)
            say(f"{done} of {len(todo)} batches, {rate:.3g} jobs a second")
    finally:
        close = getattr(replies, "close", None)
        if close is not None:
            close()


def _stored(store: Store, batch: Batch) -> tuple[Outcome, ...]:
    found = store.get(batch)
    if found is None:
        raise CampaignError(
            f"batch {batch.address[:12]} was stored and is gone or changed.",
            remedy="let nothing else write into the folder, and run again.",
        )
    return found


def _silent(text: str) -> None:
    pass
