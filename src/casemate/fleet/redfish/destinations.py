"""Where events may be sent: HTTPS to networks that who runs the service has allowed, and no others.

A client names a destination, and the service goes there: so it could be sent to what only the
service can reach. Addresses are resolved for each sending, each has to be allowed, and the
connection goes to the address that was checked: a name that changes meanwhile leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select

from casemate.core.errors import InputError
from casemate.fleet import addresses
from casemate.fleet.addresses import AddressError, Lookup, Network
from casemate.fleet.pinned import Pinned
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.store.schema import REDFISH_RECEIVERS

TIMEOUT_S = 5.0
"""For a connection, and for each part of an answer (planning value)."""
WHOLE_S = 15.0
"""For all of it (planning value): who answers byte by byte holds up others."""
MOST_URL = 500


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


def checked(
    to: Destination, allowed: Sequence[Network], find: Lookup = addresses.lookup
) -> tuple[str, ...]:
    """Return the addresses of a destination, all of them allowed; RedfishError if one is not."""
    try:
        return addresses.checked(to.host, to.port, lambda each: is_allowed(each, allowed), find)
    except AddressError as error:
        _refuse(to.host, error.message.removesuffix("."))


def is_allowed(address: str, allowed: Sequence[Network]) -> bool:
    """Return whether events may be sent to an address.

    Never to this machine, by whichever of its addresses, a link, a group, or an address that stands
    for another kind's.
    """
    try:
        at = ipaddress.ip_address(address)
    except ValueError:  # such as one with a scope
        return False
    if addresses.read(address) != at or addresses.is_translated(at):
        return False
    if at.is_loopback or at.is_link_local or at.is_multicast or at.is_unspecified:
        return False
    return addresses.is_in(at, allowed) and not addresses.is_here(at)


def send(
    to: Destination, address: str, body: bytes, context: ssl.SSLContext | None = None
) -> int:  # fmt: skip
    """Post a body to a destination at an address that was checked; return the status.

    The certificate has to be of the host's name. No redirection is followed. OSError or
    http.client.HTTPException if it cannot be brought, or not within WHOLE_S.
    """
    tls = context or ssl.create_default_context()
    with Pinned(address, to.host, to.port, tls, timeout_s=TIMEOUT_S, whole_s=WHOLE_S) as link:
        link.request("POST", to.path, body=body, headers={"Content-Type": "application/json"})
        return link.getresponse().status


def _refuse(what: str, why: str) -> NoReturn:
    about = ("#/Destination",)
    raise RedfishError("DestinationNotAllowed", what[:100], why, status=400, about=about)
