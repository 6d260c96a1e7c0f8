"""Quotes made without a TPM: a software key that signs whatever structure a test wants."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ATTRIBUTES = (
    0x00050072  # fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign
)
KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
PCRS = {11: b"\x0b" * 32, 12: b"\x0c" * 32}


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


KEY_384 = ec.derive_private_key(0xC0FFEE, ec.SECP384R1())


def large_area() -> bytes:
    """P-384 with SHA-384; names stay SHA-256."""
    numbers = KEY_384.public_key().public_numbers()
    return (
        b"\x00\x23\x00\x0b"
        + ATTRIBUTES.to_bytes(4, "big")
        + sized(b"")
        + b"\x00\x10\x00\x18\x00\x0c\x00\x04\x00\x10"
        + sized(numbers.x.to_bytes(48, "big"))
        + sized(numbers.y.to_bytes(48, "big"))
    )


def large_signed(quote: Quote) -> tuple[bytes, bytes]:
    attest = quote.attest()
    r, s = decode_dss_signature(KEY_384.sign(attest, ec.ECDSA(hashes.SHA384())))
    return attest, b"\x00\x18\x00\x0c" + sized(r.to_bytes(48, "big")) + sized(s.to_bytes(48, "big"))


def key_area(attributes: int = ATTRIBUTES, scheme: bytes = b"\x00\x18\x00\x0b") -> bytes:
    numbers = KEY.public_key().public_numbers()
    return (
        b"\x00\x23\x00\x0b"
        + attributes.to_bytes(4, "big")
        + sized(b"")
        + b"\x00\x10"
        + scheme
        + b"\x00\x03\x00\x10"
        + sized(numbers.x.to_bytes(32, "big"))
        + sized(numbers.y.to_bytes(32, "big"))
    )


def qualified(area: bytes, hierarchy: int = 0x4000000B) -> bytes:
    name = b"\x00\x0b" + hashlib.sha256(area).digest()
    return b"\x00\x0b" + hashlib.sha256(hierarchy.to_bytes(4, "big") + name).digest()


@dataclass
class Quote:
    magic: int = 0xFF544347
    type: int = 0x8018
    signer: bytes = field(default_factory=lambda: qualified(key_area()))
    extra: bytes = b"\x45" * 32
    clock: int = 5_000
    resets: int = 3
    restarts: int = 1
    safe: int = 1
    firmware: int = 0x2019_1023
    bank: int = 0x000B
    mask: bytes = b"\x00\x18\x00"
    banks: int = 1
    digest: bytes = hashlib.sha256(PCRS[11] + PCRS[12]).digest()
    tail: bytes = b""

    def attest(self) -> bytes:
        return (
            self.magic.to_bytes(4, "big")
            + self.type.to_bytes(2, "big")
            + sized(self.signer)
            + sized(self.extra)
            + self.clock.to_bytes(8, "big")
            + self.resets.to_bytes(4, "big")
            + self.restarts.to_bytes(4, "big")
            + bytes([self.safe])
            + self.firmware.to_bytes(8, "big")
            + self.banks.to_bytes(4, "big")
            + self.bank.to_bytes(2, "big")
            + bytes([len(self.mask)])
            + self.mask
            + sized(self.digest)
            + self.tail
        )

    def signed(self) -> tuple[bytes, bytes]:
        attest = self.attest()
        r, s = decode_dss_signature(KEY.sign(attest, ec.ECDSA(hashes.SHA256())))
        parts = sized(r.to_bytes(32, "big")) + sized(s.to_bytes(32, "big"))
        return attest, b"\x00\x18\x00\x0b" + parts
