"""What every step of the machine has to keep: each rule returns what is wrong, "" if nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

from machines import Edge

from casemate.control import actions as ac
from casemate.control import events as ev
from casemate.control.actions import Signer
from casemate.control.states import Keys, Machine, State

TRUSTED = ("ARMED", "MAINTENANCE")
BOTH_ONLY = (ev.Commission, ev.Reanchor, ev.Release, ev.Recommission, ev.Retire)


def evidenced(edge: Edge) -> str:
    """Each change of state has its record, in a chain."""
    lost = edge.name.endswith("memory lost")
    at = "UNKNOWN" if lost else edge.before.state.value
    for action in edge.actions:
        if isinstance(action, ac.Evidence):
            record = action.record
            if record.before != at:
                return f"{record.kind} speaks of {record.before} in {at}"
            if record.after != at and record.kind != "state":
                return "a record that is none of states changes the state"
            at = record.after
    return "" if at == edge.after.state.value else f"records end at {at}"


def holder_agrees(edge: Edge) -> str:
    """A key holder that does as told ends with the machine's keys, and never has to refuse."""
    keys, word = edge.before.keys, edge.before.last_word
    if isinstance(edge.event, ev.KeysFound):
        keys = edge.event.keys
    if edge.name.endswith("keys lost"):
        keys = Keys.NONE
    for action in edge.actions:
        if isinstance(action, ac.Zeroise):
            keys = Keys.GONE
        elif isinstance(action, ac.Seal):
            keys = Keys.SEALED if keys is Keys.LIVE else keys
        elif isinstance(action, ac.Unseal):
            if keys is not Keys.SEALED:
                return f"unseals {keys} keys"
            keys = Keys.LIVE
        elif isinstance(action, ac.MakeKeys):
            keys, word = Keys.LIVE, True
        elif isinstance(action, ac.Evidence) and action.by is Signer.KEYS:
            if keys not in (Keys.LIVE, Keys.SEALED):
                return f"signs with {keys} keys"
            if keys is Keys.SEALED and action.record.after in TRUSTED:
                return f"sealed keys claim {action.record.after}"
        elif isinstance(action, ac.Evidence) and action.by is Signer.LAST_WORD:
            if not word or action.record.after != "TAMPERED":
                return "the last word is spent, or not about TAMPERED"
            word = False
    none = {keys, edge.after.keys} <= {Keys.NONE, Keys.GONE}
    return (
        ""
        if none or edge.after.keys is keys
        else f"the holder has {keys}, the machine {edge.after.keys}"
    )


def keys_first(edge: Edge) -> str:
    """Nothing comes before destruction, or before a seal that a verdict or a face sets off."""
    for place, action in enumerate(edge.actions):
        asked = isinstance(edge.event, ev.Emergency) or edge.after.state is State.TAMPERED
        asked |= isinstance(edge.event, ev.Judgement) and edge.event.level >= 2
        if isinstance(action, ac.Zeroise) or (asked and isinstance(action, ac.Seal)):
            ahead = [a for a in edge.actions[:place] if not isinstance(a, ac.Unlock)]
            return f"{type(ahead[0]).__name__} comes before it" if ahead else ""
    return ""


def sound(edge: Edge) -> str:
    """What each state promises of keys, faces, verdicts and permits."""
    m = edge.after
    wrong = (
        (m.state is State.ARMED and not armed(m), "ARMED without cause"),
        (m.state is State.MAINTENANCE and not (m.in_use and m.keys is Keys.LIVE), "MAINTENANCE"),
        (m.state is State.MAINTENANCE and not m.fresh, "MAINTENANCE on a stale verdict"),
        (m.signs_payload and m.state not in (State.ARMED, State.MAINTENANCE), "payload signed"),
        (m.in_use and m.work is not None and m.now_s >= m.work.end_s, "a permit past its end"),
        (m.in_use and m.state not in (State.MAINTENANCE, State.UNKNOWN), "a permit in use"),
        (m.in_use and not _within(m), "work with more open or replaced than the permit covers"),
        (bool(m.masked) and not m.in_use, "something is left out without a permit"),
        (m.state is State.TAMPERED and m.keys is Keys.LIVE, "live keys in TAMPERED"),
        (m.state is State.RETIRED and m.keys not in (Keys.GONE, Keys.NONE), "keys in RETIRED"),
        (m.state is State.UNKNOWN and m.keys is Keys.LIVE and not _limited(m), "keys for ever"),
        (m.emergency and m.state is not State.UNKNOWN and m.state not in LATCHED, "emergency"),
    )
    return next((text for bad, text in wrong if bad), "")


LATCHED = (State.TAMPERED, State.RETIRED)


def armed(m: Machine) -> bool:
    """Everything that ARMED stands for."""
    return (
        m.keys is Keys.LIVE
        and m.whole
        and m.fresh
        and not m.emergency
        and not m.forgot
        and not m.in_use
        and m.anchor != b""
        and math.isinf(m.seal_at_s)
    )


def _within(m: Machine) -> bool:
    return m.open <= m.masked.faces and m.replaced | m.alien <= m.masked.modules


def _limited(m: Machine) -> bool:
    return m.seal_at_s <= m.now_s + m.limits.grace_s


def latched(edge: Edge) -> str:
    """TAMPERED ends by both parties alone; RETIRED never."""
    before, after = edge.before.state, edge.after.state
    if before is State.RETIRED and after is not before and "memory lost" not in edge.name:
        return f"RETIRED becomes {after}"
    if before is State.TAMPERED and after is not before and "memory lost" not in edge.name:
        allowed = {"recommission": State.COMMISSIONING, "retire": State.RETIRED}
        return "" if allowed.get(edge.name) is after else f"TAMPERED becomes {after}"
    return ""


def into_armed(edge: Edge) -> str:
    """ARMED comes by commissioning, by a quorum, by passed checks, or after work checked before."""
    if edge.after.state is not State.ARMED or edge.before.state is State.ARMED:
        return ""
    before = edge.before
    ways = {
        "commission": before.state is State.COMMISSIONING,
        "unseal": before.state is State.UNKNOWN and before.keys is Keys.SEALED,
        "checks passed": before.state is State.UNKNOWN and before.keys is Keys.LIVE,
        "work finished": before.state is State.MAINTENANCE and before.ready,
    }
    expired = before.state is State.MAINTENANCE and before.ready and before.work is not None
    ended = expired and before.work is not None and edge.dt_s >= before.work.end_s
    return "" if ways.get(edge.name) or ended else f"{before.state} is ARMED by {edge.name}"


def entry(edge: Edge) -> str:
    """A face or module outside a permit's scope is TAMPERED, but in a declared emergency."""
    m, event = edge.before, edge.event
    guarded = m.state in (State.ARMED, State.MAINTENANCE, State.UNKNOWN) and not m.emergency
    if not guarded or not isinstance(event, ev.Opened | ev.Replaced):
        return ""
    if isinstance(event, ev.Opened):
        new, within = event.face not in m.open, event.face in m.masked.faces
    else:
        new, within = True, event.module in m.masked.modules
    ended = m.work is not None and edge.dt_s >= m.work.end_s
    if new and (not within or ended) and edge.after.state is not State.TAMPERED:
        return "entry without a permit passes"
    if within and not ended and edge.after.state is State.TAMPERED:
        return "entry under a permit is TAMPERED"
    return ""


def masks(edge: Edge) -> str:
    """What detection leaves out is said whenever it changes."""
    said = [a.scope for a in edge.actions if isinstance(a, ac.Mask)]
    if edge.event is None:
        return ""
    if edge.after.masked != edge.before.masked and (not said or said[-1] != edge.after.masked):
        return f"left out {edge.after.masked}, said {said}"
    return ""


def noise(edge: Edge) -> str:
    """What noise, loss and time can do is undone by a quorum at most."""
    quiet = ev.Tick | ev.Silent | ev.Watchdog | ev.SupplyLost | ev.SupplyBack | ev.Checked
    low = isinstance(edge.event, ev.Judgement) and edge.event.level <= 2
    if not (low or isinstance(edge.event, quiet)):
        return ""
    if any(isinstance(a, ac.Zeroise) for a in edge.actions):
        return "noise destroys keys"
    became = edge.after.state is State.TAMPERED and edge.before.state is not State.TAMPERED
    return "noise latches" if became else ""


def response(edge: Edge) -> str:
    """Verdicts do to the keys what their level says."""
    m, event = edge.before, edge.event
    if not isinstance(event, ev.Judgement) or m.emergency:
        return ""
    if m.state in (State.COMMISSIONING, State.RETIRED):
        return ""
    keys = edge.after.keys
    if event.level >= 4 and keys in (Keys.LIVE, Keys.SEALED):
        return "keys outlive a verdict that destroys them"
    if event.level >= 3 and edge.after.state is not State.TAMPERED:
        return "a verdict that latches does not"
    return "keys stay live" if event.level >= 2 and keys is Keys.LIVE else ""


def emergency(edge: Edge) -> str:
    """Emergency access opens all faces, first of all, in every state."""
    if not isinstance(edge.event, ev.Emergency):
        return ""
    if not edge.actions or edge.actions[0] != ac.Unlock(faces=edge.before.faces):
        return "not opened at once"
    if not any(isinstance(a, ac.Evidence) for a in edge.actions) and not edge.before.emergency:
        return "not declared"
    return f"it is {edge.after.state}" if edge.after.state.value in TRUSTED else ""


def alone(edge: Edge) -> str:
    """One party alone changes nothing, and is told why."""
    if not edge.name.endswith(" alone"):
        return ""
    told = any(isinstance(a, ac.Refuse) for a in edge.actions)
    return "" if told and edge.after.count == edge.before.count else "one party decides"


RULES: dict[str, Callable[[Edge], str]] = {
    each.__name__: each
    for each in (
        evidenced, holder_agrees, keys_first, sound, latched, into_armed, entry, masks, noise,
        response, emergency, alone,
    )
}  # fmt: skip
