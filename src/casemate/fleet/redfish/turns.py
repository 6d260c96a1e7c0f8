"""Turns of answers that take long: few are worked on at once, and nobody has all of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from casemate.fleet.redfish.messages import RedfishError

AT_ONCE, MOST_OF_ONE = 2, 2
"""Worked on at once in all; worked on or waiting of one sender (planning values)."""
WAIT_S = 20.0
"""For which one waits for its turn (planning value)."""


class Turns:
    """Gives turns, in the order in which they were asked for. For one event loop."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._free = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def of(self, who: str) -> AsyncIterator[None]:
        """Hold a turn of a sender. RedfishError with 503 if it has its share, or waits too long."""
        if self._held[who] >= MOST_OF_ONE:
            raise RedfishError("ServiceTemporarilyUnavailable")
        self._held[who] += 1
        try:
            try:
                await asyncio.wait_for(self._free.acquire(), WAIT_S)
            except TimeoutError:
                raise RedfishError("ServiceTemporarilyUnavailable") from None
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._held[who] -= 1
            self._held += Counter()  # without those that have none
