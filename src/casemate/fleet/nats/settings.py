"""The broker in the service's settings: key `nats` of fleet.json."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from casemate.core.errors import InputError
from casemate.fleet.outlets.settings import Row, Tls

PORT = 4222
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_STREAM = re.compile(r"[A-Z][A-Z0-9_]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is, and how both prove who they are. tls: None only on this machine."""

    host: str
    port: int
    stream: str
    tls: Tls | None

    def context(self) -> ssl.SSLContext | None:
        """Return the context of a client: TLS 1.3, chain and host name checked."""
        if self.tls is None:
            return None
        made = self.tls.context()
        made.minimum_version = ssl.TLSVersion.TLSv1_3
        return made


def read(row: object, folder: Path, file: Path) -> Broker | None:
    """Return the broker of the settings, None if there is none. InputError names a wrong key."""
    if row is None:
        return None
    if not isinstance(row, dict):
        raise InputError("nats is no table.", remedy='write "nats": {"host": …}.', file=str(file))
    given = Row(row, "nats", folder, file)
    host, plain = given.text("host", _HOST, "broker.example.org"), given.flag("plain", False)
    if plain and host not in ("127.0.0.1", "::1", "localhost"):
        raise given.error("plain", "without TLS only on this machine.", "leave it out.", host)
    made = Broker(
        host=host, port=given.port(PORT), tls=None if plain else given.tls(),
        stream=given.text("stream", _STREAM, "CASEMATE", "CASEMATE"),
    )  # fmt: skip
    if made.tls is not None and not made.tls.certificate:
        raise given.error("certificate", "it is missing.", "see docs/guides/run-a-fleet.md.")
    given.end()
    return made
