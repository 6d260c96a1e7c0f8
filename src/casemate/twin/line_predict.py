"""From measured files and a layout to a prediction with its errors and doubts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from casemate.core.errors import InputError
from casemate.core.touchstone import read_touchstone
from casemate.twin.line_board import Kind, two_port
from casemate.twin.line_errors import Deviation, deviations
from casemate.twin.line_fit import Fit, Standard, board_of, fit_board, predicted
from casemate.twin.line_launch import within
from casemate.twin.line_layout import Layout, load_layout
from casemate.twin.line_materials import Complex, Real
from casemate.twin.line_network import passivity_excess
from casemate.twin.line_picture import Curve, Plot, page
from casemate.twin.line_tdr import step_response, with_zero

RISE_S = 100e-12
"""Edge of the step responses in the picture; 10 GHz of data carries no faster one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A measured file beside what the model says of it, in the band in which it was used."""

    name: str
    kind: Kind
    fitted: bool
    f_hz: Real
    measured: Complex
    model: Complex
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Fit, comparison with every file, and the predicted line, S of shape (F, 2, 2)."""

    fit: Fit
    judged: tuple[Judged, ...]
    f_hz: Real
    s: Complex
    passivity_excess: float
    doubts: tuple[str, ...]


def fit_and_predict(
    *,
    files: tuple[Path, ...],
    hold_out: tuple[Path, ...],
    layout: Path,
    say: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """Fit on `files`, compare with `hold_out` too, and predict the line of `layout`."""
    plan = load_layout(layout)
    say("reading")
    standards = tuple(standard_of(plan, each) for each in files)
    others = tuple(standard_of(plan, each) for each in hold_out)
    board = plan.table.board
    thrus = [each for each in standards if each.kind == "thru"]
    if thrus:  # what cannot be predicted is refused before a fit of seconds
        within(_sweep(plan, standards), max(float(each.f_hz.max()) for each in thrus))
    say("fitting")
    fit = fit_board(
        board_of(
            height_m=board.height,
            copper_m=board.copper,
            epsilon_r=board.epsilon_r,
            tan_delta=board.tan_delta,
        ),
        standards,
    )
    say("predicting")
    f_hz = _sweep(plan, standards)
    s = two_port(fit.model, plan.segments, f_hz)
    judged = tuple(_judged(fit, each, fitted=True) for each in standards)
    judged += tuple(_judged(fit, each, fitted=False) for each in others)
    return Outcome(
        fit=fit,
        judged=judged,
        f_hz=f_hz,
        s=s,
        passivity_excess=passivity_excess(s),
        doubts=_doubts(fit, plan, standards),
    )


def standard_of(plan: Layout, path: Path) -> Standard:
    """Return a measured file with what the layout, or its name, says it is."""
    measured = read_touchstone(path)
    ports = measured.s.shape[-1]
    kind, segment, f_max_hz = plan.standard(path, ports)
    return Standard(
        name=path.name,
        kind=kind,
        segments=(segment,),
        f_hz=measured.f_hz,
        s=measured.s if ports == 2 else measured.s[:, 0, 0],
        f_max_hz=f_max_hz,
    )


def _sweep(plan: Layout, standards: tuple[Standard, ...]) -> Real:
    sweep = plan.table.sweep
    if sweep is None:
        return next(each.f_hz for each in standards if each.kind == "thru")
    if sweep.f_min >= sweep.f_max:
        raise InputError(
            "f_min is not below f_max.", remedy="exchange them.", file=plan.file, key="sweep"
        )
    return np.linspace(sweep.f_min, sweep.f_max, sweep.points)


def _judged(fit: Fit, standard: Standard, *, fitted: bool) -> Judged:
    limit_hz = min(standard.f_max_hz, fit.model.launch.f_max_hz)
    inside = standard.f_hz <= limit_hz
    part = replace(standard, f_hz=standard.f_hz[inside], s=standard.s[inside])
    model = predicted(fit.model, part)
    return Judged(
        name=standard.name,
        kind=standard.kind,
        fitted=fitted,
        f_hz=part.f_hz,
        measured=part.s,
        model=model,
        deviations=deviations(part.f_hz, model, part.s),
    )


def _doubts(fit: Fit, plan: Layout, standards: tuple[Standard, ...]) -> tuple[str, ...]:
    found = []
    lengths = {each.segments[0].length_m for each in standards if each.kind == "thru"}
    if len(lengths) < 2:
        found.append(
            "all thrus have one length: the delay of line and connectors cannot be told apart, "
            "and the permittivity is little more than its prior."
        )
    if fit.chi > 2.0:
        found.append(f"the residuals are {fit.chi:.1f} times what connectors of a kind differ by.")
    height_m, etch_m = fit.model.board.height_m, fit.model.etch_m
    ratios = [(each.width_m + etch_m) / height_m for each in plan.segments]
    if min(ratios) < 0.1 or max(ratios) > 10.0:
        found.append("a width is beyond 0.1 to 10 heights, where the closed forms were tested.")
    ends = {plan.segments[0].width_m, plan.segments[-1].width_m}
    if ends != {each.segments[0].width_m for each in standards if each.kind == "thru"}:
        found.append("an end has another width than the measured lines: its connector was not.")
    fastest_hz = fit.model.launch.f_max_hz
    widest_m = max(each.width_m for each in plan.segments) + 2.0 * height_m
    cutoff_hz = 299_792_458.0 / (widest_m * fit.model.board.dielectric.epsilon_r**0.5)
    if cutoff_hz < fastest_hz:
        found.append(
            f"the widest strip carries further modes near {cutoff_hz / 1e9:.1f} GHz and above, "
            "which the model leaves out."
        )
    return tuple(found)


def comments(outcome: Outcome) -> tuple[str, ...]:
    """Return the head of the predicted file."""
    told = ", ".join(f"{each.name} {each.value:.4g}" for each in outcome.fit.parameters)
    return ("predicted by casemate twin fit-line, not measured", told)


def pictures(outcome: Outcome) -> str:
    """Return an HTML page: every file measured and modelled, and the prediction."""
    plots: list[Plot] = []
    for each in outcome.judged:
        title = f"{each.name} ({'fitted' if each.fitted else 'held out'})"
        pairs = {"measured": each.measured, "model": each.model}
        plots += _plots(title, each.f_hz, pairs)
    plots += _plots("predicted", outcome.f_hz, {"model": outcome.s})
    return page("Lines: measured, fitted, predicted", tuple(plots))


def _plots(title: str, f_hz: Real, pairs: dict[str, Complex]) -> list[Plot]:
    two = next(iter(pairs.values())).ndim == 3
    reflected = {name: s[:, 0, 0] if two else s for name, s in pairs.items()}
    plots = [_in_db(f"{title}: S11", f_hz, reflected)]
    if two:
        plots.append(_in_db(f"{title}: S21", f_hz, {n: s[:, 1, 0] for n, s in pairs.items()}))
    if abs(f_hz[0] * f_hz.size - f_hz[-1]) < 1e-3 * f_hz[-1]:  # starts at its own step
        curves = []
        for name, s in reflected.items():
            t_s, step = step_response(*with_zero(f_hz, s), RISE_S)
            shown = (t_s > -0.5e-9) & (t_s < 5e-9)
            curves.append(Curve(name=name, x=t_s[shown] * 1e9, y=step[shown]))
        plots.append(
            Plot(title=f"{title}: step", x_label="ns", y_label="reflected", curves=tuple(curves))
        )
    return plots


def _in_db(title: str, f_hz: Real, curves: dict[str, Complex]) -> Plot:
    return Plot(
        title=title,
        x_label="GHz",
        y_label="dB",
        curves=tuple(
            Curve(name=name, x=f_hz * 1e-9, y=20.0 * np.log10(np.maximum(np.abs(s), 1e-6)))
            for name, s in curves.items()
        ),
    )
