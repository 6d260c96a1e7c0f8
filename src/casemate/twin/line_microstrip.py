"""Microstrip: closed forms for impedance, effective permittivity, dispersion and loss.

Sources: E. Hammerstad and O. Jensen, IEEE MTT-S 1980 (static, thick strip); M. Kirschning and
R. H. Jansen, Electronics Letters 18(6), 1982 (permittivity) and IEEE MTT-32(1), 1984 (impedance);
H. A. Wheeler, Proc. IRE 30, 1942 (loss by incremental inductance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from casemate.twin.line_materials import (
    C0_M_S,
    ETA0_OHM,
    MU0_H_M,
    Complex,
    Dielectric,
    Metal,
    Real,
    internal_impedance,
    permittivity,
    surface_impedance,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Substrate:
    """A board with a ground plane: dielectric of `height_m`, copper of `copper_m`."""

    height_m: float
    copper_m: float
    dielectric: Dielectric
    metal: Metal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A mode on a uniform line: propagation constant (1/m) and impedance (ohm), shape (F,)."""

    gamma_1_m: Complex
    z_ohm: Complex


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """Quasi-static figures of a strip: impedance in air, effective permittivity, filling."""

    z_air_ohm: float
    epsilon_eff: float
    filling: float
    u: float
    """Width over height, widened for the thickness of the strip in the dielectric."""

    @property
    def z_ohm(self) -> float:
        """Impedance without loss at low frequency."""
        return self.z_air_ohm / math.sqrt(self.epsilon_eff)

    @property
    def c_f_m(self) -> float:
        """Capacitance per metre."""
        return math.sqrt(self.epsilon_eff) / (C0_M_S * self.z_ohm)

    @property
    def l_h_m(self) -> float:
        """Inductance per metre."""
        return self.z_air_ohm / C0_M_S


def quasi_static(width_m: float, height_m: float, copper_m: float, epsilon_r: float) -> Static:
    """Return the static figures of a strip (0.01 <= w/h <= 100, error under 0.2 % for t = 0)."""
    u = width_m / height_m
    widened = _widening(u, copper_m / height_m)
    in_air = u + widened
    in_board = u + 0.5 * widened * (1.0 + 1.0 / math.cosh(math.sqrt(epsilon_r - 1.0)))
    air, board = _z_air(in_air), _z_air(in_board)
    epsilon_eff = _epsilon_eff(in_board, epsilon_r) * (air / board) ** 2
    return Static(
        z_air_ohm=air,
        epsilon_eff=epsilon_eff,
        filling=(epsilon_eff - 1.0) / (epsilon_r - 1.0),
        u=in_board,
    )


def _widening(u: float, t: float) -> float:
    if t <= 0.0:
        return 0.0
    coth = 1.0 / math.tanh(math.sqrt(6.517 * u))
    return t / math.pi * math.log(1.0 + 4.0 * math.e / (t * coth**2))


def _z_air(u: float) -> float:
    f = 6.0 + (2.0 * math.pi - 6.0) * math.exp(-((30.666 / u) ** 0.7528))
    return ETA0_OHM / (2.0 * math.pi) * math.log(f / u + math.sqrt(1.0 + (2.0 / u) ** 2))


def _epsilon_eff(u: float, epsilon_r: float) -> float:
    a: float = 1.0 + math.log((u**4 + (u / 52.0) ** 2) / (u**4 + 0.432)) / 49.0
    a += math.log(1.0 + (u / 18.1) ** 3) / 18.7
    b = 0.564 * ((epsilon_r - 0.9) / (epsilon_r + 3.0)) ** 0.053
    share = float((1.0 + 10.0 / u) ** (-a * b))
    return (epsilon_r + 1.0) / 2.0 + (epsilon_r - 1.0) / 2.0 * share


def dispersion(u: float, epsilon_r: float, f_height_ghz_mm: Real) -> Real:
    """Return P of epsilon_eff(f) = er - (er - epsilon_eff(0))/(1 + P), shape (F,).

    Stated error under 0.6 % for 0.1 <= u <= 100, er <= 20, h/lambda <= 0.13.
    """
    f = f_height_ghz_mm
    p1 = 0.27488 + (0.6315 + 0.525 / (1.0 + 0.0157 * f) ** 20) * u
    p1 -= 0.065683 * math.exp(-8.7513 * u)
    p2 = 0.33622 * (1.0 - math.exp(-0.03442 * epsilon_r))
    p3 = 0.0363 * math.exp(-4.6 * u) * (1.0 - np.exp(-((f / 38.7) ** 4.97)))
    p4 = 1.0 + 2.751 * (1.0 - math.exp(-((epsilon_r / 15.916) ** 8)))
    return np.asarray(p1 * p2 * ((0.1844 + p3 * p4) * f) ** 1.5763, dtype=np.float64)


def impedance_rise(
    u: float, epsilon_r: float, eff_static: float, eff_f: Real, f_height_ghz_mm: Real
) -> Real:
    """Return Z(f)/Z(0), shape (F,), of the power-current impedance (Kirschning and Jansen)."""
    f = f_height_ghz_mm
    r1 = min(0.03891 * epsilon_r**1.4, 20.0)
    r2 = min(0.267 * u**7, 20.0)
    r3 = 4.766 * math.exp(-3.228 * u**0.641)
    r4 = 0.016 + (0.0514 * epsilon_r) ** 4.524
    r5 = (f / 28.843) ** 12
    r6 = min(22.20 * u**1.92, 20.0)
    r7 = 1.206 - 0.3144 * math.exp(-r1) * (1.0 - math.exp(-r2))
    r8 = 1.0 + 1.275 * (1.0 - np.exp(-0.004625 * r3 * epsilon_r**1.674 * (f / 18.365) ** 2.745))
    e6 = (epsilon_r - 1.0) ** 6
    r9 = 5.086 * r4 * r5 / (0.3838 + 0.386 * r4) * math.exp(-r6) / (1.0 + 1.2992 * r5)
    r9 = r9 * e6 / (1.0 + 10.0 * e6)
    r10 = 0.00044 * epsilon_r**2.136 + 0.0184
    f6 = (f / 19.47) ** 6
    r11 = f6 / (1.0 + 0.0962 * f6)
    r12 = 1.0 / (1.0 + 0.00245 * u**2)
    r13 = 0.9408 * eff_f**r8 - 0.9603
    r14 = (0.9408 - r9) * eff_static**r8 - 0.9603
    r15 = 0.707 * r10 * (f / 12.3) ** 1.097
    r16 = 1.0 + 0.0503 * epsilon_r**2 * r11 * (1.0 - math.exp(-min((u / 15.0) ** 6, 20.0)))
    r17 = r7 * (1.0 - 1.1241 * (r12 / r16) * np.exp(-0.026 * f**1.15656 - r15))
    return np.asarray((r13 / r14) ** r17, dtype=np.float64)


def skin_factor_1_m(width_m: float, height_m: float, copper_m: float) -> float:
    """Return (1/mu0) dL/dn, 1/m: surface impedance times this is series impedance per metre.

    Wheeler: move every metal surface back by n (width and thickness shrink by 2n, height grows by
    2n) and take the derivative of the inductance, here of the closed form.
    """
    step = 1e-4 * min(width_m, height_m, copper_m)

    def l_h_m(n: float) -> float:
        moved = quasi_static(width_m - 2 * n, height_m + 2 * n, copper_m - 2 * n, 1.0 + 1e-9)
        return moved.l_h_m

    return (l_h_m(step) - l_h_m(-step)) / (2.0 * step) / MU0_H_M


def microstrip(board: Substrate, width_m: float, f_hz: Real) -> Wave:
    """Return the wave on a strip of `width_m` at `f_hz` > 0, shape (F,).

    Series impedance j omega L + Z_internal, shunt admittance j omega C epsilon_c / Re epsilon_c,
    with L and C from the dispersed impedance and permittivity.
    """
    epsilon = permittivity(board.dielectric, f_hz)
    nominal = board.dielectric.epsilon_r
    static = quasi_static(width_m, board.height_m, board.copper_m, nominal)
    scaled = f_hz * board.height_m * 1e-6
    p = dispersion(static.u, nominal, scaled)
    eff_low = 1.0 + static.filling * (epsilon - 1.0)
    eff = epsilon - (epsilon - eff_low) / (1.0 + p)
    rise = impedance_rise(static.u, nominal, static.epsilon_eff, _lossless(static, p, nominal),
                          scaled)  # fmt: skip
    # Z(0) follows the real permittivity as it falls with frequency; Z in air does not.
    z = static.z_air_ohm / np.sqrt(eff_low.real) * rise
    omega = 2.0 * np.pi * f_hz
    slow = np.sqrt(eff.real) / C0_M_S
    r_dc = board.metal.resistivity_ohm_m / (width_m * board.copper_m)
    skin = surface_impedance(board.metal, f_hz)
    skin = skin * skin_factor_1_m(width_m, board.height_m, board.copper_m)
    series = 1j * omega * slow * z + internal_impedance(r_dc, skin)
    shunt = 1j * omega * slow / z * (eff / eff.real)
    return Wave(gamma_1_m=np.sqrt(series * shunt), z_ohm=np.sqrt(series / shunt))


def _lossless(static: Static, p: Real, epsilon_r: float) -> Real:
    return np.asarray(epsilon_r - (epsilon_r - static.epsilon_eff) / (1.0 + p), dtype=np.float64)


def open_end_m(board: Substrate, width_m: float) -> float:
    """Return the length by which an open end looks longer (Kirschning, Jansen, Koster 1981)."""
    epsilon_r = board.dielectric.epsilon_r
    static = quasi_static(width_m, board.height_m, board.copper_m, epsilon_r)
    u, eff = width_m / board.height_m, static.epsilon_eff
    x1 = 0.434907 * (eff**0.81 + 0.26) / (eff**0.81 - 0.189)
    x1 *= (u**0.8544 + 0.236) / (u**0.8544 + 0.87)
    x2 = 1.0 + u**0.371 / (2.358 * epsilon_r + 1.0)
    x3 = 1.0 + 0.5274 * math.atan(0.084 * u ** (1.9413 / x2)) / eff**0.9236
    x4 = 1.0 + 0.0377 * math.atan(0.067 * u**1.456) * (
        6.0 - 5.0 * math.exp(0.036 * (1 - epsilon_r))
    )
    x5 = 1.0 - 0.218 * math.exp(-7.5 * u)
    return float(board.height_m * x1 * x3 * x5 / x4)


def with_dielectric(board: Substrate, *, epsilon_r: float, tan_delta: float) -> Substrate:
    """Return the board with another permittivity and loss tangent at the same reference."""
    changed = replace(board.dielectric, epsilon_r=epsilon_r, tan_delta=tan_delta)
    return replace(board, dielectric=changed)
