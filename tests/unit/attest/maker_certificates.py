"""A maker of TPMs: a root, a certificate between, and those of endorsement keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from casemate.attest.endorsement import EK_PURPOSE

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW_S = int(datetime(2027, 1, 15, tzinfo=UTC).timestamp())


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") >> 1
    return ec.derive_private_key(number, ec.SECP256R1())


@dataclass(frozen=True)
class Issued:
    name: str
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def issued(
    name: str,
    public: Any = None,
    by: Issued | None = None,
    *,
    ca: bool | None = None,
    signs: bool = True,
    purpose: str | None = None,
    days: int = 20_000,
    path: int | None = None,
    signer: str = "",
) -> Issued:
    """Issue a certificate; by: None for a root. signer: name of the key that really signs."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(by.certificate.subject if by else named(name))
        .public_key(public or key(name).public_key())
        .serial_number(1 + len(name))
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=days))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                key(by.name if by else name).public_key()
            ), critical=False,
        )
    )  # fmt: skip
    if ca is not None:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=ca, path_length=path), critical=True
        )
    if ca:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=signs, **usage), critical=True)
    if purpose:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([x509.ObjectIdentifier(purpose)]), critical=False
        )
    made = builder.sign(key(signer or (by.name if by else name)), hashes.SHA256())
    return Issued(name, made)


@cache
def root(name: str = "Maker root") -> Issued:
    return issued(name, ca=True)


@cache
def between(name: str = "Maker 7", **options: Any) -> Issued:
    return issued(name, by=root(), ca=True, **options)


def of_key(public: Any, by: Issued | None = None, **options: Any) -> Issued:
    """Issue the certificate of an endorsement key."""
    given = {"purpose": EK_PURPOSE, "ca": False, **options}
    return issued("TPM 4711", public, by or between(), **given)
