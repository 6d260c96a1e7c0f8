"""Connections that have not spoken TLS yet: few of one sender, few in all, nobody locked out.

Where there is no room, one that waits is ended, of whoever has most that wait, the oldest first. So
strangers who connect and say nothing end each other, however many they are; who has one connection
under way loses it only where every other sender has no more either.
"""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections import Counter
from collections.abc import Callable

from casemate.fleet.web.bodies import sender
from casemate.fleet.web.turns import Turns

MOST, MOST_OF_ONE = 192, 64
"""That wait at once, in all and of a sender (planning values): 256 kB each, and a file handle."""
BACKLOG = 128
"""Accepted before the loop does anything else (planning value): each takes a file handle."""
WAIT_S = 10.0
"""For which TLS is waited for (planning value), at the beginning and at the end."""


class Waiting:
    """Connections that were accepted and are not made yet, the oldest first. Of one loop."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._held: dict[Greeting, str] = {}

    def __len__(self) -> int:
        return len(self._held)

    def begun(self, one: Greeting, client: str) -> None:
        """Count a connection that was accepted, and end others if there are too many."""
        who = self._held[one] = sender(client)
        counts = Counter(self._held.values())
        if counts[who] > self._most_of_one:
            self._end(who)
        elif len(self._held) > self._most:
            self._end(max(counts, key=lambda name: counts[name]))

    def done(self, one: Greeting) -> None:
        """Say that a connection waits no more."""
        self._held.pop(one, None)

    def _end(self, who: str) -> None:
        oldest = next(one for one, name in self._held.items() if name == who)
        del self._held[oldest]
        oldest.abort()


class Greeting(asyncio.Protocol):
    """A connection until it has spoken TLS; then it is handed to the protocol of the server."""

    def __init__(
        self, make: Callable[[], asyncio.BaseProtocol], context: ssl.SSLContext, waiting: Waiting,
        turns: Turns,
    ) -> None:  # fmt: skip
        self._make, self._context, self._waiting, self._turns = make, context, waiting, turns
        self._client = ""
        self._early: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a turn; nothing is read before TLS begins."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.pause_reading()
        address = transport.get_extra_info("peername")
        self._client = str(address[0]) if address else ""
        self._turns.enter(self, self._client)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._turns.leave(self)

    def begin(self) -> None:
        """Begin TLS."""
        assert self._transport is not None
        self._task = asyncio.get_running_loop().create_task(self._greet(self._transport))
        self._waiting.begun(self, self._client)

    def data_received(self, data: bytes) -> None:
        """Keep what comes with the end of the handshake."""
        self._early.append(data)

    async def _greet(self, transport: asyncio.Transport) -> None:
        try:
            if transport.is_closing():  # it was ended before it began
                return
            made = await asyncio.get_running_loop().start_tls(
                transport, self, self._context, server_side=True, ssl_handshake_timeout=WAIT_S,
                ssl_shutdown_timeout=WAIT_S,
            )  # fmt: skip
        except (OSError, TimeoutError) as error:
            transport.abort()
            traceback.clear_frames(error.__traceback__)  # 256 kB each would wait for the collector
            return
        finally:
            self._waiting.done(self)
        if made is None or transport.is_closing():
            return
        protocol = self._make()
        made.set_protocol(protocol)
        protocol.connection_made(made)
        for each in self._early:
            assert isinstance(protocol, asyncio.Protocol)
            protocol.data_received(each)
