"""Where attacks were tried on a board and how they ended; and the atlas of the search."""

from __future__ import annotations

import math
from html import escape

from casemate.case.figures import figure, number, parameters
from casemate.case.results import Atlas, TileMap, Trial
from casemate.case.svg import Point, picture, raw_text, ring, shortened, text, tick_label

REACH = 420.0
"""Longer side of a board in user units."""
PAD = 12.0
CELLS = 10
"""Cells along the longer side, over which misses are counted."""
MAX_DOTS = 800


def map_svg(tile: TileMap) -> str:
    """Return a board with its outline and holes, its trials, and its weakest place ringed."""
    xs, ys = [p[0] for p in tile.outline], [p[1] for p in tile.outline]
    x_min, x_max, y_min, y_max = min(xs), max(xs), min(ys), max(ys)
    scale = REACH / max(x_max - x_min, y_max - y_min)

    def at(point: Point) -> Point:
        return PAD + (point[0] - x_min) * scale, PAD + (y_max - point[1]) * scale

    rings = " ".join(ring(at(p) for p in each) for each in (tile.outline, *tile.holes))
    body = f'<path d="{rings}" class="board" fill-rule="evenodd"/>'
    body += _cells(tile, x_min, y_max, max(x_max - x_min, y_max - y_min), scale)
    placed = [t for t in tile.trials if math.isfinite(t.x_m) and math.isfinite(t.y_m)]
    hits = [at((t.x_m, t.y_m)) for t in drawn(placed) if t.detected]
    misses = [at((t.x_m, t.y_m)) for t in placed if not t.detected]
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in hits)
    crosses = "".join(f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" for x, y in misses)
    body += f'<path d="{dots}" class="hit"/>' if hits else ""
    body += f'<path d="{crosses}" class="miss"/>' if misses else ""
    worst = weakest(placed)
    if worst is not None:
        body += _worst(worst, at((worst.x_m, worst.y_m)))
    width, height = 2 * PAD + (x_max - x_min) * scale, 2 * PAD + (y_max - y_min) * scale
    missed = sum(not t.detected for t in placed)
    about = f"{len(placed)} trials, {missed} not detected."
    return picture(round(width), round(height), f"Trials on {tile.tile}", about, body, "map")


def drawn(trials: list[Trial]) -> list[Trial]:
    """Return all misses and at most MAX_DOTS evenly chosen detections, misses last."""
    hits = [t for t in trials if t.detected]
    step = max(1, math.ceil(len(hits) / MAX_DOTS))
    return [*hits[::step], *(t for t in trials if not t.detected)]


def weakest(trials: list[Trial]) -> Trial | None:
    """Return the trial with the least margin, or None."""
    known = [t for t in trials if not math.isnan(t.margin)]
    return min(known, key=lambda t: t.margin, default=None)


def _worst(trial: Trial, at: Point) -> str:
    x, y = at
    told = (
        f"weakest: margin {number(trial.margin)} nats at ({trial.x_m * 1e3:.1f}, "
        f"{trial.y_m * 1e3:.1f}) mm"
        + (f", {parameters(trial.parameters)}" if trial.parameters else "")
    )
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" class="ring-back"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" class="ring">'
        f"<title>{escape(told)}</title></circle>"
    )


def _cells(tile: TileMap, x_min: float, y_max: float, reach: float, scale: float) -> str:
    """Return shades of the share of misses in each cell that has any."""
    size = reach / CELLS
    counts: dict[tuple[int, int], list[int]] = {}
    for trial in tile.trials:
        if math.isfinite(trial.x_m) and math.isfinite(trial.y_m):
            key = (int((trial.x_m - x_min) / size), int((y_max - trial.y_m) / size))
            cell = counts.setdefault(key, [0, 0])
            cell[0] += 1
            cell[1] += not trial.detected
    return "".join(
        f'<rect x="{PAD + i * size * scale:.1f}" y="{PAD + j * size * scale:.1f}" '
        f'width="{size * scale:.1f}" height="{size * scale:.1f}" class="cell" '
        f'fill-opacity="{0.1 + 0.6 * missed / (n + 2):.2f}">'
        f"<title>{missed} of {n} not detected</title></rect>"
        for (i, j), (n, missed) in sorted(counts.items())
        if missed
    )


CELL_W, CELL_H = 58.0, 30.0


def atlas_svgs(atlas: Atlas) -> list[tuple[str, str]]:
    """Return (caption, SVG) for each layer of z: the least margin found by cell of x and y."""
    known = [abs(m) for plane in atlas.margin for row in plane for m in row if m is not None]
    most = max(known, default=1.0) or 1.0
    return [
        (f"{atlas.z_name}: {number(low)} to {number(high)}", _layer(atlas, k, most))
        for k, (low, high) in enumerate(zip(atlas.z[:-1], atlas.z[1:], strict=True))
    ]


def _layer(atlas: Atlas, k: int, most: float) -> str:
    nx, ny = len(atlas.x) - 1, len(atlas.y) - 1
    left, top = 66.0, 8.0
    width, bottom = left + nx * CELL_W + 24.0, top + ny * CELL_H
    body = ""
    for i in range(nx):
        for j in range(ny):
            margin = atlas.margin[i][j][k]
            x, y = left + i * CELL_W, top + (ny - 1 - j) * CELL_H
            body += _cell(x, y, margin, most)
    for i, edge in enumerate(atlas.x):
        body += raw_text(
            left + i * CELL_W, bottom + 16, tick_label(edge, _far_apart(atlas.x)), "middle"
        )
    for j, edge in enumerate(atlas.y):
        at = bottom - j * CELL_H + 4
        body += raw_text(left - 6, at, tick_label(edge, _far_apart(atlas.y)), "end")
    body += text(left + 0.5 * nx * CELL_W, bottom + 35, atlas.x_name, "middle", "name")
    body += (
        f'<text transform="translate(13 {0.5 * (top + bottom):.1f}) rotate(-90)" '
        f'text-anchor="middle" class="name">{escape(shortened(atlas.y_name, 28))}</text>'
    )
    found = [m for plane in atlas.margin for row in plane if (m := row[k]) is not None]
    about = (
        f"least margin {number(min(found))} nats; {sum(m < 0 for m in found)} of {nx * ny} cells "
        "hold an attack that was not detected"
        if found
        else "no attack was found"
    )
    return picture(width, bottom + 44, f"Atlas, {atlas.z_name}", about, body, "atlas")


def _far_apart(edges: tuple[float, ...]) -> bool:
    return min(edges) > 0 and max(edges) / min(edges) >= 1e3


def _cell(x: float, y: float, margin: float | None, most: float) -> str:
    box = f'x="{x:.1f}" y="{y:.1f}" width="{CELL_W - 1:.1f}" height="{CELL_H - 1:.1f}"'
    middle = (x + 0.5 * CELL_W, y + 0.5 * CELL_H + 4)
    if margin is None:
        return f'<rect {box} class="none"/>' + text(*middle, "none", "middle", "soft")
    strength = min(1.0, abs(margin) / most) ** 0.5
    kind = "under" if margin < 0 else "over"
    dark = " dark" if strength > 0.62 else ""
    shown = f"{margin:.1f}".replace("-", "−")
    told = f"margin {figure(margin)} nats{', not detected' if margin < 0 else ''}"
    return (
        f'<rect {box} class="back"/>'
        f'<rect {box} class="{kind}" fill-opacity="{0.15 + 0.85 * strength:.2f}">'
        f"<title>{told}</title></rect>"
        + text(*middle, f"{shown} ✗" if margin < 0 else shown, "middle", f"val{dark}")
    )
