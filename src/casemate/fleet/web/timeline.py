"""A timeline as numbers for a drawing: from a year down to seconds, gaps hatched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casemate.fleet.clockface import clock, length
from casemate.verify.continuity import Interval

LEVELS = (
    ("year", 366 * 86_400), ("month", 31 * 86_400), ("day", 86_400), ("hour", 3600),
    ("minute", 60), ("seconds", 10),
)  # fmt: skip
"""Zoom levels by name and length."""
WIDTH = 1000
"""Of the drawing, in its own units."""
LEAST = 2
"""Narrowest bar: what is short is still seen."""
MOST = 500
"""Intervals drawn one by one (planning value); of more, alike ones at one place are one bar."""
MOST_TICKS, _FREE = 6, 35
"""Times of the axis, and what stays free at its ends, where one would be cut off."""
_STEPS = (
    1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400, 61 * 86_400, 122 * 86_400, 366 * 86_400,
)  # fmt: skip
"""Lengths between two of them, s."""
_RANK = {"interfered": 3, "unknown": 2, "maintenance": 1, "proven": 0}


def draw(found: Sequence[Interval], start_s: int, end_s: int) -> list[dict[str, Any]]:
    """Return bars from x = 0 to WIDTH, better ones first: a short gap is drawn over what is proven.

    What no interval covers has no bar.
    """
    span = max(end_s - start_s, 1)
    bars: list[dict[str, Any]] = []
    for each in found:
        low, high = max(each.start_s, start_s), min(each.end_s, end_s)
        if low >= high:
            continue
        x = WIDTH * (low - start_s) / span
        wide = max(WIDTH * (high - low) / span, LEAST if each.kind != "proven" else 0.1)
        bars.append(
            {
                "x": round(min(x, WIDTH - wide), 2), "width": round(wide, 2), "kind": each.kind,
                "from": each.start_s, "to": each.end_s, "length": each.length_s,
                "cause": each.cause, "covered_by": each.covered_by,
            }
        )  # fmt: skip
    if len(bars) > MOST:
        bars = _together(bars)
    for bar in bars:  # words of those alone that are left
        bar |= {"from": clock(bar["from"]), "to": clock(bar["to"])}
        if isinstance(bar["length"], int):
            bar["length"] = length(bar["length"])
    return sorted(bars, key=lambda each: _RANK[each["kind"]])


def _together(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return bars of which alike ones within one unit of width are one: none goes unseen."""
    out: dict[tuple[str, int], dict[str, Any]] = {}
    count: dict[tuple[str, int], int] = {}
    for each in bars:
        key = (each["kind"], int(each["x"]))
        count[key] = count.get(key, 0) + 1
        held = out.setdefault(key, dict(each))
        if held["x"] + held["width"] < each["x"] + each["width"]:
            held["width"] = round(each["x"] + each["width"] - held["x"], 2)
        if count[key] > 1:
            held |= {
                "to": each["to"], "length": f"{count[key]} intervals", "cause": "several",
                "covered_by": held["covered_by"] and each["covered_by"],
            }  # fmt: skip
    return list(out.values())


def ticks(start_s: int, end_s: int) -> list[dict[str, Any]]:
    """Return times of the axis, six at most, at even times of UTC, as x and text."""
    span = max(end_s - start_s, 1)
    step = next((each for each in _STEPS if span / each <= MOST_TICKS), -(-span // MOST_TICKS))
    out = []
    for at_s in range(-(-start_s // step) * step, end_s + 1, step):
        x = round(WIDTH * (at_s - start_s) / span, 2)
        if _FREE <= x <= WIDTH - _FREE:
            shown = clock(at_s)
            low, high = (11, 19) if step < 60 else (11, 16) if step < 86_400 else (0, 10)
            out.append({"x": x, "text": shown if shown.startswith("Unix") else shown[low:high]})
    return out


def window(level: str, at_s: int) -> tuple[int, int]:
    """Return start and end of a window of this level that ends at a time."""
    wide = dict(LEVELS)[level]
    return at_s - wide, at_s


def unix_s(shown: str) -> int:
    """Return the Unix seconds of a time as `clock` shows it."""
    if shown.startswith("Unix time "):
        return int(shown[10:])
    return int(datetime.fromisoformat(shown).timestamp())  # strptime takes 20 times as long


def fitting(start_s: int, end_s: int) -> str:
    """Return the name of the closest zoom level that holds a time, the widest if none does."""
    fits = [name for name, wide in LEVELS if wide >= end_s - start_s]
    return fits[-1] if fits else LEVELS[0][0]


def totals(found: Sequence[Interval]) -> dict[str, dict[str, Any]]:
    """Return for each kind how long it was, and its share of the whole in per cent."""
    whole = sum(each.length_s for each in found)
    out = {}
    for kind in ("proven", "maintenance", "interfered", "unknown"):
        seconds = sum(each.length_s for each in found if each.kind == kind)
        share = round(100 * seconds / whole, 3) if whole else 0.0
        out[kind] = {"seconds": seconds, "length": length(seconds), "share": share}
    return out
