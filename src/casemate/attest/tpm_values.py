"""What reference values say of a TPM, as parties had it prove itself (`keys/tpm_identity.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casemate.attest._document import Node

_CERTIFICATE_MOST = 4096
"""Bytes of an endorsement certificate (planning value; makers' have some 1,000)."""
_AREAS, _NAME_BYTES = (88, 120), 34
"""Bytes of a public area of ECDSA on P-256 and P-384, and of a key's name by SHA-256."""
_PCRS, _PCR_BYTES = 24, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pcr:
    """A register that the machine's boot fills, and its value in the SHA-256 bank."""

    number: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpm:
    """The TPM that keeps keys.

    attestation: public area of its attestation key (TPMT_PUBLIC), by which quotes are judged.
    endorsement: name of its endorsement key. certificate: of that key (DER), by a maker whose root
    the parties pinned; b"" if they approved the key itself (`endorsement.py`). boot: what its
    quotes cover besides software and anchor, sorted by number.
    """

    attestation: bytes
    endorsement: bytes
    certificate: bytes = b""
    boot: tuple[Pcr, ...] = ()


def tpm_of(node: Node) -> Tpm:
    """Return a TPM of a document; InputError names the place that is wrong."""
    f = node.fields(("attestation", "endorsement"), ("certificate", "boot"))
    return Tpm(
        attestation=f["attestation"].hex(*_AREAS), endorsement=f["endorsement"].hex(_NAME_BYTES),
        certificate=_certificate(f["certificate"]) if "certificate" in f else b"",
        boot=_boot(f["boot"]) if "boot" in f else (),
    )  # fmt: skip


def tpm_plain(tpm: Tpm) -> dict[str, Any]:
    """Return the values that `tpm_of` reads."""
    named: dict[str, Any] = {
        "attestation": tpm.attestation.hex(), "endorsement": tpm.endorsement.hex()
    }  # fmt: skip
    if tpm.certificate:
        named["certificate"] = tpm.certificate.hex()
    if tpm.boot:
        named["boot"] = [{"pcr": each.number, "digest": each.digest.hex()} for each in tpm.boot]
    return named


def _certificate(node: Node) -> bytes:
    count = len(node.value) // 2 if isinstance(node.value, str) else 0
    if not 0 < count <= _CERTIFICATE_MOST:
        node.fail(f"this should be 1 to {_CERTIFICATE_MOST} bytes in hex.", "copy it anew.")
    return node.hex(count)


def _boot(node: Node) -> tuple[Pcr, ...]:
    out = []
    for each in node.items(1):
        f = each.fields(("pcr", "digest"))
        number = f["pcr"].number(0, _PCRS - 1)
        out.append(Pcr(number=number, digest=f["digest"].hex(_PCR_BYTES)))
    numbers = [each.number for each in out]
    if numbers != sorted(set(numbers)):
        node.fail("registers do not follow one another by number.", "sort them.", show=False)
    return tuple(out)
