"""Addresses that the service itself connects to: looked up once, all checked, and that one is used.

What may be connected to is for who asks: `outlets.destination` for what the operator names in the
settings, `redfish.destinations` for what a client chooses.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TypeAlias

from casemate.core.errors import CasemateError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Lookup: TypeAlias = Callable[[str, int], Sequence[str]]
_TRANSLATED = tuple(
    ipaddress.ip_network(each)
    for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""IPv6 that carries an IPv4 address by which it leads elsewhere (RFC 6052, 8215, 3056, 4380)."""


class AddressError(CasemateError):
    """A name has no address, or one that may not be connected to."""


def lookup(host: str, port: int) -> list[str]:
    """Return the addresses of a name. AddressError if it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressError(f"the name has no address: {error}.", remedy="see to it.") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def checked(
    host: str, port: int, may: Callable[[str], bool], look: Lookup = lookup
) -> tuple[str, ...]:
    """Return the addresses of a name. AddressError if there is none, or any that may not be used.

    One bad address among good ones is no accident: none of them is used.
    """
    try:
        found = tuple(look(host, port))
    except OSError as error:
        raise AddressError(f"the name has no address: {error}.", remedy="see to it.") from None
    if not found:
        raise AddressError("the host has no address.", remedy="see to its name.")
    if not all(may(each) for each in found):
        raise AddressError("its address is not one that it may have.", remedy="see its networks.")
    return found


def read(text: str) -> Address | None:
    """Return an address, an IPv4 one within an IPv6 one as what it is; None if it is none."""
    try:
        found: Address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Return whether an address is in one of these networks."""
    return any(address.version == each.version and address in each for each in networks)


def is_translated(address: Address) -> bool:
    """Return whether an address stands for one of another kind."""
    return is_in(address, _TRANSLATED)


def is_here(address: Address) -> bool:
    """Return whether an address is one of this machine's own.

    The kernel says it: what it would send there from that very address never leaves. Nothing is
    sent by asking.
    """
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as link:
            link.connect((str(address), 9))
            return read(str(link.getsockname()[0]).partition("%")[0]) == address
    except OSError:  # nothing leads there
        return False
