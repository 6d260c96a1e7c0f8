"""The fit on recorded lines: what it explains, what it predicts of lines it has not seen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from line_samples import recordings

from casemate.twin.line_board import Segment, two_port
from casemate.twin.line_errors import deviations
from casemate.twin.line_fit import Fit, Standard, board_of, fit_board, predicted
from casemate.twin.line_launch import launch
from casemate.twin.line_layout import Layout, LayoutFile
from casemate.twin.line_network import passivity_excess
from casemate.twin.line_predict import standard_of
from truths import Truth

FILES = {
    "thru100": "P1-MSL_Thru_100-P2.s2p",
    "thru200": "P1-MSL_Thru_200-P2.s2p",
    "open": "P1-MSL_Open_50.s1p",
    "short": "P1-MSL_Short_50.s1p",
    "load": "P1-MSL_Load_50.s1p",
}
ONE_LINE = ("thru100", "open", "short", "load")
BOARD = board_of(height_m=1.5e-3, copper_m=50e-6, epsilon_r=4.4, tan_delta=0.02)


@cache
def standards(folder: Path) -> dict[str, Standard]:
    table = {
        "board": {"height": "1.5 mm", "copper": "50 um"},
        "segments": [{"width": "3 mm", "length": "100 mm"}],
    }
    plan = Layout(file="layout.toml", table=LayoutFile.model_validate(table))
    return {name: standard_of(plan, folder / file) for name, file in FILES.items()}


@cache
def fitted(folder: Path, names: tuple[str, ...], last_hz: float = 0.0) -> Fit:
    chosen = [standards(folder)[name] for name in names]
    if last_hz:
        chosen[-1] = replace(chosen[-1], f_max_hz=last_hz)
    return fit_board(BOARD, tuple(chosen))


def missed(fit: Fit, standard: Standard, low_hz: float = 0.0) -> dict[str, tuple[float, ...]]:
    """Return (linear, dB, degrees) of each parameter within the standard's band."""
    inside = (standard.f_hz > low_hz) & (standard.f_hz <= standard.f_max_hz)
    part = replace(standard, f_hz=standard.f_hz[inside], s=standard.s[inside])
    found = deviations(part.f_hz, predicted(fit.model, part), part.s)
    return {each.name: (each.linear, each.db, each.phase_deg) for each in found}


@pytest.mark.slow
def test_both_thrus_are_explained_to_what_connectors_differ_by(truth: Truth) -> None:
    data = standards(recordings())
    fit = fitted(recordings(), ("thru100", "thru200"))
    assert fit.chi < 1.0
    for name in ("thru100", "thru200"):
        gap = missed(fit, data[name])
        truth(
            kernel="twin.line_launch.launch",
            against="recorded thrus of 100 and 200 mm, both fitted: S11, S22, rms to 10 GHz",
            found=max(gap["S11"][0], gap["S22"][0]),
            allowed=0.012,
            unit="of S",
        )
        linear, in_db, degrees = gap["S21"]
        truth(
            kernel="twin.line_fit.fit_board",
            against="recorded thrus of 100 and 200 mm, both fitted: S21, rms to 10 GHz",
            found=linear,
            allowed=0.006,
            unit="of S",
        )
        assert in_db < 0.05 and degrees < 0.5
    told = {each.name: each.value for each in fit.parameters}
    assert told["epsilon_r"] == pytest.approx(4.44, abs=0.03)
    assert told["height"] == pytest.approx(1.5e-3, rel=0.02)
    grid = np.linspace(0.0, 1e10, 500)
    assert passivity_excess(launch(fit.model.launch, grid)) < 1e-3


@pytest.mark.slow
def test_a_longer_line_is_predicted_from_its_first_gigahertz(truth: Truth) -> None:
    """Held out: nine tenths of the long thru, in which loss and dispersion must scale rightly."""
    data = standards(recordings())
    fit = fitted(recordings(), ("thru100", "thru200"), last_hz=1e9)
    gap = missed(fit, data["thru200"], low_hz=1e9)
    assert gap["S11"][0] < 0.015 and gap["S22"][0] < 0.017
    linear, in_db, degrees = gap["S21"]
    truth(
        kernel="twin.line_fit.predicted",
        against="recorded thru200 beyond the 1 GHz fitted: S21, rms to 10 GHz",
        found=linear,
        allowed=0.03,
        unit="of S",
    )
    assert in_db < 0.08 and degrees < 3.0


@pytest.mark.slow
def test_one_ports_end_on_the_board_after_half_the_line(truth: Truth) -> None:
    """Held out after one open fixed where its line begins: short and load, to 4 GHz."""
    data = standards(recordings())
    fit = fitted(recordings(), ("thru100", "thru200", "open"))
    for name, allowed in (("short", 0.05), ("load", 0.04)):
        truth(
            kernel="twin.line_board.one_port",
            against=f"recorded {name} on other connectors, held out: S11, rms to 4 GHz",
            found=missed(fit, data[name])["S11"][0],
            allowed=allowed,
            unit="of S",
        )


@pytest.mark.slow
def test_one_length_alone_says_how_little_it_tells() -> None:
    """Delay of line and connector are one there: the spread must own up to what the priors leave.

    Held out: the whole long thru, predicted from the short one and the usual delay of a connector.
    """
    one = fitted(recordings(), ("thru100",)).parameters[0]
    both = fitted(recordings(), ("thru100", "thru200")).parameters[0]
    assert one.name == "epsilon_r" and one.spread > 10.0 * both.spread
    assert abs(one.value - both.value) < 2.0 * one.spread
    gap = missed(fitted(recordings(), ("thru100",)), standards(recordings())["thru200"])
    assert gap["S11"][0] < 0.02 and gap["S21"][1] < 0.08 and gap["S21"][2] < 4.0


def test_thru_and_one_ports_predict_the_longer_thru_within_their_spread() -> None:
    epsilon = fitted(recordings(), ONE_LINE).parameters[0]
    assert abs(epsilon.value - 4.435) < 2.0 * epsilon.spread
    gap = missed(fitted(recordings(), ONE_LINE), standards(recordings())["thru200"])
    assert gap["S11"][0] < 0.03 and gap["S21"][1] < 0.08 and gap["S21"][2] < 10.0


def test_a_stepped_line_is_passive_and_mirrors() -> None:
    fit = fitted(recordings(), ONE_LINE)
    f_hz = np.linspace(1e6, 1e10, 400)
    segments = tuple(
        Segment(width_m=width_m, length_m=length_m)
        for width_m, length_m in ((3e-3, 0.05), (1e-3, 0.04), (3e-3, 0.03))
    )
    there = two_port(fit.model, segments, f_hz)
    back = two_port(fit.model, segments[::-1], f_hz)
    assert passivity_excess(there) < 1e-3
    assert there[:, 0, 0] == pytest.approx(back[:, 1, 1], abs=2e-3)
