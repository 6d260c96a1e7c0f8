"""Faults of the state machine, one for each rule that is to find it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casemate.control import entry, machine, parties, service, turn, watch
from casemate.control import events as ev
from casemate.control.states import Keys, State


class NoRecord(turn.Turn):
    def move(self, state: State, *_: object, **__: object) -> None:
        self.set(state=state)


class SignsFirst(turn.Turn):
    def zeroise(self) -> turn.Signer:
        self.record("keys", "about to be destroyed")
        return super().zeroise()


def arms(turn_: turn.Turn, _: object) -> None:
    turn_.move(State.ARMED, "by magic")


def nothing(*_: object) -> None:
    pass


def destroys(turn_: turn.Turn, _: object) -> None:
    turn_.zeroise()


def opens_late(turn_: turn.Turn, event: ev.Emergency) -> None:
    turn_.seal("emergency")
    entry.emergency(turn_, event)


def forgets_mask(turn_: turn.Turn, event: ev.Begin) -> None:
    service.begin(turn_, event)
    turn_.actions = [a for a in turn_.actions if not isinstance(a, turn.Mask)]


def unseals(turn_: turn.Turn, event: ev.Release) -> None:
    turn_.set(keys=Keys.LIVE)


def one_party(turn_: turn.Turn, event: ev.Retire) -> None:
    both = replace(event.approval, roles=frozenset({"host", "inspector"}))
    parties.retire(turn_, ev.Retire(approval=both))


PLANTS: dict[str, object] = {
    "evidenced": (machine, "Turn", NoRecord),
    "keys_first": (machine, "Turn", SignsFirst),
    "latched": (ev.Tick, arms),
    "into_armed": (ev.Watchdog, arms),
    "sound": (ev.Watchdog, arms),
    "entry": (ev.Opened, nothing),
    "emergency": (ev.Emergency, opens_late),
    "masks": (ev.Begin, forgets_mask),
    "noise": (ev.Silent, destroys),
    "response": (ev.Judgement, watch.tick),
    "holder_agrees": (ev.Release, unseals),
    "alone": (ev.Retire, one_party),
}
"""rule -> what is put in the place of what."""


def plant(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """Put in a fault that breaks a rule."""
    fault = PLANTS[rule]
    assert isinstance(fault, tuple)
    if len(fault) == 3:
        monkeypatch.setattr(*fault)
    else:
        monkeypatch.setitem(machine.HANDLERS, fault[0], fault[1])
