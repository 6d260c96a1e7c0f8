"""Appraisals that take long: done by threads of their own, and whoever asks is told how far.

A year of evidence takes minutes. Until all of it was looked at, nothing of it is known: who asks
meanwhile gets no verdict of before, but `AppraisingError` with what is done, of how much.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from casemate.core.progress import FAILED, RUNNING, Look, Work, WorkCancelledError, ending
from casemate.fleet.errors import AppraisingError
from casemate.verify.result import Result

LONG = 512
"""Entries beyond which an appraisal is long: about a second of a processor, and more than any
enclosure brings at once in operation (planning value)."""
WAIT_S = 1.0
"""For which who asks waits before they are told how far it is (planning value)."""
AT_ONCE = 2
"""Long appraisals that pages have begun (planning value): pages need a processor too."""
RETRY_S = 30.0
"""After which one that failed is tried again (planning value)."""
WHAT, WAITING = "Appraisal of its evidence", "waiting for others to end"
_LOG = logging.getLogger("casemate.fleet")


class UnderWay:
    """Long appraisals of enclosures, each with its work. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: dict[int, Work] = {}
        self._waiting: dict[int, Future[Result]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "appraising")
        self._closed = False

    @contextmanager
    def of(self, enclosure_id: int) -> Iterator[Work]:
        """Yield the work of an appraisal; who appraises has the enclosure's lock.

        If one is told of already it is this one's, or waits for this one: it is gone on with.
        """
        with self._lock:
            held = self._works.get(enclosure_id)
            mine = held is None or held.look().how != RUNNING
            if held is None or mine:
                held = self._works[enclosure_id] = Work(WHAT)
        if not mine:
            yield held
            return
        with self._told(enclosure_id, held):
            yield held

    @contextmanager
    def _told(self, enclosure_id: int, work: Work) -> Iterator[None]:
        """Say how a work ends; one that ended well, or was called off, is told of no more."""
        try:
            with ending(work):
                yield
        finally:
            with self._lock:
                ended = work.look().how != FAILED
                if ended and self._works.get(enclosure_id) is work:
                    del self._works[enclosure_id]

    def look(self, enclosure_id: int) -> Look | None:
        """Return how far an enclosure's appraisal is, or why it failed; None if there is none."""
        with self._lock:
            work = self._works.get(enclosure_id)
        return work.look() if work is not None else None

    def looks(self) -> dict[int, Look]:
        """Return how far all are that are under way or have failed, by enclosure."""
        with self._lock:
            held = dict(self._works)
        return {number: work.look() for number, work in held.items()}

    def begin(self, enclosure_id: int, do: Callable[[], Result]) -> Future[Result] | None:
        """Have an appraisal done; None if somebody does it already, or it failed a moment ago."""
        with self._lock:
            held = self._waiting.get(enclosure_id)
            if held is not None:
                return held
            before = self._works.get(enclosure_id)
            look = before.look() if before is not None else None
            if look is not None and (look.how == RUNNING or look.ended_s < RETRY_S):
                return None
            if self._closed:
                return None
            work = self._works[enclosure_id] = Work(WHAT)
            work.stage(WAITING, counted=False)
            made = self._waiting[enclosure_id] = self._pool.submit(
                self._done, enclosure_id, work, do
            )
            return made

    def wait(self, enclosure_id: int, do: Callable[[], Result]) -> Result:
        """Return what an appraisal finds, if it is done soon; AppraisingError says how far it is.

        It goes on by itself, whether anybody waits for it or not.
        """
        future = self.begin(enclosure_id, do)
        if future is not None:
            wait([future], WAIT_S)
            if future.done() and not future.cancelled() and future.exception() is None:
                return future.result()
        raise AppraisingError(self.told(enclosure_id))

    def told(self, enclosure_id: int) -> Look:
        """Return how far an appraisal is that is under way, or is about to be."""
        look = self.look(enclosure_id)
        if look is None:
            work = Work(WHAT)
            work.stage(WAITING, counted=False)
            look = work.look()
        return look

    def cancel(self, enclosure_id: int, why: str) -> None:
        """End an enclosure's appraisal before it is done: what it looks at does not hold."""
        with self._lock:
            work = self._works.get(enclosure_id)
        if work is not None:
            work.cancel(why)

    def close(self) -> None:
        """End all, and wait for their threads."""
        with self._lock:
            self._closed, held = True, list(self._works.values())
        for each in held:
            each.cancel("the service ends")
        self._pool.shutdown(cancel_futures=True)

    def _done(self, enclosure_id: int, work: Work, do: Callable[[], Result]) -> Result:
        """Carry an appraisal out; what ends it is kept to be told."""
        try:
            with self._told(enclosure_id, work):
                return do()
        except WorkCancelledError:
            raise  # who called it off knows
        except Exception:
            _LOG.exception("the appraisal of enclosure %d has failed", enclosure_id)
            raise
        finally:
            with self._lock:
                self._waiting.pop(enclosure_id, None)
