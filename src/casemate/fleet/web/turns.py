"""Whose handshake begins next: so many a second in all, so many of a sender, turn by turn.

A handshake costs a millisecond of processor time before anybody is known. Connections wait for
their turn before TLS begins, where they cost a file handle. One that comes where a sender has as
many as may wait is ended, and no other; so whoever floods stands in its own way alone.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from casemate.fleet.web.bodies import sender

RATE, BURST = 400.0, 400.0
"""Handshakes a second in all, and saved up (planning values): at 1.1 ms, under half a core."""
RATE_OF_ONE, BURST_OF_ONE = 200.0, 2000.0
"""Of a sender (planning values). 10,000 controllers behind one address that push each six minutes
make 56 a second; all at once after a power cut, they are through in a minute and a half."""
MOST, MOST_OF_ONE = 128, 64
"""Connections that wait for their turn (planning values): a file handle each."""
LEAST_WAIT_S = 0.002
"""Between looks at who may go (planning value)."""
MOST_KNOWN = 4096
"""Senders whose rate is kept; of more, the one that came longest ago is forgotten."""


class Waiter(Protocol):
    """A connection that waits."""

    def begin(self) -> None:
        """Begin TLS."""

    def abort(self) -> None:
        """End it at once."""


class _Bucket:
    """So many at once, and so many a second."""

    def __init__(self, rate: float, burst: float, now_s: float) -> None:
        self._rate, self._burst, self._level, self._at_s = rate, burst, burst, now_s

    def wait_s(self, now_s: float) -> float:
        """Return after what time one may go."""
        filled = self._level + max(now_s - self._at_s, 0.0) * self._rate
        self._level, self._at_s = min(self._burst, filled), now_s
        return max(1.0 - self._level, 0.0) / self._rate

    def take(self) -> None:
        """Count one, after `wait_s` was 0."""
        self._level -= 1.0


class Turns:
    """Connections that wait, by sender. Of one loop, whose time `clock` is and whose `later` is."""

    def __init__(
        self, clock: Callable[[], float], later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._clock, self._later = clock, later
        self._all = _Bucket(RATE, BURST, clock())
        self._of: OrderedDict[str, _Bucket] = OrderedDict()
        self._queues: OrderedDict[str, deque[Waiter]] = OrderedDict()
        """Of senders who wait, the one whose turn is next first."""
        self._is_due, self._count = False, 0

    @staticmethod
    def here() -> Turns:
        """Return turns of the loop that runs."""
        loop = asyncio.get_running_loop()
        return Turns(loop.time, loop.call_later)

    def __len__(self) -> int:
        return self._count

    def enter(self, one: Waiter, client: str) -> None:
        """Let a connection wait for its turn, or begin at once; or end it if too many wait."""
        who = sender(client)
        queue = self._queues.get(who, deque())
        if len(queue) >= MOST_OF_ONE:
            one.abort()
            return
        queue.append(one)
        self._queues[who], self._count = queue, self._count + 1
        if self._count > MOST:
            self._end(max(reversed(self._queues), key=lambda name: len(self._queues[name])))
        self._go()

    def leave(self, one: Waiter) -> None:
        """Say that a connection waits no more."""
        for who, queue in list(self._queues.items()):
            if one in queue:
                queue.remove(one)
                self._count -= 1
                if not queue:
                    del self._queues[who]
                return

    def _end(self, who: str) -> None:
        """End the latest of a sender."""
        queue = self._queues[who]
        last = queue.pop()
        self._count -= 1
        if not queue:
            del self._queues[who]
        last.abort()

    def _go(self) -> None:
        now_s = self._clock()
        while self._queues:
            wait_s = self._all.wait_s(now_s)
            who = self._next(now_s) if wait_s == 0.0 else ""
            if not who:
                self._again(wait_s)
                return
            self._begin(who)

    def _next(self, now_s: float) -> str:
        """Return the first sender that may go, "" if none."""
        for name in self._queues:
            if self._bucket(name, now_s).wait_s(now_s) == 0.0:
                return name
        return ""

    def _begin(self, who: str) -> None:
        """Let the first of a sender begin; its next one comes after those of all others."""
        queue = self._queues.pop(who)
        one = queue.popleft()
        self._count -= 1
        if queue:
            self._queues[who] = queue
        self._all.take()
        self._of[who].take()
        one.begin()

    def _again(self, wait_s: float) -> None:
        if not self._is_due:
            self._is_due = True
            self._later(max(wait_s, LEAST_WAIT_S), self._came)

    def _came(self) -> None:
        self._is_due = False
        self._go()

    def _bucket(self, who: str, now_s: float) -> _Bucket:
        held = self._of.pop(who, None) or _Bucket(RATE_OF_ONE, BURST_OF_ONE, now_s)
        self._of[who] = held
        while len(self._of) > MOST_KNOWN:
            self._of.popitem(last=False)
        return held
