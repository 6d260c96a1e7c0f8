"""Bodies at the door: too large, too slow, too many; in time that passes by itself, unslept."""

from __future__ import annotations

import asyncio
import selectors
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import FINGERPRINT, Kit, enter
from starlette.requests import Request

from casemate.fleet.errors import BusyError, RefusedError, TooManyError, TooSlowError
from casemate.fleet.intake.ingest import encode
from casemate.fleet.web.bodies import LARGE_BYTES, STRANGERS, Bodies, Bound, sender
from casemate.fleet.web.server import Server, _Protocol

KNOWN = Bound(most_bytes=8_000_000)


class _Skipping(selectors.DefaultSelector):
    """Waits for nothing: its clock goes on by what would have been waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready."""
        self.now_s += timeout or 0.0
        return super().select(0)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in time that is skipped."""
    selector = _Skipping()

    def made() -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(selector)
        loop.time = lambda: selector.now_s  # type: ignore[method-assign]
        return loop

    with asyncio.Runner(loop_factory=made) as runner:
        return runner.run(main)


def sent(
    size: int, *, per_s: float = 1e9, told: int | None = None, pulled: list[int] | None = None,
    chunk: int = 16_384,
) -> Request:  # fmt: skip
    """Return a request whose body comes at a rate; told: 0 if it does not say how long it is."""
    left = size

    async def receive() -> dict[str, Any]:
        nonlocal left
        part = min(left, chunk)
        if per_s < 1e9:
            await asyncio.sleep(part / per_s)
        left -= part
        if pulled is not None:
            pulled.append(part)
        return {"type": "http.request", "body": bytes(part), "more_body": left > 0}

    length = size if told is None else told
    headers = [(b"content-length", b"%d" % length)] if length else []
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def taken(
    bodies: Bodies, http: Request, who: str = "a", bound: Bound = KNOWN, held_s: float = 0.0
) -> int:
    """Return how long a body is that was read, and held for some time."""
    async with bodies.read(http, who, bound) as body:
        await asyncio.sleep(held_s)
        return len(body)


def test_a_body_that_is_too_large_is_not_read() -> None:
    for told, pulls in ((8_193, 0), (0, 1)):
        pulled: list[int] = []
        with pytest.raises(RefusedError):
            run(taken(Bodies(), sent(8_193, told=told, pulled=pulled), bound=STRANGERS))
        assert len(pulled) == pulls
    lies = sent(100, told=10)
    with pytest.raises(RefusedError):
        run(taken(Bodies(), lies))
    assert run(taken(Bodies(), sent(8_192), bound=STRANGERS)) == 8_192


def test_a_slow_body_ends() -> None:
    async def ends_after(per_s: float, chunk: int) -> float:
        begun_s = asyncio.get_running_loop().time()
        with pytest.raises(TooSlowError):
            await taken(Bodies(), sent(8_000_000, per_s=per_s, chunk=chunk))
        return asyncio.get_running_loop().time() - begun_s

    assert run(ends_after(10.0, 100)) == pytest.approx(10.0)
    assert 10.0 < run(ends_after(4_000.0, 1_000)) < 21.0
    assert run(ends_after(8_500.0, 5_000)) == pytest.approx(KNOWN.longest_s)
    assert run(taken(Bodies(), sent(8_000_000, per_s=40_000.0))) == 8_000_000


def test_two_hundred_large_and_slow_senders_hold_no_memory_and_keep_nobody_waiting() -> None:
    """Each of an enclosure of its own, all with certificates; an honest one comes every second."""

    async def main() -> tuple[int, float, list[str]]:
        bodies, most, ends = Bodies(), 0, list[str]()
        loop = asyncio.get_running_loop()

        async def hostile(at: int) -> None:
            try:
                await taken(bodies, sent(8_000_000, per_s=20_000.0, chunk=10_000), f"hostile {at}")
                ends.append("taken")
            except BusyError:
                ends.append("busy")

        tasks = [asyncio.create_task(hostile(each)) for each in range(200)]
        longest_s = 0.0
        for _ in range(60):
            await asyncio.sleep(1.0)
            most = max(most, bodies.held_bytes)
            begun_s = loop.time()
            assert await taken(bodies, sent(30_000), "honest") == 30_000
            longest_s = max(longest_s, loop.time() - begun_s)
        begun_s = loop.time()
        assert await taken(bodies, sent(2_000_000, per_s=1e6), "honest") == 2_000_000
        late_s = loop.time() - begun_s
        await asyncio.gather(*tasks)
        assert late_s < 20.0
        return most, longest_s, ends

    most, longest_s, ends = run(main())
    assert most < LARGE_BYTES
    assert longest_s == 0.0
    assert ends.count("busy") > 150


def test_large_bodies_wait_their_turn() -> None:
    async def main() -> list[int]:
        bodies, order = Bodies(large_bytes=10_000_000), list[int]()

        async def one(at: int) -> None:
            await taken(bodies, sent(6_000_000, per_s=2e6), f"{at}", held_s=1.0)
            order.append(at)

        await asyncio.gather(*(one(each) for each in range(4)))
        assert bodies.held_bytes == 0
        assert bodies._free == 10_000_000
        return order

    assert run(main()) == [0, 1, 2, 3]


def test_one_that_waits_in_vain_or_goes_away_takes_nothing_with_it() -> None:
    async def main() -> None:
        bodies = Bodies(large_bytes=8_000_000, wait_s=5.0)
        holds = asyncio.create_task(taken(bodies, sent(8_000_000), "a", held_s=30.0))
        await asyncio.sleep(1.0)
        with pytest.raises(BusyError):
            await taken(bodies, sent(1_000_000), "b")
        gone = asyncio.create_task(taken(bodies, sent(1_000_000), "c"))
        await asyncio.sleep(1.0)
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        await holds
        assert bodies._free == 8_000_000
        assert await taken(bodies, sent(8_000_000), "d") == 8_000_000

    run(main())


def test_of_one_sender_the_oldest_that_is_read_ends() -> None:
    async def main() -> None:
        bodies = Bodies()
        slow = [
            asyncio.create_task(taken(bodies, sent(50_000, per_s=9_000.0, chunk=900)))
            for _ in range(KNOWN.at_once)
        ]
        await asyncio.sleep(0.1)
        assert await taken(bodies, sent(1_000)) == 1_000
        done = await asyncio.gather(*slow, return_exceptions=True)
        assert [type(each) for each in done] == [BusyError, int, int, int]

    run(main())


def test_what_is_being_answered_is_not_ended_for_another() -> None:
    async def main() -> None:
        bodies = Bodies()
        held = [asyncio.create_task(taken(bodies, sent(10), held_s=9.0)) for _ in range(4)]
        await asyncio.sleep(1.0)
        with pytest.raises(TooManyError):
            await taken(bodies, sent(10))
        assert await taken(bodies, sent(10), "another") == 10
        assert await asyncio.gather(*held) == [10] * 4

    run(main())


def test_strangers_are_few_and_an_address_of_ipv6_is_a_network() -> None:
    assert sender("2001:db8:1:2:3::1") == sender("2001:db8:1:2:ffff::2") == "2001:db8:1:2::/64"
    assert sender("2001:db8:1:3::1") != sender("2001:db8:1:2::1")
    assert sender("::ffff:192.0.2.1") == sender("192.0.2.1") == "192.0.2.1"
    assert sender("testclient") == "testclient"

    async def main() -> list[type]:
        bodies = Bodies()
        slow = [
            asyncio.create_task(taken(bodies, sent(4_000, per_s=1_500.0, chunk=50), who, STRANGERS))
            for who in [f"192.0.2.{at}" for at in range(63)] + ["one"] * 9
        ]
        await asyncio.sleep(0.5)
        assert await taken(bodies, sent(100), "honest", STRANGERS) == 100
        return [type(each) for each in await asyncio.gather(*slow, return_exceptions=True)]

    ends = run(main())
    assert ends.count(int) == STRANGERS.all_at_once - 1
    assert ends.count(BusyError) == 72 + 1 - STRANGERS.all_at_once


class _Shown:
    """Has the service believe that a certificate came, by a header: only here."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        shown = dict(scope["headers"]).get(b"x-shown", b"").decode()
        scope.setdefault("state", {})["fingerprint"] = shown
        await self.app(scope, receive, send)


@pytest.fixture
def server(kit: Kit) -> Iterator[Server]:
    """A service on a socket."""
    made = Server(_Shown(kit.fronted.app), "127.0.0.1", 0)
    try:
        yield made
    finally:
        made.close()


def asked(path: str, length: int, shown: str = "") -> bytes:
    """Return the head of a request with a body."""
    more = f"x-shown: {shown}\r\n" if shown else ""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\n{more}content-type: application/json\r\n"
    return f"{head}content-length: {length}\r\n\r\n".encode()


def connected(server: Server, data: bytes) -> socket.socket:
    """Return a connection on which something was said."""
    link = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    link.sendall(data)
    return link


def resident_bytes() -> int:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_two_hundred_senders_on_sockets_cost_an_honest_one_nothing(
    kit: Kit, server: Server
) -> None:
    """Strangers with megabytes to bring, and with a byte now and then, at each door for them."""
    brought = enter(kit)
    doors = ("/evidence", "/series", "/sign-in", "/redfish/v1/SessionService/Sessions")
    before = resident_bytes()
    links = [
        connected(server, asked(doors[at % 4], 8_000_000 if at % 8 < 4 else 100) + b"{" * (at % 8))
        for at in range(200)
    ]
    refused = [link for at, link in enumerate(links) if at % 8 < 4 or at % 4 < 2]
    answers = [link.recv(4096)[:12] for link in refused]
    assert {each[9:] for each in answers} <= {b"401", b"413", b"422", b"429"}
    with pytest.raises(OSError):  # it is closed, and nothing more is read
        for _ in range(200):
            refused[0].sendall(bytes(100_000))
    begun_s = time.monotonic()
    kit.clock.now_s = brought.story.now_s + 5
    data = encode(brought.rest())
    link = connected(server, asked("/evidence", len(data), FINGERPRINT) + data)
    assert link.recv(4096).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begun_s < 5.0
    assert resident_bytes() - before < 60_000_000
    for each in (*links, link):
        each.close()


def test_no_part_of_an_answer_waits_for_another(server: Server) -> None:
    """A body that waits until its head is acknowledged takes 40 ms longer."""
    with connected(server, b"GET /sign-in HTTP/1.1\r\nhost: x\r\n\r\n") as link:
        assert link.recv(100).startswith(b"HTTP/1.1 200")
        (ours,) = server._server.server_state.connections
        accepted = ours.transport.get_extra_info("socket")  # type: ignore[union-attr]
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_head_that_does_not_come_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a new connection, and on one that has asked before."""
    monkeypatch.setattr("casemate.fleet.web.server.HEAD_S", 0.2)
    monkeypatch.setattr("casemate.fleet.web.server.LOOK_S", 0.1)
    once = b"GET /sign-in HTTP/1.1\r\nhost: x\r\n\r\n"
    links = [connected(server, b""), connected(server, b"GET /sign"), connected(server, once)]
    assert links[2].recv(100).startswith(b"HTTP/1.1 200")
    links[2].settimeout(10)
    links[2].sendall(b"GET /sig")
    for link in links:
        with suppress(ConnectionResetError):
            while link.recv(65_536):
                pass


def looked_at(server: Server) -> Callable[[float], None]:
    """Return what has the server look at all connections at a time."""
    done, end_s = threading.Event(), time.monotonic() + 60
    while not server._server.started and time.monotonic() < end_s:
        time.sleep(0.02)

    def look(now_s: float) -> None:
        loop = server._server.servers[0].get_loop()
        done.clear()

        def all_() -> None:
            for each in list(server._server.server_state.connections):
                assert isinstance(each, _Protocol)
                each.look(loop.time() + now_s)
            done.set()

        loop.call_soon_threadsafe(all_)
        assert done.wait(10)

    return look


def test_an_answer_that_nobody_takes_ends(server: Server) -> None:
    """Many requests at once, and not one answer read: the connection holds memory for nothing."""
    server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(("127.0.0.1", server.port))
    link.settimeout(10)
    link.sendall(b"GET /static/fleet.css HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
    look = looked_at(server)
    held = server._server.server_state.connections
    unsent: list[int] = []
    for _ in range(400):
        look(0.0)
        unsent.append(sum(each.transport.get_write_buffer_size() for each in held))
        if unsent[-1] and len(unsent) > 20 and len(set(unsent[-20:])) == 1:
            break  # what lies between here and there is full: nothing more is taken
        time.sleep(0.02)
    else:
        pytest.fail("all was taken")
    look(30.0)
    assert len(held) == 1
    look(95.0)
    end_s = time.monotonic() + 60
    while held and time.monotonic() < end_s:
        time.sleep(0.05)
    assert not held
    link.close()


def test_of_too_many_connections_the_longest_idle_goes(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casemate.fleet.web.server.MOST_AT_ONCE", 5)
    idle = [connected(server, b"") for _ in range(5)]
    for each in idle[3:]:
        each.sendall(b"GET /sign-in HTTP/1.1\r\nhost: x\r\n\r\n")
        assert each.recv(4096).startswith(b"HTTP/1.1 200")
    new = [connected(server, b"GET /sign-in HTTP/1.1\r\nhost: x\r\n\r\n") for _ in range(3)]
    for each in new:
        assert each.recv(4096).startswith(b"HTTP/1.1 200")
    with suppress(ConnectionResetError):
        assert idle[0].recv(10) == b""
    for each in (*idle, *new):
        each.close()


def test_what_comes_too_slowly_is_in_the_audit_log(
    kit: Kit, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = {"/evidence": Bound(most_bytes=1000, grace_s=0.1)}
    monkeypatch.setattr("casemate.fleet.service.application._BROUGHT", bounds)
    enter(kit)
    link = connected(server, asked("/evidence", 1000, FINGERPRINT))
    assert link.recv(4096).startswith(b"HTTP/1.1 408")
    line = kit.service.audit.latest(1)[0][1]
    assert (line.who, line.outcome) == (f"machine:{FINGERPRINT[:16]}", "refused 408")
    link.close()
