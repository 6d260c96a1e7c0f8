"""The witness on HTTP (C2SP tlog-witness), with the standard library alone."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from casemate import __version__
from casemate.translog.request import MALFORMED, MOST_BYTES, OK, UNKNOWN
from casemate.translog.witness import Answer, Witness

TIMEOUT_S = 10.0
"""Longest wait for a client's bytes (planning value)."""

LIFETIME_S = 30.0
"""Longest life of a connection: who sends a byte now and then shall not hold a place (planning
value)."""

MOST_AT_ONCE = 256
"""Connections at once; more are closed (planning value)."""


class WitnessServer(ThreadingHTTPServer):
    """Serves `POST /add-checkpoint`, `GET /keys` and `GET /latest/ORIGIN`."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], witness: Witness, *, lifetime_s: float = LIFETIME_S
    ) -> None:
        self.witness, self.lifetime_s = witness, lifetime_s
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, if there is a place."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end, which comes at the latest after its lifetime."""
        end = threading.Timer(self.lifetime_s, _cut, (request,))
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is not worth a line on the terminal."""


def _cut(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # else a body waits 40 ms for its head to be acknowledged
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = f"casemate/{__version__}"
    sys_version = ""
    timeout = TIMEOUT_S

    def do_POST(self) -> None:
        """Answer `add-checkpoint`."""
        body = self._body()
        if body is None:
            self.close_connection = True
            self._answer(Answer(status=MALFORMED, body=b"the body has no length, or is too long\n"))
        elif self.path != "/add-checkpoint":
            self._answer(Answer(status=UNKNOWN, body=b"there is only /add-checkpoint\n"))
        else:
            self._answer(self.server.witness.add_checkpoint(body))

    def do_GET(self) -> None:
        """Answer with the keys, or with the last checkpoint of a log."""
        witness = self.server.witness
        if self.path == "/keys":
            keys = "".join(key.vkey() + "\n" for key in witness.keys)
            self._answer(Answer(status=OK, body=keys.encode()))
            return
        origin = unquote(self.path.removeprefix("/latest/"))
        note = witness.latest(origin) if self.path.startswith("/latest/") else b""
        status = OK if note else UNKNOWN
        self._answer(Answer(status=status, body=note or b"there is nothing here\n"))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a request is not worth a line on the terminal."""

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            return None
        size = int(length) if len(length) < 10 else MOST_BYTES + 1
        if size > MOST_BYTES:
            return None
        body = self.rfile.read(size)
        return body if len(body) == size else None

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
