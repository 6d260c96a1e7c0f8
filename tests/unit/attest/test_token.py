"""Tokens: each kind comes back, each claim is checked, each byte is signed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from attest_samples import (
    EVIDENCE,
    KEYS,
    LAST_WORD,
    PAYLOADS,
    boot,
    heartbeats,
    key,
    pair,
    publics,
    tokens,
)  # fmt: skip

from casemate.attest import claims as c
from casemate.attest import cose, token
from casemate.core import cbor
from casemate.core.errors import CasemateError, FormatError, SignatureError
from casemate.core.suites import DEFAULT_SUITE, ED25519, SUITES

TOKENS = tokens()


@pytest.mark.parametrize("at", range(len(TOKENS)))
def test_each_kind_comes_back_as_it_was(at: int) -> None:
    data = token.sign(TOKENS[at], EVIDENCE)
    assert token.read(data, KEYS, DEFAULT_SUITE) == TOKENS[at]
    assert token.peek(data)[1] == TOKENS[at]
    assert token.encode(token.decode(PAYLOADS[at])) == PAYLOADS[at]


def test_every_kind_and_act_is_among_the_samples() -> None:
    assert {each.kind for each in TOKENS} == {
        "boot", "state", "heartbeats", "payload", "permit", "last"
    }  # fmt: skip
    assert {each.body.act for each in TOKENS if isinstance(each.body, c.PermitUse)} == set(c.ACTS)


def test_other_keys_do_not_sign_for_these() -> None:
    data = token.sign(boot(), LAST_WORD)
    token.read(data, publics(LAST_WORD), DEFAULT_SUITE)
    with pytest.raises(SignatureError):
        token.read(data, KEYS, DEFAULT_SUITE)
    strong = pair(1, "cnsa2")
    assert token.read(token.sign(boot(), strong), publics(strong), SUITES["cnsa2"]) == boot()


def test_any_other_item_is_not_a_token() -> None:
    other = cose.build("application/vnd.casemate.permit+cbor", PAYLOADS[0], EVIDENCE)
    with pytest.raises(FormatError):
        token.read(other, KEYS, DEFAULT_SUITE)


def test_each_claim_is_under_the_signatures() -> None:
    """Change each claim to another that is allowed: the signatures no longer fit."""
    data = token.sign(heartbeats(), EVIDENCE)
    item = cose.parse(data)
    for name, value in (
        ("enclosure", "rack"), ("serial", "UNIT-0002"), ("boot", 2), ("sequence", 9),
        ("previous", bytes(32)), ("uptime_s", 0), ("state", "MAINTENANCE"), ("software", bytes(32)),
        ("time_s", 0), ("checkpoint", None), ("verdict", None), ("health", None),
        ("anchor", bytes(32)), ("permit", bytes(32)), ("nonce", bytes(16)),
        ("body", c.Payload(stream="s", first=0, count=1, root=bytes(32))),
    ):  # fmt: skip
        change: dict[str, Any] = {name: value}
        forged = replace(item, payload=token.encode(replace(heartbeats(), **change)))
        with pytest.raises(SignatureError):
            token.read(cose.write(forged), KEYS, DEFAULT_SUITE)


CLAIMS: list[dict[Any, Any]] = [cbor.decode(each) for each in PAYLOADS]
BEATING = CLAIMS[1]
WRONG: dict[int, tuple[Any, ...]] = {
    c.EAT_PROFILE: ("tag:casemate.example,2026:evidence/2", 1, b""),
    c.ENCLOSURE: ("", "a\nb", "x" * 257, b"camera", 1, "\u202ecamera"),
    c.SERIAL: ("", "\0", 7),
    c.KIND: ("", "beat", 1, "Boot"),
    c.BOOT_COUNT: (0, -1, 2**63, True, "1"),
    c.SEQUENCE: (-1, 2**63, False, None),
    c.PREVIOUS: (b"", bytes(31), bytes(33), "x", bytes(64)),
    c.UPTIME: (-1, "0", True),
    c.STATE: ("armed", "", 1, "NORMAL"),
    c.SOFTWARE: (b"", bytes(20), "x"),
    c.IAT: (-1, "now", True),
    c.CHECKPOINT: ([], ["o", 1], ["o", 1, bytes(31)], ["", 1, bytes(32)], ["o", -1, bytes(32)],
                   ["o", 1, bytes(32), 0], ["o", 1, bytes(32), b""], ["o", 1, bytes(32), bytes(33)],
                   ["o", 1, bytes(32), bytes(32), 0], {0: "o"}, None),
    c.VERDICT: (["GOOD", 0, 0, 0], ["NORMAL", 5, 0, 0], ["NORMAL", 0, -1, 0], ["NORMAL", 0, 0], 0),
    c.HEALTH: ([1, 2, 0], [1, 1, 65_536], [1, 1], "good", [-1, -1, 0]),
    c.ANCHOR: (b"", bytes(31)),
    c.PERMIT: (b"", bytes(33)),
    c.NONCE: (b"", bytes(7), bytes(65), "nonce"),
    c.BODY: ({}, [], None, {1: 0}),
    0: (0,),
    "x": (1,),
    -70_014: (b"",),
}  # fmt: skip
CASES = [(claim, value) for claim, values in WRONG.items() for value in values]


@pytest.mark.parametrize(("claim", "value"), CASES)
def test_wrong_claims_are_refused(claim: Any, value: Any) -> None:
    with pytest.raises(FormatError):
        token.decode(cbor.encode({**BEATING, claim: value}))


REQUIRED = (
    c.EAT_PROFILE, c.ENCLOSURE, c.SERIAL, c.KIND, c.BOOT_COUNT, c.SEQUENCE, c.PREVIOUS, c.UPTIME,
    c.STATE, c.SOFTWARE, c.BODY,
)  # fmt: skip


@pytest.mark.parametrize("claim", REQUIRED)
def test_missing_claims_are_refused(claim: int) -> None:
    with pytest.raises(FormatError):
        token.decode(cbor.encode({key: each for key, each in BEATING.items() if key != claim}))


def test_claims_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(FormatError):
        token.encode(replace(boot(), previous=bytes(32)))
    with pytest.raises(FormatError):
        token.encode(replace(heartbeats(), sequence=0))
    body = c.Change(before="ARMED", after="UNKNOWN", reason="stale")
    with pytest.raises(FormatError):
        token.encode(replace(heartbeats(), body=body))
    with pytest.raises(FormatError):
        token.encode(replace(heartbeats(), body=c.LastWord(reason="opened", erased_us=1)))


def body(kind: str, act: str = "") -> dict[int, Any]:
    found = next(
        each[c.BODY]
        for each in CLAIMS
        if each[c.KIND] == kind and (not act or each[c.BODY][1] == act)
    )
    return dict(found)


def with_body(kind: str, value: object) -> bytes:
    claims = next(each for each in CLAIMS if each[c.KIND] == kind)
    return cbor.encode({**claims, c.BODY: value})


ED = key(ED25519, 1).public.as_cose()
WRONG_BODIES: list[tuple[str, str, dict[int, Any]]] = [
    ("boot", "", {1: "rot13"}),
    ("boot", "", {1: "cnsa2"}),
    ("boot", "", {2: []}),
    ("boot", "", {2: [ED, ED]}),
    ("boot", "", {3: body("boot")[2]}),
    ("boot", "", {4: ""}),
    ("boot", "", {5: {}}),
    ("boot", "", {5: {1: bytes(32)}}),
    ("boot", "", {5: {"reader": bytes(31)}}),
    ("boot", "", {5: {"": bytes(32)}}),
    ("boot", "", {5: {"a\nb": bytes(32)}}),
    ("boot", "", {5: [bytes(32)]}),
    ("boot", "", {6: 0}),
    ("heartbeats", "", {1: -1}),
    ("heartbeats", "", {3: 0}),
    ("heartbeats", "", {4: b""}),
    ("heartbeats", "", {4: bytes(10)}),
    ("heartbeats", "", {4: bytes(9 * 3601)}),
    ("heartbeats", "", {5: bytes(31)}),
    ("payload", "", {1: ""}),
    ("payload", "", {3: 0}),
    ("payload", "", {4: bytes(31)}),
    ("permit", "opened", {1: "used"}),
    ("permit", "opened", {2: b""}),
    ("permit", "opened", {3: b"signed"}),
    ("permit", "opened", {5: bytes(32)}),
    ("permit", "logged", {3: b""}),
    ("permit", "emergency", {2: bytes(32)}),
    ("permit", "re-anchored", {6: []}),
    ("permit", "re-anchored", {6: [ED, ED]}),
    ("permit", "re-anchored", {6: {0: ED}}),
    ("permit", "re-anchored", {5: b""}),
    ("boot", "", {6: b"x"}),
    ("boot", "", {6: [b"x"]}),
    ("boot", "", {6: [b"x", b"x", b"x"]}),
    ("boot", "", {6: [b"x", b""]}),
    ("boot", "", {6: [b"x", "x"]}),
    ("boot", "", {6: [bytes(1025), b"x"]}),
    ("boot", "", {7: []}),
    ("boot", "", {7: ["rear", "left"]}),
    ("boot", "", {7: ["left", "left"]}),
    ("boot", "", {7: ["a\nb"]}),
    ("boot", "", {7: [1]}),
    ("boot", "", {7: "left"}),
    ("boot", "", {7: [f"{each:02}" for each in range(65)]}),
    ("state", "", {1: "ON"}),
    ("state", "", {3: "a\tb"}),
    ("state", "", {4: b""}),
    ("state", "", {5: bytes(31)}),
    ("state", "", {5: bytes(32)}),
    ("permit", "opened", {8: bytes(32)}),
    ("permit", "re-anchored", {8: bytes(31)}),
    ("last", "", {2: -1}),
    ("last", "", {3: 0}),
]


@pytest.mark.parametrize(("kind", "act", "change"), WRONG_BODIES)
def test_wrong_bodies_are_refused(kind: str, act: str, change: dict[int, Any]) -> None:
    good = body(kind, act)
    token.decode(with_body(kind, good))
    with pytest.raises(FormatError):
        token.decode(with_body(kind, {**good, **change}))


def fuzz(seed: int, cases: int) -> int:
    """Put values of one place into another, at random; only our errors come out."""
    draw = random.Random(seed)
    values: list[Any] = [each for claims in CLAIMS for each in claims.values()]
    values += [value for _, value in CASES] + [each for b in values if type(b) is dict
                                               for each in b.values()]  # fmt: skip
    good = 0
    for _ in range(cases):
        claims = dict(draw.choice(CLAIMS))
        for _ in range(draw.randrange(1, 3)):
            place: Any = draw.choice([*claims, draw.randrange(12)])
            target = claims
            if type(claims.get(c.BODY)) is dict and draw.random() < 0.5:
                target = claims[c.BODY] = dict(claims[c.BODY])
                place = draw.randrange(1, 9)
            target[place] = draw.choice(values)
        payload = cbor.encode(claims)
        try:
            found = token.decode(payload)
        except CasemateError as error:
            assert isinstance(error, FormatError)
            continue
        assert token.encode(found) == payload
        good += 1
    return good


def test_fuzzed_claims_give_our_errors_alone_and_one_form() -> None:
    assert fuzz(6, 5_000) > 50


@pytest.mark.slow
def test_many_fuzzed_claims_give_our_errors_alone_and_one_form() -> None:
    assert fuzz(7, 100_000) > 1_000


def test_quote_is_for_the_boot_token_without_it() -> None:
    plain = boot()
    quoted = replace(plain, body=replace(plain.body, quote=c.Quote(attest=b"a", signature=b"s")))
    assert token.unquoted(quoted) == token.encode(plain) != token.encode(quoted)
    assert token.unquoted(replace(quoted, sequence=1, previous=bytes(32))) != token.encode(plain)
    with pytest.raises(FormatError, match="boot token alone"):
        token.unquoted(heartbeats())
