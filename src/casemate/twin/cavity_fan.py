"""Fans stir the field: the share they touch, the Rician factor left, how fast H forgets.

A field that lives tau meets moving scatterers of total cross-section sigma at the rate
sigma c / V, so A / (A + sigma) of the power is unstirred (after J. de Rosny, A. Tourin and M. Fink,
Phys. Rev. Lett. 90, 2003, who use it the other way round, to measure sigma).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin.cavity_channel import random_waves, scattered
from casemate.twin.line_materials import C0_M_S, Complex, Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """A rotor that the field sees."""

    radius_m: float
    scatter_m2: float
    """Total scattering cross-section of the moving part; about 1e-3 for an open 40 mm fan
    (planning value, physics.md 5.5), less by the shielding of a honeycomb before it."""
    blades: int = 7
    turns_1_s: float = 100.0


def stirred_share(fan: Fan, absorption_m2: Real) -> Real:
    """Return the share of the scattered power that the fan modulates, shape (F,)."""
    return np.asarray(fan.scatter_m2 / (absorption_m2 + fan.scatter_m2))


def stir_k_factor(fan: Fan, absorption_m2: Real) -> Real:
    """Return unstirred over stirred power, A / sigma, shape (F,): the K that a still link has."""
    return np.asarray(absorption_m2 / fan.scatter_m2)


def highest_order(fan: Fan, f_hz: float) -> int:
    """Return the highest harmonic of rotation in the response: the Doppler limit 2 k r, >= 1."""
    return max(1, int(np.ceil(2.0 * 2.0 * np.pi * f_hz / C0_M_S * fan.radius_m)))


def coherence_time_s(fan: Fan, f_hz: float) -> float:
    """Return the time in which the stirred part first decorrelates: 1 / ((2 M + 1) turns/s).

    M is the highest order. After a whole turn it comes back.
    """
    return 1.0 / ((2 * highest_order(fan, f_hz) + 1) * fan.turns_1_s)


def turn_correlation(orders: int, turned_rad: Real) -> Real:
    """Return the correlation of the stirred part over a turn: Dirichlet's kernel of `orders`."""
    half = 0.5 * turned_rad
    sine = np.sin(half)
    flat = np.abs(sine) < 1e-12
    kernel = np.sin((2 * orders + 1) * half) / ((2 * orders + 1) * np.where(flat, 1.0, sine))
    return np.asarray(np.where(flat, 1.0, kernel))


def stirred_response(
    still: Complex,
    share: float,
    fan: Fan,
    turned_rad: Real,
    f_hz: Real,
    decay_s: float,
    generator: np.random.Generator,
    waves: int = 120,
) -> Complex:
    """Return H, shape (K, F), at rotor angles `turned_rad` (K,) for an unstirred H (F,).

    Every harmonic of rotation up to the Doppler limit has its own random response over frequency,
    of equal mean power. `share` of the power is stirred. Blades are unlike enough that no harmonic
    is missing: a perfectly symmetric rotor would keep only multiples of the blade count.
    """
    top = highest_order(fan, float(f_hz.max()))
    orders = np.arange(-top, top + 1)
    parts = np.stack([scattered(random_waves(waves, decay_s, generator), f_hz) for _ in orders])
    turning = np.exp(1j * np.outer(turned_rad, orders)) / np.sqrt(orders.size)
    return np.asarray(np.sqrt(1.0 - share) * still[None] + np.sqrt(share) * (turning @ parts))
