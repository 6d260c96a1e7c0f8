"""One turn of the machine: what changes and what has to be done, in order.

The only place where keys and states change, so that no change goes without its record.
"""

from __future__ import annotations

import math
from dataclasses import fields
from operator import attrgetter
from typing import Any

from casemate.control.actions import (
    Action,
    Alert,
    Evidence,
    Lock,
    Mask,
    Record,
    Refuse,
    Seal,
    Signer,
    Zeroise,
)
from casemate.control.response import on_keys
from casemate.control.scope import NOTHING
from casemate.control.states import Keys, Machine, State
from casemate.detect.response import LATCH

_NAMES = tuple(each.name for each in fields(Machine))
_ALL = attrgetter(*_NAMES)


def _changed(machine: Machine, changes: dict[str, Any]) -> Machine:
    """Return the machine with changes, as `dataclasses.replace`, in a third of its time.

    It has no field that is made from others. A window takes two.
    """
    found = object.__new__(Machine)
    for name, value in zip(_NAMES, _ALL(machine), strict=True):
        object.__setattr__(found, name, changes.get(name, value))
    return found


class Turn:
    """A machine in change at `now_s`. `end` gives what came of it."""

    def __init__(self, machine: Machine, now_s: float) -> None:
        self.m = machine if machine.now_s == now_s else _changed(machine, {"now_s": now_s})
        self.now_s = now_s
        self.actions: list[Action] = []

    def set(self, **changes: Any) -> None:
        """Change the memory; states and keys have methods of their own."""
        if any(getattr(self.m, name) != value for name, value in changes.items()):
            self.m = _changed(self.m, changes)

    def do(self, *actions: Action) -> None:
        """Append actions."""
        self.actions.extend(actions)

    def end(self) -> tuple[Machine, tuple[Action, ...]]:
        """Return the machine and what has to be done, in order."""
        return self.m, tuple(self.actions)

    def signer(self) -> Signer:
        """Return who signs now. Sealed keys do, since no state but UNKNOWN and TAMPERED has any."""
        return Signer.KEYS if self.m.keys in (Keys.LIVE, Keys.SEALED) else Signer.NOBODY

    def record(
        self,
        kind: str,
        reason: str,
        *,
        after: State | None = None,
        by: Signer | None = None,
        subject: bytes = b"",
        act: str = "",
        place: str = "",
    ) -> None:
        """Put a record into the evidence, signed by what there is, or by nobody."""
        signer = by or self.signer()
        record = Record(
            kind=kind,
            before=self.m.state.value,
            after=(after or self.m.state).value,
            reason=reason,
            at_s=self.now_s,
            subject=subject,
            act=act,
            place=place,
        )
        self.do(Evidence(record=record, by=signer))

    def move(
        self,
        state: State,
        reason: str,
        *,
        by: Signer | None = None,
        subject: bytes = b"",
    ) -> None:
        """Go to another state, with its record; nothing if it is the same."""
        if state is not self.m.state:
            self.record("state", reason, after=state, by=by, subject=subject)
            self.set(state=state)

    def seal(self, reason: str) -> None:
        """Seal live keys, which ends ARMED and MAINTENANCE; sealed keys can still say so."""
        self.set(seal_at_s=math.inf)
        if self.m.keys is not Keys.LIVE:
            return
        self.do(Seal())
        self.set(keys=Keys.SEALED, seal_challenge=b"")
        self.disturb()
        if self.m.state in (State.ARMED, State.MAINTENANCE):
            self.move(State.UNKNOWN, f"keys are sealed: {reason}")
        else:
            self.record("keys", f"sealed: {reason}")

    def zeroise(self) -> Signer:
        """Destroy what keys there are; return who can still say so."""
        self.set(seal_at_s=math.inf, seal_challenge=b"")
        if self.m.keys not in (Keys.LIVE, Keys.SEALED):
            return Signer.NOBODY
        word = self.m.last_word
        self.do(Zeroise())
        self.set(keys=Keys.GONE, count=self.m.count + 1, last_word=False)
        return Signer.LAST_WORD if word else Signer.NOBODY

    def disturb(self) -> None:
        """Void checks that have passed."""
        self.set(ready_until_s=-math.inf)

    def doubt(self) -> None:
        """Begin the time after which live keys are sealed, if it does not run yet."""
        self.disturb()
        if self.m.keys is Keys.LIVE and self.m.state is not State.COMMISSIONING:
            self.set(seal_at_s=min(self.m.seal_at_s, self.now_s + self.m.limits.grace_s))

    def unknown(self, reason: str) -> None:
        """ARMED and MAINTENANCE become UNKNOWN, and the clock to sealing runs."""
        if self.m.state in (State.ARMED, State.MAINTENANCE):
            self.move(State.UNKNOWN, reason)
        if self.m.state in (State.UNKNOWN, State.COMMISSIONING):
            self.doubt()

    def end_work(self, reason: str, *, lock: bool = True) -> None:
        """Put an end to the permit: nothing is left out any more, locks close."""
        work = self.m.work
        if work is None:
            return
        masked = self.m.masked
        act = "expired" if reason.startswith("expired") else "closed"
        self.record("permit", reason, subject=work.terms.permit, act=act)
        self.set(work=None)
        if masked:
            self.do(Mask(scope=NOTHING))
        if masked.faces and lock:
            self.do(Lock(faces=masked.faces))

    def tamper(self, level: int, reason: str) -> None:
        """Latch: keys first, then who can still say so says it, then people."""
        if self.m.state in (State.TAMPERED, State.RETIRED):
            return
        if isinstance(on_keys(level), Zeroise):
            signer = self.zeroise()
        else:
            if self.m.keys is Keys.LIVE:
                self.do(Seal())
                self.set(keys=Keys.SEALED, seal_challenge=b"")
            signer = self.signer()
        if signer is Signer.NOBODY and self.m.last_word:
            signer = Signer.LAST_WORD
            self.set(last_word=False)
        masked, work = self.m.masked, self.m.work
        self.disturb()
        self.set(seal_at_s=math.inf, count=self.m.count + 1)
        subject = work.terms.permit if work else b""
        self.move(State.TAMPERED, reason, by=signer, subject=subject)
        self.set(work=None)
        if masked:
            self.do(Mask(scope=NOTHING))
        if masked.faces:
            self.do(Lock(faces=masked.faces))
        self.alert(max(level, LATCH), reason)

    def alert(self, level: int, reason: str) -> None:
        """Tell people: at once if it is worse than before, else no more often than the limit."""
        m = self.m
        due = self.now_s >= m.alerted_s + m.limits.alert_s
        if level > m.alert_level or due:
            self.do(Alert(level=level, reason=reason))
            self.set(alert_level=level, alerted_s=self.now_s)

    def refuse(self, reason: str) -> None:
        """Say that nothing was done, and why."""
        self.do(Refuse(reason=reason))
