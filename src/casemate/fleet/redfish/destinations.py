"""Where events may be sent: HTTPS to networks that who runs the service has allowed, and no others.

A client names a destination, and the service goes there: so it could be sent to what only the
service can reach. Addresses are resolved for each sending, each has to be allowed, and the
connection goes to the address that was checked: a name that changes meanwhile leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select

from casemate.core.errors import InputError
from casemate.fleet.pinned import Pinned
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.schema import REDFISH_RECEIVERS

TIMEOUT_S = 5.0
"""For a connection, and for each answer (planning value)."""
MOST_URL = 500
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination, taken apart. path: with the query."""

    host: str
    port: int
    path: str


def networks(link: Connection) -> tuple[Network, ...]:
    """Return the networks that are allowed."""
    found = link.execute(select(REDFISH_RECEIVERS.c.network)).scalars()
    return tuple(ipaddress.ip_network(each) for each in found)


def allow(link: Connection, network: str) -> str:
    """Allow a network, on the machine itself; return it. InputError if it is none."""
    try:
        found = ipaddress.ip_network(network)
    except ValueError as error:
        raise InputError(
            f"this is no network: {error}.", remedy="write such as 10.20.0.0/16.", key=network
        ) from None
    if found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified:
        raise InputError(
            "events are never sent to this machine, a link or a group.",
            remedy="name a network of receivers.", key=network,
        )  # fmt: skip
    here = REDFISH_RECEIVERS.c.network == str(found)
    if link.execute(select(REDFISH_RECEIVERS).where(here)).first() is None:
        link.execute(insert(REDFISH_RECEIVERS).values(network=str(found)))
    return str(found)


def forbid(link: Connection, network: str) -> None:
    """Allow a network no more. InputError if it was not."""
    done = link.execute(delete(REDFISH_RECEIVERS).where(REDFISH_RECEIVERS.c.network == network))
    if done.rowcount != 1:
        raise InputError("this network is not allowed.", remedy="see which are.", key=network)


def parse(url: object) -> Destination:
    """Return a destination taken apart; RedfishError if it is no plain https address."""
    plain = isinstance(url, str) and url.isascii() and url.isprintable() and len(url) <= MOST_URL
    if not isinstance(url, str) or not plain or " " in url or "\\" in url:
        raise RedfishError("PropertyValueError", "Destination", about=("#/Destination",))
    try:
        parts = urlsplit(url)
        port = 443 if parts.port is None else parts.port
    except ValueError:
        raise RedfishError("PropertyValueError", "Destination", about=("#/Destination",)) from None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.fragment:
        _refuse(url, "only https addresses without name and password are taken")
    if port != 443 and port < 1024:
        _refuse(url, "the port is one of another service")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(host=str(parts.hostname), port=port, path=path)


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host. OSError if it has none."""
    return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def checked(
    to: Destination, allowed: Sequence[Network], find: Resolve = resolve
) -> tuple[str, ...]:
    """Return the addresses of a destination, all of them allowed; RedfishError if one is not."""
    try:
        found = tuple(find(to.host, to.port))
    except (OSError, UnicodeError):
        found = ()
    if not found:
        _refuse(to.host, "the host has no address")
    for each in found:
        if not is_allowed(each, allowed):
            _refuse(to.host, "its address is in no network that is allowed")
    return found


def is_allowed(address: str, allowed: Sequence[Network]) -> bool:
    """Return whether events may be sent to an address.

    Never to this machine, a link, a group, or an address that stands for another kind's.
    """
    try:
        at: Address = ipaddress.ip_address(address)
    except ValueError:  # such as one with a scope
        return False
    if isinstance(at, ipaddress.IPv6Address) and (at.ipv4_mapped or at.sixtofour or at.teredo):
        return False
    if at.is_loopback or at.is_link_local or at.is_multicast or at.is_unspecified:
        return False
    return any(at.version == each.version and at in each for each in allowed)


def send(
    to: Destination, address: str, body: bytes, context: ssl.SSLContext | None = None
) -> int:  # fmt: skip
    """Post a body to a destination at an address that was checked; return the status.

    The certificate has to be of the host's name. No redirection is followed. OSError or
    http.client.HTTPException if it cannot be brought.
    """
    tls = context or ssl.create_default_context()
    link = Pinned(address, to.host, to.port, tls, timeout_s=TIMEOUT_S)
    try:
        link.request("POST", to.path, body=body, headers={"Content-Type": "application/json"})
        answer = link.getresponse()
        answer.read(1024)
        return answer.status
    finally:
        link.close()


def _refuse(what: str, why: str) -> None:
    about = ("#/Destination",)
    raise RedfishError("DestinationNotAllowed", what[:100], why, status=400, about=about)
