"""A body that is refused: its sender reads why, and holds no connection by it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from fleet_kit import Kit

from casemate.fleet.web import server as servers
from casemate.fleet.web.server import Server


@pytest.fixture
def server(kit: Kit) -> Iterator[Server]:
    """A service on a socket."""
    made = Server(kit.fronted.app, "127.0.0.1", 0)
    try:
        yield made
    finally:
        made.close()


def refused(server: Server, length: str) -> socket.socket:
    """Return a connection whose request was refused by its head; no body was sent yet."""
    link = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    link.sendall(
        b"POST /redfish/v1/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        + length.encode() + b"\r\n\r\n"
    )  # fmt: skip
    assert whole(link).startswith(b"HTTP/1.1 405")
    return link


def whole(link: socket.socket) -> bytes:
    """Return an answer with its body, or what came before the connection ended."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = link.recv(65_536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [each for each in head.lower().splitlines() if each.startswith(b"content-length:")]
    while len(body) < int(lines[0].split(b":")[1]):
        body += link.recv(65_536)
    return head


def ended(link: socket.socket) -> bool:
    """Return whether the other side ends a connection, well before one that is kept alive ends."""
    link.settimeout(15)
    try:
        return link.recv(10) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_a_small_one_may_come_after_the_answer(server: Server) -> None:
    """As clients send that write head and body apart; the next request goes the same way."""
    with refused(server, "content-length: 9") as link:
        time.sleep(0.1)  # whatever the service does at the end of its answer, it has done
        link.sendall(b'{"a": 10}')
        link.sendall(b"GET /redfish HTTP/1.1\r\nhost: x\r\n\r\n")
        assert whole(link).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("length", ("content-length: 16385", "transfer-encoding: chunked"))
def test_a_large_one_is_not_read(
    server: Server, monkeypatch: pytest.MonkeyPatch, length: str
) -> None:
    monkeypatch.setattr(servers, "HEAD_S", 1e9)  # it is not for being late
    with refused(server, length) as link:
        assert ended(link)


def test_a_small_one_that_does_not_come_holds_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "HEAD_S", 0.2)
    monkeypatch.setattr(servers, "LOOK_S", 0.1)
    with refused(server, "content-length: 9") as link:
        link.sendall(b"{")
        assert ended(link)
