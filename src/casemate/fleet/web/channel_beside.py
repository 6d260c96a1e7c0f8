"""What the signed evidence says on the time axis of readings: bands, marks, levels, health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casemate.fleet.clockface import clock, length
from casemate.fleet.story import watched
from casemate.fleet.story.interval import within
from casemate.fleet.story.told import Event
from casemate.fleet.story.watched import Watch
from casemate.fleet.web import timeline, timeline_part
from casemate.verify.continuity import Interval
from casemate.verify.findings import Finding

LABELS = {
    "unknown": "not proven", "interfered": "disturbed", "maintenance": "under a permit",
    "unsaid": "not appraised", "tampered": "tampered",
}  # fmt: skip
"""What a band says, by kind, or by a cause that says more: no band is a colour alone."""
MOST = 50
STEPS = 200
"""Of the window, in each of which the worst level is drawn."""
_LEVELS = 5
"""Levels of the response, 0 to 4."""
_TALL = 60.0


def bands(found: Sequence[Interval], start_s: int, end_s: int) -> list[dict[str, Any]]:
    """Return what is not proven of a window: gaps, work under permits, and what nothing covers."""
    out = [
        _band(each.start_s, each.end_s, each.kind, each.cause)
        for each in within(found, start_s, end_s)
        if each.kind != "proven"
    ]
    begun, ended = (found[0].start_s, found[-1].end_s) if found else (end_s, end_s)
    why = "the evidence says nothing of this time"
    for low, high in ((start_s, min(begun, end_s)), (max(ended, start_s), end_s)):
        if low < high and (found or low == start_s):
            out.append(_band(low, high, "unsaid", why))
    worst = sorted(out, key=lambda each: each["seconds"], reverse=True)[:MOST]
    return sorted(worst, key=lambda each: int(each["begin"]))


def _band(low: int, high: int, kind: str, cause: str) -> dict[str, Any]:
    return {
        "begin": low, "end": high, "kind": kind, "cause": cause,
        "label": cause if cause in LABELS else LABELS[kind],
        "seconds": high - low, "from": clock(low), "to": clock(high), "length": length(high - low),
    }  # fmt: skip


def drawn(
    found: Sequence[Mapping[str, Any]], start_s: int, end_s: int, width: float
) -> list[dict[str, Any]]:
    """Return bands as x and width, 2 at least: what is short is still seen."""
    span = max(end_s - start_s, 1)
    out = []
    for each in found:
        wide = max(width * (each["end"] - each["begin"]) / span, 2.0)
        x = min(width * (each["begin"] - start_s) / span, width - wide)
        out.append({"x": round(x, 1), "width": round(wide, 1), "kind": each["kind"],
                    "label": each["label"], "cause": each["cause"]})  # fmt: skip
    return out


def marks(told: Sequence[Event], start_s: int, end_s: int) -> list[dict[str, Any]]:
    """Return letters of what the enclosure tells of in the window, as on the timeline."""
    here = [each for each in told if each.at_s is not None and start_s <= each.at_s <= end_s]
    found = timeline_part.marks_of(here[-timeline_part.MOST :], start_s, end_s)
    second = (end_s - start_s) / timeline.WIDTH
    return [{**each, "at_s": round(start_s + each["x"] * second, 3)} for each in found]


def findings(found: Sequence[Finding], start_s: int, end_s: int) -> list[dict[str, Any]]:
    """Return the appraisal's findings that name a time in the window, the latest of them."""
    here = [each for each in found if each.at_s is not None and start_s <= each.at_s <= end_s]
    return [
        {"at": clock(each.at_s), "at_s": each.at_s, "severity": each.severity, "what": each.what,
         "id": each.id}
        for each in sorted(here, key=lambda each: each.at_s or 0)[-MOST:]
    ]  # fmt: skip


def health(
    found: Sequence[Watch], start_s: int, end_s: int, *, cut: bool, width: float = 1000.0
) -> dict[str, Any]:
    """Return levels and faulty channels over the window, the worst of each step.

    cut: older tokens were not looked at. since: time of the oldest that was; "" if there is none.
    """
    here = [each for each in found if start_s <= each.at_s <= end_s]
    steps = watched.worst(here, start_s, max((end_s - start_s) / STEPS, 1.0))
    span = max(end_s - start_s, 1)
    bars = [
        {"x": round(width * (each.at_s - start_s) / span, 1), "token": each.number,
         "y": round(_TALL - _tall(each), 1), "tall": round(_tall(each), 1),
         "worse": each.badness[0],
         "at": clock(each.at_s), "verdict": each.verdict, "level": each.level,
         "healthy": each.healthy, "channels": each.channels}
        for each in steps
    ]  # fmt: skip
    return {
        "bars": bars,
        "tokens": len(here),
        "worst": max((each.level for each in here), default=None),
        "verdicts": {each.verdict: sum(one.verdict == each.verdict for one in here)
                     for each in sorted(here, key=lambda each: each.verdict)},
        "at_fault": max((each.channels - each.healthy for each in here), default=None),
        "since": clock(found[0].at_s) if found else "",
        "cut": cut and bool(found) and found[0].at_s > start_s,
    }  # fmt: skip


def _tall(each: Watch) -> float:
    return _TALL * (min(each.badness[0], _LEVELS - 1) + 1) / _LEVELS
