"""Curves: ROC, delay against size, and any other plot of the results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from casemate.case.results import Plot, Series
from casemate.case.svg import Axis, Point, axis, frame, picture, shortened, text

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 78.0, 560.0, 14.0, 326.0
STYLES = 8
"""Colours, dashes and markers; a ninth series starts again."""
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "", "5 2", "1 2", "12 4")
MAX_MARKS = 40


def plot_svg(plot: Plot) -> str:
    """Return a plot as SVG, with bands, or words if there is nothing to draw.

    What a logarithmic axis cannot hold is left out, and said.
    """
    drawn = [(s, list(_points(plot, s))) for s in plot.series]
    xs = [x for _, points in drawn for x, _ in points if math.isfinite(x)]
    ys = [y for _, points in drawn for _, y in points if math.isfinite(y)]
    if not xs or not ys:
        return picture(WIDTH, 60, plot.title, "No data.", text(20, 34, "nothing to draw"))
    bands = [
        v
        for s in plot.series
        for v in (*s.low, *s.high)
        if math.isfinite(v) and _holds(plot.y_log, v)
    ]
    share = not plot.y_log and all(0.0 <= y <= 1.0 for y in ys) and max(ys) > 0.2
    x = axis(xs, plot.x_log, LEFT, RIGHT)
    y = axis([*ys, *bands], plot.y_log, BOTTOM, TOP, share=share)
    body = frame(x, y, plot.x, plot.y)
    body += "".join(_band(plot, s, x, y, k % STYLES) for k, (s, _) in enumerate(drawn))
    body += "".join(_curve(points, x, y, k % STYLES) for k, (_, points) in enumerate(drawn))
    body += "".join(_key(s.name, k) for k, (s, _) in enumerate(drawn))
    return picture(
        WIDTH, max(HEIGHT, 40 + 20 * len(drawn)), plot.title, _about(plot, drawn), body, "plot"
    )


def left_out(plot: Plot) -> int:
    """Return how many points a logarithmic axis cannot hold."""
    return sum(
        not (_holds(plot.x_log, x) and _holds(plot.y_log, y))
        for s in plot.series
        for x, y in zip(s.x, s.y, strict=True)
        if math.isfinite(x) and math.isfinite(y)
    )


def _holds(log: bool, value: float) -> bool:
    return value > 0 or not log


def _points(plot: Plot, series: Series) -> Iterator[Point]:
    """Yield the points; one that cannot be drawn is nan, and breaks the curve."""
    for x, y in zip(series.x, series.y, strict=True):
        good = math.isfinite(x) and math.isfinite(y)
        if good and _holds(plot.x_log, x) and _holds(plot.y_log, y):
            yield x, y
        else:
            yield math.nan, math.nan


def _about(plot: Plot, drawn: Sequence[tuple[Series, list[Point]]]) -> str:
    names = ", ".join(s.name for s, _ in drawn)
    return f"{plot.y} against {plot.x} for {names}. {plot.about}"


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    run: list[Point] = []
    for point in (*points, (math.nan, math.nan)):
        if math.isnan(point[0]):
            if run:
                yield run
            run = []
        else:
            run.append(point)


def _curve(points: Sequence[Point], x: Axis, y: Axis, style: int) -> str:
    parts = []
    dash = f' stroke-dasharray="{_DASHES[style]}"' if _DASHES[style] else ""
    for run in _runs(points):
        line = "L".join(f"{x.at(a):.1f} {y.at(b):.1f}" for a, b in run)
        parts.append(f'<path d="M{line}" class="line s{style}"{dash}/>')
    shown = [p for p in points if not math.isnan(p[0])]
    step = max(1, math.ceil(len(shown) / MAX_MARKS))
    parts += [marker(x.at(a), y.at(b), style) for a, b in shown[::step]]
    return "".join(parts)


def _band(plot: Plot, series: Series, x: Axis, y: Axis, style: int) -> str:
    if not series.low:
        return ""
    rows = [
        (a, max(low, y.low) if plot.y_log else low, high)
        for a, low, high in zip(series.x, series.low, series.high, strict=True)
        if all(math.isfinite(v) for v in (a, low, high))
        and _holds(plot.x_log, a)
        and _holds(plot.y_log, high)
    ]
    if not rows:
        return ""
    up = [f"{x.at(a):.1f} {y.at(high):.1f}" for a, _, high in rows]
    down = [f"{x.at(a):.1f} {y.at(low):.1f}" for a, low, _ in reversed(rows)]
    return f'<path d="M{"L".join([*up, *down])}Z" class="band s{style}"/>'


def marker(x: float, y: float, style: int) -> str:
    """Return one of eight shapes of about 7 user units, so that colour is not alone."""
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2"',
        f'<path d="M{x - 3:.1f} {y - 3:.1f}h6v6h-6Z"',
        f'<path d="M{x:.1f} {y - 4:.1f}l4 7h-8Z"',
        f'<path d="M{x:.1f} {y - 4:.1f}l4 4l-4 4l-4 -4Z"',
        f'<path d="M{x:.1f} {y + 4:.1f}l4 -7h-8Z"',
        f'<path d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"',
        f'<path d="M{x - 4:.1f} {y:.1f}h8m-4 -4v8"',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.8"',
    )
    return f'{shapes[style]} class="dot s{style}"/>'


def _key(name: str, number: int) -> str:
    style, y = number % STYLES, 24.0 + 20.0 * number
    dash = f' stroke-dasharray="{_DASHES[style]}"' if _DASHES[style] else ""
    return f'<path d="M576 {y:.0f}h28" class="line s{style}"{dash}/>{marker(590, y, style)}' + text(
        611, y + 4, shortened(name, 22)
    )
