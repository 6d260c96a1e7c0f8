"""Machines on their way, made by events alone."""

from __future__ import annotations

from machines import START, TERMS, TOKEN, A, approval

from casemate.control import events as ev
from casemate.control.actions import Action
from casemate.control.machine import step
from casemate.control.states import Machine


def after(machine: Machine, *happens: ev.Event) -> Machine:
    """The machine after events at one time."""
    for event in happens:
        machine, _ = step(machine, event, machine.now_s)
    return machine


def told(machine: Machine, event: ev.Event, now_s: float | None = None) -> list[Action]:
    """What has to be done at an event."""
    return list(step(machine, event, machine.now_s if now_s is None else now_s)[1])


NORMAL = ev.Judgement(level=0, verdict="NORMAL")
CHECKED = ev.Checked(passed=True, anchor=A)


def armed_machine(first: Machine = START) -> Machine:
    """Commissioned by both parties."""
    ready = after(first, ev.Anchored(anchor=A), NORMAL, CHECKED)
    return after(ready, ev.Commission(approval=approval(ready, "commission", A)))


def permitted_machine(first: Machine = START) -> Machine:
    """ARMED, with a permit that may begin."""
    armed = armed_machine(first)
    return after(
        armed,
        ev.Presented(terms=TERMS),
        ev.PermitLogged(permit=TERMS.permit, index=0),
        ev.Witnessed(size=1, quorum_s=0.0, made_s=armed.now_s),
    )


def working_machine(first: Machine = START) -> Machine:
    """In MAINTENANCE."""
    return after(permitted_machine(first), ev.Begin(token=TOKEN))
