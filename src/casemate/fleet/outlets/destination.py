"""Where a webhook may go: an address is looked up once, checked, and that very one is used.

A name that is looked up twice can point elsewhere the second time; so nothing is looked up again,
and no redirect is followed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

from casemate.fleet.outlets.outlet import OutletError
from casemate.fleet.outlets.settings import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup: TypeAlias = Callable[[str, int], list[str]]
_TRANSLATED = tuple(
    ipaddress.ip_network(each)
    for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""IPv6 that carries an IPv4 address by which it leads elsewhere (RFC 6052, 8215, 3056, 4380)."""


def lookup(host: str, port: int) -> list[str]:
    """Return the addresses of a name. OutletError if it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutletError(f"the name of the receiver has no address: {error}.") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def allowed(text: str, networks: Sequence[Network]) -> bool:
    """Return whether an address may be connected to.

    With networks: if it is in one of them. Without: if it is public. An IPv4 address within an IPv6
    one is judged as what it is.
    """
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if networks:
        return any(address.version == each.version and address in each for each in networks)
    if any(address.version == each.version and address in each for each in _TRANSLATED):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int, networks: Sequence[Network], look: Lookup = lookup) -> str:
    """Return the address to connect to. OutletError if any that the name has is not allowed.

    One bad address among good ones is no accident: none of them is used.
    """
    found = look(host, port)
    if not found or not all(allowed(each, networks) for each in found):
        raise OutletError(
            "the receiver's address is not one that it may have.",
            remedy="see to its name, or name its network in the settings.",
        )
    return found[0]
