"""What the service knows of its own threads: whether its clock runs, how its outlets fare."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How an outlet fares since the service started. error: why it fails now, "" if it does not."""

    kind: str
    sent: int = 0
    failures: int = 0
    error: str = ""


class Pulse:
    """Beats of the service's threads; any thread may read and write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ticked_s = 0.0
        self._outlets: dict[str, Sending] = {}

    @property
    def ticked_s(self) -> float:
        """Return when what time asks for was last done, 0 if never."""
        with self._lock:
            return self._ticked_s

    def tick(self, now_s: float) -> None:
        """Say that what time asks for was done."""
        with self._lock:
            self._ticked_s = now_s

    def outlets(self) -> dict[str, Sending]:
        """Return how each outlet fares."""
        with self._lock:
            return dict(self._outlets)

    def begun(self, outlet: str, kind: str) -> None:
        """Say that an outlet has begun."""
        with self._lock:
            self._outlets[outlet] = Sending(kind=kind)

    def sent(self, outlet: str, count: int) -> None:
        """Say that a receiver has taken notices."""
        with self._lock:
            held = self._outlets[outlet]
            self._outlets[outlet] = replace(held, sent=held.sent + count, error="")

    def failed(self, outlet: str, error: str) -> bool:
        """Say that an outlet fails; return whether it fails otherwise than before."""
        with self._lock:
            held = self._outlets[outlet]
            self._outlets[outlet] = replace(held, failures=held.failures + 1, error=error)
            return held.error != error
