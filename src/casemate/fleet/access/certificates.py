"""Certificates of the service and of controllers, by an authority of this service's own.

The library makes and signs them; nothing here is cryptography of ours.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from casemate.core.errors import InputError
from casemate.core.private_folder import private_folder
from casemate.core.secret_file import make_once

YEARS = 10
"""For which the authority is valid (planning value)."""
DAYS = 397
"""For which the service's and a controller's certificate are valid (planning value)."""
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
CA, CA_KEY, CERTIFICATE, KEY = "ca.pem", "ca.key", "certificate.pem", "key.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A certificate with its key, PEM. fingerprint: SHA-256 of the certificate, hex."""

    certificate: bytes
    key: bytes
    fingerprint: str


def make_authority(folder: Path, name: str) -> None:
    """Make the authority and the service's certificate in a private folder, if there are none."""
    private_folder(folder)
    if not (folder / CA).exists():
        key = _kept_key(folder / CA_KEY)
        subject = _name(f"{name} authority")
        built = (
            _builder(subject, subject, key.public_key(), 366 * YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
        )
        made = built.sign(key, hashes.SHA256())
        make_once(folder / CA, made.public_bytes(serialization.Encoding.PEM))
    make_server(folder, name)


def make_server(folder: Path, name: str) -> None:
    """Make the service's certificate by the authority that is there, if there is none."""
    if not (folder / CERTIFICATE).exists():
        made_ = Issuer(folder).issue(name, server=True, key=_kept_key(folder / KEY))
        make_once(folder / CERTIFICATE, made_.certificate)


def issue(folder: Path, name: str, *, server: bool = False) -> Made:
    """Return a new certificate by the authority in `folder`, for the service or a controller."""
    return Issuer(folder).issue(name, server=server)


def bundle(made: Made, name: str, password: bytes) -> bytes:
    """Return a certificate and its key as PKCS #12, as browsers import them."""
    key = serialization.load_pem_private_key(made.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    held = x509.load_pem_x509_certificate(made.certificate)
    kept = serialization.BestAvailableEncryption(password)
    return pkcs12.serialize_key_and_certificates(name.encode(), key, held, None, kept)


class Issuer:
    """The authority in a folder, to issue many. InputError if it cannot be read."""

    def __init__(self, folder: Path) -> None:
        try:
            self._authority = x509.load_pem_x509_certificate((folder / CA).read_bytes())
            signer = serialization.load_pem_private_key((folder / CA_KEY).read_bytes(), None)
        except (OSError, ValueError) as error:
            raise InputError(
                f"the authority cannot be read: {error}.",
                remedy="restore it, or make a new service.", file=str(folder),
            ) from None  # fmt: skip
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        self._signer = signer

    def issue(
        self, name: str, *, server: bool = False, alias: str = "",
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Made:  # fmt: skip
        """Return a new certificate, for the service or a controller. key: a new one without it.

        alias: a DNS name of a client that brokers know it by; controllers have none.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = self._signed(name, key.public_key(), server=server, alias=alias)
        return replace(made, key=_pem_key(key))

    def certify(self, name: str, public: PublicKey) -> Made:
        """Return a client's certificate for a key that it keeps to itself: `key` is b""."""
        return self._signed(name, public, server=False, alias="")

    def _signed(self, name: str, public: PublicKey, *, server: bool, alias: str) -> Made:
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        built = (
            _builder(_name(name), self._authority.subject, public, DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        )
        if server:
            built = built.add_extension(x509.SubjectAlternativeName(_names(name)), critical=False)
        if alias:
            names = x509.SubjectAlternativeName([x509.DNSName(alias)])
            built = built.add_extension(names, critical=False)
        made = built.sign(self._signer, hashes.SHA256())
        return Made(
            certificate=made.public_bytes(serialization.Encoding.PEM),
            key=b"",
            fingerprint=made.fingerprint(hashes.SHA256()).hex(),
        )


def _kept_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key in a file, made if there is none: a power cut may have left it alone there.

    InputError if it cannot be read.
    """
    make_once(path, _pem_key(ec.generate_private_key(ec.SECP256R1())))
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except ValueError as error:
        raise InputError(
            f"the key cannot be read: {error}.", remedy="restore a backup.", file=str(path)
        ) from None
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _builder(
    subject: x509.Name, issuer: x509.Name, public: PublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _names(name: str) -> list[x509.GeneralName]:
    out: list[x509.GeneralName] = [x509.DNSName("localhost")]
    out.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    try:
        out.append(x509.IPAddress(ipaddress.ip_address(name)))
    except ValueError:
        out.append(x509.DNSName(name))
    return list(dict.fromkeys(out))


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=signs,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
