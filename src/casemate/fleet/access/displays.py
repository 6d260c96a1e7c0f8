"""Displays on walls: each shows one page by a certificate of the service's authority, for long.

A display is nobody: it has no session, no role and no form, so it can neither acknowledge nor
decide anything, whatever is done with its key. Its name in a certificate has a space, which no
serial has that a broker knows: it is no controller there either.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import Connection, delete, insert, select

from casemate.core.errors import InputError
from casemate.fleet import addresses
from casemate.fleet.errors import NotFoundError
from casemate.fleet.store.schema import DISPLAYS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LEAST_RSA_BITS = 3072
"""NIST SP 800-57 part 1, rev. 5: 128 bits of strength."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """A display that is let in. network: from which alone, "" for any. Times: Unix s."""

    name: str
    network: str
    added_s: int
    expires_s: int


def common_name(name: str) -> str:
    """Return what a display's certificate is called. InputError if the name is none."""
    if not _NAME.fullmatch(name):
        raise InputError(
            "this is no name of a display.", remedy="use up to 40 letters, digits, dots, dashes.",
            key="NAME", value=name,
        )  # fmt: skip
    return f"display {name}"


def let(
    link: Connection, fingerprint: str, name: str, *, network: str, now_s: int, expires_s: int
) -> None:
    """Let whoever shows a certificate (SHA-256, hex) see the wall's page, until it expires.

    network: such as 10.1.2.3 or 10.1.0.0/16, from which alone; "" for any. InputError if that or
    the name is none, or the name is taken: one certificate, one device.
    """
    common_name(name)
    if network:
        try:
            network = str(ipaddress.ip_network(network))
        except ValueError:
            raise InputError(
                "this is no network.", remedy="write such as 10.1.2.3 or 10.1.0.0/16.",
                key="--from", value=network,
            ) from None  # fmt: skip
    if link.execute(select(DISPLAYS.c.name).where(DISPLAYS.c.name == name)).first() is not None:
        raise InputError(
            f"a display {name!r} is let in already.", remedy="remove it first, or name another.",
            key="NAME", value=name,
        )  # fmt: skip
    values = {"fingerprint": fingerprint, "name": name, "network": network, "added_s": now_s,
              "expires_s": expires_s}  # fmt: skip
    link.execute(insert(DISPLAYS).values(**values))


def known(link: Connection, fingerprint: str, client: str, now_s: int) -> Display | None:
    """Return the display of a certificate; None if it is none, is over, or comes from elsewhere."""
    if not fingerprint:
        return None
    row = link.execute(select(DISPLAYS).where(DISPLAYS.c.fingerprint == fingerprint)).one_or_none()
    if row is None or row.expires_s <= now_s or not _is_from(client, row.network):
        return None
    return _display(row)


def all_(link: Connection) -> list[Display]:
    """Return the displays that were let in, by name."""
    return [_display(each) for each in link.execute(select(DISPLAYS).order_by(DISPLAYS.c.name))]


def remove(link: Connection, name: str) -> None:
    """Let a display in no more, from its next request on. NotFoundError if there is none."""
    if not link.execute(delete(DISPLAYS).where(DISPLAYS.c.name == name)).rowcount:
        raise NotFoundError("no such display is let in.", remedy="see `casemate fleet displays`.")


def requested_key(data: bytes) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    """Return the public key of a request (PKCS #10, PEM) that a device made for a key of its own.

    Nothing else of the request counts. InputError if it is none, or its key is weak.
    """
    try:
        asked = x509.load_pem_x509_csr(data)
        sound, key = asked.is_signature_valid, asked.public_key()
    except ValueError as error:
        raise InputError(
            f"this is no request for a certificate: {error}.", remedy="bring one in PEM.",
            key="--request",
        ) from None  # fmt: skip
    strong = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256
    strong |= isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS
    if not sound or not strong:
        raise InputError(
            "the request is not signed with its key, or its key is weak.",
            remedy="make it with a key on P-256 or P-384, or RSA of 3072 bits.", key="--request",
        )  # fmt: skip
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    return key


def _is_from(client: str, network: str) -> bool:
    address = addresses.read(client)
    within = ipaddress.ip_network(network) if network else None
    return within is None or (address is not None and addresses.is_in(address, [within]))


def _display(row: Any) -> Display:
    return Display(name=row.name, network=row.network, added_s=row.added_s, expires_s=row.expires_s)
