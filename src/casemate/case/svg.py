"""Inline SVG by hand: axes, ticks, colours; no script, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from casemate.case.figures import number

Point = tuple[float, float]
NEAR = 1e-6
"""Of a step: what rounding may do to an axis, far below a pixel."""


def picture(width: float, height: float, title: str, about: str, body: str, kind: str = "") -> str:
    """Return an SVG element of that size in user units, with its title and description."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" '
        f'class="{f"pic {kind}".strip()}" aria-label="{escape(title)}">'
        f"<desc>{escape(about)}</desc>{body}</svg>"
    )


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """Return a text element; `words` is escaped."""
    return raw_text(x, y, escape(words), anchor, kind)


def raw_text(x: float, y: float, markup: str, anchor: str = "start", kind: str = "") -> str:
    """Return a text element of markup that is already safe."""
    extra = f' class="{kind}"' if kind else ""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{where}{extra}>{markup}</text>'


def ring(points: Iterable[Point]) -> str:
    """Return path data of a closed ring."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def shortened(words: str, most: int) -> str:
    """Return at most that many characters, the cut shown."""
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Maps values from `low` to `high` to pixels from `start` to `end`."""

    low: float
    high: float
    log: bool
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value (positive if logarithmic)."""
        low, high, v = self.low, self.high, value
        if self.log:
            low, high, v = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (v - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return where to label, between both ends."""
        found = log_ticks(self.low, self.high) if self.log else linear_ticks(self.low, self.high)
        slack = NEAR * (self.high - self.low)
        return [t for t in found if self.low - slack <= t <= self.high + slack]


def axis(
    values: Sequence[float], log: bool, start: float, end: float, *, share: bool = False
) -> Axis:
    """Return an axis that holds all `values`; whole decades if logarithmic, 0 to 1 for shares.

    values: finite, at least one, positive if logarithmic.
    """
    low, high = min(values), max(values)
    if share:
        return Axis(low=0.0, high=1.0, log=False, start=start, end=end)
    if log:
        low, high = decade_below(low), decade_above(high)
        return Axis(
            low=low, high=high if high > low else low * 10.0, log=True, start=start, end=end
        )
    if low == high:
        pad = abs(low) or 1.0
        return Axis(low=low - pad, high=high + pad, log=False, start=start, end=end)
    for _ in range(9):  # widened until its own step is the step that it was widened by
        step = _step(low, high)
        wide = step * math.floor(low / step + NEAR), step * math.ceil(high / step - NEAR)
        if step == _step(*wide):
            break
        low, high = wide
    return Axis(low=wide[0], high=wide[1], log=False, start=start, end=end)


def decade_below(value: float) -> float:
    """Return the largest power of ten at or below a positive value."""
    return 10.0 ** math.floor(math.log10(value) + 1e-9)


def decade_above(value: float) -> float:
    """Return the smallest power of ten at or above a positive value."""
    return 10.0 ** math.ceil(math.log10(value) - 1e-9)


def _step(low: float, high: float) -> float:
    rough = (high - low) / 5.0
    ten = 10.0 ** math.floor(math.log10(rough))
    return next(m * ten for m in (1.0, 2.0, 5.0, 10.0) if m * ten >= rough * (1 - NEAR))


def linear_ticks(low: float, high: float) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten between both ends."""
    step = _step(low, high)
    first, last = math.ceil(low / step - NEAR), math.floor(high / step + NEAR)
    return [step * k for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten, at most about eight; also 2 and 5 times if there are two decades."""
    first, last = round(math.log10(low)), round(math.log10(high))
    every = max(1, math.ceil((last - first) / 8))
    found = [10.0**k for k in range(first, last + 1, every)]
    if last - first <= 2:
        found += [m * 10.0**k for k in range(first, last) for m in (2.0, 5.0)]
    return sorted(found)


def tick_label(value: float, log: bool) -> str:
    """Return safe markup of a tick: on logarithmic axes far values as powers of ten."""
    if log and value > 0 and not 1e-3 <= value < 1e4:
        exponent = math.floor(math.log10(value) + 1e-9)
        front = number(value / 10.0**exponent)
        minus = "−" if exponent < 0 else ""
        power = f'10<tspan dy="-5" font-size="9">{minus}{abs(exponent)}</tspan>'
        return power if front == "1" else f"{front}·{power}"
    return escape(number(0.0 if abs(value) < 1e-12 else value).replace("-", "−"))


def frame(x: Axis, y: Axis, x_name: str, y_name: str) -> str:
    """Return grid, ticks and names of two axes."""
    parts = []
    for value in x.ticks():
        at = x.at(value)
        parts.append(f'<path d="M{at:.1f} {y.start:.1f}V{y.end:.1f}" class="grid"/>')
        parts.append(raw_text(at, y.start + 17, tick_label(value, x.log), "middle"))
    for value in y.ticks():
        at = y.at(value)
        parts.append(f'<path d="M{x.start:.1f} {at:.1f}H{x.end:.1f}" class="grid"/>')
        parts.append(raw_text(x.start - 7, at + 4, tick_label(value, y.log), "end"))
    middle = 0.5 * (y.start + y.end)
    parts.append(
        f'<path d="M{x.start:.1f} {y.end:.1f}V{y.start:.1f}H{x.end:.1f}" class="axis"/>'
        + text(0.5 * (x.start + x.end), y.start + 37, x_name, "middle", "name")
        + f'<text transform="translate(15 {middle:.1f}) rotate(-90)" text-anchor="middle" '
        f'class="name">{escape(y_name)}</text>'
    )
    return "".join(parts)
