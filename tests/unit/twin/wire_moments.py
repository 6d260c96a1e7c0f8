"""A second opinion on needles: thin-wire method of moments, straight wire in free space.

Mixed-potential, pulses of current and charge, points matched (R. F. Harrington, Field Computation
by Moment Methods, 1968, chapter 4). It shares nothing with the twin's oscillator.
"""

from __future__ import annotations

import numpy as np

from casemate.twin.line_materials import C0_M_S, EPS0_F_M, ETA0_OHM, MU0_H_M


def mean_scattering_m2(length_m: float, radius_m: float, f_hz: float, cells: int = 61) -> float:
    """Return the scattered power over power density, averaged over directions, polarisations."""
    k, omega = 2 * np.pi * f_hz / C0_M_S, 2 * np.pi * f_hz
    step = length_m / (cells + 1)
    middle = (np.arange(cells) - (cells - 1) / 2) * step
    reach = np.arange(cells + 1)
    psi = np.array([_potential(n * step, step, radius_m, k) for n in reach])
    lag = np.abs(np.subtract.outer(np.arange(cells), np.arange(cells)))
    near = 2 * psi[lag] - psi[lag + 1] - psi[np.abs(lag - 1)]
    z = 1j * omega * MU0_H_M * step**2 * psi[lag] + near / (1j * omega * EPS0_F_M)
    theta, weight = np.polynomial.legendre.leggauss(24)  # nodes of cos(theta)
    total = 0.0
    for cosine, w in zip(theta, weight, strict=True):
        volts = step * np.sqrt(1 - cosine**2) * np.exp(1j * k * middle * cosine)
        amperes = np.linalg.solve(z, volts)
        power = 0.5 * float(np.real(np.vdot(amperes, z.real @ amperes)))
        total += 0.5 * w * power * 2 * ETA0_OHM
    return 0.5 * total  # half of the waves are polarised across the wire


def _potential(apart_m: float, step_m: float, radius_m: float, k: float) -> complex:
    """Mean over a cell of exp(-jkR)/(4 pi R): the static part exactly, the rest by quadrature."""
    high, low = apart_m + step_m / 2, apart_m - step_m / 2
    static = np.arcsinh(high / radius_m) - np.arcsinh(low / radius_m)
    nodes, weight = np.polynomial.legendre.leggauss(8)
    r = np.hypot(apart_m + nodes * step_m / 2, radius_m)
    rest = np.sum(weight * (np.exp(-1j * k * r) - 1) / r) * step_m / 2
    return complex((static + rest) / (4 * np.pi * step_m))
