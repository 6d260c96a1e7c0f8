"""Any play of events at any times keeps every rule; one history is told by its records alone."""

from __future__ import annotations

import math
from dataclasses import replace

from armed import armed_machine, permitted_machine, working_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from machines import START, TERMS, Edge, all_events, canonical
from rules import RULES, armed

from casemate.control import actions as ac
from casemate.control import events as ev
from casemate.control.machine import step, urgent
from casemate.control.permits import BOTH
from casemate.control.scope import Scope
from casemate.control.states import Keys, Limits, Machine, State

NAMES = sorted(all_events(START))
LIVE_LIMITS = Limits(grace_s=3.0, alert_s=5.0, longest_s=100.0)


def judged(edge: Edge) -> None:
    """Fail if the step breaks a rule."""
    for name, check in RULES.items():
        assert not check(edge), (name, check(edge), edge)


class Play(RuleBasedStateMachine):
    """The machine, a key holder's view of it, and the parties' signatures that were spent."""

    def __init__(self) -> None:
        super().__init__()
        self.m = replace(START, limits=LIVE_LIMITS)
        self.now_s = 0.0
        self.said = self.m.state.value
        self.both = 0
        self.permits = 0
        self.latched_at: int | None = None

    def happen(self, name: str, event: ev.Event, now_s: float) -> None:
        """Take a step and judge it."""
        at = replace(self.m, now_s=self.m.now_s)
        self.now_s = max(self.now_s, now_s)
        after, actions = step(at, event, self.now_s)
        judged(Edge(before=at, name=name, event=event, dt_s=self.now_s, after=after,
                    actions=actions))  # fmt: skip
        for action in actions:
            if isinstance(action, ac.Evidence):
                self.said = action.record.after
        if after.count > at.count and name in ("recommission", "commission"):
            self.both += 1
        if after.state is State.TAMPERED and at.state is not State.TAMPERED:
            self.latched_at = self.both
        self.m = after

    @initialize(begun=st.sampled_from(("new", "armed", "permitted", "working")))
    def begin(self, begun: str) -> None:
        """Begin at one of the usual places, so that plays are not all of commissioning."""
        first = replace(START, limits=LIVE_LIMITS)
        self.m = {
            "new": lambda: first,
            "armed": lambda: armed_machine(first),
            "permitted": lambda: permitted_machine(first),
            "working": lambda: working_machine(first),
        }[begun]()
        self.said = self.m.state.value

    @rule(name=st.sampled_from(NAMES), wait_s=st.sampled_from((0.0, 0.0, 0.3, 0.9, 2.5, 20.0)))
    def anything(self, name: str, wait_s: float) -> None:
        """Any event, after any wait."""
        now_s = self.now_s + wait_s
        self.happen(name, all_events(replace(self.m, now_s=now_s))[name], now_s)

    @rule(wait_s=st.floats(0.0, 1.0))
    def well(self, wait_s: float) -> None:
        """A good verdict and good checks, with what is left out now."""
        now_s = self.now_s + wait_s
        self.happen("tick", ev.Tick(), now_s)
        masked = self.m.masked
        quiet = ev.Judgement(level=0, verdict="NORMAL", masked=masked)
        self.happen("verdict normal", quiet, now_s)
        good = ev.Checked(passed=True, anchor=self.m.anchor, masked=masked)
        self.happen("checks passed", good, now_s)

    @rule(span_s=st.floats(0.0, 2.0), window_s=st.floats(0.1, 90.0), start_s=st.floats(-5.0, 5.0))
    def another_permit(self, span_s: float, window_s: float, start_s: float) -> None:
        """A fresh permit goes its way to the technician, whatever comes of it."""
        self.permits += 1
        wall_s = 1e9 + self.now_s
        terms = replace(
            TERMS,
            permit=self.permits.to_bytes(32, "big"),
            not_before_s=wall_s + start_s,
            not_after_s=wall_s + start_s + window_s,
        )
        self.happen("permit presented", ev.Presented(terms=terms), self.now_s)
        self.happen("permit logged", ev.PermitLogged(permit=terms.permit, index=7), self.now_s)
        made_s = self.now_s
        seen = ev.Witnessed(size=8, quorum_s=wall_s, made_s=made_s)
        self.happen("permit witnessed", seen, made_s + span_s)

    @invariant()
    def tells_its_state(self) -> None:
        """Who reads the records alone knows the state."""
        assert self.said == self.m.state.value

    @invariant()
    def tampered_is_sticky(self) -> None:
        """Since the latch both parties have acted twice, or it is not ARMED."""
        if self.latched_at is not None and self.m.state in (State.ARMED, State.MAINTENANCE):
            assert self.both >= self.latched_at + 2

    @invariant()
    def permits_end(self) -> None:
        """No permit is in use beyond the end of its window."""
        work = self.m.work
        if self.m.in_use and work is not None:
            window_s = work.terms.not_after_s - work.terms.not_before_s
            assert self.now_s < work.end_s <= self.now_s + window_s + 1e-6

    @invariant()
    def bounded(self) -> None:
        """The memory does not grow without bound."""
        assert len(self.m.used) <= self.m.limits.most


TestPlay = Play.TestCase
TestPlay.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


def _walk(names: list[str]) -> Machine:
    m = permitted_machine(START)
    for name in names:
        event = all_events(m)[name]
        m, _ = step(m, event, m.now_s + (1.0 if name == "tick" else 0.0))
    return m


@given(names=st.lists(st.sampled_from(NAMES), max_size=12), last=st.sampled_from(NAMES))
@settings(max_examples=300)
def test_canonical_machines_behave_alike(names: list[str], last: str) -> None:
    """What `canonical` forgets changes neither states nor keys nor what comes later."""
    m = _walk(names)
    short = canonical(m)
    known = m.used == () or last != "permit presented"
    if not known:
        return
    one, done = step(m, all_events(m)[last], m.now_s + 1.0)
    two, also = step(short, all_events(short)[last], 1.0)
    assert canonical(one) == canonical(two)
    kinds = [type(a) for a in done if not isinstance(a, ac.Alert)]
    also_kinds = [type(a) for a in also if not isinstance(a, ac.Alert)]
    alerts = ("alert",)
    if not any(isinstance(a, ac.Evidence) and a.record.kind in alerts for a in (*done, *also)):
        assert kinds == also_kinds


@given(names=st.lists(st.sampled_from(NAMES), max_size=12), last=st.sampled_from(NAMES))
@settings(max_examples=300)
def test_wait_is_a_tick(names: list[str], last: str) -> None:
    """An event after a wait is a tick and then the event, unless it may take keys away."""
    m = _walk(names)
    event = all_events(m)[last]
    if urgent(event):
        return
    now_s = m.now_s + 1.0
    ticked, first = step(m, ev.Tick(), now_s)
    split, second = step(ticked, event, now_s)
    whole, actions = step(m, event, now_s)
    assert (split, (*first, *second)) == (whole, actions)


@given(
    names=st.lists(st.sampled_from(NAMES), max_size=10),
    times=st.lists(
        st.floats(allow_nan=True, allow_infinity=True) | st.floats(0.0, 50.0), max_size=10
    ),
)
@settings(max_examples=200)
def test_no_clock_arms(names: list[str], times: list[float]) -> None:
    """Whatever a broken clock says, time never runs back, and nothing raises."""
    m = armed_machine()
    for name, now_s in zip(names, times, strict=False):
        before = m
        m, _ = step(m, all_events(m)[name], now_s)
        assert m.now_s >= before.now_s
        assert math.isfinite(m.now_s)
        if math.isnan(now_s) or now_s < before.now_s:
            assert m.state not in (State.ARMED, State.MAINTENANCE) or name in (
                "checks passed", "checks passed, scope left out", "unseal", "work finished",
            )  # fmt: skip
        if m.state is State.ARMED:
            assert armed(m)


def test_scope_that_is_empty_is_nothing() -> None:
    """A permit that names nothing opens nothing."""
    m = armed_machine()
    nothing = replace(TERMS, scope=Scope())
    after, actions = step(m, ev.Presented(terms=nothing), m.now_s)
    assert after.work is None
    assert [type(a) for a in actions] == [ac.Refuse]
    assert BOTH == {"host", "inspector"}
    assert after.keys is Keys.LIVE
