"""The end of an appraisal: how it stands now, since when, and the one line that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casemate.translog.bundle import Bundle
from casemate.verify.clocks import TOLERANCE_S
from casemate.verify.continuity import Interval, gaps, intervals
from casemate.verify.findings import Finding
from casemate.verify.result import Result, clock

if TYPE_CHECKING:
    from casemate.verify.appraise import Walk


def conclude(walk: Walk, bundle: Bundle, *, stale_s: int) -> Result:
    """Return the result of a walk through all tokens. stale_s: that what was witnessed may be old.

    Findings about now are added here: it is stale, unknown, not armed, or nothing is left.
    """
    found = intervals((*walk.stretches, *_tail(walk, stale_s)))
    proven = [each for each in found if each.kind in _PROVEN.values()]
    fresh = _is_fresh(walk, found, stale_s)
    if walk.states.state in ("UNKNOWN", "COMMISSIONING", "RETIRED"):
        walk.book.add(f"state.{walk.states.state.lower()}", walk.states.why)
    elif not walk.states.state:
        walk.book.add("state.unknown", "there is no token that holds")
    findings = walk.book.findings()
    state, since_s, headline = _say(walk, found, proven, findings, fresh=fresh)
    return Result(
        enclosure=bundle.enclosure, serial=bundle.serial, now_s=walk.now_s,
        reference=f"{walk.reference.id}, version {walk.reference.version}",
        headline=headline, state=state, since_s=since_s, seen_s=walk.log.seen_s,
        tokens=len(bundle.entries) + len(bundle.pending), intervals=found, findings=findings,
        proven=walk.log.seals[-1].size if walk.log.seals else 0,
    )  # fmt: skip


def _is_fresh(walk: Walk, found: tuple[Interval, ...], stale_s: int) -> bool:
    """Return whether what is proven reaches to now; note it if not."""
    seen_s, now_s = walk.log.seen_s, walk.now_s
    if seen_s is None:
        return False
    if seen_s > now_s + TOLERANCE_S:
        walk.book.add("time.ahead", f"{clock(seen_s)}, and it is {clock(now_s)}")
        return False
    if walk.states.state in _PROVEN:
        last = next((each for each in reversed(found) if each.cause not in _TO_COME), None)
        if last is None or last.kind not in _PROVEN.values():
            if not walk.book.alarms:  # they say enough
                walk.book.add("state.unknown", last.cause if last else "nothing is proven yet")
            return False
        seen_s = min(seen_s, last.end_s)
    if now_s - seen_s > stale_s:
        walk.book.add("time.stale", f"seen {clock(seen_s)}, {stale_s} s are allowed")
        return False
    return True


def _tail(walk: Walk, stale_s: int) -> tuple[Interval, ...]:
    """Return the time from the last token to now."""
    if walk.last is None:
        return ()
    start_s, end_s = walk.last.at_s, walk.now_s
    kind, cause, told = "unknown", "after the last token", f"{stale_s} s are allowed"
    if walk.states.state == "TAMPERED":
        kind, cause = "interfered", "tampered"
    if walk.states.state == "TAMPERED" or end_s - start_s > stale_s:
        told = ""
    return (Interval(start_s=start_s, end_s=end_s, kind=kind, cause=cause, covered_by=told),)


def _say(
    walk: Walk,
    found: tuple[Interval, ...],
    proven: list[Interval],
    findings: tuple[Finding, ...],
    *,
    fresh: bool,
) -> tuple[str, int | None, str]:
    """Return the state now, since when, and the headline."""
    ends = [each for each in findings if each.id == "state.tampered"]  # one a set of keys
    tampered = ends[-1] if ends else None
    alarm = next((f for f in findings if f.severity == "alarm" and f not in ends), None)
    if walk.states.state == "TAMPERED" and tampered is not None:
        return "TAMPERED", tampered.at_s, f"TAMPERED since {_at(tampered)}: {tampered.what}"
    past = f"TAMPERED at {_at(tampered)}, commissioned anew; now " if tampered else ""
    if alarm is not None:
        since = f" at {_at(alarm)}" if alarm.token is not None else ""
        return "UNKNOWN", alarm.at_s, f"EVIDENCE DOES NOT HOLD{since}: {alarm.what}"
    if not fresh or walk.states.state not in _PROVEN:
        since_s = proven[-1].end_s if proven else None
        why = next((each.what for each in findings if each.severity == "unknown"), "not proven yet")
        known = f"since {clock(since_s)}" if proven else "from the beginning"
        return "UNKNOWN", since_s, f"{past}UNKNOWN {known}: {why}"
    last, state = proven[-1], walk.states.state
    since_s = last.start_s if last.kind == _PROVEN[state] else last.end_s
    count = sum(not each.covered_by and each.end_s <= since_s for each in gaps(found))
    told = f"; before that, {count} gap{'s' * (count > 1)} that nothing covers" if count else ""
    lent = ", by trust that came with it" if any(f.id == "trust.travels" for f in findings) else ""
    seen = f"seen {clock(walk.log.seen_s)}"
    part = f" but for {', '.join(walk.states.unwatched)}" if walk.states.unwatched else ""
    return state, since_s, f"{past}{state}{part}, proven since {clock(since_s)}{lent}, {seen}{told}"


_PROVEN = {"ARMED": "proven", "MAINTENANCE": "maintenance"}
"""What the time in a state that is relied on is, if it is proven."""
_TO_COME = ("not witnessed yet", "after the last token")
"""Causes that stand at the end of all evidence."""


def _at(finding: Finding) -> str:
    return f"{clock(finding.at_s)}, token {finding.token}"
