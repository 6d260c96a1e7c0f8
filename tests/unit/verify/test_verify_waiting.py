"""Heartbeats that a last word carries are read as any others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.testing import honest_enclosure as honest
from casemate.verify import appraise
from casemate.verify.result import Result


def last(**changes: object) -> Result:
    """Twenty heartbeats wait when the keys go."""
    told = honest.armed(2)
    beat = beats.Beat(late_ms=3, verdict="NORMAL", health=0, centinats=3, information=900)
    waiting = beats.batch(
        [beat] * 20, first=told.beats, start_ms=told.beat_ms + 1000, period_ms=1000, head=told.head
    )
    waiting = replace(waiting, **changes)  # type: ignore[arg-type]
    told.now_s += 20
    word = c.LastWord(reason="opened", erased_us=400, waiting=waiting)
    told.token(word, state="TAMPERED", signers=told.last_word)
    told.seal()
    return appraise(told.bundle(), honest.reference(), honest.policy(), now_s=told.now_s)


def kinds(found: Result) -> set[str]:
    return {each.id for each in found.findings}


def test_they_are_vouched_for_to_the_last() -> None:
    assert kinds(last()) == {"state.tampered"}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"head": b"\x01" * 32}, "beats.chain"),
        ({"first": 3}, "beats.chain"),
        ({"period_ms": 500}, "beats.period"),
        ({"start_ms": 10_000_000}, "beats.missing"),
    ],
)
def test_what_does_not_fit_is_found(changes: dict[str, object], finding: str) -> None:
    assert finding in kinds(last(**changes))
