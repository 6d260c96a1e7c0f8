"""Bounds at the second and the millisecond, and a start left out: more mutants that lived."""

from __future__ import annotations

import pytest
from verify_samples import ids, of

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest.reference import Enrolment
from casemate.attest.token import SensorHealth
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story, keys, publics
from casemate.testing.malicious_host import story
from casemate.verify import ear


def test_new_keys_that_begin_in_commissioning_without_a_start() -> None:
    told = story()
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.change("COMMISSIONING", "new keys")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    assert "identity.enrolment" in ids(of(told, reference=honest.reference(new)))


@pytest.mark.parametrize(
    ("quiet_s", "early_ms", "good"), [(121, 0, True), (121, 1, False), (122, 0, False)]
)
def test_no_heartbeat_for_a_batch_at_the_millisecond(
    quiet_s: int, early_ms: int, good: bool
) -> None:
    """After 121.2 s: a batch, a period, and 0.2 s that a heartbeat may be late."""
    told = story()
    told.watch(heartbeats={"start_ms": told.beat_ms + 1000 - 203 - early_ms})
    told.now_s += quiet_s  # the last heartbeat was 0.2 s before
    told.seal()
    told.frames(time_s=None)
    told.seal()
    assert ("beats.missing" not in ids(of(told))) is good


@pytest.mark.parametrize(
    ("late_ms", "good"),
    [(200, True), (203, True), (204, False), (300, False), (-197, True), (-198, False)],
)
def test_one_heartbeat_of_a_batch_that_is_late_or_early(late_ms: int, good: bool) -> None:
    """Its neighbours are 3 ms late, and 1.2 s may lie between two."""
    told = story()
    told.now_s += honest.BATCH_S
    late = [3] * 30 + [late_ms] + [3] * 29
    given = [
        beats.Beat(late_ms=each, verdict="NORMAL", health=0, centinats=3, information=900)
        for each in late
    ]
    body = beats.batch(
        given, first=told.beats, start_ms=told.beat_ms + 1000, period_ms=1000, head=told.head
    )
    told.token(body)
    told.seal()
    assert ("beats.missing" not in ids(of(told))) is good


def watch_late(told: Story, late: list[int], *, start_ms: int = 0) -> None:
    """Let heartbeats come late, each by so much, from a second and `start_ms` after the last."""
    told.now_s += honest.BATCH_S
    given = [
        beats.Beat(late_ms=each, verdict="NORMAL", health=0, centinats=3, information=900)
        for each in late
    ]
    body = beats.batch(
        given,
        first=told.beats,
        start_ms=told.beat_ms + 1000 + start_ms,
        period_ms=1000,
        head=told.head,
    )
    told.head, told.beats = body.head, told.beats + len(late)
    told.beat_ms += start_ms + 1000 * len(late)
    told.token(body)


@pytest.mark.parametrize(("late_ms", "good"), [(103, True), (104, False)])
def test_the_first_heartbeat_of_a_batch_counts_by_itself(late_ms: int, good: bool) -> None:
    told = story()
    watch_late(told, [late_ms] + [3] * 59, start_ms=100)
    told.seal()
    assert ("beats.missing" not in ids(of(told))) is good


@pytest.mark.parametrize(("start_ms", "good"), [(347, True), (348, False)])
def test_the_last_heartbeat_of_a_batch_counts_by_itself(start_ms: int, good: bool) -> None:
    told = story()
    watch_late(told, [3] * 59 + [150])
    watch_late(told, [3] * 59, start_ms=start_ms)
    told.seal()
    assert ("beats.missing" not in ids(of(told))) is good


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (0x0100, {"sensor.passing"}), (0x0001, {"sensor.passing"}), (0x8000, {"supply.cut"}),
        (0x8100, {"sensor.passing", "supply.cut"}),
    ],
)  # fmt: skip
def test_each_flag_of_a_heartbeat(flags: int, found: set[str]) -> None:
    told = story()
    told.watch(flags=flags)
    told.seal()
    assert ids(of(told)) == found


def test_one_channel_is_enough_where_there_is_one() -> None:
    told = story()
    told.watch(health=SensorHealth(channels=1, healthy=1, flags=0))
    told.seal()
    assert ids(of(told)) == set()


def test_new_keys_at_the_second_token() -> None:
    """Commissioned, and at once anew under other keys, with another anchor."""
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    new = Enrolment(sequence=1, suite=told.suite, keys=publics(keys("second")))
    told.evidence, told.anchor = keys("second"), honest.NEW_ANCHOR
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told)
    assert of(told, reference=honest.reference(new)).findings == ()


def test_a_permit_serves_from_its_first_second_on() -> None:
    told = story()
    digest = told.allow(not_before_s=told.now_s + honest.BATCH_S)
    told.seal()
    told.watch()
    told.seal()
    told.open_up(digest)
    told.watch()
    told.seal()
    assert ids(of(told)) == set()


def test_heartbeats_a_second_ahead_are_of_a_time_to_come() -> None:
    for ahead_ms, good in ((999, True), (1000, False)):
        told = story()
        told.watch(heartbeats={"start_ms": told.beat_ms + 1000 + ahead_ms - 3})
        told.seal()
        assert ("beats.ahead" not in ids(of(told))) is good


def test_after_tampering_new_keys_without_a_start_are_no_new_commissioning() -> None:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence, told.state = keys("second"), "TAMPERED"
    told.change("COMMISSIONING", "new keys")
    told.seal()
    assert "state.after-tampered" in ids(of(told, reference=honest.reference(new)))


def test_a_note_affirms_nothing() -> None:
    told = story()
    told.watch(flags=4)
    told.start("restarted")
    told.change("ARMED", "released")
    told.seal()
    honest.watch(told)
    result = of(told)
    assert ids(result) == {"sensor.passing", "boot.restart"}
    vector = ear.claims(result)["submods"]["camera"]["ear.trustworthiness-vector"]
    assert (vector["sourced-data"], vector["hardware"]) == (32, 0)


def test_what_is_of_the_whole_comes_before_what_is_of_a_token() -> None:
    told = story()
    told.start("restarted")
    told.change("ARMED", "released")
    told.seal()
    honest.watch(told)
    found = of(told, travels=True).findings
    assert [each.id for each in found] == ["trust.travels", "boot.restart"]


@pytest.mark.parametrize("state", ["UNKNOWN", "ARMED"])
def test_evidence_that_does_not_begin_in_commissioning(state: str) -> None:
    told = Story()
    told.start("restarted", state)
    told.seal()
    assert "state.jump" in ids(of(told))


def test_after_tampering_new_keys_that_start_in_another_state_are_no_new_commissioning() -> None:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.start("restarted", "UNKNOWN")
    told.seal()
    assert "state.after-tampered" in ids(of(told, reference=honest.reference(new)))


def test_a_lie_about_the_state_before_where_the_state_after_may_follow() -> None:
    told = story()
    told.state = "UNKNOWN"
    told.token(c.Change(before="MAINTENANCE", after="UNKNOWN", reason="x"))
    told.seal()
    assert "state.jump" in ids(of(told))
