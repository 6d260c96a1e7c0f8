"""Histories from end to end: a swap, an expiry, a fire, a cut, a broken reader, clocks, starts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from armed import CHECKED, NORMAL, after, armed_machine, permitted_machine, told, working_machine
from machines import CHALLENGE, SCOPE, START, TERMS, TOKEN, B, approval

from casemate.control import actions as ac
from casemate.control import events as ev
from casemate.control.machine import start, step
from casemate.control.permits import Phase
from casemate.control.states import Keys, Limits, Machine, State

LIVE = replace(START, limits=Limits())
REST = ev.Judgement(level=0, verdict="NORMAL", masked=SCOPE)


def at(machine: Machine, now_s: float, *happens: ev.Event) -> Machine:
    """The machine after events at a time, with a tick before them."""
    for event in (ev.Tick(), *happens):
        machine, _ = step(machine, event, now_s)
    return machine


def test_a_module_is_swapped_with_the_rest_armed() -> None:
    """Opened, replaced, proved, anchored by both, closed, checked, finished: ARMED again."""
    m = working_machine(LIVE)
    assert (m.state, m.masked) == (State.MAINTENANCE, SCOPE)
    m = at(m, 0.1, REST, ev.Opened(face="f"), ev.Replaced(module="m", proven=False))
    assert m.state is State.MAINTENANCE
    refused = told(m, ev.Reanchor(anchor=B, approval=approval(m, "re-anchor", B)))
    assert isinstance(refused[0], ac.Refuse)
    m = at(m, 0.2, REST, ev.Replaced(module="m", proven=True), ev.Closed(face="f"))
    assert isinstance(told(m, ev.Finish())[0], ac.Refuse)
    m = at(m, 0.3, REST, ev.Reanchor(anchor=B, approval=approval(m, "re-anchor", B)))
    assert (m.anchor, m.whole, m.ready) == (B, True, False)
    old = at(m, 0.35, CHECKED)
    assert old.state is State.UNKNOWN, "checks against the old anchor prove nothing"
    m = at(m, 0.4, NORMAL, ev.Checked(passed=True, anchor=B))
    m, actions = step(m, ev.Finish(), 0.5)
    assert m.state is State.ARMED
    assert ac.Mask(scope=ev.NOTHING) in actions
    assert ac.Lock(faces=SCOPE.faces) in actions
    assert m.signs_payload


def test_what_is_anchored_is_known_and_signed_for() -> None:
    """No anchor with a module that has not proved itself, nor one that is not named."""
    m = at(working_machine(LIVE), 0.1, REST, ev.Replaced(module="m", proven=False))
    assert not m.open
    assert after(m, ev.Reanchor(anchor=B, approval=approval(m, "re-anchor", B))).anchor != B
    m = at(m, 0.2, ev.Replaced(module="m", proven=True))
    other = approval(m, "re-anchor", b"C" * 32)
    assert after(m, ev.Reanchor(anchor=B, approval=other)).anchor != B
    assert after(m, ev.Reanchor(anchor=B, approval=approval(m, "re-anchor", B))).anchor == B


@pytest.mark.parametrize("checks", [True, False])
def test_a_permit_expires(checks: bool) -> None:
    """ARMED if all was checked with nothing left out, else UNKNOWN."""
    m = working_machine(LIVE)
    m = at(m, 0.9, NORMAL, *((CHECKED,) if checks else ()))
    m, _ = step(m, ev.Tick(), 1.0)
    assert m.state is (State.ARMED if checks else State.UNKNOWN)
    assert m.work is None
    assert not m.masked


def test_a_face_left_open_seals_at_expiry() -> None:
    """And is no new entry; another one is."""
    m = at(working_machine(LIVE), 0.5, REST, ev.Opened(face="f"))
    m, actions = step(m, ev.Tick(), 1.0)
    assert isinstance(actions[0], ac.Seal)
    assert (m.state, m.keys) == (State.UNKNOWN, Keys.SEALED)
    assert at(m, 1.1, ev.Opened(face="f")).state is State.UNKNOWN
    assert at(m, 1.1, ev.Opened(face="g")).state is State.TAMPERED


def test_the_moment_of_expiry_is_that_of_the_clock() -> None:
    """A face that opens after the end is TAMPERED though no tick has said that it is over."""
    m = working_machine(LIVE)
    assert step(m, ev.Opened(face="f"), 0.99)[0].state is State.MAINTENANCE
    late, actions = step(m, ev.Opened(face="f", corroborated=True), 1.0)
    assert late.state is State.TAMPERED
    assert isinstance(actions[0], ac.Zeroise)


def test_a_fire() -> None:
    """Open at once, declared, sealed; after an inspection by both it is ARMED again."""
    m, actions = step(armed_machine(LIVE), ev.Emergency(cause="fire\x07" + "!" * 500), 0.5)
    assert [type(a) for a in actions[:2]] == [ac.Unlock, ac.Seal]
    assert actions[0] == ac.Unlock(faces=frozenset("fg"))
    reasons = [a.record.reason for a in actions if isinstance(a, ac.Evidence)]
    assert any(each.startswith("emergency: fire!") for each in reasons)
    assert all(len(each) < 100 and each.isprintable() for each in reasons)
    worst = ev.Judgement(level=4, verdict="TAMPER")
    m = at(m, 1.0, ev.Opened(face="f", corroborated=True), worst, ev.Closed(face="f"))
    assert (m.state, m.keys) == (State.UNKNOWN, Keys.SEALED)
    m = at(m, 2.0, ev.Sealed(challenge=CHALLENGE), NORMAL)
    unseal = ev.Release(approval=approval(m, "unseal"))
    assert isinstance(told(m, unseal)[0], ac.Refuse), "not before checks"
    m = at(m, 2.1, NORMAL, CHECKED)
    m, actions = step(m, unseal, 2.2)
    assert (m.state, m.emergency) == (State.ARMED, False)
    assert isinstance(actions[0], ac.Unseal)


def test_a_cut_of_the_supply() -> None:
    """It runs on and says so; before hold-up ends, keys are sealed; a report adds no time."""
    m = armed_machine(LIVE)
    m, actions = step(m, ev.SupplyLost(hold_s=5.0), 0.1)
    assert [a.record.kind for a in actions if isinstance(a, ac.Evidence)] == ["supply"]
    m = at(m, 0.9, NORMAL, ev.SupplyLost(hold_s=500.0))
    for tick in range(1, 5):
        m = at(m, 0.9 + 0.79 * tick, NORMAL)
        assert m.state is State.ARMED
    m = at(m, 4.1, NORMAL)
    assert (m.state, m.keys) == (State.UNKNOWN, Keys.SEALED)
    back = at(armed_machine(LIVE), 0.1, ev.SupplyLost(hold_s=math.nan))
    assert back.keys is Keys.SEALED, "hold-up that is no number is none"


def test_a_reader_falls_silent() -> None:
    """UNKNOWN at once, back by checks within the grace, sealed after it."""
    m = at(armed_machine(LIVE), 0.5, NORMAL, ev.Silent(module="n"))
    assert (m.state, m.keys) == (State.UNKNOWN, Keys.LIVE)
    assert not m.signs_payload
    assert at(m, 0.6, NORMAL, CHECKED).state is State.ARMED
    for tick in range(1, 10):
        m = at(m, 0.5 + tick, NORMAL)
        assert m.keys is Keys.LIVE
    m = at(m, 10.5, NORMAL)
    assert m.keys is Keys.SEALED


def test_a_verdict_that_leaves_out_too_much_is_none() -> None:
    """It freshens nothing, so ARMED goes stale; but what it says that is bad counts."""
    m = armed_machine(LIVE)
    m = at(m, 0.9, REST)
    assert at(m, 1.0).state is State.UNKNOWN
    bad = ev.Judgement(level=4, verdict="TAMPER", masked=SCOPE)
    assert at(m, 0.95, bad).state is State.TAMPERED


def test_wall_clocks_do_not_matter() -> None:
    """A quorum's time that jumps by a year moves no deadline of a permit in use."""
    m = working_machine(LIVE)
    for year in (-3.2e7, 3.2e7):
        jumped = at(m, 0.5, REST, ev.Witnessed(size=9, quorum_s=year, made_s=0.4))
        assert jumped.state is State.MAINTENANCE
        assert jumped.work == m.work
        assert at(jumped, 1.0).state is not State.MAINTENANCE


def test_a_witness_whose_clock_runs_ahead_spoils_no_permit_that_comes_later() -> None:
    """It moves the latest time that a quorum names by a year, and the least not at all."""
    m, logged = armed_machine(LIVE), ev.PermitLogged(permit=TERMS.permit, index=0)
    lied = ev.Witnessed(size=1, quorum_s=3.2e7, made_s=0.4, least_s=0.5)
    m = at(m, 0.5, NORMAL, lied)
    assert m.quorum_s == 0.5
    shown = at(m, 0.6, NORMAL, ev.Presented(terms=TERMS), logged)
    assert shown.work is not None and shown.work.phase is Phase.PRESENTED
    honest = at(shown, 0.6, ev.Witnessed(size=1, quorum_s=0.6, made_s=0.6, least_s=0.5))
    assert honest.work is not None and honest.work.phase is Phase.LOGGED
    assert at(shown, 0.6, lied).work is None, "the latest time alone ends a permit"
    later = replace(TERMS, not_before_s=100.0, not_after_s=1e6)
    waits = at(m, 0.6, NORMAL, ev.Presented(terms=later), logged)
    waits = at(waits, 0.6, replace(lied, quorum_s=1000.0))
    assert waits.work is not None and waits.work.phase is Phase.PRESENTED, "it begins no sooner"


def test_a_permit_is_presented_once() -> None:
    """Not even after it was withdrawn or has expired."""
    m = at(permitted_machine(LIVE), 0.5, NORMAL)
    assert told(m, ev.Presented(terms=TERMS)) == [ac.Refuse(reason="it was shown before")]
    m = at(m, 0.9, NORMAL, ev.Begin(token=TOKEN), NORMAL, CHECKED, ev.Finish())
    assert m.state is State.ARMED
    assert isinstance(told(m, ev.Begin(token=TOKEN))[0], ac.Refuse)
    assert told(m, ev.Presented(terms=TERMS)) == [ac.Refuse(reason="it was shown before")]


def test_wrong_tokens_void_a_permit() -> None:
    """After as many as the limit."""
    m = permitted_machine(LIVE)
    for _ in range(Limits().tries):
        assert m.work is not None
        m = after(m, ev.Begin(token=b"wrong"))
    assert m.work is None
    assert after(m, ev.Begin(token=TOKEN)).state is State.ARMED


def test_an_approval_counts_once() -> None:
    """One of before a latch begins no commissioning after it."""
    m = armed_machine(LIVE)
    early = ev.Recommission(approval=approval(m, "recommission"))
    latched = after(m, ev.Judgement(level=3, verdict="TAMPER"))
    assert after(latched, early).state is State.TAMPERED
    fresh = ev.Recommission(approval=approval(latched, "recommission"))
    again = after(latched, fresh)
    assert (again.state, again.keys, again.anchor) == (State.COMMISSIONING, Keys.NONE, b"")
    assert armed_machine(again).state is State.ARMED


@pytest.mark.parametrize(
    ("state", "keys", "found", "then", "left", "first"),
    [
        (State.ARMED, Keys.LIVE, Keys.LIVE, State.UNKNOWN, Keys.SEALED, ac.Seal),
        (State.ARMED, Keys.LIVE, Keys.NONE, State.UNKNOWN, Keys.NONE, ac.Evidence),
        (State.MAINTENANCE, Keys.LIVE, Keys.SEALED, State.UNKNOWN, Keys.SEALED, ac.Evidence),
        (State.TAMPERED, Keys.GONE, Keys.SEALED, State.TAMPERED, Keys.GONE, ac.Zeroise),
        (State.TAMPERED, Keys.SEALED, Keys.SEALED, State.TAMPERED, Keys.SEALED, None),
        (State.TAMPERED, Keys.SEALED, Keys.LIVE, State.TAMPERED, Keys.SEALED, ac.Seal),
        (State.RETIRED, Keys.GONE, Keys.LIVE, State.RETIRED, Keys.GONE, ac.Zeroise),
        (State.COMMISSIONING, Keys.LIVE, Keys.LIVE, State.COMMISSIONING, Keys.NONE, ac.Zeroise),
    ],
)
def test_starts(
    state: State, keys: Keys, found: Keys, then: State, left: Keys, first: type | None
) -> None:
    """Nothing is ARMED by a start, what is latched stays, and keys that should be gone go."""
    saved = replace(working_machine(LIVE), state=state, keys=keys, now_s=1e6)
    m, actions = start(saved, LIVE, keys=found, last_word=False)
    assert (m.state, m.keys, m.now_s) == (then, left, 0.0)
    assert first is None or isinstance(actions[0], first)
    assert m.work is None


def test_a_lost_memory() -> None:
    """May have been TAMPERED: no checks and no quorum arm it."""
    m, actions = start(None, LIVE, keys=Keys.LIVE, last_word=True)
    assert isinstance(actions[0], ac.Seal)
    m = at(m, 0.1, ev.Sealed(challenge=CHALLENGE), NORMAL, CHECKED)
    assert after(m, ev.Release(approval=approval(m, "unseal"))).state is State.UNKNOWN
    assert after(m, ev.Recommission(approval=approval(m, "recommission"))).forgot is False
