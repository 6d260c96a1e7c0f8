"""The first line and the ledger say no more than is proven."""

from __future__ import annotations

from dataclasses import replace

from verify_samples import ids, judge, kinds, maintained, of

from casemate.attest import claims as c
from casemate.core.suites import SUITES
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.quotes import quoting, reference_with, restart
from casemate.testing.honest_enclosure import Story
from casemate.testing.malicious_host import show, story
from casemate.testing.unsafe_tpm import UnsafeTpm

START = honest.START_S
BROKEN = "evidence that does not hold"


def looked_away() -> Story:
    """Return a story in which the keys were just opened again after 100 s unwatched."""
    told = story()
    told.change("UNKNOWN", "stale")
    told.now_s += 100
    told.change("ARMED", "keys opened by a quorum")
    return told


def test_armed_after_a_gap_is_not_proven_since_before_it() -> None:
    told = looked_away()
    told.seal()
    result = of(told)
    assert (result.state, result.since_s, result.exit_code) == ("UNKNOWN", START + 390, 3)
    assert result.headline.endswith("not known: state UNKNOWN")
    honest.watch(told)
    result = of(told)
    assert (result.state, result.since_s) == ("ARMED", START + 490)
    assert result.headline.endswith("before that, 1 gap that nothing covers")


def test_armed_after_a_gap_and_seen_by_no_witness() -> None:
    told = looked_away()
    result = judge(show(told, entries=told.entries[:-2], pending=told.entries[-2:]))
    assert (result.state, result.since_s) == ("UNKNOWN", START + 390)


def test_a_gap_under_a_permit_is_a_gap_still() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest)
    told.watch()
    told.change("UNKNOWN", "sealed")
    told.now_s += 60
    told.token(c.PermitUse(act="closed", permit=digest))
    told.permit = b""
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    result = of(told)
    assert (result.state, result.since_s, result.exit_code) == ("UNKNOWN", START + 450, 3)


def test_armed_since_the_end_of_maintenance() -> None:
    told, digest = maintained()
    begun = told.now_s
    told.token(c.PermitUse(act="closed", permit=digest))
    other = told.allow(modules=("reader-cavity",))
    told.seal()
    told.open_up(other, module="reader-cavity")
    told.watch()
    told.close_up(other)
    told.seal()
    result = of(told)
    assert (result.state, result.since_s) == ("ARMED", begun + 60)


def test_maintenance_that_no_witness_has_seen_yet() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    size = len(told.entries)
    told.open_up(digest)
    result = judge(show(told, entries=told.entries[:size], pending=told.entries[size:]))
    assert (result.state, result.since_s) == ("MAINTENANCE", START + 390)


def test_what_waits_for_witnesses_is_no_gap_before() -> None:
    told = story()
    told.watch()
    told.seal([])
    result = of(told)
    assert (result.state, result.since_s) == ("ARMED", START + 30)
    assert "before that" not in result.headline


def test_noise_that_has_ended_and_noise_that_has_not() -> None:
    told = story()
    told.watch(verdict="INTERFERENCE")
    told.seal()
    result = of(told)
    assert (result.state, result.since_s, result.exit_code) == ("UNKNOWN", START + 390, 3)
    honest.watch(told)
    assert (of(told).state, of(told).since_s) == ("ARMED", START + 451)


def test_work_under_a_permit_is_maintenance_whatever_the_state_is_called() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.token(c.PermitUse(act="opened", permit=digest, module="front"))
    told.now_s += 30
    told.token(c.PermitUse(act="closed", permit=digest))
    told.now_s += 5
    told.frames()
    told.seal()
    honest.watch(told)
    result = of(told)
    assert kinds(result)[1:-1] == [("proven", 360), ("maintenance", 30), ("proven", 65)]
    assert result.intervals[2].covered_by == f"permit {digest.hex()[:16]}"


def test_a_time_halted_is_not_proven() -> None:
    told = story()
    told.watch()
    told.now_s += 300
    told.boot_s += 300
    told.seal()
    honest.watch(told, 2)
    result = of(told)
    assert ids(result) == {"clock.slow"}
    assert kinds(result)[1:-1] == [("proven", 420), ("unknown", 360), ("proven", 60)]
    assert result.intervals[2].cause == "the controller was halted"


def test_a_run_that_began_with_an_alarm_proves_nothing() -> None:
    """Its quote does not hold; that of the start after it does."""
    told = quoting(restarts=0)
    assert told.tpm is not None
    true = told.tpm
    restart(told, name="another")
    told.tpm = replace(true, resets=true.resets)
    restart(told)
    result = of(told, reference=reference_with(UnsafeTpm().identity))
    assert [each.id for each in result.findings if each.severity == "alarm"] == ["quote.invalid"]
    assert [(each.kind, each.cause) for each in result.intervals][1:-1] == [
        ("proven", ""),
        ("interfered", BROKEN),
        ("unknown", "the controller started anew"),
        ("proven", ""),
    ]


def test_an_alarm_within_a_run_is_of_its_own_time() -> None:
    told = story()
    told.software = honest.READER
    told.watch()
    told.software = honest.SOFTWARE
    told.watch()
    told.watch()
    told.seal()
    result = of(told)
    assert ids(result) == {"software.changed"}
    assert kinds(result)[1:-1] == [("proven", 360), ("interfered", 120), ("proven", 60)]


def test_the_last_word_is_a_fault_of_the_enclosure_and_none_of_the_evidence() -> None:
    told = story()
    told.now_s += 40
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    told.seal()
    assert kinds(of(told))[1:-1] == [("proven", 400)]


def test_a_last_word_is_not_later_than_it_was_shown() -> None:
    """Its wall clock was a year ahead, and no witness has seen it."""
    told = story()
    word = c.LastWord(reason="opened", erased_us=400)
    told.token(word, state="TAMPERED", signers=told.last_word, time_s=told.now_s + 31_536_000)
    result = judge(show(told, entries=told.entries[:-1], pending=told.entries[-1:]))
    assert (result.state, result.since_s) == ("TAMPERED", told.now_s + 20)


def test_a_token_without_any_time_is_as_late_as_it_was_shown() -> None:
    told = Story()
    told.start("commissioned", "COMMISSIONING", time_s=None)
    result = judge(show(told, entries=(), pending=told.entries))
    assert result.intervals == ()


def test_the_anchor_is_held_across_a_permit_s_use() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest)
    told.watch()
    told.token(c.PermitUse(act="closed", permit=digest))
    told.permit, told.anchor = b"", honest.NEW_ANCHOR
    told.change("ARMED", "checks have passed")
    told.seal()
    assert "anchor.changed" in ids(of(told))


def test_the_first_fault_of_a_time_is_named() -> None:
    """A token was told twice, and the next one does not follow."""
    told = story()
    told.entries += (told.entries[5],)
    told.now_s += 60
    told.frames()
    told.seal()
    result = of(told)
    assert {"token.replayed", "token.order"} <= ids(result)
    assert result.intervals[-2].cause == "evidence that was told twice"


def test_time_around_what_is_no_token_is_not_proven() -> None:
    """The enclosure counts its own tokens, as if the host had put nothing in between."""
    told = story()
    last, place = told.entries[-1], len(told.entries)
    told.entries += (b"\xd8\x62\x80",)
    told.now_s += 60
    told.frames(sequence=place, previous=SUITES[told.suite].digest(last))
    told.seal()
    result = of(told)
    assert ids(result) == {"token.malformed"}
    assert (result.intervals[-2].kind, result.intervals[-2].cause) == ("interfered", BROKEN)


def test_maintenance_that_ends_long_after_its_permit() -> None:
    """By the enclosure's own clock: nothing else says when."""
    told = story()
    digest = told.allow(not_after_s=told.now_s + 90)
    told.seal()
    told.open_up(digest)
    told.watch()
    told.now_s += 20
    told.clock_s = 4000
    told.close_up(digest)
    told.seal()
    result = of(told)
    assert ids(result) == {"clock.step", "clock.wall", "state.unknown"}
    found = result.intervals[-2]
    assert (found.kind, found.cause) == ("interfered", "maintenance without a permit")


def test_what_is_proven_is_as_old_as_its_last_token() -> None:
    """The enclosure's clock is 20 s slow: its word is older than the witnesses' lines."""
    told = story()
    told.clock_s = -20
    told.watch()
    told.seal()
    assert ids(judge(show(told, later_s=400))) == set()
    assert ids(judge(show(told, later_s=401))) == {"time.stale"}
