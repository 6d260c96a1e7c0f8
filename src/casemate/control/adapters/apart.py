"""Sources in processes of their own: what parses bytes of others, or takes long, is not here.

The controller reads messages of bytes and runs nothing that is in them.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from casemate.core.errors import ReaderError

MOST_BYTES = 64 << 20
"""Of a message; a longer one ends the source."""
POLL_S, HEAR_S = 0.2, 0.5
"""Wait for a message; for a process to end by itself (planning values)."""

Work = Callable[[Connection, Any], None]
"""Runs in the process: sends messages until the pipe ends. A function of a module, for `spawn`."""


class Apart:
    """A process that sends messages; `messages` yields them, None while there is none."""

    def __init__(self, work: Work, order: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._link, theirs = context.Pipe()
        self._process = context.Process(target=_quiet, args=(work, theirs, order), daemon=True)
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        theirs.close()

    @property
    def pid(self) -> int | None:
        """Return the process."""
        return self._process.pid

    def messages(self, poll_s: float = POLL_S) -> Iterator[bytes | None]:
        """Yield messages as they come; ReaderError once the process has ended."""
        while True:
            try:
                yield self._link.recv_bytes(MOST_BYTES) if self._link.poll(poll_s) else None
            except (EOFError, OSError):
                raise ReaderError(
                    "the process that reads has ended.", remedy="see what it says; start again."
                ) from None

    def send(self, data: bytes) -> None:
        """Send a message; waits while the process is busy. OSError if it has ended."""
        self._link.send_bytes(data)

    def close(self) -> None:
        """End the process: by the end of its pipe, which it hears unless busy, or by force."""
        self._link.close()
        self._process.join(HEAR_S)
        self._process.terminate()
        self._process.join(3.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _quiet(work: Work, link: Connection, order: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this process ends it
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        work(link, order)
