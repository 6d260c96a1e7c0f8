"""Fit of board and connectors on measured standards, by least squares with priors.

One substrate serves every width: permittivity, loss tangent, roughness, height, etching. Nothing is
fitted to a width by itself, so that the model can predict widths that were never measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_board import BoardModel, Ends, Kind, Segment, one_port, two_port
from casemate.twin.line_launch import TERMS, Launch, launch
from casemate.twin.line_materials import Complex, Dielectric, Metal, Real
from casemate.twin.line_microstrip import Substrate

POINTS = 320
"""Frequencies used of each file, evenly spaced: more change the result by less than its spread."""
NOISE, NOISE_PER_GHZ = 0.004, 0.001
"""Deviation between connectors of one kind on the recordings, gated (decision 7), not VNA noise."""
CORRELATION_HZ = 0.5e9
"""Such deviations vary over 0.5 GHz (an echo of 1 ns): closer points are no further evidence."""
ONE_PORT_NOISE = 0.02
"""The one-ports of the recordings carry other connectors; they only steady the fit."""
PASSIVITY_NOISE = 0.001
REFLECTED_SPREAD, PASSED_SPREAD = 2.0, 0.3
"""Prior spread of the connector's coefficients about an ideal one: wide for reflection; for passage
0.3, which is 5 ps of delay, the range of SMA connectors for the edge of a board (planning value).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A measured line of known drawing; `s` is (F, 2, 2) for a thru, (F,) for the others."""

    name: str
    kind: Kind
    segments: tuple[Segment, ...]
    f_hz: Real
    s: Complex
    f_max_hz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A fitted figure, its prior and what the data left of it (standard deviations)."""

    name: str
    value: float
    unit: str
    prior: float
    prior_spread: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The fitted model and its figures; `chi` is the rms residual in units of the noise."""

    model: BoardModel
    parameters: tuple[Parameter, ...]
    chi: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prior:
    name: str
    unit: str
    centre: float
    spread: float
    low: float = -np.inf


def priors(board: Substrate) -> tuple[_Prior, ...]:
    """Return what is believed before any measurement: the fab's figures and their tolerances."""
    height_m = board.height_m
    return (
        _Prior(name="epsilon_r", unit="", centre=board.dielectric.epsilon_r, spread=0.15, low=1.01),
        _Prior(
            name="tan_delta", unit="", centre=board.dielectric.tan_delta, spread=0.005, low=1e-5
        ),
        _Prior(name="roughness", unit="", centre=0.3, spread=0.3, low=0.0),
        _Prior(
            name="height", unit="m", centre=height_m, spread=0.01 * height_m, low=0.5 * height_m
        ),
        _Prior(name="etch", unit="m", centre=0.0, spread=10e-6),
        _Prior(name="length", unit="m", centre=0.0, spread=100e-6),
        _Prior(name="one_port_length", unit="m", centre=0.0, spread=1e-3),
        _Prior(name="short", unit="H", centre=0.1e-9, spread=0.1e-9),
        _Prior(name="load", unit="ohm", centre=50.0, spread=0.5, low=1.0),
        _Prior(name="load_c", unit="F", centre=0.0, spread=0.1e-12),
    )


def fit_board(board: Substrate, standards: tuple[Standard, ...]) -> Fit:
    """Return the model that fits the standards best; InputError if none of them is a thru."""
    from scipy.optimize import least_squares

    thrus = [each for each in standards if each.kind == "thru"]
    if not thrus:
        raise InputError(
            "no thru is among the files, so the connectors cannot be told from the lines.",
            remedy="give at least one two-port file, better two of different length.",
        )
    believed = priors(board)
    f_max_hz = max(float(each.f_hz.max()) for each in thrus)
    data = tuple(_thinned(each) for each in standards)
    start = np.zeros(len(believed) + 3 * TERMS)
    start[len(believed) + 2 * TERMS] = 1.0

    def residuals(x: Real) -> Real:
        return _residuals(x, board, believed, f_max_hz, data)

    low = np.full(start.size, -np.inf)
    low[: len(believed)] = [(each.low - each.centre) / each.spread for each in believed]
    found = least_squares(residuals, start, bounds=(low, np.inf), max_nfev=60, x_scale="jac")
    chi = _chi(found.x, board, believed, f_max_hz, data)
    model = _model(found.x, board, believed, f_max_hz)
    return Fit(model=model, parameters=_figures(found, believed, chi), chi=chi)


def predicted(model: BoardModel, standard: Standard) -> Complex:
    """Return what the model says of a standard, in the shape of its measurement."""
    if standard.kind == "thru":
        return two_port(model, standard.segments, standard.f_hz)
    return one_port(model, standard.segments, standard.kind, standard.f_hz)


def _repeats(standard: Standard) -> float:
    """Return the root of how many points of a thinned file err alike."""
    apart_hz = float(standard.f_hz[-1] - standard.f_hz[0]) / max(standard.f_hz.size - 1, 1)
    return float(np.sqrt(max(1.0, CORRELATION_HZ / max(apart_hz, 1.0))))


def _thinned(standard: Standard) -> Standard:
    inside = np.flatnonzero(standard.f_hz <= standard.f_max_hz)
    if inside.size == 0:
        raise InputError(
            "no point of the file lies in the band of the fit.",
            remedy="measure from lower frequencies, or raise f_max of the standard.",
            file=PurePath(standard.name).name,
        )
    keep = inside[np.unique(np.linspace(0, inside.size - 1, POINTS).astype(int))]
    return replace(standard, f_hz=standard.f_hz[keep], s=standard.s[keep])


def _model(x: Real, board: Substrate, believed: tuple[_Prior, ...], f_max_hz: float) -> BoardModel:
    told = {each.name: each.centre + each.spread * x[i] for i, each in enumerate(believed)}
    rows = x[len(believed) :].reshape(3, TERMS)
    s11, s22, s21 = (tuple(float(each) for each in row) for row in rows)
    return BoardModel(
        board=Substrate(
            height_m=told["height"],
            copper_m=board.copper_m,
            dielectric=replace(
                board.dielectric, epsilon_r=told["epsilon_r"], tan_delta=told["tan_delta"]
            ),
            metal=replace(board.metal, roughness=told["roughness"]),
        ),
        launch=Launch(s11=s11, s22=s22, s21=s21, f_max_hz=f_max_hz),
        etch_m=told["etch"],
        length_m=told["length"],
        ends=Ends(
            length_m=told["one_port_length"],
            short_h=told["short"],
            load_ohm=told["load"],
            load_f=told["load_c"],
        ),
    )


def _residuals(
    x: Real,
    board: Substrate,
    believed: tuple[_Prior, ...],
    f_max_hz: float,
    data: tuple[Standard, ...],
) -> Real:
    model = _model(x, board, believed, f_max_hz)
    rows = [np.asarray(x[: len(believed)])]
    ideal = np.zeros(3 * TERMS)
    ideal[2 * TERMS] = 1.0
    spread = np.repeat([REFLECTED_SPREAD, REFLECTED_SPREAD, PASSED_SPREAD], TERMS)
    rows.append((x[len(believed) :] - ideal) / spread)
    rows += [_gaps(model, each) / _repeats(each) for each in data]
    grid = np.linspace(0.0, f_max_hz, 101)
    largest = np.linalg.norm(launch(model.launch, grid), ord=2, axis=(-2, -1))
    rows.append(np.maximum(0.0, largest - 1.0) / PASSIVITY_NOISE)
    return np.concatenate(rows)


def _gaps(model: BoardModel, standard: Standard) -> Real:
    """Return what the model misses of a standard, in units of the noise, real and imaginary."""
    noise = NOISE + NOISE_PER_GHZ * standard.f_hz * 1e-9
    gap = predicted(model, standard) - standard.s
    if standard.kind == "thru":
        # S12 and S21 share one model; their mean carries what it can know.
        parts = [gap[:, 0, 0], gap[:, 1, 1], 0.5 * (gap[:, 0, 1] + gap[:, 1, 0])]
    else:
        parts, noise = [gap], noise + ONE_PORT_NOISE
    return np.concatenate([each for part in parts for each in (part.real / noise,
                                                               part.imag / noise)])  # fmt: skip


def _chi(
    x: Real,
    board: Substrate,
    believed: tuple[_Prior, ...],
    f_max_hz: float,
    data: tuple[Standard, ...],
) -> float:
    model = _model(x, board, believed, f_max_hz)
    gaps = np.concatenate([_gaps(model, each) for each in data])
    return float(np.sqrt(np.mean(gaps**2)))


def _figures(found: Any, believed: tuple[_Prior, ...], chi: float) -> tuple[Parameter, ...]:
    """Return values with spreads from the Jacobian, widened by a fit worse than the noise."""
    covariance = np.linalg.pinv(found.jac.T @ found.jac)
    widen = max(chi, 1.0)
    return tuple(
        Parameter(
            name=each.name,
            unit=each.unit,
            value=float(each.centre + each.spread * found.x[i]),
            prior=each.centre,
            prior_spread=each.spread,
            spread=float(each.spread * min(1.0, widen * np.sqrt(covariance[i, i]))),
        )
        for i, each in enumerate(believed)
    )


def board_of(*, height_m: float, copper_m: float, epsilon_r: float, tan_delta: float) -> Substrate:
    """Return a board as ordered, before any fit."""
    return Substrate(
        height_m=height_m,
        copper_m=copper_m,
        dielectric=Dielectric(epsilon_r=epsilon_r, tan_delta=tan_delta),
        metal=Metal(),
    )
