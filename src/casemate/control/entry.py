"""Faces, modules, emergencies: what happens to the enclosure itself."""

from __future__ import annotations

from casemate.control.actions import Unlock
from casemate.control.events import Closed, Emergency, Opened, Replaced
from casemate.control.permits import OPEN, REPLACE
from casemate.control.states import Keys, State
from casemate.control.turn import Turn
from casemate.detect.response import LATCH, SEAL, ZEROISE

MOST_CAUSE = 80
"""Letters of a cause that go into the evidence."""
LATCHED = (State.TAMPERED, State.RETIRED)


def opened(turn: Turn, event: Opened) -> None:
    """Answer a face that opens. Outside a permit's scope it is TAMPERED; a switch alone seals."""
    m = turn.m
    again = event.face in m.open
    turn.set(open=m.open | {event.face})
    turn.disturb()
    if m.state is State.COMMISSIONING:
        _void(turn)
    elif m.state is State.TAMPERED:
        if event.corroborated and m.keys in (Keys.LIVE, Keys.SEALED):
            signer = turn.zeroise()
            turn.record("keys", "destroyed: a face opens", by=signer)
    elif m.state is State.RETIRED or m.emergency:
        return
    elif m.work is not None and m.work.allows(OPEN, face=event.face, now_s=turn.now_s):
        if not again:
            permit = m.work.terms.permit
            turn.record(
                "entry", f"opened {event.face}", subject=permit, act="opened", place=event.face
            )
    elif not again:
        level = ZEROISE if event.corroborated else LATCH
        turn.tamper(level, f"{event.face} opens without a permit")


def closed(turn: Turn, event: Closed) -> None:
    """Note a face that is closed; checks have to be made again."""
    if event.face in turn.m.open:
        turn.set(open=turn.m.open - {event.face})
        turn.disturb()
        if turn.m.state not in LATCHED:
            turn.record("entry", f"closed {event.face}")


def replaced(turn: Turn, event: Replaced) -> None:
    """Answer a module that is another one. Who does not prove its identity is never anchored."""
    m = turn.m
    if m.state in LATCHED:
        return
    if m.state is State.COMMISSIONING:
        _void(turn)
        return
    permitted = m.work is not None and m.work.allows(REPLACE, module=event.module, now_s=turn.now_s)
    if not permitted and not m.emergency:
        turn.tamper(LATCH, f"{event.module} is another module, without a permit")
        return
    turn.disturb()
    alien = m.alien - {event.module} if event.proven else m.alien | {event.module}
    turn.set(replaced=m.replaced | {event.module}, alien=alien)
    how = "proves its identity" if event.proven else "does not prove its identity"
    if permitted and m.work is not None:
        subject = m.work.terms.permit
        turn.record(
            "module", f"replaced {event.module}: {how}",
            subject=subject, act="opened", place=event.module,
        )  # fmt: skip
    else:
        turn.record("module", f"replaced {event.module}: {how}")
    if not event.proven:
        turn.alert(SEAL, f"{event.module} {how}")


def _void(turn: Turn) -> None:
    """In commissioning: what was measured before is void, and so are keys bound to it."""
    if turn.m.keys in (Keys.LIVE, Keys.SEALED):
        turn.zeroise()
        turn.record("keys", "destroyed: the enclosure is not what was measured")
    turn.disturb()
    turn.set(anchor=b"", keys=Keys.NONE, last_word=False)


def emergency(turn: Turn, event: Emergency) -> None:
    """Open all faces at once, in any state; then seal keys, declare it, and know nothing more."""
    m = turn.m
    cause = "".join(each for each in event.cause if each.isprintable())[:MOST_CAUSE]
    turn.do(Unlock(faces=m.faces))
    if m.state is State.COMMISSIONING or m.state in LATCHED:
        turn.record("entry", f"emergency: {cause}")
        return
    turn.set(emergency=True)
    turn.seal("emergency")
    turn.disturb()
    turn.end_work("broken off: emergency", lock=False)
    if not m.emergency:
        turn.record("entry", f"emergency: {cause}", act="emergency")
    turn.alert(SEAL, f"emergency: {cause}")
