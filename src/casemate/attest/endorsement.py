"""Whether a TPM's endorsement key is a maker's: its certificate, by roots that the parties pinned.

A certificate says that a maker put this endorsement key into a TPM; credential activation
(`keys/tpm_identity.py`) that the attestation key is in the same TPM. Without a certificate the
parties accept the endorsement key itself, by its name. Paths are built and checked by the library's
verifier (RFC 5280); what is asked of an endorsement certificate is that of the TCG EK credential
profile 2.6, section 3. Whether a maker has revoked one is not asked: that needs a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from casemate.attest.reference import Reference, Tpm
from casemate.core.errors import InputError, SignatureError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

ROOTS_FILE = "tpm-roots.pem"
EK_PURPOSE = "2.23.133.8.1"
"""tcg-kp-EKCertificate."""
_TEMPLATE = bytes.fromhex(
    "0023 000b 000300b2 0020 837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
    "0006 0080 0043 0010 0003 0010"
)
"""TPMT_PUBLIC of template L-2 (ECC P-256) up to the point: profile 2.6, annex B.3.4."""
_COORDINATE_BYTES = 32
_MOST_ROOTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Makers:
    """What parties pin: roots, and certificates of makers between them and a TPM's."""

    roots: tuple[Certificate, ...]
    between: tuple[Certificate, ...]


def load_makers(data: bytes, *, file: str = "") -> Makers:
    """Return the certificates of a PEM file; those that are self-issued are roots.

    InputError if there is none, or one is malformed.
    """
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(data)
        roots = tuple(each for each in found if each.subject == each.issuer)
    except _foreign():
        found, roots = [], ()
    if not roots or len(found) > _MOST_ROOTS:
        raise InputError(
            "there is no root of a maker of TPMs in it.",
            remedy=f"put the makers' root certificates there in PEM, at most {_MOST_ROOTS}.",
            file=file,
        )
    return Makers(roots=roots, between=tuple(each for each in found if each not in roots))


def name_of(certificate: bytes) -> bytes:
    """Return the name of the endorsement key that a certificate (DER) is for.

    Of template L-2 alone, which `keys/tpm_identity.py` uses. SignatureError for any other key.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = _read(certificate).public_key()
    except _foreign():
        _refuse("its key cannot be read")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        _refuse("it is for another kind of key than ECC P-256")
    point = key.public_numbers()
    area = _TEMPLATE + b"".join(
        _COORDINATE_BYTES.to_bytes(2, "big") + each.to_bytes(_COORDINATE_BYTES, "big")
        for each in (point.x, point.y)
    )
    return _TEMPLATE[2:4] + hashlib.sha256(area).digest()


def check_certificate(certificate: bytes, endorsement: bytes, makers: Makers, now_s: int) -> str:
    """Return the root's subject if a certificate (DER) of that endorsement key leads to it.

    endorsement: name of the key. SignatureError says what is wrong.
    """
    from cryptography.x509 import verification

    if not certificate:
        _refuse("there is none")
    leaf = _read(certificate)
    if name_of(certificate) != endorsement:
        _refuse("it is for another endorsement key than this TPM's")
    builder = verification.PolicyBuilder().store(verification.Store(list(makers.roots)))
    builder = builder.time(datetime.fromtimestamp(now_s, UTC))
    builder = builder.extension_policies(ca_policy=_of_makers(), ee_policy=_of_keys())
    try:
        chain = builder.build_client_verifier().verify(leaf, list(makers.between)).chain
    except _foreign() as error:
        _refuse(f"it does not lead to a root that the parties pinned ({error})")
    return chain[-1].subject.rfc4514_string()


def vouched(tpm: Tpm, makers: Makers | None, now_s: int) -> str:
    """Return who vouches for a TPM of reference values, in words for people.

    SignatureError if its certificate does not lead to a root that was pinned.
    """
    by_name = f"by the parties, by its name {tpm.endorsement.hex()}"
    if not tpm.certificate:
        return f"{by_name}: no maker's certificate"
    if makers is None:
        return f"{by_name}: its certificate is not checked, for no maker's root is pinned"
    subject = check_certificate(tpm.certificate, tpm.endorsement, makers, now_s)
    return f"by its maker's certificate, under {subject}"


def vouched_all(
    reference: Reference, pinned: bytes | None, now_s: int, *, where: str
) -> tuple[str, ...]:
    """Return a line for the TPM of each enrolment: whose it is, and who vouches for it.

    pinned: PEM of makers' roots, None if none are pinned. where: that file, for errors.
    SignatureError if a certificate does not lead to one of them.
    """
    makers = None if pinned is None else load_makers(pinned, file=where)
    return tuple(
        f"TPM of serial {unit.serial} from token {each.sequence}, vouched for "
        f"{vouched(each.tpm, makers, now_s)}{_boot(each.tpm)}"
        for unit in reference.units
        for each in unit.enrolments
        if each.tpm is not None
    )


def _boot(tpm: Tpm) -> str:
    numbers = ", ".join(str(each.number) for each in tpm.boot)
    return f"; its quotes cover the machine's boot, registers {numbers}" if numbers else ""


def _of_makers() -> Any:
    """Return what certificates of makers have to say: that they may issue others."""
    from cryptography import x509
    from cryptography.x509.verification import Criticality, ExtensionPolicy

    policy = ExtensionPolicy.permit_all()
    policy = policy.require_present(
        x509.BasicConstraints, Criticality.CRITICAL, _said(lambda found: found.ca)
    )
    return policy.require_present(
        x509.KeyUsage, Criticality.AGNOSTIC, _said(lambda found: found.key_cert_sign)
    )


def _of_keys() -> Any:
    """Return what an endorsement certificate has to say: for an endorsement key, and no issuer."""
    from cryptography import x509
    from cryptography.x509.verification import Criticality, ExtensionPolicy

    policy = ExtensionPolicy.permit_all()
    policy = policy.require_present(
        x509.ExtendedKeyUsage, Criticality.AGNOSTIC,
        _said(lambda found: x509.ObjectIdentifier(EK_PURPOSE) in list(found)),
    )  # fmt: skip
    return policy.may_be_present(
        x509.BasicConstraints, Criticality.AGNOSTIC,
        _said(lambda found: found is None or not found.ca),
    )  # fmt: skip


def _said(holds: Callable[[Any], bool]) -> Callable[[Any, Any, Any], None]:
    def check(_policy: Any, _certificate: Any, found: Any) -> None:
        if not holds(found):
            raise ValueError(f"{type(found).__name__} says other than is asked for")

    return check


def _read(certificate: bytes) -> Certificate:
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(certificate)
    except _foreign():
        _refuse("it is malformed")


def _foreign() -> tuple[type[Exception], ...]:
    """Return what the library raises on certificates that it cannot read, or does not accept."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509.verification import VerificationError

    return (
        ValueError, TypeError, UnsupportedAlgorithm, VerificationError, x509.InvalidVersion,
        x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
    )  # fmt: skip


def _refuse(why: str) -> NoReturn:
    raise SignatureError(
        f"the certificate of the TPM's endorsement key is refused: {why}.",
        remedy="do not commission; ask the maker which root its TPMs have, or approve the key by "
        "its name with no roots pinned.",
    )
