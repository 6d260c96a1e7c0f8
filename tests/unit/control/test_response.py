"""What verdicts of detection do, from the real court and its policy to the keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from armed import armed_machine, told
from machines import START

from casemate.control.actions import Alert, Evidence, MoreChips, Seal, Signer, Zeroise
from casemate.control.machine import step
from casemate.control.response import judgement, on_keys
from casemate.control.states import Keys, Limits, State
from casemate.detect.response import ALERT, LATCH, LOG, SEAL, ZEROISE, policy
from casemate.detect.verdict import Court, Judged, Verdict


def judged(level: int, verdict: Verdict) -> Judged:
    """A verdict of that level."""
    return Judged(
        now_s=0.0, verdict=verdict, level=level, nats=0.0, shrunk=0.0, tile="", onset_s=0.0,
        blind_s=0.0, seen_by=(), causes=(), items=(), findings=(),
    )  # fmt: skip


def test_levels_are_those_of_detection() -> None:
    """What its policy calls irreversible, and that alone, takes something that stays taken."""
    levels = policy(far_per_year=0.1, features=10, window_s=0.1).levels
    lasting = {each.number for each in levels if not each.reversible}
    assert lasting == {LATCH, ZEROISE}
    assert [type(on_keys(each.number)) for each in levels] == [
        type(None), type(None), Seal, Seal, Zeroise,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "verdict", "state", "keys", "first"),
    [
        (LOG, Verdict.NORMAL, State.ARMED, Keys.LIVE, None),
        (ALERT, Verdict.INTERFERENCE, State.ARMED, Keys.LIVE, Alert),
        (ALERT, Verdict.DENIED, State.ARMED, Keys.LIVE, Alert),
        (SEAL, Verdict.DENIED, State.UNKNOWN, Keys.SEALED, Seal),
        (SEAL, Verdict.TAMPER, State.UNKNOWN, Keys.SEALED, Seal),
        (LATCH, Verdict.TAMPER, State.TAMPERED, Keys.SEALED, Seal),
        (ZEROISE, Verdict.TAMPER, State.TAMPERED, Keys.GONE, Zeroise),
        (ZEROISE + 1, Verdict.TAMPER, State.TAMPERED, Keys.GONE, Zeroise),
    ],
)
def test_graded(level: int, verdict: Verdict, state: State, keys: Keys, first: type | None) -> None:
    """Level by level, keys first."""
    m, actions = step(armed_machine(), judgement(judged(level, verdict)), 0.0)
    assert (m.state, m.keys) == (state, keys)
    assert (type(actions[0]) if actions else None) is first


def test_the_last_word_is_for_keys_that_are_gone() -> None:
    """After a latch sealed keys still speak; the last word comes with their end, once."""
    sealed, actions = step(armed_machine(), judgement(judged(LATCH, Verdict.TAMPER)), 0.0)
    assert [a.by for a in actions if isinstance(a, Evidence)] == [Signer.KEYS]
    gone, actions = step(sealed, judgement(judged(ZEROISE, Verdict.TAMPER)), 0.1)
    assert isinstance(actions[0], Zeroise)
    assert [a.by for a in actions if isinstance(a, Evidence)] == [Signer.LAST_WORD]
    assert not gone.last_word
    assert told(gone, judgement(judged(ZEROISE, Verdict.TAMPER))) == []


def test_alerts_are_few_however_often_it_flickers() -> None:
    """At most one a minute, in ten minutes of verdicts that come and go ten times a second."""
    m, alerts = armed_machine(replace(START, limits=Limits())), 0
    for tick in range(6_000):
        level = ALERT if tick % 2 else LOG
        verdict = Verdict.INTERFERENCE if level else Verdict.NORMAL
        m, actions = step(m, judgement(judged(level, verdict)), tick * 0.1)
        alerts += sum(isinstance(a, Alert) for a in actions)
    assert m.state is State.ARMED
    assert alerts == 10
    assert told(m, judgement(judged(ZEROISE, Verdict.TAMPER)), 600.0)[0] == Zeroise()


def test_a_real_court_that_is_blind_seals_in_the_end() -> None:
    """No modality at all: DENIED at once, keys sealed after `blind_s`, never destroyed."""
    court = Court(policy=policy(far_per_year=0.1, features=10, window_s=0.1))
    m, when_s = armed_machine(), None
    for tick in range(1, 201):
        now_s = tick * 0.1
        m, actions = step(m, judgement(court.judge(now_s, ())), now_s)
        assert not any(isinstance(a, Zeroise) for a in actions)
        if when_s is None and m.keys is Keys.SEALED:
            when_s = now_s
        elif m.keys is Keys.LIVE:
            assert any(isinstance(a, MoreChips) for a in actions)
    assert m.state is State.UNKNOWN
    assert when_s == pytest.approx(10.1, abs=0.11)
