"""A conducting needle from a wall: polarisability, resonance, cross-section, shift of a mode.

A needle of depth d is a rod of length 2d with its image. Static: alpha = 4 pi d^3 / (3 (ln(4 d/a)
- 7/3)) for radius a (J. Van Bladel, Electromagnetic Fields, 2007; NGSolve solutions lie within
11 %). Near resonance it is an oscillator damped by its own radiation, which caps its mean
cross-section at lambda^2 / (2 pi).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_materials import C0_M_S, Complex, Real

REACTANCE_OHM = 42.5
"""Of a thin dipole a half-wave long (induced-EMF method; Schelkunoff and Friis 1952)."""
SLIMMEST = 12.0
"""Least depth over radius for which the rod formula is used: below, ln(4 d/a) - 7/3 loses sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """A straight conductor of a depth and diameter, normal to the wall, joined to it."""

    depth_m: float
    diameter_m: float


def static_polarisability_m3(needle: Needle) -> float:
    """Return alpha / epsilon_0 of the needle with its image; half of it acts in the cavity.

    Raises InputError for a needle that is not slim.
    """
    ratio = 2.0 * needle.depth_m / needle.diameter_m
    if not ratio >= SLIMMEST:
        raise InputError(
            "The needle is too thick for the thin-rod formula.",
            remedy=f"Give a depth of at least {SLIMMEST / 2:g} diameters.",
            key="diameter_m",
            value=needle.diameter_m,
        )
    return 4.0 / 3.0 * math.pi * needle.depth_m**3 / (math.log(4.0 * ratio) - 7.0 / 3.0)


def quarter_wave_hz(needle: Needle) -> float:
    """Return c / (4 d), where the needle is a quarter wave long."""
    return C0_M_S / (4.0 * needle.depth_m)


def resonance_hz(needle: Needle) -> float:
    """Return where the needle resonates: c / (4 d) less the end effect, 5 to 9 % lower.

    A dipole a half-wave long has +42.5 ohm of reactance; as a line of 120 (ln(2 d/a) - 1) ohm it
    is brought to zero by a relative shift of 42.5/(Z pi/2) (S. A. Schelkunoff and H. T. Friis,
    Antennas, 1952).
    """
    z_ohm = 120.0 * (math.log(4.0 * needle.depth_m / needle.diameter_m) - 1.0)
    return quarter_wave_hz(needle) * (1.0 - REACTANCE_OHM / (z_ohm * 0.5 * math.pi))


def polarisability_m3(needle: Needle, f_hz: Real) -> Complex:
    """Return alpha / epsilon_0, shape (F,): alpha / (1 - (f/f0)^2 + j k^3 alpha / (6 pi)).

    Time dependence exp(+j omega t). The last term is the radiation of the rod with its image;
    without loss in the metal the extinguished power then equals the scattered one exactly.
    """
    alpha = static_polarisability_m3(needle)
    k = 2.0 * np.pi * f_hz / C0_M_S
    below = 1.0 - (f_hz / resonance_hz(needle)) ** 2
    return np.asarray(alpha / (below + 1j * k**3 * alpha / (6.0 * np.pi)), dtype=np.complex128)


def needle_m2(needle: Needle, f_hz: Real) -> Real:
    """Return the mean scattering cross-section in a diffuse field, shape (F,).

    k^4 |alpha|^2 / (18 pi): a third for direction, twice for the field doubled at the wall, half
    for radiating into a half-space only. Meant up to 1.5 times the resonance.
    """
    k = 2.0 * np.pi * f_hz / C0_M_S
    return np.asarray(k**4 * np.abs(polarisability_m3(needle, f_hz)) ** 2 / (18.0 * np.pi))


def relative_change(scatterer_m2: Real, absorption_m2: Real) -> Real:
    """Return the mean |dH|^2 / |H|^2 = sigma_s / A_abs, shape (F,).

    What the scatterer sends out is a source in the same cavity; it builds up as the first did.
    The volume drops out. Holds where modes overlap.
    """
    return np.asarray(scatterer_m2 / absorption_m2)


def mode_shift(needle: Needle, e_squared_1_m3: float) -> float:
    """Return df/f of one mode: -(alpha/2) E^2(x) / (2 integral E^2 dV), J. C. Slater 1946.

    `e_squared_1_m3` is the square of the normal field at the wall over the integral of E^2.
    """
    return -0.25 * static_polarisability_m3(needle) * e_squared_1_m3
