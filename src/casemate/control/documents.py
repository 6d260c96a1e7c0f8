"""From signed documents to what the machine takes: permits to terms, approvals to approvals.

An approval is one COSE_Sign to which each party adds its signatures, as to a permit; its payload
is a map in deterministic CBOR. Here signatures are checked; what they are worth is the machine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.attest import cose, permit
from casemate.attest._fields import Fields, named, refuse
from casemate.attest.parties import Party, Rule, agree, signed_by
from casemate.control.events import Approval
from casemate.control.permits import Terms
from casemate.control.scope import Scope
from casemate.core import cbor
from casemate.core.errors import PermitError
from casemate.core.suites import Signer, Suite

TYPE = "application/vnd.casemate.approval+cbor"
FORMAT = "casemate-approval/1"
PURPOSES = ("commission", "re-anchor", "unseal", "recommission", "retire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What parties sign. challenge: 16 bytes of the machine, or 32 of the key holder to unseal.

    subject: digest of the anchor (32 or 48 bytes) for commission and re-anchor, else b"".
    """

    enclosure: str
    serial: str
    purpose: str
    challenge: bytes
    subject: bytes = b""


def encode(statement: Statement) -> bytes:
    """Return the payload of an approval; FormatError if `decode` would refuse it."""
    out = cbor.encode(
        named(
            {
                0: FORMAT,
                1: statement.enclosure,
                2: statement.serial,
                3: statement.purpose,
                4: statement.challenge,
                5: statement.subject,
            }
        )
    )
    decode(out)
    return out


def decode(payload: bytes) -> Statement:
    """Return what a payload says; FormatError unless it is what `encode` gives."""
    f = Fields(cbor.decode(payload, depth=2), "an approval")
    if f.take(0) != FORMAT:
        refuse("an approval", f"has not the format {FORMAT}")
    found = Statement(
        enclosure=f.text(1),
        serial=f.text(2),
        purpose=f.choice(3, PURPOSES),
        challenge=f.octets(4, 16, 32),
        subject=f.octets(5, 32, 48) if f.has(5) else b"",
    )
    f.done()
    if bool(found.subject) != (found.purpose in ("commission", "re-anchor")):
        refuse("an approval", "names an anchor where it must not, or none where it must")
    return found


def build(statement: Statement, signers: Sequence[Signer]) -> bytes:
    """Return an approval signed by `signers`."""
    return cose.build(TYPE, encode(statement), signers)


def approval(
    data: bytes,
    roster: Sequence[Party],
    rules: Sequence[Rule],
    *,
    enclosure: str,
    serial: str,
    now_s: int,
    suite: Suite,
) -> Approval:
    """Return the machine's approval of a document that enough parties have signed.

    now_s: Unix time by which suites are judged. Raises FormatError, SignatureError, PermitError.
    """
    item = cose.parse(data, typ=TYPE)
    found = decode(item.payload)
    if (found.enclosure, found.serial) != (enclosure, serial):
        raise PermitError(
            f"the approval is for {found.enclosure}, serial {found.serial}.",
            remedy="sign one for this enclosure.",
        )
    parties = signed_by(item, roster, now_s)
    rule = [each for each in rules if each.action == found.purpose]
    if len(rule) != 1:
        raise PermitError(
            f"reference values have {len(rule)} rules for {found.purpose}.",
            remedy="add one rule for it to the reference values, signed by both parties.",
        )
    agree(parties, rule[0])
    return Approval(
        purpose=found.purpose,
        roles=frozenset(each.role for each in parties),
        challenge=found.challenge,
        document=suite.digest(item.payload),
        subject=found.subject,
    )


def terms(
    data: bytes,
    roster: Sequence[Party],
    rules: Sequence[Rule],
    *,
    enclosure: str,
    serial: str,
    now_s: int,
    suite: Suite,
) -> Terms:
    """Return the machine's terms of a permit that enough parties have signed.

    now_s: Unix time by which suites are judged. Raises FormatError, SignatureError, PermitError.
    """
    found, parties = permit.check(
        data, roster, rules, enclosure=enclosure, serial=serial, now_s=now_s
    )
    payload = permit.peek(data)[0].payload
    return Terms(
        permit=permit.identity(payload, suite),
        enclosure=found.enclosure,
        serial=found.serial,
        scope=Scope(faces=frozenset(found.faces), modules=frozenset(found.modules)),
        actions=frozenset(found.actions),
        not_before_s=float(found.not_before_s),
        not_after_s=float(found.not_after_s),
        token=found.technician,
        roles=frozenset(each.role for each in parties),
    )
