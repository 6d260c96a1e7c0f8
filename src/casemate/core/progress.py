"""Progress for people: on standard error, and only on a terminal."""

from __future__ import annotations

import sys
import time


class Progress:
    """One line that is rewritten; silent when standard error is no terminal."""

    def __init__(self, *, total: int = 0, enabled: bool | None = None) -> None:
        self.total = total
        self.done = 0
        self._shown = 0.0
        self._enabled = sys.stderr.isatty() if enabled is None else enabled

    def step(self, text: str, *, by: int = 1) -> None:
        """Count `by` more units of work and show `text`, at most ten times a second."""
        self.done += by
        now = time.monotonic()
        if not self._enabled or now - self._shown < 0.1:
            return
        self._shown = now
        count = f"[{self.done}/{self.total}] " if self.total else ""
        sys.stderr.write(f"\r\x1b[2K{count}{text[:100]}")
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._enabled:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
