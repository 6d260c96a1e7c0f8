"""Permits as the machine lives them: shown, logged, witnessed, begun, finished, expired."""

from __future__ import annotations

import math

from casemate.control import permits
from casemate.control.actions import Mask, SubmitPermit, Unlock
from casemate.control.events import Begin, Finish, PermitLogged, Presented, Witnessed
from casemate.control.permits import OPEN, Phase, Terms, Work
from casemate.control.scope import Scope
from casemate.control.states import State
from casemate.control.turn import Turn
from casemate.detect.response import ALERT


def presented(turn: Turn, event: Presented) -> None:
    """Take a permit, and have it logged; refuse it if it can never be used."""
    reason = _why_not(turn, event.terms)
    if reason:
        turn.refuse(reason)
        return
    turn.end_work("withdrawn: another one was shown")
    m, terms = turn.m, event.terms
    used = tuple(row for row in m.used if row[1] > m.quorum_s)
    turn.set(work=Work(terms=terms), used=(*used, (terms.permit, terms.not_after_s)))
    turn.record("permit", "presented", subject=terms.permit)
    turn.do(SubmitPermit(permit=terms.permit))


def _why_not(turn: Turn, terms: Terms) -> str:
    m = turn.m
    if m.state not in (State.ARMED, State.UNKNOWN) or m.in_use or m.emergency or m.forgot:
        return f"no permit can be used in {m.state} as it is"
    used = [row for row in m.used if row[1] > m.quorum_s]
    reasons = (
        (terms.not_after_s <= m.quorum_s, "its window is over"),
        (terms.permit in [row[0] for row in m.used], "it was shown before"),
        (len(used) >= m.limits.most, "too many permits are under way"),
        (not m.open <= terms.scope.faces, "it does not cover a face that is open"),
        (not m.replaced <= terms.scope.modules, "it does not cover a module that was replaced"),
    )
    return permits.why_not(
        terms,
        enclosure=m.enclosure,
        serial=m.serial,
        all_of=Scope(faces=m.faces, modules=m.modules),
        longest_s=m.limits.longest_s,
    ) or next((reason for wrong, reason in reasons if wrong), "")


def permit_logged(turn: Turn, event: PermitLogged) -> None:
    """Note where the permit lies in the log."""
    if turn.m.work is not None:
        turn.set(work=permits.logged(turn.m.work, event.permit, event.index))


def witnessed(turn: Turn, event: Witnessed) -> None:
    """Take a quorum's time; the permit may begin once it is in a checkpoint of a quorum."""
    least_s = event.quorum_s if event.least_s is None else event.least_s
    if math.isfinite(least_s) and turn.now_s >= event.made_s:
        turn.set(quorum_s=max(turn.m.quorum_s, least_s))
    work = turn.m.work
    if work is None:
        return
    after = permits.witnessed(
        work,
        size=event.size,
        quorum_s=event.quorum_s,
        least_s=least_s,
        made_s=event.made_s,
        now_s=turn.now_s,
    )
    turn.set(work=after)
    if after.phase is Phase.EXPIRED:
        turn.end_work("expired before its use")
    elif after.phase is not work.phase:
        turn.record("permit", "logged and witnessed", subject=work.terms.permit)


def begin(turn: Turn, event: Begin) -> None:
    """Begin with the technician's token; too many wrong ones void the permit.

    ARMED becomes MAINTENANCE. UNKNOWN stays it until checks of the rest have passed.
    """
    m = turn.m
    if m.work is None or m.work.phase is not Phase.LOGGED:
        turn.refuse("no permit is ready")
        return
    if m.state not in (State.ARMED, State.UNKNOWN) or m.emergency:
        turn.refuse(f"no permit can begin in {m.state} as it is")
        return
    scope = m.work.terms.scope
    after = permits.begin(m.work, event.token, tries=m.limits.tries, now_s=turn.now_s)
    turn.set(work=after)
    if after.phase is Phase.IN_USE:
        if m.state is State.ARMED:
            turn.move(State.MAINTENANCE, "permit begins", subject=after.terms.permit)
        else:
            turn.record("permit", "begins", subject=after.terms.permit)
        turn.disturb()
        turn.do(Mask(scope=scope))
        if OPEN in after.terms.actions and scope.faces:
            turn.do(Unlock(faces=scope.faces))
        return
    turn.refuse("the technician's token is wrong")
    if after.phase is Phase.REFUSED:
        turn.end_work("void: too many wrong tokens")
        turn.alert(ALERT, "a permit is void after too many wrong tokens")


def finish(turn: Turn, event: Finish) -> None:
    """End the work. With a face open or a module not anchored there is no end but expiry."""
    m = turn.m
    if not m.in_use:
        turn.refuse("no work is under way")
    elif not m.whole:
        turn.refuse("close every face and anchor every module that was replaced first")
    else:
        _leave(turn, "closed")


def permit_time(turn: Turn) -> None:
    """Let a permit expire."""
    m = turn.m
    if m.work is None or turn.now_s < m.work.end_s:
        return
    if m.in_use:
        _leave(turn, "expired")
    else:
        turn.end_work("expired before its use")


def _leave(turn: Turn, how: str) -> None:
    """End work: ARMED if all was checked with nothing left out, else UNKNOWN.

    What is open or not anchored when a permit expires seals the keys at once.
    """
    m = turn.m
    permit = m.work.terms.permit if m.work else b""
    if not m.whole:
        turn.seal(f"permit {how} with the enclosure not whole")
    turn.end_work(how)
    if turn.m.state is not State.MAINTENANCE:
        return
    if m.ready and m.whole and m.fresh:
        turn.move(State.ARMED, f"permit {how}, checks have passed", subject=permit)
    else:
        turn.move(State.UNKNOWN, f"permit {how}, not checked", subject=permit)
        turn.doubt()
