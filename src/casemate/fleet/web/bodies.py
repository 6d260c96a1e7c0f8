"""Bodies of requests: how large, how slow and how many at once, each and all together.

Who sends is known before a body is read, strangers aside, whose bodies are small. Small bodies need
no permission: there are no more than connections. Large ones wait, unread, until the memory for
them is free; while some wait, one that comes too slowly ends. One sender has few at once: of more
the oldest that is still being read ends, so that a connection that has died holds nobody up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from starlette.requests import ClientDisconnect, Request

from casemate.fleet.errors import BusyError, RefusedError, TooManyError, TooSlowError

SMALL_BYTES = 256_000
"""Up to which a body needs no permission (planning value): two tokens a minute for an hour."""
LARGE_BYTES = 96_000_000
"""Of all larger bodies together, from their first byte until they are answered (planning value)."""
WAIT_S = 20.0
"""For which a large body waits for memory (planning value)."""
FAIR_BYTES_PER_S, FAIR_AFTER_S = 64_000.0, 5.0
"""Slower than this, a large body ends once others wait (planning values)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a body may be. at_once: of one sender. all_at_once: of all senders of this kind.

    It ends after grace_s and as long as least_bytes_per_s gives it, and after longest_s at last.
    """

    most_bytes: int
    at_once: int = 4
    all_at_once: int = 512
    grace_s: float = 10.0
    least_bytes_per_s: float = 8_000.0
    longest_s: float = 300.0

    def due_s(self, size: int) -> float:
        """Return how long after its beginning a body ends of which `size` bytes have come."""
        return min(self.grace_s + size / self.least_bytes_per_s, self.longest_s)


STRANGERS = Bound(
    most_bytes=8_192, at_once=8, all_at_once=64, grace_s=5.0, least_bytes_per_s=1_000.0
)
"""Of who is not known yet: a code, a passkey, a password (planning values)."""


class _Body:
    """A body that is being read, or is held until it is answered."""

    def __init__(self, who: str, bound: Bound, begun_s: float) -> None:
        self.who, self.bound, self.begun_s = who, bound, begun_s
        self.size, self.reserved = 0, 0
        self.due: asyncio.Timeout | None = None
        self.is_cut = False

    @property
    def is_read(self) -> bool:
        """Return whether it is being read still, and was not told to end."""
        return self.due is not None and not self.is_cut

    def is_slow(self, now_s: float) -> bool:
        """Return whether it comes slower than what others can expect that wait for it."""
        age_s = now_s - self.begun_s
        return age_s > FAIR_AFTER_S and self.size < age_s * FAIR_BYTES_PER_S

    def cut(self, now_s: float) -> None:
        """Have its reader end."""
        assert self.due is not None
        self.is_cut = True
        self.due.reschedule(now_s)


class Bodies:
    """All bodies of a service. Of one event loop."""

    def __init__(self, large_bytes: int = LARGE_BYTES, wait_s: float = WAIT_S) -> None:
        self._free, self._wait_s = large_bytes, wait_s
        self._held: list[_Body] = []  # in the order in which they began
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held_bytes(self) -> int:
        """Return how many bytes have come of bodies that are not answered yet."""
        return sum(each.size for each in self._held)

    @asynccontextmanager
    async def read(self, http: Request, who: str, bound: Bound) -> AsyncIterator[bytes]:
        """Yield a body, which is held until the block ends.

        RefusedError if it is too large, TooSlowError, TooManyError if its sender has others that
        are being answered, BusyError if others need the memory.
        """
        if http.method in ("GET", "HEAD"):
            yield b""
            return
        told = _length(http, bound.most_bytes)
        body = _Body(who, bound, asyncio.get_running_loop().time())
        self._enter(body)
        try:
            if told > SMALL_BYTES:
                await self._reserve(told)
                body.reserved = told
                body.begun_s = asyncio.get_running_loop().time()
            yield await self._come(http, body, told)
        finally:
            self._held.remove(body)
            self._release(body.reserved)

    async def _come(self, http: Request, body: _Body, told: int) -> bytes:
        parts: list[bytes] = []
        try:
            async with asyncio.timeout_at(body.begun_s + body.bound.due_s(0)) as body.due:
                async for each in http.stream():
                    body.size += len(each)
                    if body.size > told:
                        raise _too_large(told)
                    parts.append(each)
                    if not body.is_cut:
                        body.due.reschedule(body.begun_s + body.bound.due_s(body.size))
        except TimeoutError:
            if body.is_cut:
                raise _busy() from None
            raise TooSlowError("it came too slowly.", remedy="send it in smaller parts.") from None
        except ClientDisconnect:
            raise RefusedError("it ended too early.", remedy="send it again.") from None
        finally:
            body.due = None
        return b"".join(parts)

    def _enter(self, body: _Body) -> None:
        """Make room among the sender's own bodies and among all of its kind."""
        own = [each for each in self._held if each.who == body.who]
        alike = [each for each in self._held if each.bound is body.bound]
        for held, most in ((own, body.bound.at_once), (alike, body.bound.all_at_once)):
            if len([each for each in held if not each.is_cut]) < most:
                continue
            oldest = next((each for each in held if each.is_read), None)
            if oldest is None:
                raise TooManyError("there are others already.", remedy="wait for their answers.")
            oldest.cut(asyncio.get_running_loop().time())
        self._held.append(body)

    async def _reserve(self, size: int) -> None:
        """Wait until there is memory, first come first served; BusyError if there is none."""
        if size <= self._free and not self._waiting:
            self._free -= size
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append((size, turn))
        until_s = loop.time() + self._wait_s
        try:
            while not turn.done() and loop.time() < until_s:
                self._cut_slow(loop.time())
                await asyncio.wait((turn,), timeout=min(1.0, until_s - loop.time()))
        except asyncio.CancelledError:
            self._give_up(size, turn)
            raise
        if not turn.done():
            self._give_up(size, turn)
            raise _busy()

    def _cut_slow(self, now_s: float) -> None:
        for each in self._held:
            if each.reserved and each.is_read and each.is_slow(now_s):
                each.cut(now_s)

    def _give_up(self, size: int, turn: asyncio.Future[None]) -> None:
        if turn.done():
            self._release(size)
        else:
            self._waiting.remove((size, turn))
            self._release(0)

    def _release(self, size: int) -> None:
        self._free += size
        while self._waiting and self._waiting[0][0] <= self._free:
            taken, turn = self._waiting.popleft()
            self._free -= taken
            turn.set_result(None)


def sender(client: str) -> str:
    """Return by what a stranger is told from others: an address; of IPv6 its network.

    Who has one address of IPv6 has 2^64 of them (RFC 4291, section 2.5.1).
    """
    try:
        found = ip_address(client)
    except ValueError:
        return client
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return client


def _length(http: Request, most: int) -> int:
    """Return how long a body may become, by its own word; RefusedError if that is too much."""
    text = http.headers.get("content-length", "")
    if not text:
        return most
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise RefusedError("its length is no number.", remedy="send it anew.")
    if int(text) > most:
        raise _too_large(most)
    return int(text)


def _too_large(most: int) -> RefusedError:
    return RefusedError(f"more than {most} bytes.", remedy="send it in parts.")


def _busy() -> BusyError:
    return BusyError("others are being served.", remedy="send it again, in smaller parts.")
