"""Where a webhook may go: by default to public addresses alone, else to networks that are named.

The operator names the receiver and its networks in the settings, this machine too if it is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.fleet import addresses
from casemate.fleet.addresses import AddressError, Lookup, Network
from casemate.fleet.outlets.outlet import OutletError


def allowed(text: str, networks: Sequence[Network]) -> bool:
    """Return whether an address may be connected to.

    With networks: if it is in one of them. Without: if it is public. An IPv4 address within an IPv6
    one is judged as what it is.
    """
    address = addresses.read(text.partition("%")[0])
    if address is None:
        return False
    if networks:
        return addresses.is_in(address, networks)
    if addresses.is_translated(address):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(
    host: str, port: int, networks: Sequence[Network], look: Lookup = addresses.lookup
) -> str:
    """Return the address to connect to. OutletError if any that the name has is not allowed."""
    try:
        return addresses.checked(host, port, lambda each: allowed(each, networks), look)[0]
    except AddressError as error:
        raise OutletError(
            f"the receiver cannot be connected to: {error.message}",
            remedy="see to its name, or name its network in the settings.",
        ) from None
