"""A page that compares measured, fitted and predicted curves: HTML with SVG, self-contained."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from casemate.twin.line_materials import Real

WIDTH, HEIGHT, LEFT, TOP = 460, 240, 46, 26
COLOURS = ("#1b5e9c", "#c4501b", "#2c7d32")
POINTS = 700
LETTER = 6
"""Width of a letter of the legend, generously."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A named curve; x and y have one shape."""

    name: str
    x: Real
    y: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Curves on common axes. `marks`: x of vertical lines. `level`: y of a horizontal one."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    marks: tuple[float, ...] = ()
    level: float | None = None


def page(title: str, plots: tuple[Plot, ...]) -> str:
    """Return one HTML page with the plots; it loads nothing."""
    pictures = "\n".join(picture(each) for each in plots)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>body{{font:14px sans-serif;margin:1.5em;"
        "background:#fff;color:#222}svg{margin:0 1em 1em 0}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{pictures}\n</body></html>\n"
    )


def picture(plot: Plot) -> str:
    """Return one plot as SVG."""
    curves = tuple(_thinned(each) for each in plot.curves)
    xs = np.concatenate([each.x for each in curves])
    ys = np.concatenate([each.y for each in curves])
    x_ticks, y_ticks = _ticks(float(xs.min()), float(xs.max())), _ticks(*_span(ys))
    box = (x_ticks[0], x_ticks[-1], y_ticks[0], y_ticks[-1])
    places = _legend(tuple(each.name for each in curves))
    tall = places[-1][1] + 3
    rows = [
        f'<svg role="img" aria-label="{escape(plot.title)}" width="{WIDTH}" height="{tall}" '
        f'viewBox="0 0 {WIDTH} {tall}" font-family="sans-serif" font-size="10">',
        f'<text x="{LEFT}" y="14" font-size="12">{escape(plot.title)}</text>',
        *_axes(plot, x_ticks, y_ticks, box),
        *_lines(plot, box),
    ]
    for number, curve in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        x, y = _placed(curve.x, curve.y, box)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        dash = ' stroke-dasharray="5 3"' if number else ""
        rows.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.2"{dash} points="{points}"/>'
        )
        rows.append(
            f'<text x="{places[number][0]}" y="{places[number][1]}" fill="{colour}">'
            f"{escape(curve.name)}</text>"
        )
    return "\n".join([*rows, "</svg>"])


def _legend(names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return where each name is written: side by side if they fit, else one below the other."""
    widths = [max(90, LETTER * len(name) + 12) for name in names]
    if LEFT + sum(widths) <= WIDTH:
        return [(LEFT + sum(widths[:k]), HEIGHT - 3) for k in range(len(names))]
    return [(LEFT, HEIGHT - 3 + 12 * k) for k in range(len(names))]


def _lines(plot: Plot, box: tuple[float, float, float, float]) -> list[str]:
    """Return the vertical marks and the horizontal level, where they lie within the axes."""
    rows = []
    for mark in plot.marks:
        if box[0] <= mark <= box[1]:
            x = _placed(np.array([mark]), np.array([box[2]]), box)[0][0]
            rows.append(
                f'<path d="M{x:.1f} {TOP}V{HEIGHT - 40}" stroke="#999" stroke-dasharray="2 2"/>'
            )
    if plot.level is not None and box[2] <= plot.level <= box[3]:
        y = _placed(np.array([box[0]]), np.array([plot.level]), box)[1][0]
        rows.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - 10}" stroke="#999" stroke-dasharray="2 2"/>'
        )
    return rows


def _axes(
    plot: Plot, x_ticks: list[float], y_ticks: list[float], box: tuple[float, float, float, float]
) -> list[str]:
    rows = []
    bottom, right = HEIGHT - 40, WIDTH - 10
    for tick in x_ticks:
        x = _placed(np.array([tick]), np.array([box[2]]), box)[0][0]
        rows.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#ddd"/>')
        rows.append(f'<text x="{x:.1f}" y="{bottom + 12}" text-anchor="middle">{tick:g}</text>')
    for tick in y_ticks:
        y = _placed(np.array([box[0]]), np.array([tick]), box)[1][0]
        rows.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        rows.append(f'<text x="{LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{tick:g}</text>')
    rows.append(
        f'<text x="{right}" y="{bottom + 24}" text-anchor="end">{escape(plot.x_label)}</text>'
    )
    rows.append(f'<text x="{right}" y="14" text-anchor="end">{escape(plot.y_label)}</text>')
    return rows


def _placed(x: Real, y: Real, box: tuple[float, float, float, float]) -> tuple[Real, Real]:
    across = (x - box[0]) / (box[1] - box[0]) * (WIDTH - 10 - LEFT) + LEFT
    up = (
        HEIGHT
        - 40
        - (np.clip(y, box[2], box[3]) - box[2]) / (box[3] - box[2]) * (HEIGHT - 40 - TOP)
    )
    return across, up


def _span(y: Real) -> tuple[float, float]:
    """Return the range of y without the deepest nulls of a curve in decibels."""
    return float(np.percentile(y, 0.5)), float(y.max())


def _ticks(low: float, high: float) -> list[float]:
    if high - low < 1e-12:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / 5.0
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(power * min((m for m in (1, 2, 5, 10) if m * power >= raw), default=10))
    first, last = int(np.floor(low / step)), int(np.ceil(high / step))
    return [round(n * step, 12) for n in range(first, last + 1)]


def _thinned(curve: Curve) -> Curve:
    every = max(1, curve.x.size // POINTS)
    return Curve(name=curve.name, x=curve.x[::every], y=curve.y[::every])
