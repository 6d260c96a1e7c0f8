"""The service on a socket: TLS 1.3, with the certificates that controllers show."""

from __future__ import annotations

import asyncio
import hashlib
import math
import socket
import ssl
import threading
from functools import partial
from pathlib import Path
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from casemate.core.errors import InputError
from casemate.fleet.access import certificates
from casemate.fleet.web.handshakes import BACKLOG, Greeting, Waiting
from casemate.fleet.web.turns import Turns

MOST_AT_ONCE = 512
"""Connections at once (planning value). Beyond them the one goes that has been idle longest."""
HEAD_S = 10.0
"""For which a connection is waited for to say what it asks (planning value), and for TLS."""
STALL_S = 60.0
"""For which an answer may stand, of which nothing is taken (planning value)."""
MOST_LEFT_BYTES = 16_384
"""Of a body that is refused, up to which its connection stays (planning value): who sends its head
first would else find it closed before the answer was read."""
LOOK_S = 2.0
"""Between looks at all connections."""


class _Protocol(H11Protocol):
    """Passes on the SHA-256 of the certificate that the TLS layer has checked.

    It ends what would hold a connection for ever: a head that does not come, a body that nobody
    reads any more, an answer that is not taken.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        link = transport.get_extra_info("ssl_object")
        shown = link.getpeercert(binary_form=True) if link is not None else None
        found = hashlib.sha256(shown).hexdigest() if shown else ""
        self.app_state = {**self.app_state, "fingerprint": found}
        self._idle_s = self._head_s = self._taken_s = self.loop.time()
        self._unsent = 0
        if len(self.connections) > MOST_AT_ONCE:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self._head_s = self.loop.time()
        super().data_received(data)

    def on_response_complete(self) -> None:
        if self.conn.their_state is h11.SEND_BODY and self._length() > MOST_LEFT_BYTES:
            self.transport.close()  # what is refused is not read
        self._idle_s = self._head_s = self.loop.time()
        super().on_response_complete()

    def _length(self) -> float:
        """Return how long the body says it is that is being sent; without end if it does not."""
        told = dict(self.headers).get(b"content-length", b"")
        return int(told) if told.isdigit() else math.inf

    @property
    def is_idle(self) -> bool:
        """Return whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def look(self, now_s: float) -> None:
        """End the connection if it has stalled."""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent < self._unsent:
            self._taken_s = now_s
        self._unsent = unsent
        begun = self.cycle is None or bool(self.conn.trailing_data[0])
        headless = begun and self.conn.their_state is h11.IDLE and now_s - self._head_s > HEAD_S
        answered = self.is_idle and self.conn.their_state is h11.SEND_BODY
        bodiless = answered and now_s - self._idle_s > HEAD_S
        if headless or bodiless or now_s - self._taken_s > STALL_S:
            self.transport.abort()

    def _make_room(self) -> None:
        others = [x for x in self.connections if isinstance(x, _Protocol) and x is not self]
        idle = [each for each in others if each.is_idle and not each.transport.is_closing()]
        oldest = min(idle, key=lambda each: each._idle_s, default=self)
        oldest.transport.abort()


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose servers bound the connections that have not spoken TLS yet."""

    async def create_server(self, *args: Any, **given: Any) -> asyncio.Server:  # type: ignore[override]
        context = given.pop("ssl", None)
        if context is not None:
            make, *args_ = args
            args = (partial(Greeting, make, context, Waiting(), Turns.here()), *args_)
        return await super().create_server(*args, **given)


class Server:
    """An application that answers at an address, in a thread. tls: folder of certificates."""

    def __init__(self, app: Any, host: str, port: int, *, tls: Path | None = None) -> None:
        given: dict[str, Any] = {}
        if tls is not None:
            given = {
                "ssl_certfile": str(tls / certificates.CERTIFICATE),
                "ssl_keyfile": str(tls / certificates.KEY),
                "ssl_ca_certs": str(tls / certificates.CA),
                "ssl_cert_reqs": ssl.CERT_OPTIONAL,
            }
        config = uvicorn.Config(
            app, http=_Protocol, ws="none", lifespan="off", log_level="warning", access_log=False,
            server_header=False, date_header=True,
            proxy_headers=False,  # else who is on this machine names any address as its own
            timeout_keep_alive=30, backlog=BACKLOG, h11_max_incomplete_event_size=32_768, **given,
        )  # fmt: skip
        config.load()
        if config.ssl is not None:
            config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
            config.ssl.num_tickets = 0  # controllers come minutes apart: nobody resumes
        self._socket = _bound(host, port)
        self.port = int(self._socket.getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the requests that are under way."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        looking = asyncio.create_task(self._look())
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            looking.cancel()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            for each in list(self._server.server_state.connections):
                if isinstance(each, _Protocol):
                    each.look(loop.time())


def _bound(host: str, port: int) -> socket.socket:
    try:
        made = socket.create_server((host, port), backlog=512, reuse_port=False)
    except OSError as error:
        raise InputError(
            f"it cannot listen: {error.strerror or error}.",
            remedy="choose another --listen.",
            key="--listen",
            value=f"{host}:{port}",
        ) from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it
    return made
