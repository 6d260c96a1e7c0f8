"""A channel's readings as numbers for a drawing: a line for the mean, an area from least to most.

Pure. Gaps stay gaps, a reading alone is a dot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casemate.fleet.readings.looks import Point, runs

WIDTH, HEIGHT = 1000.0, 200.0
SPARK_WIDTH, SPARK_HEIGHT = 160.0, 32.0
SPARK_POINTS = 60
_EDGE = 0.08
"""Share of the height that stays free above and below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where times (Unix s) and values are drawn: begin_s at 0, end_s at width, high at 0."""

    begin_s: float
    end_s: float
    low: float
    high: float
    width: float
    height: float

    def x(self, at_s: float) -> float:
        """Return where a time is, within the drawing."""
        share = (at_s - self.begin_s) / max(self.end_s - self.begin_s, 1e-3)
        return round(min(max(share, 0.0), 1.0) * self.width, 1)

    def y(self, value: float) -> float:
        """Return where a value is."""
        share = (value - self.low) / (self.high - self.low)
        return round((1.0 - share) * self.height, 1)


def frame(
    points: Sequence[Point], begin_s: float, end_s: float, *, width: float = WIDTH,
    height: float = HEIGHT,
) -> Frame:  # fmt: skip
    """Return a frame that holds the points, with some room; one value lies in its middle."""
    low = min((each.least for each in points), default=0.0)
    high = max((each.most for each in points), default=1.0)
    room = _EDGE * (high - low) or max(abs(high), 1.0) * 1e-3
    return Frame(
        begin_s=begin_s, end_s=end_s, low=low - room, high=high + room, width=width, height=height
    )


def shapes(points: Sequence[Point], width_s: float, at: Frame) -> dict[str, list[Any]]:
    """Return areas and lines as lists of coordinates, and dots. width_s: of a point at least."""
    areas, lines, dots = [], [], []
    for run in runs(points, width_s):
        if len(run) == 1:
            dots.append({"x": at.x(run[0].at_s), "y": at.y(run[0].mean)})
            continue
        lines.append(_text((at.x(each.at_s), at.y(each.mean)) for each in run))
        ring = [(at.x(each.at_s), at.y(each.most)) for each in run]
        ring += [(at.x(each.at_s), at.y(each.least)) for each in reversed(run)]
        areas.append(_text(ring))
    return {"areas": areas, "lines": lines, "dots": dots}


def columns(points: Sequence[Point], width_s: float) -> dict[str, list[float | None]]:
    """Return the points as columns for a chart, with a row of nothing in each gap."""
    out: dict[str, list[float | None]] = {name: [] for name in ("x", "least", "mean", "most")}
    for run in runs(points, width_s):
        if out["x"]:
            last = out["x"][-1]
            assert last is not None
            out["x"].append((last + run[0].at_s) / 2)
            for name in ("least", "mean", "most"):
                out[name].append(None)
        for each in run:
            out["x"].append(each.at_s)
            for name in ("least", "mean", "most"):
                out[name].append(float(f"{getattr(each, name):.9g}"))
    return out


def figure(value: float) -> str:
    """Return a value in six digits."""
    return f"{value:.6g}"


def _text(points: Any) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
