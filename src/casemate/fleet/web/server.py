"""The service on a socket: TLS 1.3, with the certificates that controllers show."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from casemate.core.errors import InputError
from casemate.fleet import certificates

MOST_AT_ONCE = 512
"""Requests at once; more are turned away (planning value)."""


class _Protocol(H11Protocol):
    """Passes on the SHA-256 of the certificate that the TLS layer has checked."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        link = transport.get_extra_info("ssl_object")
        shown = link.getpeercert(binary_form=True) if link is not None else None
        found = hashlib.sha256(shown).hexdigest() if shown else ""
        self.app_state = {**self.app_state, "fingerprint": found}


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
            server_header=False, date_header=True, limit_concurrency=MOST_AT_ONCE,
            timeout_keep_alive=30, h11_max_incomplete_event_size=32_768, **given,
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
        asyncio.run(self._server.serve(sockets=[self._socket]))


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
    return made
