"""twin.html: what a scene looks like in every modality, where it was, and what sees what."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

import numpy as np
from numpy.typing import NDArray

from casemate.attacks.move import Plan
from casemate.campaigns.judge import SEES, Judgement, phases_of
from casemate.campaigns.matrix import Matrix, matrix_html
from casemate.campaigns.play import Played
from casemate.campaigns.show import quantity, reading, residual
from casemate.core.geometry import Point
from casemate.twin.assembly import Twin
from casemate.twin.effects import Bridge, Contact, Effect, Hole, Pocket, Scene, Thinned
from casemate.twin.line_materials import Real
from casemate.twin.line_picture import Curve, Plot, picture
from casemate.twin.resistance import NM

VIEW_M = 1.5e-3
"""Half of the square of copper that is drawn round a place."""
SIZE = 360
LAYER_COLOURS = ("#b5651d", "#3b6ea5", "#2c7d32")
STYLE = (
    "body{font:15px/1.45 sans-serif;margin:2em auto;max-width:1020px;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.6em 0}td,th{border:1px solid #ccc;padding:.25em .5em;"
    "text-align:left;font-size:13px}svg{margin:0 .6em .6em 0}.sees{background:#cfe8cf}"
    ".hints{background:#eef5d8}.interference{background:#fdeeca}.unheard{background:#e0e4f5}"
    ".blind{background:#f5d6d3}.out{opacity:.55}code{background:#f2f2f2}"
)


def page(
    twin: Twin,
    *,
    title: str,
    about: tuple[str, ...],
    plan: Plan | None,
    scene: Scene,
    played: tuple[Played, ...],
    judged: tuple[Judgement, ...],
    matrix: Matrix | None,
) -> str:
    """Return the page; it loads nothing."""
    parts = [
        f"<h1>{escape(title)}</h1>",
        "<p><b>Simulated.</b> No enclosure was attacked and none was measured: every figure below "
        "comes from the twin of this design. Radio figures rest on no recording of an enclosure; "
        "receivers' noise and drift are fitted on recordings of a still room. Residuals are in "
        "units of what a quiet enclosure does by itself; limits on this page show what a modality "
        "can see, they are no detectors.</p>",
        *(f"<p>{escape(line)}</p>" for line in about),
    ]
    if plan is not None:
        parts += ["<h2>The place</h2>", place_svg(twin, plan, scene)]
    if judged:
        parts += ["<h2>Before, during, after</h2>", _table(judged)]
        for each, verdict in zip(played, judged, strict=True):
            parts.append(_modality(each, verdict, scene))
    if matrix is not None:
        parts += ["<h2>Modality by move</h2>", matrix_html(matrix)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>"
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _table(judged: tuple[Judgement, ...]) -> str:
    rows = [
        "<tr><th>modality</th><th>channel shown</th><th>commissioned</th><th>before</th>"
        "<th>during</th><th>after</th><th>seen after</th><th></th></tr>"
    ]
    for each in judged:
        cells = [escape(each.modality), escape(each.channel), quantity(each.nominal, each.unit)]
        for name in ("before", "during", "after"):
            part = each.phase(name)
            cells.append(
                "-"
                if part is None
                else f"{escape(reading(part, each.unit))}<br>residual {residual(part)}"
            )
        cells.append("never" if math.isnan(each.seen_s) else f"{each.seen_s:.3g} s")
        out = "" if each.in_design else " out"
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr class="{each.sight}{out}">{row}<td>{each.sight}</td></tr>')
    return f"<table>{''.join(rows)}</table><p>Faint rows: modalities that this design lacks.</p>"


def _largest(
    played: Played, since: NDArray[np.bool_], x: Real, unit: str, marks: tuple[float, ...]
) -> Plot:
    """Return the plot of the residuals that were largest at the times `since`, shape (K,)."""
    size = np.nan_to_num(np.abs(played.residuals.z), nan=0.0)
    worst = np.argsort(-size[since].max(axis=0, initial=0.0))[:3]
    curves = tuple(
        Curve(name=played.residuals.names[k], x=x, y=np.log10(1.0 + size[:, k]))
        for k in worst.tolist()
    )
    return Plot(
        title="largest residuals",
        x_label=unit,
        y_label="log10(1 + |z|), z in noises; line: 8",
        curves=curves,
        marks=marks,
        level=float(np.log10(1.0 + SEES)),
    )


def _modality(played: Played, judged: Judgement, scene: Scene) -> str:
    channel = next(k for k, c in enumerate(played.fitted.channels) if c.id == judged.channel)
    values, t = played.values[:, channel], played.times_s
    shown = np.isfinite(values)
    complex_ = np.iscomplexobj(values)
    level = 20.0 * np.log10(np.maximum(np.abs(values), 1e-12)) if complex_ else np.real(values)
    scale, unit = _scale_time(float(t[-1]))
    phase = phases_of(scene, t)
    marks = tuple(float(t[k]) * scale for k in np.flatnonzero(phase[1:] != phase[:-1]) + 1)
    plots = []
    if shown.any():
        plots.append(
            Plot(
                title=f"{judged.channel}",
                x_label=unit,
                y_label="dB" if complex_ else judged.unit,
                curves=(Curve(name="reading", x=t[shown] * scale, y=level[shown]),),
                marks=marks,
            )
        )
    plots.append(_largest(played, phase != "before", t * scale, unit, marks))
    if played.fitted.excited:
        loud = np.log10(np.maximum(played.silent.max(axis=1), 1e-3))
        plots.append(
            Plot(
                title="silent chips, largest channel",
                x_label=unit,
                y_label="log10 rms/noise",
                curves=(Curve(name="silent", x=t * scale, y=loud),),
                marks=marks,
            )
        )
    heard = ", ".join(sorted({flag for part in judged.phases for flag in part.health}))
    note = f"<p>Health: {escape(heard.lower())}</p>" if heard else ""
    return f"<h3>{escape(played.modality)}</h3>{''.join(picture(each) for each in plots)}{note}"


def _scale_time(last_s: float) -> tuple[float, str]:
    if last_s > 3 * 86_400.0:
        return 1.0 / 86_400.0, "days"
    return (1.0 / 3_600.0, "h") if last_s > 3 * 3_600.0 else (1.0, "s")


def place_svg(twin: Twin, plan: Plan, scene: Scene) -> str:
    """Return two drawings: the board with the place, and the copper round it with what is done."""
    return _board_svg(plan) + _copper_svg(twin, plan, scene)


def _board_svg(plan: Plan) -> str:
    x0, y0, x1, y1 = plan.tile.outline.bounds
    scale = (SIZE - 20) / max(x1 - x0, y1 - y0)

    def at(x: float, y: float) -> str:
        return f"{10 + (x - x0) * scale:.2f},{10 + (y1 - y) * scale:.2f}"

    rings = [plan.tile.outline.exterior, *plan.tile.outline.holes]
    path = " ".join("M" + " L".join(at(x, y) for x, y in ring) + " Z" for ring in rings)
    x, y = at(*plan.place).split(",")
    return (
        f'<svg role="img" aria-label="the board {escape(plan.tile.id)}" width="{SIZE}" '
        f'height="{20 + (y1 - y0) * scale:.0f}" font-family="sans-serif" font-size="11">'
        f'<path d="{path}" fill="#e8efe4" stroke="#555" fill-rule="evenodd"/>'
        f'<circle cx="{x}" cy="{y}" r="5" fill="none" stroke="#b00" stroke-width="2"/>'
        f'<text x="14" y="22">{escape(plan.tile.id)}, from outside</text></svg>'
    )


def _copper_svg(twin: Twin, plan: Plan, scene: Scene) -> str:
    copper = twin.board(plan.tile.id).copper()
    cx, cy = plan.place
    scale = SIZE / (2.0 * VIEW_M)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x - cx + VIEW_M) * scale, (cy + VIEW_M - y) * scale

    rows = []
    for number, layer in reversed(list(enumerate(copper.layers.values()))):
        a, b = layer.a * NM, layer.b * NM
        low, high = np.minimum(a, b), np.maximum(a, b)
        near = ((low < plan.place + np.array(VIEW_M)) & (high > plan.place - np.array(VIEW_M))).all(
            axis=1
        )
        path = "".join(
            f"M{at(*p)[0]:.1f} {at(*p)[1]:.1f}L{at(*q)[0]:.1f} {at(*q)[1]:.1f}"
            for p, q in zip(a[near].tolist(), b[near].tolist(), strict=True)
        )
        colour = LAYER_COLOURS[number % len(LAYER_COLOURS)]
        rows.append(
            f'<path d="{path}" stroke="{colour}" stroke-width="{copper.trace_m * scale:.1f}" '
            f'stroke-linecap="round" fill="none" opacity="{0.9 - 0.35 * number:.2f}"/>'
        )
    rows += [_done_svg(each.effect, at, scale) for each in scene]
    return (
        f'<svg role="img" aria-label="copper round the place" width="{SIZE}" height="{SIZE}" '
        f'viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" font-size="11">'
        f'<rect width="{SIZE}" height="{SIZE}" fill="#f7f5ef"/>{"".join(rows)}'
        f'<text x="6" y="{SIZE - 6}">{2e3 * VIEW_M:g} mm; outer mesh layer brown</text></svg>'
    )


def _done_svg(effect: Effect, at: Callable[[float, float], Point], scale: float) -> str:
    if isinstance(effect, Hole | Pocket | Thinned):
        x, y = at(effect.at.x_m, effect.at.y_m)
        fill = "#fff" if isinstance(effect, Hole) else "none"
        radius = 0.5 * effect.diameter_m * scale
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}" '
            'fill-opacity="0.85" stroke="#b00" stroke-width="1.5"/>'
        )
    if isinstance(effect, Bridge):
        x, y = at(effect.at.x_m, effect.at.y_m)
        u, v = at(effect.to.x_m, effect.to.y_m)
        return f'<path d="M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" stroke="#a0a" stroke-width="3"/>'
    if isinstance(effect, Contact):
        x, y = at(effect.at.x_m, effect.at.y_m)
        return f'<path d="M{x - 4:.1f} {y:.1f}h8M{x:.1f} {y - 4:.1f}v8" stroke="#b00"/>'
    return ""
