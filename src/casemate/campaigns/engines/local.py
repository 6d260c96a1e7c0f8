"""Local processes, each a pool of its own: one that dies takes its running batch and no other.

Workers are spawned, not forked. Each holds one end of a pipe and ends at once when the other end is
closed, so none outlives this process or an interrupt.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from casemate.campaigns.engines.jobs import Batch
from casemate.campaigns.engines.worker import Reply, carry_out, lost
from casemate.core.errors import InputError

LIMIT = 3
"""Workers that a batch may take with it before it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Processes of this machine, for one run. workers: how many; 1 works in this process."""

    workers: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InputError(
                "a campaign needs a worker.",
                remedy="give 1 or more.",
                key="workers",
                value=self.workers,
            )

    def replies(self, task: bytes, todo: Sequence[Batch]) -> Iterator[tuple[Batch, Reply]]:
        """Yield each batch with its reply as it comes in; see `run.Engine`."""
        with LocalPool(min(self.workers, len(todo))) as pool:
            yield from pool.replies(task, todo)


class LocalPool:
    """Processes of this machine that stay for many runs, as a search makes them.

    with LocalPool(2) as pool:
        run(jobs, work, store, engine=pool)
    """

    def __init__(self, workers: int) -> None:
        self._alone = Local(workers=max(workers, 1)).workers == 1
        self._workers = [_Worker() for _ in range(0 if self._alone else workers)]

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes now, whatever they do."""
        for worker in self._workers:
            worker.end()

    def replies(self, task: bytes, todo: Sequence[Batch]) -> Iterator[tuple[Batch, Reply]]:
        """Yield each batch with its reply as it comes in; see `run.Engine`."""
        if self._alone:
            for batch in todo:
                yield batch, carry_out(task, batch)
            return
        running: dict[Future[Reply], tuple[_Worker, Batch]] = {}
        try:
            yield from _shared_out(self._workers, running, task, todo)
        finally:
            for worker, _ in running.values():
                worker.end()


def _shared_out(
    workers: list[_Worker],
    running: dict[Future[Reply], tuple[_Worker, Batch]],
    task: bytes,
    todo: Sequence[Batch],
) -> Iterator[tuple[Batch, Reply]]:
    waiting, idle = deque(todo), list(workers)
    deaths: dict[str, int] = {}
    while waiting or running:
        while waiting and idle:
            worker, batch = idle.pop(), waiting.popleft()
            running[worker.submit(task, batch)] = worker, batch
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            worker, batch = running.pop(future)
            idle.append(worker)
            try:
                reply = future.result()
            except BrokenProcessPool:
                worker.end()
                deaths[batch.address] = deaths.get(batch.address, 0) + 1
                if deaths[batch.address] >= LIMIT:
                    raise lost(batch, LIMIT) from None
                waiting.appendleft(batch)
                continue
            yield batch, reply


@dataclass(slots=True)
class _Worker:
    """The owner of one process; it is made when first needed, and again after its end."""

    pool: ProcessPoolExecutor | None = None
    held: list[Connection] = field(default_factory=list)

    def submit(self, task: bytes, batch: Batch) -> Future[Reply]:
        for _ in range(LIMIT):
            if self.pool is None:
                self._begin()
            assert self.pool is not None
            try:
                return self.pool.submit(carry_out, task, batch)
            except BrokenProcessPool:  # it died while it had nothing to do
                self.end()
        raise lost(batch, LIMIT)

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        theirs, ours = context.Pipe(duplex=False)
        self.held = [ours, theirs]
        self.pool = ProcessPoolExecutor(
            max_workers=1, mp_context=context, initializer=_live, initargs=(theirs,)
        )

    def end(self) -> None:
        """End the process now, whatever it does."""
        for connection in self.held:
            connection.close()
        self.held = []
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)
            self.pool = None


def _live(lifeline: Connection) -> None:
    """Leave interrupts to the parent, and end as soon as it closes the other end or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        try:
            lifeline.poll(None)
        finally:
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
