"""What a controller brings is taken whole or not at all, and what was acknowledged stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fleet_kit import FINGERPRINT, Kit, bring, enter, kit_in
from sqlalchemy import select

from casemate.core import cbor
from casemate.fleet.alarms import decisions
from casemate.fleet.appraisal import evidence
from casemate.fleet.errors import FleetError, RefusedError
from casemate.fleet.hammer.enclosure import HammerEnclosure, witnesses
from casemate.fleet.intake.ingest import Intake, Submission, decode, encode
from casemate.fleet.store.schema import ENTRIES, FORKS, INCIDENTS, NOTES, TRIGGERS, VERDICTS
from casemate.testing import honest_enclosure as honest
from casemate.verify import appraise


def rows(kit: Kit) -> dict[str, int]:
    """Return how many rows the tables have that evidence fills."""
    tables = (ENTRIES, NOTES, FORKS, VERDICTS, INCIDENTS, TRIGGERS)
    with kit.service.store.read() as link:
        return {each.name: len(link.execute(select(each)).all()) for each in tables}


def test_evidence_is_taken_and_appraised(kit: Kit) -> None:
    brought = enter(kit)
    answer = bring(kit, brought)
    assert answer.status_code == 200
    assert answer.json()["next"] == len(brought.story.entries)
    assert answer.json()["state"] == "ARMED"
    honest.watch(brought.story, 2)
    assert bring(kit, brought).json()["next"] == len(brought.story.entries)


def test_what_was_acknowledged_survives_a_restart(tmp_path: Path) -> None:
    with kit_in(tmp_path) as kit:
        brought = enter(kit)
        told = bring(kit, brought).json()
    with kit_in(tmp_path) as again:
        again.clock.now_s = brought.story.now_s + 5
        found = again.service.intake.look(brought.enclosure_id)
        assert (found.tokens, found.state) == (told["next"], told["state"])
        with again.service.store.read() as link:
            held = evidence.bundle(link, evidence.enclosure(link, brought.enclosure_id))
        assert held.entries == brought.story.entries
        now_s = int(again.clock.now_s)
        assert found == appraise(held, honest.reference(), honest.policy(), now_s=now_s)
        honest.watch(brought.story)
        assert bring(again, brought).status_code == 200


def test_what_cannot_be_stored_is_not_acknowledged(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails after the evidence was written: nothing of it stays, in memory neither."""
    brought = enter(kit)
    bring(kit, brought)
    before = rows(kit)
    honest.watch(brought.story)

    def fail(*_: object) -> None:
        raise RefusedError("planted.", remedy="none.")

    entries, notes = brought.entries, brought.notes
    with monkeypatch.context() as patch:
        patch.setattr(decisions, "update_from", fail)
        assert bring(kit, brought).status_code == 422
    assert rows(kit) == before
    brought.entries, brought.notes = entries, notes
    assert bring(kit, brought).json()["next"] == len(brought.story.entries)
    assert rows(kit)["entries"] == len(brought.story.entries)


def test_told_again_is_no_harm_and_a_gap_is_told(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    story = brought.story
    again = Submission(first=0, entries=story.entries, notes=story.notes)
    before = rows(kit)
    assert kit.push(again).json()["next"] == len(story.entries)
    assert rows(kit) == before
    honest.watch(story)
    late = Submission(first=len(story.entries) - 1, entries=story.entries[-1:], notes=())
    answer = kit.push(late)
    assert answer.status_code == 409
    assert answer.json()["next"] == brought.entries


@pytest.mark.parametrize("what", ("junk", "foreign note", "ahead", "altered", "unnamed"))
def test_what_does_not_hold_is_refused_whole(kit: Kit, what: str) -> None:
    brought = enter(kit)
    bring(kit, brought)
    before, story = rows(kit), brought.story
    first = len(story.entries)
    honest.watch(story)
    entries, notes = story.entries[first:], story.notes[-1:]
    if what == "junk":
        entries, notes = (*entries, b"junk"), notes
    elif what == "foreign note":
        notes = (story.seal(signers=honest.keys("no log")),)
    elif what == "ahead":
        entries = entries[:-1]
    elif what == "altered":
        entries, notes = (entries[0][:-1] + b"\1", *entries[1:]), ()
    else:
        story.watch()
        entries, notes = story.entries[first:], ()
    answer = kit.push(Submission(first=first, entries=entries, notes=notes))
    assert answer.status_code == 422, answer.text
    assert rows(kit) == before
    honest_rest = Submission(first=first, entries=story.entries[first:], notes=story.notes[-1:])
    if what != "foreign note":
        assert kit.push(honest_rest).status_code == 200


def test_two_signed_tokens_for_one_place_are_an_alarm_that_stays(kit: Kit) -> None:
    brought = enter(kit)
    copy = brought.story.copy()
    bring(kit, brought)
    honest.watch(brought.story)
    bring(kit, brought)
    copy.change("UNKNOWN", "another story")
    place = len(copy.entries) - 1
    answer = kit.push(Submission(first=place, entries=copy.entries[-1:], notes=()))
    assert answer.status_code == 409
    with kit.service.store.read() as link:
        assert evidence.forks(link, brought.enclosure_id) == [place]
        assert link.execute(select(VERDICTS.c.state)).scalar_one() == "UNKNOWN"
        found = decisions.read(link, 1)
    assert [each.finding for each in found.triggers] == ["intake.fork"]
    honest.watch(brought.story)
    bring(kit, brought)
    page = kit.client("auditor").get("/fleet").text
    assert "UNKNOWN" in page
    assert "two signed tokens claim one place" in page


def test_who_has_no_key_cannot_make_a_fork(kit: Kit) -> None:
    """Else whoever gets at the door could have an alarm raised that never ends."""
    brought = enter(kit)
    bring(kit, brought)
    before = rows(kit)
    story = brought.story
    for junk in (b"junk", story.entries[3]):
        assert kit.push(Submission(first=2, entries=(junk,), notes=())).status_code == 409
    assert rows(kit) == before


def test_stale_is_told_without_new_evidence(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    with kit.service.store.read() as link:
        until_s = link.execute(select(VERDICTS.c.fresh_until_s)).scalar_one()
    look = kit.service.intake.look
    assert look(brought.enclosure_id, until_s).state == "ARMED"
    assert look(brought.enclosure_id, until_s + 1).state == "UNKNOWN"
    kit.clock.now_s = until_s
    assert kit.client("auditor").get("/fleet.json").json()["counts"]["ARMED"] == 1
    assert kit.service.intake.tick() == 0
    kit.clock.now_s = until_s + 1
    assert kit.client("auditor").get("/fleet.json").json()["counts"]["UNKNOWN"] == 1
    assert kit.service.intake.tick() == 1
    assert kit.service.intake.tick() == 0
    with kit.service.store.read() as link:
        assert [each.finding for each in decisions.read(link, 1).triggers] == ["time.stale"]


def test_one_that_cannot_be_appraised_keeps_no_other_waiting(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    kit.clock.now_s += 10 * 3600
    with pytest.raises(FleetError):
        kit.service.intake._all(
            [99, brought.enclosure_id],
            lambda each: kit.service.intake._now_or_by_itself(each, kit.service.now_s()),
        )
    with kit.service.store.read() as link:
        assert [each.finding for each in decisions.read(link, 1).triggers] == ["time.stale"]


def test_one_that_makes_room_in_the_middle_of_a_push_goes_on(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The appraisal of another takes the only place in memory while a push is being stored."""
    brought = enter(kit)
    bring(kit, brought)
    seen_by = witnesses([bytes([each] * 32) for each in range(3)])
    new = HammerEnclosure(1, seen_by, honest.reference().parties, 360)
    with kit.service.store.write() as link:
        other = evidence.add(
            link, reference=new.reference(), policy=new.policy(), serial=new.serial,
            kind="camera", site="hall 2", now_s=kit.service.now_s(),
        )  # fmt: skip
    small = Intake(kit.service.store, kit.clock, kept=1, key=bytes(32))
    put = evidence.put

    def while_looking(*given: Any) -> None:
        assert {small.look(other).state for _ in range(2)} == {"UNKNOWN"}
        put(*given)

    honest.watch(brought.story)
    kit.clock.now_s = brought.story.now_s
    monkeypatch.setattr(evidence, "put", while_looking)
    taken = small.take(brought.enclosure_id, brought.rest())
    assert taken.next_number == len(brought.story.entries)
    assert small.look(brought.enclosure_id).tokens == len(brought.story.entries)


def test_two_instances_reach_the_same_result(tmp_path: Path) -> None:
    """One has had it as it grew, the other at once; each appraises by itself."""
    answers, story = [], honest.armed(0)
    with kit_in(tmp_path / "one") as one, kit_in(tmp_path / "two") as two:
        grows = enter(one, story)
        for _ in range(6):
            honest.watch(story)
            assert bring(one, grows).status_code == 200
        whole = enter(two, story)
        assert bring(two, whole).status_code == 200
        at_s = story.now_s + 60
        for kit in (one, two):
            path = f"/enclosures/{whole.enclosure_id}/verdict.json?at={at_s}"
            answers.append(kit.client("inspector").get(path).json())
    assert answers[0] == answers[1]
    assert answers[0]["verdict"]["state"] == "ARMED"


@pytest.mark.parametrize(
    "data",
    (
        b"", b"\xff", cbor.encode([]), cbor.encode([0, [], [], []]), cbor.encode([-1, [], []]),
        cbor.encode([True, [], []]), cbor.encode([0, ["text"], []]), cbor.encode([0, {}, []]),
        cbor.encode([0, [b"x" * 65_536], []]) + b"\0", cbor.encode([1 << 60, [], []]),
        cbor.encode([0, [], [b""] * 65]),
    ),
)  # fmt: skip
def test_malformed_submissions_are_refused(data: bytes) -> None:
    with pytest.raises(RefusedError):
        decode(data)


def test_the_door_tells_that_a_submission_is_malformed(kit: Kit) -> None:
    enter(kit)
    kit.fronted.fingerprint = FINGERPRINT
    for data in (b"", cbor.encode([0, {}, []])):
        assert kit.client().post("/evidence", content=data).status_code == 422


def test_submissions_go_round() -> None:
    sent = Submission(first=7, entries=(b"a", b""), notes=(b"n",))
    assert decode(encode(sent)) == sent


def test_notes_that_are_none_are_refused(kit: Kit) -> None:
    enter(kit)
    assert kit.push(Submission(first=0, entries=(), notes=(b"none",))).status_code == 422
