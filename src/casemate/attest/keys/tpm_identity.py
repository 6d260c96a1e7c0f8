"""Whether an attestation key is in the TPM whose endorsement key is shown: credential activation.

A party encrypts a secret to the endorsement key and to the name of the attestation key
(`challenge`). Only a TPM that has both gives the secret back (`answer`; TPM 2.0 Library, part 1,
section 24). A key made in software passes no such challenge, whatever its public area claims.

Whether the endorsement key is a maker's is said by its certificate, if the TPM has one; software
TPMs have none, and then the parties accept the endorsement key itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from casemate.attest.keys.protocol import CustodyError
from casemate.attest.keys.tpm_esys import Esys, area_of
from casemate.attest.quote import key_name

SECRET_BYTES = 32
_KIND = "EK-ECC256"
"""Template L-2 of the TCG EK credential profile 2.4: ECC P-256, by policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmIdentity:
    """Public areas (TPMT_PUBLIC) of both keys. certificate: of the endorsement key, DER; or b""."""

    attestation: bytes
    endorsement: bytes
    certificate: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A secret for one TPM and one of its keys: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET."""

    blob: bytes
    encrypted: bytes


def identity(tpm: Esys, attestation: bytes) -> TpmIdentity:
    """Return both public areas as the TPM shows them; CustodyError."""
    handle, area, certificate = _endorsement_key(tpm)
    tpm.flush(handle)
    return TpmIdentity(attestation=attestation, endorsement=area, certificate=certificate)


def challenge(shown: TpmIdentity, secret: bytes) -> Credential:
    """Return `secret` (SECRET_BYTES) for the TPM shown; for a party, which needs no TPM.

    CustodyError if the endorsement key is none.
    """
    utils, types = import_module("tpm2_pytss.utils"), import_module("tpm2_pytss.types")
    try:
        area, rest = types.TPMT_PUBLIC.unmarshal(shown.endorsement)
        if rest != len(shown.endorsement):
            raise ValueError
        blob, encrypted = utils.make_credential(area, secret, key_name(shown.attestation))
    except (ValueError, RuntimeError, AttributeError):
        raise CustodyError(
            "the endorsement key is none.", remedy="see which TPM it came from."
        ) from None
    return Credential(blob=bytes(blob.marshal()), encrypted=bytes(encrypted.marshal()))


def answer(tpm: Esys, attestation_key: Any, asked: Credential) -> bytes:
    """Return the secret of a challenge; CustodyError if it is for another TPM or another key."""
    types, tss = import_module("tpm2_pytss.types"), tpm.tss
    try:
        blob, _ = types.TPM2B_ID_OBJECT.unmarshal(asked.blob)
        encrypted, _ = types.TPM2B_ENCRYPTED_SECRET.unmarshal(asked.encrypted)
    except (tss.TSS2_Exception, ValueError):
        raise CustodyError("the challenge is malformed.", remedy="ask for it again.") from None
    handle, _, _ = _endorsement_key(tpm)
    try:
        with (
            tpm.session(tss.TPM2_SE.POLICY, salted=False) as session,
            tpm.told("prove its identity"),
        ):
            tpm.esys.policy_secret(tss.ESYS_TR.ENDORSEMENT, session)
            return bytes(
                tpm.esys.activate_credential(
                    attestation_key, handle, blob, encrypted, session2=session
                )
            )
    finally:
        tpm.flush(handle)


def _endorsement_key(tpm: Esys) -> tuple[Any, bytes, bytes]:
    utils = import_module("tpm2_pytss.utils")
    with tpm.told("make the endorsement key"):
        certificate, template = utils.create_ek_template(_KIND, utils.NVReadEK(tpm.esys))
        handle, public, *_ = tpm.esys.create_primary(
            tpm.tss.TPM2B_SENSITIVE_CREATE(), template, tpm.tss.ESYS_TR.ENDORSEMENT
        )
    return handle, area_of(public), bytes(certificate or b"")
