"""Each claim of a token counts: without keys no change passes; with keys each lie is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from verify_samples import ids, judge

from casemate.attest import claims as c
from casemate.attest import cose
from casemate.attest import token as tokens
from casemate.attest.token import CheckpointRef, Judgement, SensorHealth
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import show, story
from casemate.translog.note import parse as parse_note

ZERO = b"\x99" * 32
LIES: dict[str, tuple[Any, str]] = {
    "enclosure": ("safe", "token.foreign"),
    "serial": ("UNIT-0002", "token.foreign"),
    "boot": (2, "boot.counter"),
    "sequence": (99, "token.order"),
    "previous": (ZERO, "token.chain"),
    "uptime_s": (9, "clock.back"),
    "state": ("UNKNOWN", "state.jump"),
    "software": (ZERO, "software.unknown"),
    "time_s": (5, "clock.wall"),
    "checkpoint": (CheckpointRef(origin="x", size=1, root=ZERO), "token.split"),
    "verdict": (
        Judgement(verdict="TAMPER", level=4, millinats=1, information_millinats=1),
        "verdict.ignored",
    ),
    "health": (SensorHealth(channels=2, healthy=1, flags=1), "sensor.fault"),
    "anchor": (ZERO, "anchor.unknown"),
}


@pytest.mark.parametrize("claim", [*LIES, "permit", "nonce"])
def test_change_without_keys_is_forgery(claim: str) -> None:
    told = story()
    told.watch()
    item, found = tokens.peek(told.entries[-1])
    change: dict[str, Any] = {claim: LIES[claim][0] if claim in LIES else ZERO}
    payload = tokens.encode(replace(found, **change))
    told.entries = (*told.entries[:-1], cose.write(replace(item, payload=payload)))
    told.seal()
    wanted = {"enclosure": "token.foreign", "serial": "token.foreign"}
    assert wanted.get(claim, "signature.forged") in ids(judge(show(told)))


@pytest.mark.parametrize("claim", LIES)
def test_lie_with_captured_keys_is_found(claim: str) -> None:
    told = story()
    value, kind = LIES[claim]
    if claim == "verdict":
        told.watch(judged=value)
    else:
        change: dict[str, Any] = {claim: value}
        told.watch(**change)
    told.seal()
    assert kind in ids(judge(show(told)))


def test_bodies_of_heartbeats() -> None:
    for change in (
        {"first": 7},
        {"head": ZERO},
        {"start_ms": 0},
        {"period_ms": 999},
    ):
        told = story()
        told.watch(heartbeats={k: v for k, v in change.items() if k != "head"})
        if "head" in change:
            _, found = tokens.peek(told.entries[-1])
            assert isinstance(found.body, c.Heartbeats)
            data = tokens.sign(replace(found, body=replace(found.body, head=ZERO)), told.evidence)
            told.entries = (*told.entries[:-1], data)
        told.seal()
        wanted = {"first": "beats.chain", "head": "beats.chain", "period_ms": "beats.period"}
        key = next(iter(change))
        if key in wanted:
            assert wanted[key] in ids(judge(show(told))), change


def test_a_second_start_takes_the_chain_of_heartbeats_with_it() -> None:
    told = story()
    told.start("restarted")
    told.change("ARMED")
    told.seal()
    told.watch(2)
    told.seal()
    assert "beats.chain" not in ids(judge(show(told)))
    old = story()
    head = old.head
    old.start("restarted")
    old.change("ARMED")
    old.head = head
    old.watch()
    old.seal()
    assert "beats.chain" in ids(judge(show(old)))


def test_each_bit_of_a_signature_counts() -> None:
    told = story()
    data = told.entries[-1]
    for at in (len(data) - 1, len(data) - 2000, len(data) - 3309 - 60):
        bad = bytearray(data)
        bad[at] ^= 4
        shown = show(told, entries=(*told.entries[:-1], bytes(bad)))
        assert ids(judge(shown)) & {"signature.forged", "token.malformed"}
        assert judge(shown).exit_code == 1


def test_permits_for_a_time_that_witnesses_rule_out() -> None:
    """The enclosure's own clock is set back into the window; witnesses know better."""
    told = story()
    digest = told.allow(not_after_s=told.now_s + 60)
    told.seal()
    told.now_s += 100
    told.watch()
    told.seal()
    told.clock_s = -150
    told.open_up(digest)
    told.watch()
    told.seal()
    assert "permit.expired" in ids(judge(show(told)))
    early = story()
    digest = early.allow(not_before_s=early.now_s + 300)
    early.seal()
    early.clock_s = 400
    early.open_up(digest)
    early.watch()
    early.seal()
    assert "permit.expired" in ids(judge(show(early)))


def test_permits_under_another_suite_have_another_name() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest + b"\0" * 16)
    told.seal()
    assert "permit.unlogged" in ids(judge(show(told)))
    assert honest.SUITE == "ed25519+mldsa65"


def test_digest_of_a_note_has_to_be_of_the_checkpoint_that_is_named() -> None:
    """The digest of a later note with an earlier size bounds nothing, nor does a made-up one."""
    for note in (ZERO, b""):
        told = story()
        for _ in range(14):
            assert told.known is not None
            told.watch(checkpoint=replace(told.known, note=note))
            told.seal()
        assert "token.window" in ids(judge(show(told)))
    told = story()
    old = told.known
    assert old is not None
    for _ in range(14):
        told.watch(checkpoint=replace(old, note=parse_note(told.notes[-1]).digest))
        told.seal()
    assert "token.window" in ids(judge(show(told)))
