"""Verdicts, checks, silence, supply and time."""

from __future__ import annotations

import math

from casemate.control.actions import MoreChips, Seal, Signer, Zeroise
from casemate.control.events import (
    Checked,
    Judgement,
    KeysFound,
    Sealed,
    Silent,
    SupplyBack,
    SupplyLost,
    Tick,
    Watchdog,
)
from casemate.control.states import Keys, State
from casemate.control.turn import Turn
from casemate.detect.response import ALERT, LATCH, SEAL, ZEROISE

GUARDED = (State.ARMED, State.MAINTENANCE, State.UNKNOWN)


def time_passes(turn: Turn) -> None:
    """Carry out every deadline that has passed, each once: sealing, supply, staleness."""
    m = turn.m
    if turn.now_s >= m.seal_at_s:
        turn.seal("no sound verdict for too long")
        turn.alert(SEAL, "keys are sealed")
    if turn.now_s >= m.supply_end_s - m.limits.margin_s:
        _power_ends(turn)
    if m.state in GUARDED and not m.fresh:
        turn.unknown("the last verdict is stale")


def _power_ends(turn: Turn) -> None:
    """Seal while there is power to, and say that hold-up ends."""
    turn.set(supply_end_s=math.inf)
    if turn.m.state not in GUARDED:
        return
    turn.seal("hold-up ends")
    turn.unknown("hold-up ends")
    turn.end_work("broken off: hold-up ends")
    turn.record("supply", "hold-up ends")


def tick(turn: Turn, event: Tick) -> None:
    """Do nothing but what time asks for."""


def judgement(turn: Turn, event: Judgement) -> None:
    """Answer a verdict."""
    m = turn.m
    if m.state is State.RETIRED:
        return
    if m.state is State.COMMISSIONING:
        _while_commissioning(turn, event)
        return
    if m.state is State.TAMPERED:
        if event.level >= ZEROISE and m.keys in (Keys.LIVE, Keys.SEALED):
            signer = turn.zeroise()
            turn.record("keys", f"destroyed: {event.verdict}", by=signer)
            turn.alert(ZEROISE, "keys are destroyed")
        return
    if m.emergency:  # every face may be open: what is seen is what was declared
        turn.set(stale_at_s=turn.now_s + m.limits.stale_s)
        if event.level >= SEAL or event.verdict == "DENIED":
            turn.disturb()
        return
    if event.level >= LATCH:
        turn.tamper(event.level, f"verdict {event.verdict}, level {event.level}")
        return
    if event.level == SEAL:
        turn.seal(f"verdict {event.verdict}")
        turn.unknown(f"verdict {event.verdict}, level {event.level}")
    if event.level >= ALERT:
        _tell(turn, event)
    if event.wants_chips:
        turn.do(MoreChips())
    _freshen(turn, event)


def _tell(turn: Turn, event: Judgement) -> None:
    before = turn.m.alerted_s
    turn.alert(event.level, f"verdict {event.verdict}")
    if turn.m.alerted_s != before:
        turn.record("alert", f"verdict {event.verdict}, level {event.level}")


def _freshen(turn: Turn, event: Judgement) -> None:
    """Count a verdict as fresh if it left out no more than may be left out."""
    if not event.masked <= turn.m.masked:
        return
    turn.set(stale_at_s=turn.now_s + turn.m.limits.stale_s)
    if event.level >= SEAL or event.verdict == "DENIED":
        turn.disturb()


def _while_commissioning(turn: Turn, event: Judgement) -> None:
    if event.level < SEAL and event.verdict != "DENIED" and not event.masked:
        turn.set(stale_at_s=turn.now_s + turn.m.limits.stale_s)
    else:
        turn.disturb()


def checked(turn: Turn, event: Checked) -> None:
    """Take the end of a self-test: it counts if it is fresh and leaves out no more than it may.

    If it left out nothing, the enclosure is ready: UNKNOWN with live keys is ARMED. Under a permit,
    UNKNOWN with live keys is MAINTENANCE.
    """
    m = turn.m
    if m.state in (State.TAMPERED, State.RETIRED):
        return
    good = event.passed and m.anchor != b"" and event.anchor == m.anchor
    if not good:
        turn.disturb()
        turn.unknown("checks have failed")
        return
    if not (m.fresh and event.masked <= m.masked):
        return
    if not event.masked and m.whole:
        turn.set(ready_until_s=turn.now_s + m.limits.grace_s)
    resumes = m.in_use or turn.m.ready
    live = m.keys is Keys.LIVE and not (m.emergency or m.forgot)
    if m.state is State.UNKNOWN and live and resumes:
        state = State.MAINTENANCE if m.in_use else State.ARMED
        turn.move(state, "checks have passed")
        turn.set(seal_at_s=math.inf)


def silent(turn: Turn, event: Silent) -> None:
    """A reader says nothing: all is in doubt, unless it is one that is being replaced."""
    if event.module not in turn.m.masked.modules:
        turn.unknown("a reader is silent")


def watchdog(turn: Turn, event: Watchdog) -> None:
    """Detection missed its time."""
    turn.unknown("detection missed its time")


def supply_lost(turn: Turn, event: SupplyLost) -> None:
    """Run on, and say so. A later report never makes hold-up longer than the first said."""
    hold_s = event.hold_s if math.isfinite(event.hold_s) else 0.0
    first = math.isinf(turn.m.supply_end_s)
    turn.set(supply_end_s=min(turn.m.supply_end_s, turn.now_s + hold_s))
    if first and turn.m.state is not State.RETIRED:
        turn.record("supply", "supply is cut")
    time_passes(turn)


def supply_back(turn: Turn, event: SupplyBack) -> None:
    """The supply is back."""
    if not math.isinf(turn.m.supply_end_s):
        turn.set(supply_end_s=math.inf)
        turn.record("supply", "supply is back")


def keys_found(turn: Turn, event: KeysFound) -> None:
    """Compare what the holder has with what it should have; less is a loss, more an alarm."""
    m, found = turn.m, event.keys
    if found is m.keys:
        return
    if m.keys is Keys.LIVE or (m.keys is Keys.SEALED and found is not Keys.LIVE):
        turn.set(keys=found, seal_at_s=math.inf)
        turn.unknown(f"keys are {found}, not {m.keys}")
        if turn.m.state is m.state:
            turn.record("keys", f"keys are {found}, not {m.keys}")
        return
    if m.keys is Keys.SEALED:
        turn.do(Seal())
    elif found in (Keys.LIVE, Keys.SEALED):
        turn.do(Zeroise())
    else:
        return
    turn.record("keys", f"keys are {found}, not {m.keys}", by=Signer.NOBODY)
    turn.alert(SEAL, f"keys should be {m.keys} and are {found}")


def sealed(turn: Turn, event: Sealed) -> None:
    """Note which challenge an approval has to answer to unseal."""
    if turn.m.keys is Keys.SEALED:
        turn.set(seal_challenge=event.challenge)
