"""What is sent in parts: ZIP files that lie in memory a file at a time, and how many at once."""

from __future__ import annotations

import io
import threading
import zipfile
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from casemate.core.progress import RUNNING, Look, Work, ending
from casemate.fleet.errors import BusyError
from casemate.fleet.story.export import Part

Parts = Generator[bytes, None, None]
MOST, MOST_OF_ONE = 8, 2
"""Sent at once in all, and to a person (planning values)."""
SLICE = 1 << 18
"""Bytes that are handed to the network at once (planning value)."""
TOLD_S, MOST_TOLD = 120.0, 4
"""For which a person is told how it ended, and of how many (planning values)."""


class InParts(StreamingResponse):
    """An answer whose parts are closed at its end, however that comes: the client may go."""

    def __init__(self, parts: Parts, headers: Mapping[str, str]) -> None:
        super().__init__(parts, headers=headers)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._parts.close()


class Downloads:
    """Counts what is being sent. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._works: dict[str, list[Work]] = {}

    def work(self, who: str, what: str) -> Work:
        """Return the work of something that is about to be sent to a person, who is told of it."""
        made = Work(what)
        with self._lock:
            self._works.setdefault(who, []).append(made)
        return made

    def of(self, who: str) -> list[Look]:
        """Return how far what is sent to a person is, also what has ended a while ago."""
        with self._lock:
            held = [(each, each.look()) for each in self._works.get(who, ())]
            kept = [pair for pair in held if pair[1].how == RUNNING or pair[1].ended_s < TOLD_S]
            self._works[who] = [each for each, _ in kept][-MOST_TOLD:]
            if not kept:
                del self._works[who]
        return [look for _, look in kept][-MOST_TOLD:]

    def begin(self, who: str, parts: Iterator[bytes], work: Work | None = None) -> Parts:
        """Return the parts; who takes them has a place until they are closed, or at their end.

        work: is told of each part, in bytes. BusyError if no place is free.
        """
        self._take(who)
        counted = self._counted(who, parts, work or Work("parts"))
        next(counted)  # from now on its end is seen, however it comes
        return counted

    @contextmanager
    def place(self, who: str) -> Iterator[None]:
        """Hold a place for what reads all evidence, and sends little. BusyError if none is free."""
        self._take(who)
        try:
            yield
        finally:
            self._give(who)

    def _take(self, who: str) -> None:
        with self._lock:
            if self._held[who] >= MOST_OF_ONE or self._held.total() >= MOST:
                raise BusyError(
                    "too much is being sent already.", remedy="wait until another one has ended."
                )
            self._held[who] += 1

    def _give(self, who: str) -> None:
        with self._lock:
            self._held[who] -= 1
            self._held += Counter()  # without those that have none

    def _counted(self, who: str, parts: Iterator[bytes], work: Work) -> Parts:
        try:
            with ending(work):
                yield b""
                for part in parts:
                    for at in range(0, len(part), SLICE):  # what is counted has left us
                        slice_ = part[at : at + SLICE]
                        yield slice_
                        work.step(len(slice_))
        finally:
            self._give(who)


class _Window(io.RawIOBase):
    """The end of a file that is written: it can be gone back in as far as it was not taken."""

    def __init__(self) -> None:
        self._before, self._held = 0, io.BytesIO()

    def seekable(self) -> bool:
        """Return that a header can be filled in."""
        return True

    def tell(self) -> int:
        """Return where in the file this stands."""
        return self._before + self._held.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place that was not taken."""
        assert whence == io.SEEK_SET
        return self._before + self._held.seek(offset - self._before)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write; nothing is flushed anywhere."""
        return self._held.write(data)

    def taken(self) -> bytes:
        """Return what was written since, and forget it."""
        data = self._held.getvalue()
        self._before, self._held = self._before + len(data), io.BytesIO()
        return data


def zipped(files: Iterable[Part]) -> Iterator[bytes]:
    """Yield the parts of a ZIP file, each once its file is there."""
    out = _Window()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[arg-type]
        for path, data in files:
            archive.writestr(zipfile.ZipInfo(path), data)
            yield out.taken()
    yield out.taken()
