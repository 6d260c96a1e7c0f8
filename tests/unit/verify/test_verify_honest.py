"""What an honest enclosure lives through is told as it was, and held against nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from verify_samples import ids, judge, kinds, maintained, of

from casemate.attest import claims as c
from casemate.attest.reference import Enrolment, Required
from casemate.attest.token import Judgement
from casemate.core.suites import SUITES
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story, keys, publics
from casemate.testing.malicious_host import Shown, show, story
from casemate.translog.policy import parse as parse_policy

START = honest.START_S


def test_armed_and_watched() -> None:
    told = story()
    result = of(told)
    assert (result.findings, result.exit_code) == ((), 0)
    assert kinds(result) == [("unknown", 30), ("proven", 360), ("unknown", 20)]
    assert [each.covered_by for each in result.gaps] == ["commissioning", "420 s are allowed"]
    assert (result.state, result.since_s, result.seen_s) == ("ARMED", START + 30, told.now_s)
    assert result.headline == (
        "ARMED, proven since 2027-01-15T08:00:30Z, seen 2027-01-15T08:06:30Z"
    )
    assert (result.tokens, result.proven) == (len(told.entries), len(told.entries))


def test_maintenance_under_a_permit_with_a_module_replaced() -> None:
    told, digest = maintained()
    result = of(told)
    assert (result.findings, result.exit_code) == ((), 0)
    names = [each.kind for each in result.intervals]
    assert names == ["unknown", "proven", "maintenance", "proven", "unknown"]
    assert result.intervals[2].covered_by == f"permit {digest.hex()[:16]}"
    assert result.intervals[2].length_s == 120


def test_in_maintenance_now() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest)
    told.watch()
    told.seal()
    result = of(told)
    assert (result.findings, result.state, result.since_s) == ((), "MAINTENANCE", START + 390)
    told.close_up(digest, act="expired")
    told.seal()
    assert of(told).findings == ()


def test_restart_under_a_permit_is_a_covered_gap() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest)
    told.watch()
    told.now_s += 40
    told.start("restarted")
    told.change("ARMED")
    honest.watch(told)
    result = of(told)
    assert ids(result) == {"boot.restart"}
    gap = next(each for each in result.gaps if each.cause == "the controller started anew")
    assert (gap.length_s, gap.covered_by) == (40, f"permit {digest.hex()[:16]}")


def test_commissioned_anew_after_tampering_by_both_parties() -> None:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    told.seal()
    opened_s = told.now_s
    told.now_s += 100
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence, told.software = keys("second"), honest.READER
    told.anchor = honest.NEW_ANCHOR
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told, 2)
    result = of(told, reference=honest.reference(new))
    assert ids(result) == {"state.tampered"}
    assert result.findings[0].at_s == opened_s
    assert [each.kind for each in result.intervals][-4:] == [
        "proven", "interfered", "proven", "unknown"
    ]  # fmt: skip
    assert result.intervals[-3].length_s == 100
    assert (result.state, result.exit_code) == ("ARMED", 1)
    assert result.headline.startswith("TAMPERED at 2027-01-15T08:06:30Z, token 14, commissioned")
    assert ids(of(told)) > {"identity.takeover"}, "without the enrolment it is a takeover"


def test_tampered_a_second_time_is_told_since_the_second() -> None:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    told.seal()
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence, told.now_s = keys("second"), told.now_s + 100
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told, 2)
    word = c.LastWord(reason="drilled", erased_us=400)
    told.token(word, state="TAMPERED", signers=told.last_word)
    told.seal()
    result = of(told, reference=honest.reference(new))
    assert (ids(result), result.state) == ({"state.tampered"}, "TAMPERED")
    assert result.since_s == told.now_s and "drilled" in result.headline
    assert [each.what.rpartition(": ")[2] for each in result.findings] == ["opened", "drilled"]


def test_sealed_for_one_modality_and_released_by_a_quorum_is_no_alarm() -> None:
    told = story()
    suspected = Judgement(verdict="TAMPER", level=2, millinats=30_000, information_millinats=9_000)
    told.change("UNKNOWN", "verdict TAMPER, level 2", verdict=suspected)
    told.watch(verdict="TAMPER", judged=suspected)
    told.seal()
    told.change("ARMED")
    told.seal()
    honest.watch(told)
    result = of(told)
    assert ids(result) == {"verdict.tamper", "state.gap"}
    assert {each.severity for each in result.findings} == {"warning"}
    assert (result.state, result.exit_code) == ("ARMED", 1)
    assert "interfered" in {each.kind for each in result.intervals}


def test_names_that_a_terminal_would_obey_are_shown_as_escapes() -> None:
    told = story()
    result = judge(show(told, origin="x\x1b[2J\u202e"))
    said = next(each.what for each in result.findings if each.id == "log.origin")
    assert said.isprintable() and "\\x1b[2J\\u202e" in said


def test_time_before_new_keys_is_not_proven() -> None:
    """Nobody watched between the last token under the old keys and the first under the new ones."""
    told = story()
    told.now_s += 100
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told)
    result = of(told, reference=honest.reference(new))
    assert result.findings == ()
    assert kinds(result)[1:4] == [("proven", 360), ("unknown", 100), ("proven", 60)]
    assert result.intervals[2].covered_by == "commissioning"


def test_what_is_seen_in_a_declared_emergency_was_to_be_seen() -> None:
    told = story()
    told.change("UNKNOWN", "emergency")
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.watch(
        verdict="TAMPER",
        judged=Judgement(verdict="TAMPER", level=4, millinats=9, information_millinats=9),
    )
    told.seal()
    assert "verdict.ignored" not in ids(of(told))
    assert "permit.emergency" in ids(of(told))


def test_suite_of_cnsa() -> None:
    told = Story(suite="cnsa2")
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told, 2)
    base = honest.reference()
    first = Enrolment(sequence=0, suite="cnsa2", keys=publics(keys("evidence", "cnsa2")))
    unit = replace(base.units[0], enrolments=(first,))
    asked = (Required(suite="cnsa2", since_s=0, until_s=None),)
    reference = replace(base, units=(unit,), suites=asked)
    assert of(told, reference=reference).findings == ()
    assert len(SUITES["cnsa2"].digest(b"")) == 48
    assert "suite.downgraded" in ids(of(told, reference=replace(reference, suites=base.suites)))


def test_log_that_the_enclosure_signs_itself() -> None:
    rows = honest.policy_text().decode().splitlines()
    text = "\n".join([*(row for row in rows if not row.startswith("log ")), ""])
    policy = parse_policy(text.encode())
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal(signers=told.evidence)
    told.change("ARMED", "commissioned")
    told.seal(signers=told.evidence)
    told.watch()
    told.seal(signers=told.evidence)
    assert of(told, policy=policy).findings == ()
    told.watch()
    told.seal(signers=told.evidence[:1])
    assert "log.signature" in ids(of(told, policy=policy))


def test_checkpoint_that_the_inspector_kept() -> None:
    told = story()
    kept = told.notes[2]
    honest.watch(told)
    assert of(told, since=(kept, told.notes[-1])).findings == ()


def test_pending_tokens_are_read_and_not_proven() -> None:
    told = story()
    told.watch()
    shown = show(told, entries=told.entries[:-1], pending=told.entries[-1:])
    result = judge(shown)
    assert (result.findings, result.tokens - result.proven) == ((), 1)
    assert kinds(result)[-3:] == [("proven", 360), ("unknown", 60), ("unknown", 20)]
    assert result.gaps[-2].cause == "not witnessed yet"


def test_witness_that_cosigns_later_unbinds_nothing() -> None:
    """A token names the note as it was, before a third line came to it."""
    told = story()
    told.seal(["north", "south"])
    early = told.known
    told.watch()
    size = told.stated().size - 1
    third = honest.cosign("west", told.stated(size), told.now_s)
    notes = (*told.notes[:-1], told.notes[-1] + third.text().encode())
    told.notes = notes
    told.seal()
    assert told.known != early
    assert of(told).findings == ()


def test_echo_of_too_few_lines_binds_nothing() -> None:
    told = story()
    for _ in range(14):
        told.seal(["north"])
        told.watch()
        told.notes = told.notes[:-1]
    told.seal()
    assert "token.window" in ids(of(told))


@pytest.mark.parametrize(("later_s", "good"), [(420, True), (421, False)])
def test_stale_at_the_second(later_s: int, good: bool) -> None:
    result = judge(show(story(), later_s=later_s))
    assert ("time.stale" not in ids(result)) is good
    assert result.exit_code == (0 if good else 3)
    assert judge(show(story(), later_s=later_s), stale_s=later_s - 1).exit_code == 3
    assert judge(show(story(), later_s=later_s), stale_s=later_s).exit_code == 0


@pytest.mark.parametrize(("ahead_s", "good"), [(30, True), (31, False)])
def test_witnesses_ahead_of_the_inspector(ahead_s: int, good: bool) -> None:
    told = story()
    shown = Shown(bundle=told.bundle(), now_s=told.now_s - ahead_s)
    assert ("time.ahead" not in ids(judge(shown))) is good


@pytest.mark.parametrize(("late_s", "good"), [(720, True), (721, False)])
def test_window_at_the_second(late_s: int, good: bool) -> None:
    """batch_s + 2 cosigned_s is allowed from the cosignatures named to those that cover it."""
    told = story()
    seen_s = told.now_s
    told.watch()
    told.seal(at_s=seen_s + late_s)
    shown = Shown(bundle=told.bundle(), now_s=seen_s + late_s)
    found = judge(shown)
    assert ("token.window" not in ids(found)) is good
    assert ("proven", 420) in kinds(found) if good else ("proven", 360) in kinds(found)


@pytest.mark.parametrize(("quiet_s", "good"), [(120, True), (121, False)])
def test_silence_at_the_second(quiet_s: int, good: bool) -> None:
    told = story()
    told.now_s += quiet_s - honest.BATCH_S
    told.watch()
    told.seal()
    found = judge(show(told))
    assert ("token.silence" not in ids(found)) is good


@pytest.mark.parametrize(("fast_s", "good"), [(30, True), (31, False)])
def test_fast_clock_at_the_second(fast_s: int, good: bool) -> None:
    told = story()
    told.frames()
    told.boot_s -= fast_s
    told.frames(time_s=None)
    told.seal()
    assert ("clock.fast" not in ids(of(told))) is good


@pytest.mark.parametrize(("slow_s", "good"), [(30, True), (31, False)])
def test_slow_clock_at_the_second(slow_s: int, good: bool) -> None:
    told = story()
    told.frames()
    told.now_s += slow_s
    told.boot_s += slow_s
    told.seal()
    told.frames(time_s=None)
    told.seal()
    assert ("clock.slow" not in ids(of(told))) is good


@pytest.mark.parametrize("off_s", [-31, -30, 30, 31])
def test_wall_clock_at_the_second(off_s: int) -> None:
    told = story()
    told.clock_s = off_s
    told.watch()
    told.seal()
    told.frames()
    told.seal()
    good = abs(off_s) <= 30
    assert ("clock.step" not in ids(of(told))) is good
    assert ("clock.wall" not in ids(of(told))) is good


@pytest.mark.parametrize("miss_ms", [203, 204, 500, -30])
def test_late_heartbeat_at_the_millisecond(miss_ms: int) -> None:
    """A heartbeat may be 200 ms late; the last one of before was 3 ms late itself."""
    told = story()
    start_ms = told.beat_ms + 1000 + miss_ms - 3
    told.watch(heartbeats={"start_ms": start_ms})
    told.seal()
    assert ("beats.missing" not in ids(of(told))) is (miss_ms <= 203)
