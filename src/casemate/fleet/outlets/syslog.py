"""Syslog (RFC 5424) over TLS (RFC 5425).

Syslog has no acknowledgement: what lies in a kernel's buffer when a connection breaks is gone, and
nobody knows. So each batch has a connection of its own, ended by both sides: the receiver answers
our end of the TLS stream with its own only after it has read all before it. Unless it does, the
batch is brought again.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from casemate.fleet.alarms.notice import ACKNOWLEDGED, DISPOSED, Notice
from casemate.fleet.outlets.outlet import TIMEOUT_S, OutletError, Told
from casemate.fleet.outlets.settings import Syslog
from casemate.fleet.outlets.standing import Standing

FACILITY = 10
"""Security and authorization messages (RFC 5424, table 1)."""
LEVELS = {"alarm": 1, "unknown": 2, "warning": 4, "note": 5}
"""Severities (RFC 5424, table 2): not to know is critical."""
ENTERPRISE = 32473
"""Of structured data: the number set aside for documentation (RFC 5612) until ours is assigned."""
_NOTICE = 5


def message(notice: Notice, service: str) -> bytes:
    """Return a notice as a syslog message.

    service: the name of who tells; "-" stands for one that no header can hold.
    """
    seen = notice.what in (ACKNOWLEDGED, DISPOSED)
    level = _NOTICE if seen else LEVELS[notice.severity]
    at = datetime.fromtimestamp(notice.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = service.isascii() and service.isprintable() and " " not in service
    host = service[:255] if service and plain else "-"
    fields = {
        "id": notice.key, "enclosure": notice.enclosure, "name": notice.name,
        "serial": notice.serial, "site": notice.site, "kind": notice.kind,
        "incident": notice.incident, "what": notice.what, "severity": notice.severity,
        "finding": notice.code, "calls": str(notice.calls).lower(), "more": notice.more,
    }  # fmt: skip
    data = " ".join(f'{key}="{_escaped(str(value))}"' for key, value in fields.items())
    head = f"<{8 * FACILITY + level}>1 {at} {host} casemate - {notice.what.upper()}"
    return f"{head} [casemate@{ENTERPRISE} {data}] \ufeff{notice.text}".encode()


def frame(data: bytes) -> bytes:
    """Return a message with its length before it (RFC 5425, section 4.3)."""
    return b"%d %b" % (len(data), data)


def _escaped(value: str) -> str:
    return "".join(f"\\{each}" if each in '\\"]' else each for each in value)


class SyslogOutlet:
    """Brings notices to a receiver of syslog over TLS."""

    most = 100

    def __init__(self, settings: Syslog, told: Told) -> None:
        self._settings, self._told = settings, told
        self._context = settings.tls.context()

    def send(self, notices: Sequence[Notice]) -> None:
        """Bring notices. OutletError unless the receiver has read them all."""
        data = b"".join(frame(message(each, self._told.service)) for each in notices)
        at = (self._settings.host, self._settings.port)
        try:
            with socket.create_connection(at, timeout=TIMEOUT_S) as plain:
                link = self._context.wrap_socket(plain, server_hostname=self._settings.host)
                link.settimeout(TIMEOUT_S)
                link.sendall(data)
                self._end(link)
        except (OSError, ssl.SSLError) as error:
            raise OutletError(f"the receiver of syslog did not take it: {error}.") from None

    def _end(self, link: ssl.SSLSocket) -> None:
        """End the stream, and wait for the receiver's end. OutletError if it has not read all.

        Some receivers end the connection alone, which somebody in between could do as well; a
        system that has not read all resets it.
        """
        try:
            link.unwrap()
        except (ssl.SSLEOFError, TimeoutError) as error:
            if self._settings.confirms:
                raise OutletError(
                    f"the receiver of syslog does not answer the end of TLS: {error}.",
                    remedy='it is tried again; if it never does (as rsyslog), "confirms": false.',
                ) from None

    def tend(self, held: Callable[[], Sequence[Standing]]) -> None:
        """Do nothing: syslog shows no state."""

    def close(self) -> None:
        """Do nothing: no connection outlives a batch."""
