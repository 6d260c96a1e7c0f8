"""From signed documents to what the machine takes: permits to terms, approvals to approvals.

Here signatures are checked (forms: attest/approval.py, attest/permit.py); what they are worth is
the machine's.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.attest import approval as approvals
from casemate.attest import permit
from casemate.attest.parties import Party, Rule, agree, signed_by
from casemate.control.events import Approval
from casemate.control.permits import Terms
from casemate.control.scope import Scope
from casemate.core.errors import PermitError
from casemate.core.suites import Suite


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
    item, found = approvals.peek(data)
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
        subject=b"" if found.purpose == "unseal" else found.subject,  # the holder knows its id
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
