"""The ladder of false alarms: one rung a cause, by the response that it reaches, on a log scale."""

from __future__ import annotations

import math
from html import escape

from casemate.case.figures import rate
from casemate.case.results import FarResult, Results
from casemate.case.svg import (
    Axis,
    decade_above,
    decade_below,
    picture,
    raw_text,
    shortened,
    text,
    tick_label,
)

LEVELS = {0: "logged", 1: "limited", 2: "keys sealed", 3: "latched", 4: "keys destroyed"}
"""What the response does at each level (planned responses, graded by what can be undone)."""
WIDTH, LEFT, RIGHT, ROW = 900.0, 300.0, 760.0, 24.0
_FLOOR, _CEILING = 1e-12, 1e6


def level_name(level: int) -> str:
    """Return "level 3, latched"."""
    word = LEVELS.get(level)
    return f"level {level}, {word}" if word else f"level {level}"


def summed(results: Results, level: int) -> float:
    """Return the sum of the upper ends of all causes that reach `level` or above."""
    return math.fsum(far.upper for far in results.far if far.level >= level)


def ladder_svg(results: Results) -> str:
    """Return the ladder, the gravest response on top; words if no cause is stated."""
    if not results.far:
        return picture(WIDTH, 50, "False alarms", "No cause.", text(20, 30, "no cause is stated"))
    rungs = sorted(results.far, key=lambda f: (-f.level, -f.upper, -f.per_enclosure_year, f.cause))
    levels = sorted({far.level for far in rungs}, reverse=True)
    height = 56.0 + ROW * (len(rungs) + len(levels))
    x = _axis(results)
    body = _scale(x, height - 44.0) + _asked(results, x, height - 44.0)
    y = 16.0
    for level in levels:
        body += text(8, y + 5, level_name(level), kind="strong")
        body += text(WIDTH - 8, y + 5, _together(results, level), "end")
        y += ROW
        for far in (f for f in rungs if f.level == level):
            body += _rung(far, x, y)
            y += ROW
    about = "; ".join(
        f"{f.cause}: {rate(f.per_enclosure_year)}, up to {rate(f.upper)}" for f in rungs
    )
    return picture(
        WIDTH, height, "False alarms by cause, per enclosure and year", about, body, "ladder"
    )


def _together(results: Results, level: int) -> str:
    total = summed(results, level)
    words = f"level {level} or above" if any(f.level > level for f in results.far) else "together"
    return f"{words}: no bound" if math.isinf(total) else f"{words}: at most {rate(total)}"


def _axis(results: Results) -> Axis:
    values = [
        v
        for f in results.far
        for v in (f.lower, f.per_enclosure_year, f.upper)
        if _FLOOR <= v <= _CEILING
    ] + [required for required in _required(results) if required > 0]
    low, high = decade_below(min(values, default=1e-3)), decade_above(max(values, default=1.0))
    return Axis(low=low / 10.0, high=max(high, low * 10.0), log=True, start=LEFT, end=RIGHT)


def _required(results: Results) -> list[float]:
    return [
        t.required
        for t in results.targets
        if t.group == "false alarms" and t.sense == "at_most" and "year" in t.unit
    ]


def _scale(x: Axis, bottom: float) -> str:
    parts = []
    for value in x.ticks():
        at = x.at(value)
        parts.append(f'<path d="M{at:.1f} 24V{bottom:.1f}" class="grid"/>')
        parts.append(raw_text(at, bottom + 17, tick_label(value, True), "middle"))
    middle = 0.5 * (LEFT + RIGHT)
    parts.append(text(middle, bottom + 36, "false alarms per enclosure and year", "middle", "name"))
    return "".join(parts)


def _asked(results: Results, x: Axis, bottom: float) -> str:
    return "".join(
        f'<path d="M{x.at(each):.1f} 24V{bottom:.1f}" class="asked"><title>asked: at most '
        f"{escape(rate(each))}</title></path>"
        for each in _required(results)
        if x.low <= each <= x.high
    )


def _rung(far: FarResult, x: Axis, y: float) -> str:
    low = x.at(min(max(far.lower, x.low), x.high))
    high = x.at(min(max(far.upper, x.low), x.high))
    zero, open_end = far.lower < x.low, far.upper > x.high
    ends = "" if zero else f"M{low:.1f} {y - 4:.1f}v8"
    ends += f"M{high - 6:.1f} {y - 4:.1f}l6 4l-6 4" if open_end else f"M{high:.1f} {y - 4:.1f}v8"
    dash = ' stroke-dasharray="4 3"' if far.kind in ("assumed", "simulated") else ""
    span = f"{rate(far.lower)} to {rate(far.upper)}"
    told = f"{far.cause}: {rate(far.per_enclosure_year)}, {span}, {far.kind}"
    dot = ""
    if x.low <= far.per_enclosure_year <= x.high:
        dot = f'<circle cx="{x.at(far.per_enclosure_year):.1f}" cy="{y:.1f}" r="4" class="rate"/>'
    return (
        f"<g><title>{escape(told)}</title>"
        + text(24, y + 4, shortened(far.cause, 27))
        + text(LEFT - 10, y + 4, far.kind, "end", "soft")
        + f'<path d="M{low:.1f} {y:.1f}H{high:.1f}" class="span"{dash}/>'
        + f'<path d="{ends}" class="span"/>{dot}'
        + text(RIGHT + 12, y + 4, "no bound" if math.isinf(far.upper) else rate(far.upper))
        + "</g>"
    )
