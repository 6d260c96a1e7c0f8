"""What keys sign in which state, and approvals: from real tokens, and from any bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.attest import approval, token
from casemate.attest import claims as c
from casemate.attest.keys import allowed
from casemate.attest.keys.approval import Approver, Quorum
from casemate.attest.keys.protocol import CustodyError, SealedError
from casemate.attest.keys.unsafe import UnsafeHolder
from casemate.core import cbor
from casemate.core.errors import FormatError
from casemate.testing.keyholders import PARTIES, QUORUM, approve, signer

DIGEST = hashlib.sha256(b"x").digest()
CHALLENGE, SUBJECT = bytes(range(32)), bytes(16)


def tokens() -> dict[str, token.Token]:
    """One token of each kind, in a state in which it is allowed."""
    base = token.Token(
        enclosure="unit",
        serial="1",
        boot=1,
        sequence=1,
        previous=DIGEST,
        uptime_s=1,
        state="UNKNOWN",
        software=DIGEST,
        body=c.Change(before="ARMED", after="UNKNOWN", reason="stale"),
    )
    keys, last = UnsafeHolder().public(), UnsafeHolder().last_public()
    bodies: dict[str, c.Body] = {
        "state": base.body,
        "boot": c.Boot(suite="ed25519+mldsa65", keys=keys, last_word=last, reason="restarted"),
        "payload": c.Payload(stream="front", first=0, count=1, root=DIGEST),
        "permit": c.PermitUse(act="opened", permit=DIGEST),
    }
    return {kind: replace(base, body=body) for kind, body in bodies.items()}


def asked(kind: str, **changes: object) -> tuple[bytes, ...]:
    payload = token.encode(replace(tokens()[kind], **changes))
    return token.messages(payload, UnsafeHolder().public())


@pytest.mark.parametrize("kind", ["state", "boot", "permit"])
def test_sealed_keys_sign_real_tokens_that_say_so(kind: str) -> None:
    for message in asked(kind):
        allowed.check_sealed(message)
        allowed.check_ready(message)


def test_sealed_keys_vouch_for_no_payload() -> None:
    for message in asked("payload"):
        allowed.check_ready(message)
        with pytest.raises(SealedError):
            allowed.check_sealed(message)


@pytest.mark.parametrize("state", ["ARMED", "MAINTENANCE"])
def test_sealed_keys_claim_no_trusted_state(state: str) -> None:
    body = c.Change(before="UNKNOWN", after=state, reason="well again")
    for message in asked("state", state=state, body=body):
        with pytest.raises(SealedError):
            allowed.check_sealed(message)


def test_last_word_is_for_its_own_keys() -> None:
    last = asked("state", state="TAMPERED", body=c.LastWord(reason="drill", erased_us=200))
    for message in last:
        allowed.check_last(message)
        for check in (allowed.check_ready, allowed.check_sealed):
            with pytest.raises(CustodyError):
                check(message)
    for kind in tokens():
        for message in asked(kind):
            with pytest.raises(CustodyError):
                allowed.check_last(message)


def test_claims_under_external_data_are_no_token() -> None:
    """External data would let the same claims mean something else to a verifier."""
    claims = cbor.encode({c.KIND: "state", c.STATE: "UNKNOWN"})
    allowed.check_sealed(cbor.encode(["Signature", b"", b"", b"", claims]))
    for other in (
        ["Signature", b"", b"", b"more", claims],
        ["Signature1", b"", b"", claims],
        ["CounterSignature", b"", b"", b"", claims],
    ):
        with pytest.raises(SealedError):
            allowed.check_sealed(cbor.encode(other))


@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_meet_rules_not_foreign_errors(message: bytes) -> None:
    allowed.check_ready(message)
    for check in (allowed.check_sealed, allowed.check_last):
        with pytest.raises(CustodyError):
            check(message)


@given(st.binary(max_size=300), st.integers(0, 10_000), st.integers(1, 255))
def test_only_our_errors_come_out_of_approvals(noise: bytes, at: int, flip: int) -> None:
    good = approve(SUBJECT, CHALLENGE, [PARTIES["host"], PARTIES["inspector"]])
    QUORUM.check(good, SUBJECT, CHALLENGE)
    bad = bytearray(good)
    bad[at % len(bad)] ^= flip
    for wrong in (noise, bytes(bad), good[: at % len(good)], good + noise + b"\x00"):
        with pytest.raises(CustodyError):
            QUORUM.check(wrong, SUBJECT, CHALLENGE)


def test_party_counts_once_however_often_it_signs() -> None:
    two = Quorum(
        parties=(
            Approver(role="host", keys=(signer(1).public,)),
            Approver(role="inspector", keys=(signer(2).public, signer(4).public)),
        ),
        least=2,
    )
    both = [signer(1), signer(2), signer(4)]
    two.check(approve(SUBJECT, CHALLENGE, both), SUBJECT, CHALLENGE)
    for short in ([signer(2), signer(4)], [signer(1), signer(2)], [signer(1), signer(4)]):
        with pytest.raises(CustodyError, match="1 of 2"):
            two.check(approve(SUBJECT, CHALLENGE, short), SUBJECT, CHALLENGE)
    assert Quorum.from_plain(two.as_plain()) == two


def test_approval_of_one_thing_is_none_of_another() -> None:
    signers = [PARTIES["host"], PARTIES["inspector"]]
    good = approve(SUBJECT, CHALLENGE, signers)
    for subject, challenge in ((bytes([1]) * 16, CHALLENGE), (SUBJECT, bytes(32))):
        with pytest.raises(CustodyError, match="another"):
            QUORUM.check(good, subject, challenge)
    said = approval.peek(good)[1]
    for purpose in set(approval.PURPOSES) - {"unseal"}:
        with pytest.raises(FormatError):
            approval.build(replace(said, purpose=purpose), signers)
    retire = replace(said, purpose="retire", challenge=CHALLENGE[:16], subject=b"")
    with pytest.raises(CustodyError, match="another"):
        QUORUM.check(approval.build(retire, signers), SUBJECT, CHALLENGE)


ROSTER = (Approver(role="host", keys=(signer(1).public,)),)


@pytest.mark.parametrize(
    "bad",
    [
        {"parties": (), "least": 0},
        {"parties": ROSTER, "least": 0},
        {"parties": ROSTER, "least": 2},
        {"parties": ROSTER, "least": 1, "roles": ("inspector",)},
        {"parties": (Approver(role="host", keys=()),), "least": 1},
        {"parties": (*ROSTER, Approver(role="inspector", keys=ROSTER[0].keys)), "least": 2},
    ],
)
def test_quorum_that_anybody_or_nobody_meets_is_refused(bad: dict) -> None:
    with pytest.raises(CustodyError):
        Quorum(**bad)


@pytest.mark.parametrize("plain", [None, [], [[], 1], [[["host", 1]], 1, []], [[1], 1, []]])
def test_malformed_quorums_are_refused(plain: object) -> None:
    with pytest.raises((FormatError, CustodyError)):
        Quorum.from_plain(plain)
