"""Causal materials of a line: wideband Debye dielectric, skin effect, rough copper.

Time dependence is exp(+j omega t), so a lossy permittivity has a negative imaginary part. All are
analytic, so that a frequency may be complex: s/(2 pi j) at any s with a real part above 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

C0_M_S = 299_792_458.0
MU0_H_M = 1.25663706212e-6
"""CODATA 2018."""
EPS0_F_M = 1.0 / (MU0_H_M * C0_M_S**2)
ETA0_OHM = MU0_H_M * C0_M_S
COPPER_OHM_M = 1.68e-8
"""Annealed copper at 20 C (IEC 60028 gives 1.724e-8 for the standard, 1.68e-8 for pure metal)."""


def j_omega(f_hz: Real | Complex) -> Complex:
    """Return j 2 pi f, shape as given."""
    return np.asarray(2j * np.pi * f_hz, dtype=np.complex128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dielectric:
    """A dielectric whose loss tangent is nearly flat from `f_low_hz` to `f_high_hz`.

    `epsilon_r` and `tan_delta` hold at `f_ref_hz`. Between the corner frequencies the real part
    falls with the logarithm of frequency, as causality asks (Djordjevic, Biljic, Likar-Smiljanic
    and Sarkar, IEEE T-EMC 43(4), 2001).
    """

    epsilon_r: float
    tan_delta: float
    f_ref_hz: float = 1e9
    f_low_hz: float = 1e3
    f_high_hz: float = 1e13


@dataclass(frozen=True, slots=True, kw_only=True)
class Metal:
    """A conductor: resistivity, and the surface of its rough side as balls on a plane.

    `roughness` is the area of the balls over that of the plane times 3/2, 0 for smooth metal: the
    factor by which loss grows, less one, at very high frequency. `ball_m` is their radius (Huray
    and others, DesignCon 2010).
    """

    resistivity_ohm_m: float = COPPER_OHM_M
    roughness: float = 0.0
    ball_m: float = 0.5e-6


def permittivity(dielectric: Dielectric, f_hz: Real | Complex) -> Complex:
    """Return the complex relative permittivity at `f_hz`, shape (F,), by the wideband Debye law."""
    reference = np.asarray([dielectric.f_ref_hz], dtype=np.float64)
    at_ref = complex(_debye_shape(dielectric, reference)[0])
    # epsilon = e_inf + d * shape; two conditions at f_ref fix d and e_inf.
    strength = dielectric.tan_delta * dielectric.epsilon_r / -at_ref.imag
    e_inf = dielectric.epsilon_r - strength * at_ref.real
    return np.asarray(e_inf + strength * _debye_shape(dielectric, f_hz), dtype=np.complex128)


def _debye_shape(dielectric: Dielectric, f_hz: Real | Complex) -> Complex:
    span = math.log(dielectric.f_high_hz / dielectric.f_low_hz)
    ratio = (dielectric.f_high_hz + 1j * f_hz) / (dielectric.f_low_hz + 1j * f_hz)
    return np.asarray(np.log(ratio) / span, dtype=np.complex128)


def surface_impedance(metal: Metal, f_hz: Real | Complex) -> Complex:
    """Return the surface impedance in ohms a square at `f_hz`, shape (F,), thick metal.

    sqrt(j omega mu rho) times the causal roughness factor 1 + k s/(1 + s), s = a sqrt(j omega
    mu / rho): its real part is Huray's 1/(1 + d/a + d^2/(2 a^2)) exactly, d the skin depth
    (Bracken, DesignCon 2012).
    """
    root = np.sqrt(j_omega(f_hz) * MU0_H_M)
    ball = metal.ball_m * root / math.sqrt(metal.resistivity_ohm_m)
    factor = 1.0 + metal.roughness * ball / (1.0 + ball)
    return np.asarray(root * math.sqrt(metal.resistivity_ohm_m) * factor, dtype=np.complex128)


def internal_impedance(r_dc_ohm_m: float, skin_ohm_m: Complex) -> Complex:
    """Return the impedance per metre inside a conductor: direct current below, skin effect above.

    sqrt(Rdc^2 + Zskin^2), which with Zskin = k sqrt(j omega) has its only branch point on the
    negative real axis of s, so it is causal and passive.
    """
    return np.asarray(np.sqrt(r_dc_ohm_m**2 + skin_ohm_m**2), dtype=np.complex128)
