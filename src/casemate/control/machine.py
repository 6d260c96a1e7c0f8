"""The state machine of an enclosure: `step(machine, event, now_s) -> (machine, actions)`, pure.

`now_s` is monotonic; one that runs backwards counts as no time passed, and as a doubt. What an
event may lead to is in docs/formats/state-machine.md, made from this code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from casemate.control import entry, events, parties, service, watch
from casemate.control.actions import Action, Seal, Zeroise
from casemate.control.events import Event, Judgement
from casemate.control.states import Keys, Machine, State
from casemate.control.turn import Turn
from casemate.detect.response import SEAL

HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    events.Judgement: watch.judgement,
    events.Checked: watch.checked,
    events.Tick: watch.tick,
    events.Silent: watch.silent,
    events.Watchdog: watch.watchdog,
    events.SupplyLost: watch.supply_lost,
    events.SupplyBack: watch.supply_back,
    events.KeysFound: watch.keys_found,
    events.Opened: entry.opened,
    events.Closed: entry.closed,
    events.Replaced: entry.replaced,
    events.Emergency: entry.emergency,
    events.Presented: service.presented,
    events.PermitLogged: service.permit_logged,
    events.Witnessed: service.witnessed,
    events.Begin: service.begin,
    events.Finish: service.finish,
    events.Sealed: watch.sealed,
    events.Anchored: parties.anchored,
    events.Commission: parties.commission,
    events.Reanchor: parties.reanchor,
    events.Release: parties.release,
    events.Recommission: parties.recommission,
    events.Retire: parties.retire,
}
AT_ONCE = (
    events.Opened,
    events.Replaced,
    events.Emergency,
    events.KeysFound,
    events.Recommission,
    events.Retire,
)
"""Beside verdicts, what may take keys away, or says that they are."""


def step(machine: Machine, event: Event, now_s: float) -> tuple[Machine, tuple[Action, ...]]:
    """Return the machine after an event at `now_s` (monotonic) and what has to be done, in order.

    Deadlines that have passed are carried out in the same step; nothing raises but an event that is
    none (KeyError).
    """
    handler = HANDLERS[type(event)]
    sound = math.isfinite(now_s) and now_s >= machine.now_s
    turn = Turn(machine, now_s if sound else machine.now_s)
    first = urgent(event)
    if first:
        handler(turn, event)
    if not sound:
        turn.unknown("the monotonic clock runs backwards")
    watch.time_passes(turn)
    service.permit_time(turn)
    if not first:
        handler(turn, event)
    return turn.end()


def urgent(event: Event) -> bool:
    """Return whether an event may take keys away: it comes before deadlines that have passed."""
    return isinstance(event, AT_ONCE) or (isinstance(event, Judgement) and event.level >= SEAL)


def start(
    saved: Machine | None,
    new: Machine,
    *,
    keys: Keys,
    last_word: bool,
    seal_challenge: bytes = b"",
) -> tuple[Machine, tuple[Action, ...]]:
    """Return the machine after a start of the controller, and what has to be done.

    saved: what an earlier run has left, None if that is lost. new: names, limits and the random
    `boot` of this start. keys, last_word, seal_challenge: what the holder has now. Nobody has
    watched meanwhile, so nothing is ARMED: keys are sealed, and a permit is void. TAMPERED and
    RETIRED stay; a lost memory may have been TAMPERED, so that only commissioning anew helps. A
    memory older than the witnessed log is lost: the caller compares, and gives None.
    """
    if saved is None:
        known = replace(new, state=State.UNKNOWN, forgot=True)
    else:
        known = replace(
            saved,
            enclosure=new.enclosure,
            serial=new.serial,
            faces=new.faces,
            modules=new.modules,
            limits=new.limits,
            boot=new.boot,
            now_s=0.0,
            stale_at_s=-math.inf,
            seal_at_s=math.inf,
            ready_until_s=-math.inf,
            supply_end_s=math.inf,
            alerted_s=-math.inf,
            alert_level=0,
            work=None,
            seal_challenge=seal_challenge,
        )
    turn = Turn(known, 0.0)
    _settle_keys(turn, keys, known.keys)
    turn.set(last_word=last_word and turn.m.keys in (Keys.LIVE, Keys.SEALED))
    if turn.m.state in (State.ARMED, State.MAINTENANCE):
        turn.move(State.UNKNOWN, "the controller starts")
    elif saved is None:
        turn.record("state", "the controller starts without its memory", after=State.UNKNOWN)
    if saved is not None and saved.work is not None:
        turn.record("permit", "void: the controller starts", subject=saved.work.terms.permit)
    return turn.end()


def _settle_keys(turn: Turn, found: Keys, known: Keys) -> None:
    """Take keys from whoever may not have them: made but not vouched for, or said to be gone."""
    state = turn.m.state
    void = state in (State.COMMISSIONING, State.RETIRED) or (
        state is State.TAMPERED and known in (Keys.GONE, Keys.NONE)
    )
    turn.set(keys=found)
    if void and found in (Keys.LIVE, Keys.SEALED):
        turn.do(Zeroise())
        turn.set(keys=Keys.GONE, count=turn.m.count + 1)
    elif found is Keys.LIVE:
        turn.do(Seal())
        turn.set(keys=Keys.SEALED, count=turn.m.count + 1)
    if state is State.COMMISSIONING:
        turn.set(keys=Keys.NONE, anchor=b"")
