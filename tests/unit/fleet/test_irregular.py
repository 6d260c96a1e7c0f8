"""What is out of the ordinary in a log is appraised whole, and evidence goes on coming."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fleet_kit import Brought, Kit, bring, enter
from sqlalchemy import select

from casemate.fleet.alarms import decisions
from casemate.fleet.appraisal.appraiser import Appraiser
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.errors import ConflictError
from casemate.fleet.intake.ingest import Intake, Submission
from casemate.fleet.store.schema import VERDICTS
from casemate.testing import honest_enclosure as honest
from casemate.translog.note import Note
from casemate.verify.findings import KINDS, Finding


def odd(kit: Kit) -> Brought:
    """Return what was brought of an enclosure: a line in a witness's name does not fit."""
    brought = enter(kit, honest.armed(3))
    story = brought.story
    story.watch()
    held = read_note(story.seal())
    line = held.note.lines[-1]
    bad = replace(line, blob=line.blob[:-1] + bytes([line.blob[-1] ^ 1]))
    lines = (*held.note.lines[:-1], bad)
    story.notes = (*story.notes[:-1], Note(text=held.note.text, lines=lines).encode())
    answer = bring(kit, brought)
    assert answer.status_code == 200
    return brought


def test_evidence_goes_on_after_something_odd(kit: Kit) -> None:
    brought = odd(kit)
    story = brought.story
    for _ in range(3):
        honest.watch(story)
        assert bring(kit, brought).status_code == 200
    found = kit.client("inspector").get("/enclosures/1.json").json()
    assert "log.witness-line" in [each["id"] for each in found["findings"]]
    assert found["how"] == "ARMED"


def test_a_last_word_without_a_checkpoint_gets_through(kit: Kit) -> None:
    """It names a checkpoint that was brought before, after things had become odd."""
    brought = odd(kit)
    story = brought.story
    honest.watch(story)
    assert bring(kit, brought).status_code == 200
    story.watch()
    first = len(story.entries) - 1
    answer = kit.push(Submission(first=first, entries=story.entries[first:], notes=()))
    assert answer.status_code == 200, answer.text
    with kit.service.store.read() as link:
        assert link.execute(select(VERDICTS.c.tokens)).scalar_one() == len(story.entries)


def test_two_findings_of_one_kind_and_place_hold_nothing_up(kit: Kit) -> None:
    """The verifier tells them apart by subject; an incident has one trigger a kind and place.

    Else whoever makes two lines up (`make-lines-up`) would have all evidence refused.
    """
    brought = enter(kit)
    assert bring(kit, brought).status_code == 200
    result = kit.service.intake.look(1)
    kind = KINDS["permit.invalid"]
    twice = tuple(
        Finding(
            id=kind.id, severity=kind.severity, claim=kind.claim, remedy=kind.remedy,
            what=f"{kind.meaning}: {each}", token=3, at_s=result.now_s, times=2,
        )
        for each in ("one", "another")
    )  # fmt: skip
    with kit.service.store.write() as link:
        decisions.update_from(link, 1, replace(result, findings=twice), [], 600)
        (trigger,) = decisions.read(link, 1).triggers
    assert trigger.times == 4
    assert "one" in trigger.what and "another" in trigger.what


@pytest.mark.parametrize("what", ("take", "appraise"))
def test_what_another_process_took_meanwhile_is_not_written_over(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A service that was believed dead: its verdict would be one of less evidence."""
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    honest.watch(brought.story)
    kit.clock.now_s = brought.story.now_s + 5
    part, other = brought.rest(), Intake(kit.service.store, kit.clock)
    result = Appraiser.result

    def late(held: Appraiser, *given: Any, **named: Any) -> Any:
        monkeypatch.undo()
        other.take(1, part)
        return result(held, *given, **named)

    monkeypatch.setattr(Appraiser, "result", late)
    with pytest.raises(ConflictError) as caught:
        if what == "take":
            kit.service.intake.take(1, part)
        else:
            kit.service.intake.appraise(1, kit.service.now_s())
    assert caught.value.next_number == len(brought.story.entries)
    with kit.service.store.read() as link:
        assert link.execute(select(VERDICTS.c.tokens)).scalar_one() == len(brought.story.entries)
    assert kit.service.intake.look(1).tokens == len(brought.story.entries)  # it goes on from there
