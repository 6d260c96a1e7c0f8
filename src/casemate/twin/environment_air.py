"""Pressure and humidity inside, following those outside.

A leak through an orifice: d(dP)/dt = -gamma P Cd A sqrt(2 |dP| / rho) / V, so the square root of
the difference falls linearly and reaches 0 in finite time. A seam that is long and narrow leaks
in proportion to dP instead and falls exponentially.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Real

RHO_KG_M3 = 1.19
"""Air at 23 C and 1013 hPa."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A volume and the area of its leak."""

    volume_m3: float
    area_m2: float
    discharge: float = 0.61
    """Sharp-edged orifice (ISO 5167 gives 0.6 to 0.62)."""
    gamma: float = 1.4
    """1.4 for changes of seconds; 1 once the gas has taken the walls' temperature."""


def leak_rate_rtpa_s(leak: Leak, pressure_pa: float = 101_325.0) -> float:
    """Return by how much sqrt(|dP|) falls per second."""
    flow = leak.discharge * leak.area_m2 * math.sqrt(2.0 / RHO_KG_M3)
    return 0.5 * leak.gamma * pressure_pa * flow / leak.volume_m3


def leaked_pa(leak: Leak, start_pa: float, times_s: Real) -> Real:
    """Return the pressure difference, shape (K,), left of `start_pa` after `times_s`."""
    root = np.maximum(math.sqrt(abs(start_pa)) - leak_rate_rtpa_s(leak) * times_s, 0.0)
    return np.asarray(math.copysign(1.0, start_pa) * root**2)


def inside_pa(leak: Leak, outside_pa: Real, step_s: float) -> Real:
    """Return the pressure inside, shape (K,), for one outside held during each step (K,).

    Starts in balance. Exact for such an outside.
    """
    fall = leak_rate_rtpa_s(leak) * step_s
    inside, out = float(outside_pa[0]), np.empty(outside_pa.size)
    for k, outer in enumerate(outside_pa):
        gap = inside - float(outer)
        root = max(math.sqrt(abs(gap)) - fall, 0.0)
        inside = float(outer) + math.copysign(root * root, gap)
        out[k] = inside
    return out


COLDEST_C = -100.0
"""Below it air holds no water worth counting, and the form has its pole."""


def saturation_pa(temperature_k: Real) -> Real:
    """Return the saturation pressure of water, shape as given (Buck 1981, over water)."""
    celsius = np.maximum(np.asarray(temperature_k) - 273.15, COLDEST_C)
    return np.asarray(611.21 * np.exp(17.502 * celsius / (240.97 + celsius)))


def inside_humidity(
    outside_vapour_pa: Real, inside_k: Real, exchange_s: float, step_s: float
) -> Real:
    """Return relative humidity inside, shape (K,), 0 to 1.

    Vapour follows the outside with the time of air exchange; warmth alone lowers the figure.
    """
    from scipy.signal import lfilter

    keep = math.exp(-step_s / exchange_s)
    first = np.asarray([keep * outside_vapour_pa[0]])
    vapour, _ = lfilter([1.0 - keep], [1.0, -keep], outside_vapour_pa, zi=first)
    return np.asarray(np.clip(vapour / saturation_pa(inside_k), 0.0, 1.0))
