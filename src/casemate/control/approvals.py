"""Documents by which parties approve what changes an enclosure: purpose, challenge, subject."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from casemate.attest import cose
from casemate.attest.parties import Party, signed_by
from casemate.control.events import Approval
from casemate.core import cbor
from casemate.core.errors import FormatError
from casemate.core.suites import Signer

TYPE = "application/vnd.casemate.approval+cbor"
PURPOSES = ("commission", "recommission", "re-anchor", "retire")
"""To unseal, parties sign the key holder's own challenge (attest/keys/approval.py)."""


def build(purpose: str, challenge: bytes, subject: bytes, signers: Sequence[Signer]) -> bytes:
    """Return a document signed by all `signers`."""
    said = {"purpose": purpose, "challenge": challenge, "subject": subject}
    return cose.build(TYPE, cbor.encode(said), signers)


def read(document: bytes, roster: Sequence[Party], now_s: int) -> Approval:
    """Return what a document approves and the roles whose signatures hold.

    FormatError if it is malformed; SignatureError if a signature is wrong or of nobody in the
    roster.
    """
    item = cose.parse(document, typ=TYPE)
    match cbor.decode(item.payload):
        case {"purpose": str(purpose), "challenge": bytes(challenge), "subject": bytes(subject)}:
            pass
        case _:
            raise FormatError("this approves nothing.", remedy="sign it anew with `casemate run`.")
    if purpose not in PURPOSES:
        raise FormatError(f"nothing is called {purpose!r}.", remedy=f"one of {PURPOSES}.")
    parties = signed_by(item, roster, now_s)
    return Approval(
        purpose=purpose,
        roles=frozenset(each.role for each in parties),
        challenge=challenge,
        document=hashlib.sha256(document).digest(),
        subject=subject,
    )
