"""How often somebody may ask."""

from __future__ import annotations

import threading
from collections import OrderedDict

from casemate.fleet.errors import TooManyError


class Limits:
    """How often a client may ask: a bucket of `burst` requests that fills by `per_s`.

    Clients that were longest silent are forgotten, at most `most` are known.
    """

    def __init__(self, per_s: float, burst: float, most: int = 10_000) -> None:
        self._per_s, self._burst, self._most = per_s, burst, most
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str, now_s: float) -> None:
        """Count a request; TooManyError if it is one too many."""
        with self._lock:
            level, at_s = self._held.pop(client, (self._burst, now_s))
            level = min(self._burst, level + max(now_s - at_s, 0.0) * self._per_s)
            self._held[client] = (max(level - 1.0, 0.0), now_s)
            if len(self._held) > self._most:
                self._held.popitem(last=False)
            if level < 1.0:
                raise TooManyError("that was too often.", remedy="wait a minute, and try again.")
