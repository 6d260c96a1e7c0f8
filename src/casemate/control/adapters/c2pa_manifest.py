"""C2PA manifests in frames: any C2PA reader sees that a frame is unaltered, and by whose key.

C2PA 2.x takes Ed25519 and no ML-DSA, so the manifest stands beside our token, not in its place: an
assertion holds the frame's proof (payload.py) with the token itself. Its key is not an evidence
key: it lives in a key process of its own (`attest.keys.cell`), is new with each start, and a DEMO
issuer, whose key is as short-lived, certifies it. c2pa-python (extra `c2pa`) writes and reads.
"""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from casemate.attest.keys.cell import Cell
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import ED25519, PublicKey

LABEL = "casemate.item"
"""Of the assertion that holds a frame's proof."""
VALID = timedelta(days=30)
"""Of a certificate; a start makes a new one (planning value)."""
_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning, RFC 9336."""
_ED25519_SIGNED = bytes.fromhex("300506032b6570")
"""AlgorithmIdentifier of Ed25519, RFC 8410."""
_LOCAL = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "builder": {"thumbnail": {"enabled": False}},
}
"""Of c2pa's settings: nothing is asked of a network, no thumbnail is made."""


class Maker:
    """Puts manifests into frames. `root` (PEM) is what a reader has to trust. Close it.

    CustodyError if the key processes do not start.
    """

    def __init__(self, enclosure: str, serial: str) -> None:
        c2pa = _library()
        self._name = f"{enclosure} {serial}"
        self._cell = Cell((ED25519,))
        try:
            issuer = Cell((ED25519,))
            try:
                chain = _chain(self._name, self._cell.public[0], issuer)
            finally:
                issuer.close()
        except BaseException:
            self._cell.close()
            raise
        self.root = chain[1]
        self._signer = c2pa.Signer.from_callback(
            lambda data: self._cell.sign(bytes(data))[0],
            c2pa.C2paSigningAlg.ED25519, "".join(chain),
        )  # fmt: skip

    def made(self, data: bytes, proof: dict[str, Any]) -> bytes:
        """Return a frame (JPEG) with its manifest, which holds the proof of the frame as given."""
        c2pa = _library()
        manifest = {
            "claim_generator_info": [{"name": "Casemate"}],
            "title": f"{self._name} {proof['stream']} {proof['number']}",
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {
                        "actions": [
                            {
                                "action": "c2pa.created",
                                "digitalSourceType": "http://cv.iptc.org/newscodes/"
                                "digitalsourcetype/digitalCapture",
                            }
                        ]
                    },
                },
                {"label": LABEL, "data": proof},
            ],
        }
        out = io.BytesIO()
        context = c2pa.Context(c2pa.Settings.from_dict(_LOCAL))
        builder = c2pa.Builder(manifest, context)
        try:
            builder.sign(self._signer, "image/jpeg", io.BytesIO(data), out)
        finally:
            builder.close()
        return out.getvalue()

    def close(self) -> None:
        """Erase the key and end its process."""
        self._signer.close()
        self._cell.close()


def read(data: bytes, root: str) -> dict[str, Any]:
    """Return the proof that a frame's manifest holds, once c2pa's reader accepts the manifest.

    root: certificates (PEM) to trust. SignatureError unless the reader's state is "Trusted".
    """
    c2pa = _library()
    settings = c2pa.Settings.from_dict({**_LOCAL, "trust": {"trust_anchors": root}})
    try:
        reader = c2pa.Reader("image/jpeg", io.BytesIO(data), context=c2pa.Context(settings))
        state, found = reader.get_validation_state(), json.loads(reader.json())
        reader.close()
    except (c2pa.C2paError, ValueError) as error:
        raise _unfit(str(error)[:200]) from None
    if state != "Trusted":
        codes = [each.get("code", "") for each in found.get("validation_status", [])]
        raise _unfit(f"{state}: {', '.join(codes)}")
    manifest = found["manifests"][found["active_manifest"]]
    proofs = [each["data"] for each in manifest["assertions"] if each["label"] == LABEL]
    if len(proofs) != 1:
        raise _unfit("it holds no proof")
    return dict(proofs[0])


def original(data: bytes) -> bytes:
    """Return a frame without its manifest: the JPEG without APP11 segments (ISO/IEC 19566-5)."""
    out, at = bytearray(data[:2]), 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"\xda", b"\xd9", b""):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise FormatError("this is no JPEG.", remedy="obtain it again.")
        if data[at + 1] != 0xEB:
            out += data[at : at + 2 + length]
        at += 2 + length
    return bytes(out + data[at:])


def _library() -> Any:
    """Return c2pa-python, which has no types of its own."""
    return import_module("c2pa")


def _chain(name: str, key: PublicKey, issuer: Cell) -> tuple[str, str]:
    """Return the certificate of a key and that of its issuer, in PEM."""
    now = datetime.fromtimestamp(time.time(), UTC) - timedelta(minutes=5)
    top = _name(f"DEMO issuer of {name}")
    public = _public(issuer.public[0])

    def sign(message: bytes) -> bytes:
        return issuer.sign(message)[0]

    root = _certificate(top, top, public, public, now).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    root = root.add_extension(_usage(certifies=True), critical=True)
    leaf = _certificate(_name(name), top, _public(key), public, now).add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    leaf = leaf.add_extension(_usage(certifies=False), critical=True).add_extension(
        x509.ExtendedKeyUsage([_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
    )
    return _signed(leaf, sign), _signed(root, sign)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: Ed25519PublicKey,
    by: Ed25519PublicKey,
    now: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(
            subject_name=subject, issuer_name=issuer, public_key=key,
            serial_number=1 + secrets.randbits(150), not_valid_before=now,
            not_valid_after=now + VALID,
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )  # fmt: skip


def _signed(builder: x509.CertificateBuilder, sign: Callable[[bytes], bytes]) -> str:
    """Return a certificate whose signature comes from a key that is not here.

    The library signs with a key that is thrown away; its signature is then replaced (RFC 5280, 4.1:
    a sequence of what is signed, the algorithm and a bit string).
    """
    shape = builder.sign(Ed25519PrivateKey.generate(), None)
    signature = sign(shape.tbs_certificate_bytes)
    inner = shape.tbs_certificate_bytes + _ED25519_SIGNED + b"\x03\x41\x00" + signature
    whole = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    return x509.load_der_x509_certificate(whole).public_bytes(Encoding.PEM).decode()


def _usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certifies, key_cert_sign=certifies, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, crl_sign=certifies,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Casemate"),
            x509.NameAttribute(NameOID.COMMON_NAME, text[:64]),
        ]
    )


def _public(key: PublicKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key.data)


def _unfit(why: str) -> SignatureError:
    return SignatureError(
        f"the frame's manifest is not accepted: {why}.",
        remedy="treat the frame as altered; obtain it again.",
    )
