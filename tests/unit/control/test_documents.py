"""Signed documents, by real keys, on their way into the machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from armed import after, armed_machine
from attest_samples import CHECKPOINT, NOW, pair, party
from hypothesis import given
from hypothesis import strategies as st
from machines import START, TOKEN

from casemate.attest import approval, permit
from casemate.attest.approval import Statement
from casemate.attest.parties import Need, Rule
from casemate.control import documents, permits
from casemate.control import events as ev
from casemate.control.states import State
from casemate.core.errors import CasemateError, FormatError, PermitError, SignatureError
from casemate.core.suites import DEFAULT_SUITE

ROSTER = (party("Host", "host", "north", 10), party("Inspector", "inspector", "south", 20))
NEEDS = (Need(role="host", least=1), Need(role="inspector", least=1))
RULES = tuple(Rule(action=a, needs=NEEDS) for a in ("open", "recommission", "re-anchor"))
HERE = {"enclosure": "e", "serial": "s", "now_s": NOW, "suite": DEFAULT_SUITE}
BOTH = (*pair(10), *pair(20))
PERMIT = permit.Permit(
    enclosure="e",
    serial="s",
    faces=("f",),
    modules=(),
    actions=("open",),
    not_before_s=NOW,
    not_after_s=NOW + 100,
    checkpoint=CHECKPOINT,
    nonce=b"n" * 16,
    technician=permits.token_hash(TOKEN),
)


def test_a_signed_permit_opens_a_face() -> None:
    """From bytes to MAINTENANCE; the token that its hash is of begins it."""
    terms = documents.terms(permit.build(PERMIT, BOTH), ROSTER, RULES, **HERE)  # type: ignore[arg-type]
    assert terms.roles == permits.BOTH
    first = replace(START, limits=replace(START.limits, longest_s=1000.0))
    m = after(
        armed_machine(first),
        ev.Presented(terms=terms),
        ev.PermitLogged(permit=terms.permit, index=3),
        ev.Witnessed(size=4, quorum_s=NOW + 1.0, made_s=0.0),
        ev.Begin(token=TOKEN),
        ev.Opened(face="f"),
    )
    assert m.state is State.MAINTENANCE
    assert after(m, ev.Opened(face="g")).state is State.TAMPERED


def test_signatures_that_are_missing_or_of_others() -> None:
    """Are refused before the machine hears of it."""
    for signers, error in ((pair(10), PermitError), ((*BOTH, *pair(99)), SignatureError)):
        with pytest.raises(error):
            documents.terms(permit.build(PERMIT, signers), ROSTER, RULES, **HERE)  # type: ignore[arg-type]
        again = Statement(enclosure="e", serial="s", purpose="recommission", challenge=b"c" * 16)
        with pytest.raises(error):
            documents.approval(approval.build(again, signers), ROSTER, RULES, **HERE)  # type: ignore[arg-type]


def test_an_approval_answers_its_moment() -> None:
    """Bytes signed by both for the challenge of now, and for no other."""
    latched = after(armed_machine(), ev.Judgement(level=4, verdict="TAMPER"))
    for challenge, state in (
        (latched.challenge, State.COMMISSIONING),
        (armed_machine().challenge, State.TAMPERED),
    ):
        data = approval.build(
            Statement(enclosure="e", serial="s", purpose="recommission", challenge=challenge), BOTH
        )
        found = documents.approval(data, ROSTER, RULES, **HERE)  # type: ignore[arg-type]
        assert after(latched, ev.Recommission(approval=found)).state is state


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"serial": "other"}, PermitError),
        ({"purpose": "retire"}, PermitError),
        ({"purpose": "dance"}, FormatError),
        ({"challenge": b"short"}, FormatError),
        ({"subject": b"a" * 32}, FormatError),
        ({"purpose": "re-anchor"}, FormatError),
    ],
)
def test_approvals_that_are_none(changes: dict[str, object], error: type[Exception]) -> None:
    """Of another enclosure, without a rule, malformed, with an anchor where none belongs."""
    sound = Statement(enclosure="e", serial="s", purpose="recommission", challenge=b"c" * 16)
    with pytest.raises(error):
        documents.approval(
            approval.build(replace(sound, **changes), BOTH),  # type: ignore[arg-type]
            ROSTER, RULES, **HERE,  # type: ignore[arg-type]
        )  # fmt: skip


SIGNED = approval.build(
    Statement(enclosure="e", serial="s", purpose="re-anchor", challenge=b"c" * 16,
              subject=b"a" * 32), BOTH,
)  # fmt: skip


@given(at=st.integers(0, len(SIGNED) - 1), bit=st.integers(0, 7))
def test_any_bit_counts(at: int, bit: int) -> None:
    """No altered approval passes, and only errors of our own come out."""
    altered = bytearray(SIGNED)
    altered[at] ^= 1 << bit
    with pytest.raises(CasemateError):
        documents.approval(bytes(altered), ROSTER, RULES, **HERE)  # type: ignore[arg-type]


@given(data=st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Neither as an item nor as a payload."""
    for read in (approval.decode, lambda b: documents.approval(b, ROSTER, RULES, **HERE)):  # type: ignore[arg-type]
        with pytest.raises(CasemateError):
            read(data)
