"""Signature algorithms by name, with dates; public keys; strict verification.

A suite names what every signed item has to carry. Which suite is asked at a time is decided by
reference values, never by the item. Numbers of algorithms and key types: RFC 9864 (Ed25519) and
RFC 9964 (ML-DSA); the thumbprint of a key: RFC 9679. No private key comes near this file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, Protocol

from cryptography.exceptions import InvalidSignature

from casemate.core import cbor
from casemate.core.errors import FormatError, InputError, SignatureError

ED25519 = -19
ML_DSA_44 = -48
ML_DSA_65 = -49
ML_DSA_87 = -50

KID_BYTES = 16

_OKP, _AKP, _CURVE_ED25519 = 1, 7, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A signature algorithm: `cose` its number, sizes in bytes."""

    name: str
    cose: int
    key_bytes: int
    signature_bytes: int


ALGORITHMS: dict[int, Algorithm] = {
    each.cose: each
    for each in (
        Algorithm(name="Ed25519", cose=ED25519, key_bytes=32, signature_bytes=64),
        Algorithm(name="ML-DSA-44", cose=ML_DSA_44, key_bytes=1312, signature_bytes=2420),
        Algorithm(name="ML-DSA-65", cose=ML_DSA_65, key_bytes=1952, signature_bytes=3309),
        Algorithm(name="ML-DSA-87", cose=ML_DSA_87, key_bytes=2592, signature_bytes=4627),
    )
}
"""By COSE number. Sizes: RFC 8032, FIPS 204 table 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What each signed item carries: one signature by each algorithm, in this order.

    hash: of the digests that the item's claims name. since_s, until_s: Unix seconds of the time in
    which the suite may be asked for at all; until_s None while no end is set.
    """

    name: str
    algorithms: tuple[int, ...]
    hash: Literal["sha256", "sha384"]
    since_s: int
    until_s: int | None = None

    @property
    def digest_bytes(self) -> int:
        """Return the size of a digest."""
        return 32 if self.hash == "sha256" else 48

    def digest(self, data: bytes) -> bytes:
        """Return the digest of `data`."""
        return hashlib.new(self.hash, data).digest()

    def holds(self, now_s: int) -> bool:
        """Return whether the suite may be asked for at `now_s`."""
        return self.since_s <= now_s and (self.until_s is None or now_s < self.until_s)


def _day(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


SUITES: dict[str, Suite] = {
    each.name: each
    for each in (
        # NIST IR 8547 (draft, 2024) disallows Ed25519 after 2035; the pair would then rest on
        # ML-DSA-65 alone.
        Suite(
            name="ed25519+mldsa65",
            algorithms=(ED25519, ML_DSA_65),
            hash="sha256",
            since_s=_day(2024, 8, 13),
            until_s=_day(2036, 1, 1),
        ),
        # CNSA 2.0 (NSA, 2022): ML-DSA-87 and SHA-384.
        Suite(
            name="cnsa2",
            algorithms=(ML_DSA_87,),
            hash="sha384",
            since_s=_day(2024, 8, 13),
        ),
    )
}
"""By name. None is older than FIPS 204 (13 August 2024)."""
DEFAULT_SUITE = SUITES["ed25519+mldsa65"]


def suite(name: str) -> Suite:
    """Return the suite of that name; InputError if there is none."""
    found = SUITES.get(name)
    if found is None:
        raise InputError(
            "there is no such suite.",
            remedy=f"use one of {', '.join(SUITES)}.",
            key="suite",
            value=name,
        )
    return found


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: `alg` the COSE number of its only algorithm, `data` its raw bytes.

    kid: the first 16 bytes of its thumbprint (RFC 9679, SHA-256). FormatError if the algorithm is
    not known or the size is not that of its keys.
    """

    alg: int
    data: bytes
    kid: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = ALGORITHMS.get(self.alg) if type(self.alg) is int else None
        if known is None or type(self.data) is not bytes or len(self.data) != known.key_bytes:
            raise FormatError(
                f"a public key of algorithm {self.alg!r} with {len(self.data)} bytes is not known.",
                remedy="ask its owner for a key of one of "
                + ", ".join(each.name for each in ALGORITHMS.values())
                + ".",
            )
        required = self.as_cose()
        if self.alg == ED25519:
            del required[3]  # RFC 9679 takes kty, crv and x of an OKP; RFC 9964 alg of an AKP
        digest = hashlib.sha256(cbor.encode(required)).digest()
        object.__setattr__(self, "kid", digest[:KID_BYTES])

    @property
    def name(self) -> str:
        """Return the algorithm's name."""
        return ALGORITHMS[self.alg].name

    def as_cose(self) -> dict[int, Any]:
        """Return the COSE_Key, with its algorithm."""
        if self.alg == ED25519:
            return {1: _OKP, 3: self.alg, -1: _CURVE_ED25519, -2: self.data}
        return {1: _AKP, 3: self.alg, -1: self.data}

    @staticmethod
    def from_cose(value: object) -> PublicKey:
        """Return the key of a COSE_Key as `as_cose` gives it; FormatError on anything else."""
        if isinstance(value, dict):
            alg, data = value.get(3), value.get(-2 if value.get(1) == _OKP else -1)
            if type(alg) is int and type(data) is bytes:
                key = PublicKey(alg, data)
                if key.as_cose() == value:
                    return key
        raise FormatError(
            "this is not a COSE_Key of Ed25519 or ML-DSA with its algorithm and nothing else.",
            remedy="export the key again (RFC 9864, RFC 9964).",
        )


class Signer(Protocol):
    """One private key, wherever it lives."""

    @property
    def public(self) -> PublicKey:
        """Return the public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        ...


def verify(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Check a signature; SignatureError unless it is right.

    Ed25519 is checked without cofactor (RFC 8032 allows both), and more strictly than libraries
    agree on: encodings of key and R are canonical, neither is of small order. Verifiers that
    differ on such cases could otherwise be set against each other.
    """
    known = ALGORITHMS[key.alg]
    if len(signature) != known.signature_bytes:
        raise SignatureError(
            f"an {known.name} signature has {known.signature_bytes} bytes, not {len(signature)}.",
            remedy="obtain the signed item again from its source.",
        )
    if key.alg == ED25519:
        _strict_point(key.data, "the public key")
        _strict_point(signature[:32], "the signature")
    try:
        _loaded(key.alg, key.data).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureError(
            f"the {known.name} signature of key {key.kid.hex()} does not fit.",
            remedy="treat the item as forged or damaged; obtain it again from its source.",
        ) from None


@lru_cache(maxsize=4096)
def _loaded(alg: int, data: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

    classes: dict[int, Any] = {
        ED25519: ed25519.Ed25519PublicKey,
        ML_DSA_44: mldsa.MLDSA44PublicKey,
        ML_DSA_65: mldsa.MLDSA65PublicKey,
        ML_DSA_87: mldsa.MLDSA87PublicKey,
    }
    return classes[alg].from_public_bytes(data)


_FIELD = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset((0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8))
"""y of the eight points whose order divides 8; a test works them out from the curve."""


def _strict_point(data: bytes, what: str) -> None:
    y = int.from_bytes(data, "little") & (2**255 - 1)
    if y >= _FIELD or y in _SMALL_ORDER:
        raise SignatureError(
            f"the Ed25519 point of {what} is not canonical or of small order.",
            remedy="treat the item as forged: no honest signer makes such a point.",
        )
