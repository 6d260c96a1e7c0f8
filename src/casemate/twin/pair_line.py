"""A coupled pair over a plane: two lanes of a zone, buried in the board, with their modes.

Two lanes run side by side from terminal to terminal. A pair of like lanes has an even and an odd
mode; where one lane is longer than the other (it takes the outside of bends) the modes are mixed,
so modes are found for any two lanes. With lane voltages U and currents I, power-normalised waves
a (away from the reader) and b: U = V (a + b), I = V^-T (a - b), a ~ exp(-gamma x). Line pieces are
then diagonal and every reflection matrix is symmetric. C. R. Paul, Analysis of Multiconductor
Transmission Lines, chapter 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_coupled import PerMetre, capacitance_f_m
from casemate.twin.line_materials import (
    C0_M_S,
    Complex,
    Real,
    internal_impedance,
    j_omega,
    permittivity,
    surface_impedance,
)
from casemate.twin.line_microstrip import Substrate, Wave, skin_factor_1_m

LOWEST_HZ = 100.0
"""What stands for 0 Hz where nothing is damped: modes of a line with resistance have no limit."""
WRAP = math.log(1e6)
"""A record is damped by this much in nepers, so that what outlasts it comes back 1e-6 as strong."""
LIKE = 1e-9
"""Lanes whose matrices differ by less than this, relatively, are taken as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A pair at complex frequencies: laplace_1_s (F,), gamma_1_m (2, F), volts V (F, 2, 2).

    `alone`: the wave on one lane where the other has been taken away. length_m: mean of both.
    """

    laplace_1_s: Complex
    gamma_1_m: Complex
    volts: Complex
    alone: Wave
    length_m: float

    @property
    def f_hz(self) -> Real:
        """Return the frequencies, shape (F,)."""
        return np.asarray(self.laplace_1_s.imag / (2.0 * np.pi), dtype=np.float64)

    @property
    def slow_s_m(self) -> Real:
        """Return the delay of both modes at the highest frequency, shape (2,)."""
        return np.asarray((self.gamma_1_m[:, -1] / self.laplace_1_s[-1]).real, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """What joins the far ends: a resistor between the lanes, and one from each lane to ground.

    inf where there is none. The reader's default is one between the lanes alone: it ends the odd
    mode and leaves the even mode open.
    """

    between_ohm: float
    ground_ohm: tuple[float, float] = (float("inf"), float("inf"))

    def __post_init__(self) -> None:
        if not min(self.between_ohm, *self.ground_ohm) > 0.0:
            raise InputError(
                "a termination is not above 0 ohm.",
                remedy="give resistances above 0 ohm, inf where there is none.",
                value=(self.between_ohm, self.ground_ohm),
            )


def positive(**figures: float) -> None:
    """Raise InputError unless all figures are finite and above 0."""
    for name, value in figures.items():
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(
                "a figure of a pair is not above 0, or is no number.",
                remedy="give finite figures above 0, in SI units.",
                key=name,
                value=value,
            )


def laplace_of(f_hz: Real, *, damped: bool = True) -> Complex:
    """Return s, shape (F,), at `f_hz` = 0, df, 2 df, ...; InputError for other frequencies.

    For records in time: sigma + j omega, sigma = WRAP df. Not damped, for spectra: j omega, with
    LOWEST_HZ for 0.
    """
    sound = f_hz.ndim == 1 and f_hz.size >= 3 and bool(np.isfinite(f_hz).all())
    if not sound or f_hz[0] != 0.0 or not np.allclose(np.diff(f_hz), f_hz[1]) or f_hz[1] <= 0.0:
        raise InputError(
            "frequencies do not run from 0 in even steps.",
            remedy="make them with casemate.twin.line_tdr.frequencies.",
            value=f_hz.shape,
        )
    if damped:
        return np.asarray(WRAP * f_hz[1] + j_omega(f_hz), dtype=np.complex128)
    return j_omega(np.maximum(f_hz, LOWEST_HZ))


def buried(
    board: Substrate,
    widths_m: tuple[float, ...],
    gaps_m: tuple[float, ...],
    laplace_1_s: Complex,
    loading_f_m: float = 0.0,
) -> PerMetre:
    """Return the matrices per metre of strips buried in a board, `board.height_m` from its plane.

    One dielectric all round: no dispersion but that of the dielectric and the metal. `loading_f_m`:
    capacitance to ground that crossing traces of another layer add to each strip, in the board's
    dielectric; they carry no current along, so inductance stays. Strips are thin in C and L.
    """
    positive(height_m=board.height_m, copper_m=board.copper_m, epsilon_r=board.dielectric.epsilon_r)
    for width_m in (*widths_m, *gaps_m):
        positive(width_m=width_m)
    c_air = capacitance_f_m(widths_m, gaps_m, board.height_m, 1.0)
    l_h_m = np.linalg.inv(c_air) / C0_M_S**2
    load = np.eye(len(widths_m)) * loading_f_m / board.dielectric.epsilon_r
    inside = np.zeros((laplace_1_s.size, *l_h_m.shape), dtype=np.complex128)
    f_hz: Complex = laplace_1_s / 2j / np.pi
    surface = surface_impedance(board.metal, f_hz)
    for i, width_m in enumerate(widths_m):
        r_dc = board.metal.resistivity_ohm_m / (width_m * board.copper_m)
        skin = surface * skin_factor_1_m(width_m, board.height_m, board.copper_m)
        inside[:, i, i] = internal_impedance(r_dc, skin)
    s = laplace_1_s[:, None, None]
    epsilon = permittivity(board.dielectric, f_hz)[:, None, None]
    return PerMetre(
        series=np.asarray(s * l_h_m + inside, dtype=np.complex128),
        shunt=np.asarray(s * epsilon * (c_air + load), dtype=np.complex128),
    )


def stretched(lines: PerMetre, share: float) -> PerMetre:
    """Return the pair of a first lane longer than the mean by `share`, the second shorter by it.

    The surplus lies evenly along the pair, as bends do, and is not coupled.
    """
    if not abs(share) < 0.5:
        raise InputError(
            "one lane of a pair is more than three times as long as the other.",
            remedy="pair lanes of one zone that run side by side.",
            value=share,
        )
    factor: Real = np.eye(2) * share * np.array([1.0, -1.0]) + 1.0
    return PerMetre(
        series=np.asarray(lines.series * factor, dtype=np.complex128),
        shunt=np.asarray(lines.shunt * factor, dtype=np.complex128),
    )


def pair_of(laplace_1_s: Complex, lines: PerMetre, alone: PerMetre, length_m: float) -> Pair:
    """Return the pair of `lines`, (F, 2, 2) at `laplace_of(...)`; `alone` has (F, 1, 1)."""
    positive(length_m=length_m)
    for matrix in (lines.series, lines.shunt):
        if matrix.shape != (laplace_1_s.size, 2, 2) or not np.isfinite(matrix).all():
            raise InputError(
                "the matrices of a pair are not two by two at each frequency, or hold nan.",
                remedy="make them with casemate.twin.pair_line.buried.",
                value=matrix.shape,
            )
    turn = _modes(lines)
    back = _inverse(turn)
    series = _diagonal(back @ lines.series @ np.swapaxes(back, 1, 2))
    shunt = _diagonal(np.swapaxes(turn, 1, 2) @ lines.shunt @ turn)
    gamma = np.sqrt(series * shunt)
    gamma = np.where(gamma.real < 0.0, -gamma, gamma)
    own_series, own_shunt = alone.series[:, 0, 0], alone.shunt[:, 0, 0]
    return Pair(
        laplace_1_s=laplace_1_s,
        gamma_1_m=np.ascontiguousarray(gamma.T),
        volts=turn * np.sqrt(series / gamma)[:, None, :],
        alone=Wave(
            gamma_1_m=np.sqrt(own_series * own_shunt), z_ohm=np.sqrt(own_series / own_shunt)
        ),
        length_m=length_m,
    )


def _modes(lines: PerMetre) -> Complex:
    """Return the voltages of both modes, columns of (F, 2, 2); even, odd for like lanes."""
    one, other = lines.series, lines.shunt
    apart = max(_unlike(one), _unlike(other))
    if apart < LIKE:
        root = np.array([[1.0, 1.0], [1.0, -1.0]], dtype=np.complex128) / np.sqrt(2.0)
        return np.tile(root, (one.shape[0], 1, 1))
    return np.asarray(np.linalg.eig(one @ other)[1], dtype=np.complex128)


def _unlike(matrix: Complex) -> float:
    gap = np.abs(matrix[:, 0, 0] - matrix[:, 1, 1]) / np.abs(matrix[:, 0, 0])
    return float(gap.max())


def _diagonal(matrix: Complex) -> Complex:
    return np.stack([matrix[:, 0, 0], matrix[:, 1, 1]], axis=-1)


def _inverse(matrix: Complex) -> Complex:
    a, b, c, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1]
    rows = np.stack([np.stack([d, -b], axis=-1), np.stack([-c, a], axis=-1)], axis=-2)
    return np.asarray(rows / (a * d - b * c)[:, None, None], dtype=np.complex128)


def amperes(pair: Pair) -> Complex:
    """Return V^-T, shape (F, 2, 2): lane currents of unit waves."""
    return np.ascontiguousarray(np.swapaxes(_inverse(pair.volts), 1, 2))


def characteristic_ohm(pair: Pair) -> Complex:
    """Return the impedance matrix V V^T, shape (F, 2, 2), that ends the pair without reflection."""
    return np.asarray(pair.volts @ np.swapaxes(pair.volts, 1, 2), dtype=np.complex128)


def odd_ohm(pair: Pair, f_hz: float) -> float:
    """Return the real impedance of one lane in the odd mode, Z11 - Z12, near `f_hz`."""
    z = characteristic_ohm(pair)[int(np.argmin(np.abs(pair.f_hz - f_hz)))]
    return float((0.5 * (z[0, 0] + z[1, 1]) - z[0, 1]).real)


def end_admittance(pair: Pair, termination: Termination) -> Complex:
    """Return the termination in waves, V^T Y V as ee, eo, oo, shape (3, F)."""
    between = 1.0 / termination.between_ohm
    to_ground = [1.0 / ohm for ohm in termination.ground_ohm]
    y = np.array([[to_ground[0] + between, -between], [-between, to_ground[1] + between]])
    waves = np.swapaxes(pair.volts, 1, 2) @ y @ pair.volts
    return np.stack([waves[:, 0, 0], waves[:, 0, 1], waves[:, 1, 1]])
