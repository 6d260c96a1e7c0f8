"""Warming stretches a cavity and its air slows the waves: the whole response scales in frequency.

H(f) becomes H0(f (1 + eps)). Air: E. K. Smith and S. Weintraub, Proc. IRE 41, 1953; vapour: A. L.
Buck, J. Appl. Meteorol. 20, 1981.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Complex, Real

ALUMINIUM_1_K = 23e-6
STEEL_1_K = 12e-6
"""Linear expansion (physics.md 5.5; common handbook values)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """State of the gas in the cavity."""

    temperature_k: float = 296.15
    pressure_pa: float = 101_325.0
    humidity: float = 0.4
    """Relative humidity, 0 to 1."""


def vapour_pa(air: Air) -> float:
    """Return the partial pressure of water: Buck's saturation times relative humidity."""
    celsius = air.temperature_k - 273.15
    return air.humidity * 611.21 * math.exp(17.502 * celsius / (240.97 + celsius))


def refractivity(air: Air) -> float:
    """Return n - 1: 1e-6 (77.6 P/T + 3.73e5 e/T^2), pressures in hPa."""
    dry = 77.6 * 0.01 * air.pressure_pa / air.temperature_k
    wet = 3.73e5 * 0.01 * vapour_pa(air) / air.temperature_k**2
    return 1e-6 * (dry + wet)


def stretch(before: Air, after: Air, expansion_1_k: float) -> float:
    """Return eps for uniform warming of walls and air: expansion plus rise of the index."""
    warmer = after.temperature_k - before.temperature_k
    return expansion_1_k * warmer + refractivity(after) - refractivity(before)


def stretch_change(q: Real, eps: float) -> Real:
    """Return the mean |dH|^2 / |H|^2 by a stretch, shape as `q`: 2 x^2/(1 + x^2), x = Q eps."""
    x = q * eps
    return np.asarray(2.0 * x**2 / (1.0 + x**2))


def stretched(f_hz: Real, h: Complex, eps: float) -> Complex:
    """Return H(f (1 + eps)), shape (F,), by cubic interpolation of H on rising frequencies.

    Steps must be well below the bandwidth f/Q (a tenth gives 1e-4 of H). At the ends of the band
    the last pieces are continued, right for shifts below a step.
    """
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(f_hz, h)(f_hz * (1.0 + eps)), dtype=np.complex128)


def fitted_stretch(
    f_hz: Real, anchor: Complex, h: Complex, rounds: int = 4
) -> tuple[float, complex]:
    """Return (eps, gain) minimising |H - gain anchor(f (1 + eps))|^2, by Gauss-Newton from 0.

    Converges for |eps| below about 1/(2 Q).
    """
    eps, gain = 0.0, 1.0 + 0.0j
    for _ in range(rounds):
        model = stretched(f_hz, anchor, eps)
        slope = (stretched(f_hz, anchor, eps + 1e-8) - model) / 1e-8
        gain = complex(np.vdot(model, h) / np.vdot(model, model))
        # real eps, complex correction of gain: three real unknowns
        columns = np.stack([gain * slope, model, 1j * model], axis=1)
        stacked = np.concatenate([columns.real, columns.imag])
        rest = h - gain * model
        found = np.linalg.lstsq(stacked, np.concatenate([rest.real, rest.imag]), rcond=None)[0]
        eps += float(found[0])
        gain += complex(found[1], found[2])
    return eps, gain
