"""Dask: the same jobs on the workers of a cluster, on this machine or many.

Every machine needs the same Casemate and whatever files the set-up names. A worker that dies loses
its running batch, which the scheduler gives to another.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import Any

from casemate.campaigns.engines.jobs import Batch
from casemate.campaigns.engines.local import LIMIT
from casemate.campaigns.engines.worker import Reply, carry_out, lost
from casemate.core.errors import CampaignError, InputError

AHEAD = 4
"""Batches handed to the scheduler for each thread, so that none waits for this process."""
WAIT_S = 30.0
"""For a scheduler to answer and have a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dask:
    """Workers of a cluster. address: of its scheduler; else `workers` processes are started here.

    cluster: a running cluster object of Dask, instead of both; it is left running.
    """

    address: str = ""
    workers: int = 2
    cluster: Any = None

    def replies(self, task: bytes, todo: Sequence[Batch]) -> Iterator[tuple[Batch, Reply]]:
        """Yield each batch with its reply as it comes in; see `run.Engine`."""
        distributed = _distributed()
        with ExitStack() as stack:
            client = self._client(distributed, stack)
            yield from _shared_out(distributed, client, task, todo)

    def _client(self, distributed: ModuleType, stack: ExitStack) -> Any:
        if not self.address and self.cluster is None:
            import dask

            stack.enter_context(
                dask.config.set({"distributed.scheduler.allowed-failures": LIMIT - 1})
            )
            cluster: Any = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=self.workers,
                    threads_per_worker=1,
                    dashboard_address=":0",
                    memory_limit=0,
                    silence_logs=logging.ERROR,
                )
            )
        else:
            cluster = self.cluster or self.address
        try:
            client = stack.enter_context(
                distributed.Client(cluster, timeout=WAIT_S, set_as_default=False)
            )
            client.wait_for_workers(1, timeout=WAIT_S)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise CampaignError(
                f"the Dask scheduler at {self.address or 'this machine'} has no worker: {error}.",
                remedy="start it with `dask scheduler` and workers with `dask worker ADDRESS`.",
            ) from error
        return client


def _shared_out(
    distributed: ModuleType, client: Any, task: bytes, todo: Sequence[Batch]
) -> Iterator[tuple[Batch, Reply]]:
    held: dict[Any, Batch] = {}
    waiting = iter(todo)

    def more(count: int) -> list[Any]:
        futures = []
        for batch in islice(waiting, count):
            # pure=False: a result must never come from an earlier run's memory
            future = client.submit(carry_out, task, batch, pure=False)
            held[future.key] = batch
            futures.append(future)
        return futures

    threads = sum(client.nthreads().values())
    coming = distributed.as_completed(more(AHEAD * threads), loop=client.loop)
    for future in coming:
        batch = held.pop(future.key)
        try:
            reply: Reply = future.result()
        except distributed.scheduler.KilledWorker:
            raise lost(batch, LIMIT) from None
        except Exception as error:  # Dask raises whatever its network or pickle raises
            raise CampaignError(
                f"Dask could not carry out batch {batch.address[:12]}: {error!r}.",
                remedy="check that all machines run the same Casemate, and run again.",
            ) from error
        for each in more(1):
            coming.add(each)
        yield batch, reply


def _distributed() -> ModuleType:
    try:
        import distributed
        import distributed.scheduler
    except ImportError as error:
        raise InputError(
            "Dask's distributed is not installed.",
            remedy="pip install casemate[many], or leave Dask out: local processes need nothing.",
            key="engine",
        ) from error
    module: ModuleType = distributed
    return module
