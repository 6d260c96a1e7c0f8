"""A TPM's quotes from a key in memory, for tests and shows alone: the right bytes, and no TPM."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from casemate.attest import token as tokens
from casemate.attest.claims import Boot, Quote
from casemate.attest.quote import (
    ATTEST_QUOTE,
    ENDORSEMENT,
    MAGIC,
    PCR_ANCHOR,
    PCR_SOFTWARE,
    after_extend,
    extra_data,
    key_name,
    measured,
)
from casemate.attest.token import Token
from casemate.attest.tpm_values import Pcr, Tpm
from casemate.core.suites import SUITES

RESTRICTED = 0x00050072
"""fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign."""


@dataclass(slots=True)
class UnsafeTpm:
    """Each field may be set by who plays a malicious host. name: of its key.

    boot: values of registers that its machine's boot filled, which quotes then cover.
    """

    name: str = "tpm"
    magic: int = MAGIC
    clock_ms: int = 5_000
    resets: int = 3
    restarts: int = 0
    software: bytes = b""
    anchor: bytes = b""
    boot: tuple[Pcr, ...] = ()

    @property
    def identity(self) -> Tpm:
        """Return what reference values say of it."""
        endorsement = b"\x00\x0b" + hashlib.sha256(b"endorsement " + self.name.encode()).digest()
        return Tpm(attestation=self._area(), endorsement=endorsement, boot=self.boot)

    def quoted(self, said: Token) -> Token:
        """Return a boot token with its quote."""
        body = said.body
        assert isinstance(body, Boot)
        digest = SUITES[body.suite].digest(tokens.unquoted(said))
        values = (self.software or said.software, self.anchor or said.anchor)
        quote = self.quote(extra_data(digest, body.keys, said.nonce), values)
        return replace(said, body=replace(body, quote=quote))

    def quote(self, extra: bytes, values: tuple[bytes, bytes]) -> Quote:
        """Return a quote of what was extended into the PCRs of software and anchor."""
        signer = ENDORSEMENT.to_bytes(4, "big") + key_name(self._area())
        held = {each.number: each.digest for each in self.boot}
        for number, each in zip((PCR_SOFTWARE, PCR_ANCHOR), values, strict=True):
            held[number] = after_extend(measured(each))
        pcrs = b"".join(held[number] for number in sorted(held))
        mask = sum(1 << number for number in held).to_bytes(3, "little")
        attest = (
            self.magic.to_bytes(4, "big")
            + ATTEST_QUOTE.to_bytes(2, "big")
            + _sized(b"\x00\x0b" + hashlib.sha256(signer).digest())
            + _sized(extra)
            + self.clock_ms.to_bytes(8, "big")
            + self.resets.to_bytes(4, "big")
            + self.restarts.to_bytes(4, "big")
            + b"\x01"
            + bytes(8)
            + bytes.fromhex("00000001 000b 03")
            + mask
            + _sized(hashlib.sha256(pcrs).digest())
        )
        r, s = decode_dss_signature(self._key().sign(attest, ec.ECDSA(hashes.SHA256())))
        halves = _sized(r.to_bytes(32, "big")) + _sized(s.to_bytes(32, "big"))
        return Quote(attest=attest, signature=bytes.fromhex("0018 000b") + halves)

    def _key(self) -> ec.EllipticCurvePrivateKey:
        seed = hashlib.sha256(self.name.encode()).digest()
        return ec.derive_private_key(int.from_bytes(seed, "big") >> 1, ec.SECP256R1())

    def _area(self) -> bytes:
        point = self._key().public_key().public_numbers()
        return (
            bytes.fromhex("0023 000b")
            + RESTRICTED.to_bytes(4, "big")
            + bytes.fromhex("0000 0010 0018 000b 0003 0010")
            + _sized(point.x.to_bytes(32, "big"))
            + _sized(point.y.to_bytes(32, "big"))
        )


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
