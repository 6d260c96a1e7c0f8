"""What is signed after a permit's use: the permit, how it ended, and a note.

One COSE_Sign; it goes into the log like the permit did before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.attest import cose
from casemate.attest._fields import Fields, written
from casemate.core.suites import Signer

TYPE = "application/vnd.casemate.permit-close+cbor"
FORMAT = "casemate-permit-close/1"
OUTCOMES = ("done", "unused", "broken off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """permit: its digest (32 or 48 bytes). outcome: one of OUTCOMES. note: "" or one line."""

    permit: bytes
    outcome: str
    note: str = ""


def build(closing: Closing, signers: Sequence[Signer]) -> bytes:
    """Return the statement signed by `signers`; FormatError if `parse` would refuse it."""
    values = {1: closing.permit, 2: closing.outcome, 3: closing.note}
    return cose.build(TYPE, written(FORMAT, values, _decode), signers)


def parse(data: bytes) -> tuple[cose.Signed, Closing]:
    """Return the item and what it says, with nothing checked but form; FormatError."""
    item = cose.parse(data, typ=TYPE)
    return item, _decode(item.payload)


def _decode(payload: bytes) -> Closing:
    f = Fields.of(payload, "a permit's close", FORMAT)
    found = Closing(
        permit=f.octets(1, 32, 48),
        outcome=f.choice(2, OUTCOMES),
        note=f.text(3) if f.has(3) else "",
    )
    f.done()
    return found
