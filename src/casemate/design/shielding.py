"""Shielding: what each path through the wall keeps, as pure functions (SI, decibels).

Equations: reference/cad_em.md section 2.1, numbered there; each function names its own. All run
in logarithms, so that a thick sheet does not underflow.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

C0_M_S = 299_792_458.0
"""Speed of light (SI definition)."""
Z0_OHM = 376.730313668
"""Impedance of free space (CODATA)."""
MU0_H_M = 4e-7 * math.pi
"""Magnetic constant (2019 SI value agrees to 1e-9)."""

_DB = 20 / math.log(10)


def sheet_db(f_hz: float, thickness_m: float, sigma_s_m: float, mu_r: float = 1.0) -> float:
    """Return the attenuation of an infinite sheet for a plane wave (Schelkunoff, 2.1.1 exact).

    Includes absorption, reflection and all multiple reflections.
    """
    omega = 2 * math.pi * f_hz
    gamma = cmath.sqrt(1j * omega * mu_r * MU0_H_M * sigma_s_m)
    eta = cmath.sqrt(1j * omega * mu_r * MU0_H_M / sigma_s_m)
    rho2 = ((eta - Z0_OHM) / (eta + Z0_OHM)) ** 2
    back = 1 - rho2 * cmath.exp(-2 * gamma * thickness_m)
    log_t = (
        math.log(abs(4 * eta * Z0_OHM / (eta + Z0_OHM) ** 2))
        - gamma.real * thickness_m
        - math.log(abs(back))
    )
    return -_DB * log_t


def absorption_db(f_hz: float, thickness_m: float, sigma_s_m: float, mu_r: float = 1.0) -> float:
    """Return A = 8.686 t / delta of a sheet (2.1.1)."""
    delta = 1 / math.sqrt(math.pi * f_hz * mu_r * MU0_H_M * sigma_s_m)
    return _DB * thickness_m / delta


def reflection_db(f_hz: float, sigma_r: float, mu_r: float = 1.0) -> float:
    """Return the plane-wave reflection loss R = 168 - 10 log(mu_r f / sigma_r) (2.1.1).

    sigma_r: conductivity relative to copper (5.8e7 S/m).
    """
    return 168.0 - 10 * math.log10(mu_r * f_hz / sigma_r)


def thin_sheet_db(sheet_resistance_ohm: float) -> float:
    """Return 20 log(1 + Z0 / (2 Rs)) of a film much thinner than its skin depth (2.1.1; ITO)."""
    return 20 * math.log10(1 + Z0_OHM / (2 * sheet_resistance_ohm))


def slot_db(f_hz: float, length_m: float) -> float:
    """Return 20 log(lambda / 2L) of one slot, 0 from its half-wave resonance on (2.1.2)."""
    return max(0.0, 20 * math.log10(C0_M_S / f_hz / (2 * length_m)))


def many_db(one_db: float, count: float, *, coherent: bool) -> float:
    """Return one opening's attenuation less 10 log N (incoherent) or 20 log N (2.1.2, 2.1.4)."""
    return one_db - (20 if coherent else 10) * math.log10(max(1.0, count))


def grid_db(f_hz: float, pitch_m: float, wire_m: float) -> float:
    """Return the attenuation of a square wire grid much finer than lambda (2.1.5)."""
    ls = MU0_H_M * pitch_m / (2 * math.pi) * math.log(1 / math.sin(math.pi * wire_m / 2 / pitch_m))
    return 20 * math.log10(abs(1 + Z0_OHM / (2j * 2 * math.pi * f_hz * ls)))


def guide_db(f_hz: float, width_m: float, depth_m: float) -> float:
    """Return A = 27.3 (t/W) sqrt(1 - (f/fc)^2) of a cell, fc = c/2W; 0 above it (2.1.4)."""
    ratio = f_hz * 2 * width_m / C0_M_S
    return 27.3 * depth_m / width_m * math.sqrt(1 - ratio**2) if ratio < 1 else 0.0


def round_guide_db(f_hz: float, diameter_m: float, depth_m: float, eps_r: float = 1.0) -> float:
    """Return A = 32 t/D sqrt(1 - (f/fc)^2) of a round bore, fc = 175.7 GHz / D_mm (2.1.4).

    eps_r: relative permittivity of the filling; the cut-off falls by its square root.
    """
    cutoff = 175.7e9 / (diameter_m * 1e3) / math.sqrt(eps_r)
    ratio = f_hz / cutoff
    return 32.0 * depth_m / diameter_m * math.sqrt(1 - ratio**2) if ratio < 1 else 0.0


def honeycomb_cells(area_m2: float, cell_m: float) -> float:
    """Return how many hexagonal cells (width across flats) an area holds (2.2)."""
    return area_m2 / (math.sqrt(3) / 2 * cell_m**2)


def seam_db(f_hz: float, transfer_ohm_m: float, inductance_h_m: float, distance_m: float) -> float:
    """Return the attenuation of a bonded seam at `distance_m` from it (2.1.6: V' = Zt J).

    A plane wave drives J = 2 E0/Z0 in the wall; the seam's voltage Zt J is a magnetic line current
    before a conducting half-space, so E = V' k |H1(k d)| / 2 (Hankel function of order 1; near the
    seam E = V' / (pi d)). inductance_h_m: inductive part of Zt (ohm m per rad/s).
    """
    from scipy.special import hankel2

    k = 2 * math.pi * f_hz / C0_M_S
    if math.isinf(inductance_h_m):
        return 0.0
    transfer = math.hypot(transfer_ohm_m, 2 * math.pi * f_hz * inductance_h_m)
    inside = 2 / Z0_OHM * transfer * k * abs(complex(hankel2(1, k * distance_m))) / 2
    return max(0.0, -20 * math.log10(inside))


def contact_inductance_h_m(slot_m: float, f_hz: float, width_m: float = 0.1e-3) -> float:
    """Return the inductive part (H m) of a seam's Zt whose contacts stand `slot_m` apart.

    Between contacts the seam is a row of narrow slots with the magnetic polarisability
    alpha = pi l^3 / (24 (ln(4 l / w) - 1)) (prolate aperture, textbook); a row of such dipoles
    carries the magnetic current j omega mu0 alpha / l per field H, hence L = mu0 alpha / l. It
    rises to infinity at the slots' half-wave resonance. width_m: gap that stays open.
    """
    ratio = 2 * slot_m * f_hz / C0_M_S
    if ratio >= 1:
        return math.inf
    alpha = math.pi * slot_m**3 / (24 * (math.log(4 * slot_m / width_m) - 1))
    return MU0_H_M * alpha / slot_m / (1 - ratio**2)


def water_permittivity(f_hz: float) -> complex:
    """Return the relative permittivity of pure water at 25 deg C (Debye: 78.4, 5.2, 8.27 ps)."""
    return 5.2 + (78.4 - 5.2) / (1 + 2j * math.pi * f_hz * 8.27e-12)


def filled_bore_db(f_hz: float, diameter_m: float, depth_m: float, eps_r: complex) -> float:
    """Return the attenuation of a metal bore filled with a lossy liquid, TE11 (textbook).

    gamma = sqrt(kc^2 - eps k^2), kc = 1.8412 / radius; empty and far below cut-off this is the
    32 t/D of 2.1.4. Above cut-off only the liquid's own loss is left.
    """
    k = 2 * math.pi * f_hz / C0_M_S
    kc = 1.8412 / (diameter_m / 2)
    return _DB * abs(cmath.sqrt(kc**2 - eps_r * k**2).real) * depth_m


def combined_db(paths_db: Sequence[float], *, coherent: bool) -> float:
    """Return the attenuation of parallel paths: power sum, or all in phase (worst case).

    The first adds 10^(-A/10), the second 10^(-A/20); both in logarithms.
    """
    unit = 20.0 if coherent else 10.0
    least = min(paths_db)
    return least - unit * math.log10(sum(10 ** ((least - path) / unit) for path in paths_db))
