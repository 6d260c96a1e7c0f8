"""Vibration of a panel: modes of a thin plate on simple supports, driven by a force at a point.

f_mn = (pi/2) sqrt(D / (rho h)) ((m/a)^2 + (n/b)^2); mass rho h a b / 4 per mode. A. W. Leissa,
Vibration of Plates, NASA SP-160, 1969; S. Timoshenko, Theory of Plates and Shells, 1959.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Complex, Real

ALUMINIUM_PA, ALUMINIUM_KG_M3 = 69e9, 2_700.0
"""Young's modulus and density of aluminium sheet (EN 1999-1-1: 70 GPa, 2700 kg/m3)."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A panel a x b, simply supported; real ones lie between that and clamped (f up to 1.8x)."""

    a_m: float
    b_m: float
    thickness_m: float
    youngs_pa: float = ALUMINIUM_PA
    density_kg_m3: float = ALUMINIUM_KG_M3
    poisson: float = 0.33
    damping: float = 0.015
    """Of critical, all modes; 0.5 to 3 % (planning value, physics.md 5.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateModes:
    """Frequencies (M,) rising, and the half-waves (M, 2) along a and b."""

    f_hz: Real
    waves: Real


def rigidity_n_m(plate: Plate) -> float:
    """Return D = E h^3 / (12 (1 - nu^2))."""
    return plate.youngs_pa * plate.thickness_m**3 / (12.0 * (1.0 - plate.poisson**2))


def plate_modes(plate: Plate, f_max_hz: float) -> PlateModes:
    """Return all modes up to `f_max_hz`."""
    areal = plate.density_kg_m3 * plate.thickness_m
    unit = 0.5 * math.pi * math.sqrt(rigidity_n_m(plate) / areal)
    reach = math.sqrt(f_max_hz / unit)
    counts = (int(reach * plate.a_m) + 1, int(reach * plate.b_m) + 1)
    grid = np.stack(
        np.meshgrid(np.arange(1, counts[0] + 1), np.arange(1, counts[1] + 1), indexing="ij"), -1
    ).reshape(-1, 2)
    f_hz = unit * ((grid[:, 0] / plate.a_m) ** 2 + (grid[:, 1] / plate.b_m) ** 2)
    order = np.argsort(f_hz, kind="stable")
    order = order[f_hz[order] <= f_max_hz]
    return PlateModes(f_hz=f_hz[order], waves=grid[order].astype(np.float64))


def mode_shape(plate: Plate, modes: PlateModes, place: Point) -> Real:
    """Return sin(m pi x/a) sin(n pi y/b) of every mode at a place in metres, shape (M,)."""
    x, y = place[0] / plate.a_m, place[1] / plate.b_m
    shape = np.sin(np.pi * modes.waves[:, 0] * x) * np.sin(np.pi * modes.waves[:, 1] * y)
    return np.asarray(shape)


def _gain_1_kg(plate: Plate, modes: PlateModes, drive: Point, sense: Point) -> Real:
    mass = plate.density_kg_m3 * plate.thickness_m * plate.a_m * plate.b_m / 4.0
    both = mode_shape(plate, modes, drive) * mode_shape(plate, modes, sense)
    return np.asarray(both / mass)


def receptance_m_n(
    plate: Plate, modes: PlateModes, drive: Point, sense: Point, f_hz: Real
) -> Complex:
    """Return displacement over force, shape (F,); at 0 Hz the static compliance."""
    omega, own = 2.0 * np.pi * f_hz[:, None], 2.0 * np.pi * modes.f_hz[None, :]
    below = own**2 - omega**2 + 2j * plate.damping * own * omega
    return np.asarray((_gain_1_kg(plate, modes, drive, sense)[None] / below).sum(axis=1))


def acceleration_m_s2(
    plate: Plate, modes: PlateModes, drive: Point, sense: Point, force_n: Real, rate_hz: float
) -> Real:
    """Return acceleration at `sense`, shape (K,), for a force at `drive`, (K,), from rest.

    Exact for a force that is straight between samples. (One held between them rings the modes at
    each step: below the first mode, where acceleration is small, by several times the answer.)
    Modes above a third of the rate are left out, and a force is passed less by sinc^2(f/rate): take
    the rate at least three times, for 10 % six times, as high as what is of interest.
    """
    from scipy.signal import lfilter

    gain = _gain_1_kg(plate, modes, drive, sense)
    total = np.zeros(force_n.size)
    step_s = 1.0 / rate_hz
    for f_hz, weight in zip(modes.f_hz, gain, strict=True):
        if f_hz > rate_hz / 3.0 or abs(weight) < 1e-9 * np.abs(gain).max():
            continue
        total += weight * lfilter(*_joined(2.0 * np.pi * f_hz, plate.damping, step_s), force_n)
    return np.asarray(total)


def _joined(own: float, damping: float, step_s: float) -> tuple[list[float], list[float]]:
    """Return (b, a) of acceleration of a unit mass on a spring, the force straight between samples.

    Ramp response of s^2/(s^2 + 2 z w s + w^2): exp(-z w t) sin(wd t)/wd; second differences of it.
    """
    decay, turn = damping * own, own * math.sqrt(1.0 - damping**2)
    r, phi = math.exp(-decay * step_s), turn * step_s
    gain = r * math.sin(phi) / phi
    return [gain, -2.0 * gain, gain], [1.0, -2.0 * r * math.cos(phi), r * r]
