"""Approvals: what parties sign so that something happens to one enclosure, at one moment.

One COSE_Sign to which each party adds its signatures, as to a permit. Commissioning, new anchors,
unsealing, recommissioning and retirement have this one form; who has to sign is for others to say:
the machine's rules, or the quorum that a key holder was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.attest import cose
from casemate.attest._fields import Fields, refuse, written
from casemate.core.suites import Signer

TYPE = "application/vnd.casemate.approval+cbor"
FORMAT = "casemate-approval/1"
PURPOSES = ("commission", "re-anchor", "unseal", "recommission", "retire")
_SUBJECTS = {"commission": (32, 48), "re-anchor": (32, 48), "unseal": (16,)}
_WHAT = "an approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What parties sign. challenge: 16 bytes of the machine, or 32 of the key holder to unseal.

    subject: digest of the anchor (32 or 48 bytes) for commission and re-anchor; id of the holder's
    last evidence key (16 bytes) to unseal; else b"".
    """

    enclosure: str
    serial: str
    purpose: str
    challenge: bytes
    subject: bytes = b""


def encode(statement: Statement) -> bytes:
    """Return the payload of an approval; FormatError if `decode` would refuse it."""
    values = {
        1: statement.enclosure,
        2: statement.serial,
        3: statement.purpose,
        4: statement.challenge,
        5: statement.subject,
    }
    return written(FORMAT, values, decode)


def decode(payload: bytes) -> Statement:
    """Return what a payload says; FormatError unless it is what `encode` gives."""
    f = Fields.of(payload, _WHAT, FORMAT)
    found = Statement(
        enclosure=f.text(1),
        serial=f.text(2),
        purpose=f.choice(3, PURPOSES),
        challenge=f.octets(4, 16, 32),
        subject=f.octets(5, 16, 32, 48) if f.has(5) else b"",
    )
    f.done()
    if len(found.subject) not in _SUBJECTS.get(found.purpose, (0,)):
        refuse(_WHAT, f"to {found.purpose} has a subject of {len(found.subject)} bytes")
    if (len(found.challenge) == 32) != (found.purpose == "unseal"):
        refuse(_WHAT, f"to {found.purpose} has a challenge of {len(found.challenge)} bytes")
    return found


def build(statement: Statement, signers: Sequence[Signer]) -> bytes:
    """Return an approval signed by `signers`."""
    return cose.build(TYPE, encode(statement), signers)


def peek(data: bytes) -> tuple[cose.Signed, Statement]:
    """Return the item and what it says, with nothing checked but form; FormatError."""
    item = cose.parse(data, typ=TYPE)
    return item, decode(item.payload)
