"""A broker, or who is in between, that does not keep to the rules is not spoken to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from receivers import identity

from casemate.core.errors import ReaderError
from casemate.fleet.nats import link as links
from casemate.fleet.nats.settings import Broker
from casemate.fleet.outlets.settings import Tls

Says = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
INFO = b"INFO " + json.dumps({"server_id": "x", "version": "2.9.10"}).encode() + b"\r\n"


async def _polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, then: bytes) -> None:
    writer.write(INFO)
    while line := await reader.readline():
        if line.startswith(b"PING"):
            writer.write(b"PONG\r\n" + then[:-50])
            await writer.drain()
            await asyncio.sleep(0.2)
            writer.write(then[-50:])
            await writer.drain()


def spoken(then: bytes, tls: Tls | None) -> bool:
    """Connect to a broker that says something; return whether it was heard until the end."""

    async def run() -> bool:
        server = await asyncio.start_server(lambda r, w: _polite(r, w, then), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        broker = Broker(host="127.0.0.1", port=port, stream="X", tls=tls)
        try:
            async with links.connected(broker, inbox="_INBOX.x", name="x") as link:
                for _ in range(100):
                    await asyncio.sleep(0.01)
                    if not link.is_connected:
                        return False
                return link.is_connected
        finally:
            server.close()

    return asyncio.run(run())


def test_a_broker_that_does_without_tls_is_left(tmp_path: Path) -> None:
    place = identity(tmp_path / "b")
    tls = Tls(ca=str(place / "ca.pem"), certificate="", key="")
    with pytest.raises(ReaderError, match="without TLS"):
        spoken(b"", tls)
    assert spoken(b"", None)  # where the settings say so, for this machine alone


def test_a_message_without_end_is_not_read() -> None:
    assert not spoken(b"MSG casemate.x 1 999999999\r\n" + b"x" * 100, None)
    assert spoken(b"MSG casemate.x 1 100\r\n" + b"x" * 100 + b"\r\n", None)
