"""Who connects and says nothing takes no place from who does."""

from __future__ import annotations

import asyncio
import gc
import http.client
import select
import socket
import ssl
import time
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casemate.fleet.access import certificates
from casemate.fleet.web import handshakes
from casemate.fleet.web.handshakes import Greeting, Waiting
from casemate.fleet.web.server import Server
from casemate.fleet.web.turns import Turns

pytestmark = pytest.mark.timeout(60)


@dataclass(frozen=True, slots=True)
class Door:
    """A server with TLS."""

    port: int
    context: ssl.SSLContext

    def silent(self, address: str) -> socket.socket:
        """Return a connection that says nothing."""
        return socket.create_connection(("127.0.0.1", self.port), 10, (address, 0))

    def asks(self, address: str) -> int:
        """Ask as somebody who means it; return the status."""
        link = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=5, context=self.context, source_address=(address, 0)
        )
        try:
            link.request("GET", "/")
            return link.getresponse().status
        finally:
            link.close()


async def answers(scope: Any, receive: Any, send: Any) -> None:
    """Answer anything."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A server with TLS for 127.0.0.1."""
    certificates.make_authority(tmp_path / "tls", "127.0.0.1")
    server = Server(answers, "127.0.0.1", 0, tls=tmp_path / "tls")
    yield Door(server.port, ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem")))
    server.close()


def open_(links: list[socket.socket]) -> int:
    """Return how many connections were not ended."""
    ended, _, _ = select.select(links, [], [], 0)
    return len(links) - len(ended)


def until_open(links: list[socket.socket], count: int) -> None:
    """Wait until so many are open."""
    end_s = time.monotonic() + 10
    while open_(links) != count:
        assert time.monotonic() < end_s, open_(links)
        time.sleep(0.01)


def test_silent_ones_end_each_other_and_nobody_else(door: Door) -> None:
    with ExitStack() as stack:

        def flood(address: str, count: int) -> list[socket.socket]:
            return [stack.enter_context(door.silent(address)) for _ in range(count)]

        one = flood("127.0.0.5", 2 * handshakes.MOST_OF_ONE)
        until_open(one, handshakes.MOST_OF_ONE)
        assert open_(one[-handshakes.MOST_OF_ONE :]) == handshakes.MOST_OF_ONE  # the oldest went
        lone = flood("127.0.0.6", 1)
        for last in range(10, 15):  # a stranger with many addresses
            one += flood(f"127.0.0.{last}", handshakes.MOST_OF_ONE)
        until_open(one + lone, handshakes.MOST)
        assert open_(lone) == 1
        began_s = time.monotonic()
        assert [door.asks(f"127.0.0.{last}") for last in (1, 5, 20)] == [204, 204, 204]
        assert time.monotonic() - began_s < 5
        assert lone[0].fileno() >= 0


def test_what_fails_leaves_nothing_for_the_collector(door: Door) -> None:
    """Each holds 256 kB, and a service with many objects collects rarely."""

    def live() -> int:
        return sum(isinstance(each, SSLProtocol) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = live()
        for _ in range(20):
            with door.silent("127.0.0.5") as link:
                link.sendall(b"GET / HTTP/1.1\r\n\r\n")  # no TLS
                link.settimeout(5)
                while link.recv(1000):
                    pass
        end_s = time.monotonic() + 5
        while live() > before + 2:
            assert time.monotonic() < end_s, live() - before
            time.sleep(0.05)
    finally:
        gc.enable()


class _Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_who_has_most_loses_first() -> None:
    waiting = Waiting(most=6, most_of_one=4)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made: dict[str, _Transport] = {}
    turns = Turns(lambda: 0.0, lambda _s, _do: None)
    for client in ("a1", "b1", "b2", "b3", "2001:db8::1", "2001:db8::2", "c1"):
        one = Greeting(asyncio.Protocol, context, waiting, turns)
        one._transport = made[client] = _Transport()
        waiting.begun(one, client[0] if "::" not in client else client)
    assert [client for client, each in made.items() if each.aborted] == ["b1"]
    assert len(waiting) == 6
    for client in ("2001:db8::3", "2001:db8::4", "2001:db8::5"):  # one network, one sender
        one = Greeting(asyncio.Protocol, context, waiting, turns)
        one._transport = made[client] = _Transport()
        waiting.begun(one, client)
    gone = [client for client, each in made.items() if each.aborted]
    assert gone[0] == "b1"
    assert not made["a1"].aborted and not made["c1"].aborted
    assert len(waiting) == 6
