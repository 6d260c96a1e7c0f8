"""Receivers that outlets are tested against: syslog over TLS and HTTPS, on 127.0.0.1.

Each has an authority of its own, answers at most 30 s, and keeps what it has read.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from casemate.fleet.access import certificates

LONGEST_S = 30.0


@cache
def _made() -> dict[str, bytes]:
    """Return an authority and a certificate for localhost and hooks.example, made once."""
    with TemporaryDirectory() as folder:
        certificates.make_authority(Path(folder), "hooks.example")
        return {each.name: each.read_bytes() for each in Path(folder).iterdir()}


def identity(folder: Path) -> Path:
    """Write authority, certificate and key of a receiver into a folder; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in _made().items():
        (folder / name).write_bytes(data)
    return folder


def server_context(folder: Path) -> ssl.SSLContext:
    """Return a receiver's side of TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / certificates.CERTIFICATE, folder / certificates.KEY)
    return made


@dataclass(slots=True)
class Collector:
    """A receiver of syslog. answers: it ends each connection as RFC 5425 asks. after: bytes after
    which it breaks off, 0 for never."""

    port: int = 0
    frames: list[bytes] = field(default_factory=list)
    answers: bool = True
    after: int = 0

    def read(self, link: ssl.SSLSocket) -> None:
        """Read frames until the sender ends, and answer its end."""
        data = b""
        while True:
            part = link.recv(self.after or 65_536)
            if not part:
                break
            data += part
            if self.after:
                time.sleep(0.1)  # the rest has come, and is not read
                return
        self.frames += frames(data)
        if self.answers:
            with contextlib.suppress(OSError):
                link.unwrap()


def frames(data: bytes) -> list[bytes]:
    """Return the messages of a stream; fails if it is not framed as RFC 5425 says."""
    found = []
    while data:
        head, _, rest = data.partition(b" ")
        assert head.isdigit() and not head.startswith(b"0"), data[:40]
        assert len(rest) >= int(head), data[:40]
        found.append(rest[: int(head)])
        data = rest[int(head) :]
    return found


@contextmanager
def collector(folder: Path) -> Iterator[Collector]:
    """Yield a receiver of syslog over TLS."""
    held = Collector()
    context = server_context(identity(folder))
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(LONGEST_S)
        held.port = door.getsockname()[1]

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    plain, _ = door.accept()
                    plain.settimeout(LONGEST_S)
                    with contextlib.suppress(OSError), plain:
                        link = context.wrap_socket(plain, server_side=True)
                        held.read(link)
                        link.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield held
        door.shutdown(socket.SHUT_RDWR)
        thread.join(LONGEST_S)


@dataclass(slots=True)
class Hook:
    """A receiver of webhooks. status: what it answers. location: of a redirect."""

    port: int = 0
    status: int = 204
    location: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def hook(folder: Path) -> Iterator[Hook]:
    """Yield a receiver of webhooks over HTTPS."""
    held = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            held.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(held.status)
            if held.location:
                self.send_header("Location", held.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = server_context(identity(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    held.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
