"""Progress of long work: what is done, of how many, and what of it people see in a terminal.

`Work` counts, wherever the work is done; pages and commands show what it says. Nothing is guessed:
without a total there is a count and no share, and work that does not move says so.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TypeVar

from casemate.core.errors import CasemateError

STALL_S = 10.0
"""Without a step, after which work is said to stand still (planning value): a step takes
milliseconds, on a disk that is busy a second."""
_LEAST_S, _LEAST_SHARE = 2.0, 0.02
"""Time and share of a stage after which its pace says how long it will last (planning values)."""
_REDRAWN_S = 0.2
_T = TypeVar("_T")
RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"


class WorkCancelledError(CasemateError):
    """Somebody has asked that this work end before it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Work as it stands at one moment.

    what: is being done. stage: of it, "" if it has one alone. done, total: of the stage, in `unit`;
    total 0: nobody knows. counted: False where it cannot be seen to move. for_s: since it began.
    still_s: since it last moved. left_s: of the stage, None where its pace does not say. how:
    RUNNING, DONE, FAILED or CANCELLED; why it failed; ended_s: how long ago.
    """

    what: str
    stage: str
    done: int
    total: int
    unit: str
    for_s: float
    still_s: float
    left_s: float | None
    how: str = RUNNING
    why: str = ""
    ended_s: float = 0.0
    counted: bool = True

    @property
    def stands(self) -> bool:
        """Return whether nothing has moved for long, though it is not at its end."""
        return self.how == RUNNING and self.counted and self.still_s >= STALL_S

    @property
    def count(self) -> str:
        """Return how far it is, such as "1,200 of 20,003 tokens"; "" where it is not counted."""
        if not self.counted:
            return ""
        if self.unit == "bytes":
            of = f" of {size(self.total)}" if self.total else ""
            return f"{size(self.done)}{of}"
        of = f" of {self.total:,}" if self.total else ""
        return f"{self.done:,}{of} {self.unit}".rstrip()

    @property
    def pace(self) -> str:
        """Return how long it has to go, that it stands, or how it ended."""
        if self.how == FAILED:
            return f"it has failed: {self.why}"
        if self.how != RUNNING:
            return f"{self.how} after {seconds(self.for_s)}"
        if self.stands:
            return f"nothing has moved for {seconds(self.still_s)}"
        if self.left_s is not None:
            return f"about {seconds(self.left_s)} to go{' in this stage' if self.stage else ''}"
        if not self.counted:
            return f"for {seconds(self.for_s)}; how far it is, is not counted"
        if not self.total:
            return f"for {seconds(self.for_s)}; how much there is, is not known"
        return f"for {seconds(self.for_s)}; its pace is not known yet"

    @property
    def text(self) -> str:
        """Return all of it in a line."""
        said = (each for each in (self.stage, self.count, self.pace) if each)
        return f"{self.what}: {', '.join(said)}"


class Work:
    """A piece of work under way. For several threads. clock: seconds that only go on."""

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._clock, self._lock = what, clock, threading.Lock()
        self._begun = self._moved = self._staged = clock()
        self._stage, self._unit = "", ""
        self._done, self._total, self._counted = 0, 0, True
        self._how, self._why, self._end = RUNNING, "", 0.0
        self._asked_to_end = ""
        self._gauge: Callable[[], int] | None = None

    def stage(
        self, stage: str, total: int = 0, unit: str = "", *, counted: bool = True,
        gauge: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        """Begin a stage. total: of its steps, 0 if nobody knows. counted: it will tell steps.

        gauge: what is done, where nobody tells steps; it may raise OSError.
        """
        self._go_on()
        with self._lock:
            self._counted, self._gauge = counted, gauge
            self._stage, self._total, self._unit, self._done = stage, total, unit, 0
            self._staged = self._moved = self._clock()

    def step(self, by: int = 1) -> None:
        """Count steps that are done. WorkCancelledError if the work is to end."""
        self._go_on()
        with self._lock:
            self._done += by
            self._moved = self._clock()

    def later(self, stage: str, total: int, unit: str) -> Callable[[], None]:
        """Return what counts a step, of a stage that begins with the first."""
        begun = False

        def step() -> None:
            nonlocal begun
            if not begun:
                self.stage(stage, total, unit)
                begun = True
            self.step()

        return step

    def each(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield items, and count each once it was used."""
        for item in items:
            yield item
            self.step()

    def cancel(self, why: str) -> None:
        """Have the next step raise WorkCancelledError."""
        self._asked_to_end = why

    def end(self, how: str = DONE, why: str = "") -> None:
        """Say how it ended; what is said first stands."""
        with self._lock:
            if self._how == RUNNING:
                self._how, self._why, self._end = how, why, self._clock()

    def look(self) -> Look:
        """Return how it stands now."""
        with self._lock:
            now = self._clock() if self._how == RUNNING else self._end
            self._read_gauge(now)
            return Look(
                what=self._what, stage=self._stage, done=self._done, total=self._total,
                unit=self._unit, for_s=now - self._begun, still_s=now - self._moved,
                left_s=self._left_s(now), how=self._how, why=self._why,
                ended_s=self._clock() - now, counted=self._counted,
            )  # fmt: skip

    def _read_gauge(self, now: float) -> None:
        if self._gauge is None or self._how not in (RUNNING, DONE):
            return
        with suppress(OSError):
            if (done := self._gauge()) > self._done:
                self._done, self._moved = done, now

    def _left_s(self, now: float) -> float | None:
        spent = now - self._staged
        if self._how != RUNNING or not self._total or not self._done or self._done > self._total:
            return None
        if spent < _LEAST_S or self._done < _LEAST_SHARE * self._total:
            return None
        return spent * (self._total - self._done) / self._done

    def _go_on(self) -> None:
        if self._asked_to_end:
            raise WorkCancelledError(f"{self._asked_to_end}.", remedy="begin it anew.")


@contextmanager
def ending(work: Work) -> Iterator[Work]:
    """Yield the work, and say at its end how it ended."""
    try:
        yield work
    except (WorkCancelledError, KeyboardInterrupt, GeneratorExit):
        work.end(CANCELLED)
        raise
    except BaseException as error:
        work.end(FAILED, _why(error))
        raise
    work.end()


@contextmanager
def failing(work: Work) -> Iterator[None]:
    """Say of work that goes on after this that it has failed, if this fails."""
    try:
        yield
    except BaseException as error:
        work.end(FAILED, _why(error))
        raise


@contextmanager
def shown(what: str, *, enabled: bool = True) -> Iterator[Work]:
    """Yield work that is shown on standard error while it goes on, if that is a terminal.

    Its last line stays, with counts, unless an error follows that says more. enabled: False shows
    nothing, as beside `--json`.
    """
    work, line = Work(what), Progress()
    with _drawn(work, line) if enabled and line.enabled else nullcontext(), ending(work):
        yield work


@contextmanager
def _drawn(work: Work, line: Progress) -> Iterator[None]:
    """Draw work in a line of its own, also while it does not move; leave how it ended."""
    over = threading.Event()

    def draw() -> None:
        while not over.wait(_REDRAWN_S):
            line.step(work.look().text, by=0)

    drawing = threading.Thread(target=draw, name="progress", daemon=True)
    drawing.start()
    try:
        yield
    finally:
        over.set()
        drawing.join()
        line.close()
        if (look := work.look()).how != FAILED:  # the error says what is wrong
            sys.stderr.write(f"{look.text}\n")


def _why(error: BaseException) -> str:
    """Return what is told of an error to whoever looks: no path, no word of a library."""
    if isinstance(error, CasemateError):
        return error.message.rstrip(".")
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def seconds(time_s: float) -> str:
    """Return a length of time that is not known to the second where it is long."""
    if time_s < 90:
        return f"{max(round(time_s), 1)} s"
    if time_s < 5400:
        return f"{round(time_s / 60)} min"
    return f"{time_s / 3600:.1f} h"


def size(count: int) -> str:
    """Return bytes in the unit that fits them."""
    for unit, of in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= of:
            return f"{count / of:.3g} {unit}"
    return f"{count} bytes"


class Progress:
    """One line that is rewritten; silent when standard error is no terminal."""

    def __init__(self, *, total: int = 0, enabled: bool | None = None) -> None:
        self.total = total
        self.done = 0
        self._shown = 0.0
        self.enabled = sys.stderr.isatty() if enabled is None else enabled

    def step(self, text: str, *, by: int = 1) -> None:
        """Count `by` more units of work and show `text`, at most ten times a second."""
        self.done += by
        now = time.monotonic()
        if not self.enabled or now - self._shown < 0.1:
            return
        self._shown = now
        count = f"[{self.done}/{self.total}] " if self.total else ""
        sys.stderr.write(f"\r\x1b[2K{count}{text[:100]}")
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self.enabled:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
