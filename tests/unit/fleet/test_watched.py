"""Verdict and health of tokens: each read once, the worst of a time is what is drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fleet_kit import Kit, bring, enter

from casemate.fleet.appraisal import evidence
from casemate.fleet.story.watched import Watch, Watched, watches, worst
from casemate.testing import honest_enclosure as honest

ONE = Watch(number=1, at_s=100, verdict="NORMAL", level=0, channels=8, healthy=8)


def test_the_worst_of_a_time_is_shown() -> None:
    loud = replace(ONE, at_s=101, verdict="INTERFERENCE")
    ill = replace(ONE, at_s=102, healthy=7)
    later = replace(ONE, at_s=115)
    assert worst([ONE, loud, ill, later], 100, 10) == [loud, later]
    assert worst([ONE, ill], 100, 10) == [ill]
    assert worst([replace(ONE, level=3), loud], 100, 10) == [replace(ONE, level=3)]
    unheard_of = replace(ONE, verdict="SOMETHING")
    assert worst([loud, unheard_of], 100, 10) == [unheard_of]  # never taken for normal


def test_tokens_are_read_once_and_of_a_long_log_the_newest(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = enter(kit, honest.armed(3))
    bring(kit, brought)
    made = Watched(most=4)
    asked: list[int] = []
    entries = evidence.entries

    def counted(link: object, enclosure_id: int, first: int, count: int) -> tuple[bytes, ...]:
        asked.append(first)
        return entries(link, enclosure_id, first, count)  # type: ignore[arg-type]

    monkeypatch.setattr(evidence, "entries", counted)
    with kit.service.store.read() as link:
        before = made.of(link, 1)
        end = evidence.next_number(link, 1)
    assert asked[0] == end - 4 and {each.number for each in before} <= set(range(end - 4, end))
    brought.story.watch(verdict="INTERFERENCE")
    brought.story.seal()
    bring(kit, brought)
    asked.clear()
    with kit.service.store.read() as link:
        after = made.of(link, 1)
    assert asked[0] == end and "INTERFERENCE" in [each.verdict for each in after]
    assert (after[-1].channels, after[-1].healthy) == (8, 8)


def test_what_is_no_token_says_nothing() -> None:
    assert watches([b"", b"rubbish", b"\xff" * 90], 0) == []
