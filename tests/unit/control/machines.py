"""A small enclosure, what can happen to it, and all machines that it can become.

Face f and module m lie in the permit's scope, face g and module n outside. Machines that differ
only in what time and counting add up are one: `canonical` sets now to 0, cuts deadlines that have
passed, and forgets counts and which anchor it is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from casemate.control import events as ev
from casemate.control.actions import Action
from casemate.control.events import Approval, Event
from casemate.control.machine import start, step, urgent
from casemate.control.permits import BOTH, OPEN, REANCHOR, REPLACE, Terms, Work, token_hash
from casemate.control.scope import NOTHING, Scope
from casemate.control.states import Keys, Limits, Machine, State

A, B = b"A" * 32, b"B" * 32
TOKEN = b"t" * 20
SCOPE = Scope(faces=frozenset("f"), modules=frozenset("m"))
LIMITS = Limits(stale_s=1.0, grace_s=1.0, alert_s=1.0, margin_s=1.0, tries=1, longest_s=9.0)
START = Machine(
    enclosure="e", serial="s", faces=frozenset("fg"), modules=frozenset("mn"), boot=b"b" * 16,
    limits=LIMITS,
)  # fmt: skip
TERMS = Terms(
    permit=b"p" * 32,
    enclosure="e",
    serial="s",
    scope=SCOPE,
    actions=frozenset({OPEN, REPLACE, REANCHOR}),
    not_before_s=0.0,
    not_after_s=1.0,
    token=token_hash(TOKEN),
    roles=BOTH,
)
CHALLENGE = b"c" * 32
"""Of the key holder."""


def approval(machine: Machine, purpose: str, subject: bytes = b"", roles: str = "both") -> Approval:
    """An approval that answers this moment, by `roles` ("both" for both parties)."""
    return Approval(
        purpose=purpose,
        roles=BOTH if roles == "both" else frozenset({roles}),
        challenge=CHALLENGE if purpose == "unseal" else machine.challenge,
        document=b"d" * 32,
        subject=subject,
    )


def party_events(machine: Machine, roles: str) -> dict[str, Event]:
    """What parties can ask for; named by who has signed unless both have."""
    end = "" if roles == "both" else f" by {roles} alone"

    def by(purpose: str, subject: bytes = b"") -> Approval:
        return approval(machine, purpose, subject, roles)

    return {
        f"commission{end}": ev.Commission(approval=by("commission", machine.anchor)),
        f"re-anchor{end}": ev.Reanchor(anchor=B, approval=by("re-anchor", B)),
        f"unseal{end}": ev.Release(approval=by("unseal")),
        f"recommission{end}": ev.Recommission(approval=by("recommission")),
        f"retire{end}": ev.Retire(approval=by("retire")),
    }


def world_events(machine: Machine) -> dict[str, Event]:
    """What can happen without the parties' approval, by name."""
    known = machine.anchor or A
    found: dict[str, Event] = {
        "tick": ev.Tick(),
        "verdict normal": ev.Judgement(level=0, verdict="NORMAL"),
        "verdict normal, scope left out": ev.Judgement(level=0, verdict="NORMAL", masked=SCOPE),
        "verdict denied": ev.Judgement(level=1, verdict="DENIED", wants_chips=True),
        "verdict, level seal": ev.Judgement(level=2, verdict="TAMPER"),
        "verdict, level latch": ev.Judgement(level=3, verdict="TAMPER"),
        "verdict, level zeroise": ev.Judgement(level=4, verdict="TAMPER"),
        "checks passed": ev.Checked(passed=True, anchor=known),
        "checks passed, scope left out": ev.Checked(passed=True, anchor=known, masked=SCOPE),
        "checks failed": ev.Checked(passed=False, anchor=known),
        "reader silent": ev.Silent(module="n"),
        "reader in scope silent": ev.Silent(module="m"),
        "supply cut": ev.SupplyLost(hold_s=2.0),
        "supply back": ev.SupplyBack(),
        "face in scope opens": ev.Opened(face="f"),
        "face opens": ev.Opened(face="g"),
        "face opens, two sensors": ev.Opened(face="g", corroborated=True),
        "face in scope closed": ev.Closed(face="f"),
        "face closed": ev.Closed(face="g"),
        "module in scope replaced": ev.Replaced(module="m", proven=True),
        "module in scope replaced, unproven": ev.Replaced(module="m", proven=False),
        "module replaced": ev.Replaced(module="n", proven=True),
        "emergency": ev.Emergency(cause="fire"),
        "permit presented": ev.Presented(terms=TERMS),
        "permit by host alone presented": ev.Presented(
            terms=replace(TERMS, roles=frozenset({"host"}))
        ),
        "permit logged": ev.PermitLogged(permit=TERMS.permit, index=0),
        "permit witnessed": ev.Witnessed(size=1, quorum_s=0.0, made_s=machine.now_s),
        "token": ev.Begin(token=TOKEN),
        "wrong token": ev.Begin(token=b"x" * 20),
        "work finished": ev.Finish(),
        "holder sealed": ev.Sealed(challenge=CHALLENGE),
        "anchor measured": ev.Anchored(anchor=A),
        "watchdog": ev.Watchdog(),
    }
    found |= {f"holder has keys {keys}": ev.KeysFound(keys=keys) for keys in Keys}
    return found


def all_events(machine: Machine) -> dict[str, Event]:
    """Everything, with the parties together and each alone."""
    return (
        world_events(machine)
        | party_events(machine, "both")
        | party_events(machine, "host")
        | party_events(machine, "inspector")
    )


def canonical(m: Machine) -> Machine:
    """The machine that stands for all that behave as this one does."""
    now = m.now_s

    def left(deadline: float) -> float:
        return deadline - now if deadline > now else -math.inf

    work = m.work
    if work is not None:
        work = replace(work, end_s=left(work.end_s) if math.isfinite(work.end_s) else work.end_s)
    latched = m.state in (State.TAMPERED, State.RETIRED)
    return replace(
        m,
        now_s=0.0,
        stale_at_s=-math.inf if latched else left(m.stale_at_s),
        seal_at_s=m.seal_at_s - now,
        ready_until_s=left(m.ready_until_s),
        supply_end_s=math.inf if latched else m.supply_end_s - now,
        alerted_s=-math.inf,
        alert_level=0,
        open=frozenset() if m.state is State.RETIRED else m.open,
        replaced=frozenset() if latched else m.replaced,
        alien=frozenset() if latched else m.alien,
        anchor=A if m.anchor else b"",
        count=0,
        used=(),
        quorum_s=-math.inf,
        work=work,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One step that was taken."""

    before: Machine
    name: str
    event: Event | None
    dt_s: float
    after: Machine
    actions: tuple[Action, ...]


ALIKE = ("face opens", "face opens, two sensors", "module replaced")
"""In an emergency no permit is in use, so these are what f and m do, and end before it does."""


def edges(machine: Machine) -> Iterator[Edge]:
    """Every step from a machine: each event at once; after a wait, those that differ then.

    One party alone is the host; the other is played in test_machine_play. Any other event after a
    wait is a tick and then that event (test_wait_is_a_tick).
    """
    for name, event in all_events(machine).items():
        if name.endswith("inspector alone") or (machine.emergency and name in ALIKE):
            continue
        waits = (0.0, 1.0) if urgent(event) or isinstance(event, ev.Tick) else (0.0,)
        for dt_s in waits:
            after, actions = step(machine, event, dt_s)
            yield Edge(
                before=machine, name=name, event=event, dt_s=dt_s, after=after, actions=actions
            )


def starts(machine: Machine) -> Iterator[Edge]:
    """Starts of the controller: as it was left, without its memory, and with its keys lost."""
    new = replace(START, limits=machine.limits)
    for name, saved, keys in (
        ("controller starts", machine, machine.keys),
        ("controller starts, keys lost", machine, Keys.NONE),
        ("controller starts, memory lost", None, machine.keys),
    ):
        after, actions = start(saved, new, keys=keys, last_word=machine.last_word)
        yield Edge(before=machine, name=name, event=None, dt_s=0.0, after=after, actions=actions)


def explored(most: int, first: Machine = START) -> Iterator[Edge]:
    """Every step from every machine that can be reached, breadth first, of `most` machines."""
    seen = {canonical(first)}
    queue = deque(seen)
    while queue:
        machine = queue.popleft()
        for edge in (*edges(machine), *starts(machine)):
            after = machine if edge.after is machine else canonical(edge.after)
            if after not in seen:
                seen.add(after)
                assert len(seen) <= most, "there are more machines than expected"
                queue.append(after)
            yield edge


__all__ = [
    "CHALLENGE",
    "LIMITS",
    "NOTHING",
    "SCOPE",
    "START",
    "TERMS",
    "TOKEN",
    "A",
    "B",
    "Edge",
    "Work",
    "all_events",
    "approval",
    "canonical",
    "edges",
    "explored",
]  # fmt: skip
