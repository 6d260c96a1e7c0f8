"""The timeline of an enclosure for its page: a window, with gaps and events in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemate.fleet.clockface import clock, length
from casemate.fleet.story.interval import within
from casemate.fleet.story.told import Event
from casemate.fleet.web import timeline
from casemate.fleet.web.asked import Asked
from casemate.verify.continuity import Interval, gaps

_LATEST_S = 1 << 40
MOST = 50
"""Gaps and events listed of a window, the newest (planning value)."""
_NEAR = 30.0
"""Least distance of two marks, in the line's own units: three letters are as wide."""
MARKS = {"start": "S", "change": "C", "permit": "P", "disturbed": "D", "last word": "T"}
"""Letters on the line by kind of event: no mark is a colour alone."""


def of(
    asked: Asked, found: Sequence[Interval], told: Sequence[Event], now_s: int
) -> dict[str, Any]:
    """Return what the timeline shows in the window that the address names.

    Without one: up to now, as wide as the enclosure's story is long.
    """
    names = tuple(name for name, _ in timeline.LEVELS)
    begun_s = found[0].start_s if found else now_s
    level = asked.choice("zoom", names) or timeline.fitting(begun_s, now_s)
    at_s = asked.number("at", 0, _LATEST_S, now_s)
    start_s, end_s = timeline.window(level, at_s)
    seen = within(found, start_s, end_s)
    here = [each for each in told if each.at_s is not None and start_s <= each.at_s <= end_s]
    totals = timeline.totals(seen)
    return {
        "zoom": level,
        "levels": list(names),
        "window": {"from": clock(start_s), "to": clock(end_s), "at": at_s, "start": start_s,
                   "next": min(at_s + (end_s - start_s), max(now_s, at_s))},
        "bars": timeline.draw(found, start_s, end_s),
        "ticks": timeline.ticks(start_s, end_s),
        "marks": marks_of(here[-MOST:], start_s, end_s),
        "hours": {kind: each["length"] for kind, each in totals.items()},
        "window_gaps": [_gap(each) for each in gaps(seen)][-MOST:],
        "window_events": [
            {"token": each.number, "at": clock(each.at_s), "kind": each.kind, "act": each.act,
             "place": each.place, "text": each.text, "letter": MARKS[each.kind]}
            for each in here
        ][-MOST:],
    }  # fmt: skip


def marks_of(here: Sequence[Event], start_s: int, end_s: int) -> list[dict[str, Any]]:
    """Return letters on the line; of events too close to be told apart, their letters together."""
    out: list[dict[str, Any]] = []
    for each in here:
        assert each.at_s is not None
        x = timeline.WIDTH * (each.at_s - start_s) / max(end_s - start_s, 1)
        x = round(min(max(x, _NEAR / 2), timeline.WIDTH - _NEAR / 2), 2)
        text = f"{clock(each.at_s)}, token {each.number}: {each.kind} {each.act} {each.text}"
        if out and x - out[-1]["x"] < _NEAR:
            if MARKS[each.kind] not in out[-1]["letter"]:
                out[-1]["letter"] += MARKS[each.kind]
            out[-1]["text"] += f"; {text}"
        else:
            out.append({"x": x, "letter": MARKS[each.kind], "text": text})
    return out


def _gap(each: Interval) -> dict[str, Any]:
    """Return a gap, and the zoom level at which it fills the line."""
    return {
        "from": clock(each.start_s), "to": clock(each.end_s), "length": length(each.length_s),
        "kind": each.kind, "cause": each.cause, "covered_by": each.covered_by,
        "zoom": timeline.fitting(each.start_s, each.end_s), "at": max(each.end_s, 0),
    }  # fmt: skip
