"""Coupled strips: capacitance by the method of moments, modes, and the folded pair of a meander.

For n parallel strips on a grounded board, matrices of impedance and admittance per metre have shape
(F, n, n). C. R. Paul, Analysis of Multiconductor Transmission Lines, chapter 7, for the modes;
P. Silvester, Proc. IEE 115, 1968, for the images in a board.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.touchstone import Z_REF_OHM
from casemate.twin.line_materials import (
    C0_M_S,
    EPS0_F_M,
    Complex,
    Real,
    internal_impedance,
    permittivity,
    surface_impedance,
)
from casemate.twin.line_microstrip import Substrate, skin_factor_1_m

CELLS = 32
"""Cells across a strip, narrowest at its edges: a strip alone is 0.2 % from twice as many."""
IMAGES = 80
"""Images in the board; the n-th weighs ((er - 1)/(er + 1))^n, below 1e-12 for er up to 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerMetre:
    """Series impedance (ohm/m) and shunt admittance (S/m) of n coupled lines, shape (F, n, n)."""

    series: Complex
    shunt: Complex


def capacitance_f_m(
    widths_m: tuple[float, ...], gaps_m: tuple[float, ...], height_m: float, epsilon_r: float
) -> Real:
    """Return Maxwell's capacitance matrix, shape (n, n), of thin strips side by side on a board.

    `gaps_m` has n - 1 entries, from edge to edge. Pulses of charge, potentials matched midway.
    """
    middles, halves = _cells(widths_m, gaps_m)
    count = len(widths_m)
    potential = _potential(middles, halves, height_m, epsilon_r)
    owner = np.repeat(np.arange(count), CELLS)
    volts = (owner[:, None] == np.arange(count)).astype(np.float64)
    charge = np.linalg.solve(potential, volts) * (2.0 * halves)[:, None]
    matrix = volts.T @ charge
    return np.asarray(0.5 * (matrix + matrix.T), dtype=np.float64)


def _cells(widths_m: tuple[float, ...], gaps_m: tuple[float, ...]) -> tuple[Real, Real]:
    """Return middles and half widths, both (n CELLS,), cosine-spaced across each strip."""
    edges = 0.5 * (1.0 - np.cos(np.pi * np.arange(CELLS + 1) / CELLS))
    left_m, middles, halves = 0.0, [], []
    for number, width_m in enumerate(widths_m):
        walls = left_m + width_m * edges
        middles.append(0.5 * (walls[1:] + walls[:-1]))
        halves.append(0.5 * np.diff(walls))
        left_m += width_m + (gaps_m[number] if number < len(gaps_m) else 0.0)
    return np.concatenate(middles), np.concatenate(halves)


def _potential(middles: Real, halves: Real, height_m: float, epsilon_r: float) -> Real:
    """Return the potential at each cell of a unit charge density on each other, (N, N), V m^2/C."""
    apart = middles[:, None] - middles[None, :]
    high, low = apart + halves[None, :], apart - halves[None, :]
    k = (epsilon_r - 1.0) / (epsilon_r + 1.0)
    total = np.zeros_like(apart)
    for n in range(IMAGES if k > 0.0 else 1):
        near, far = 2.0 * n * height_m, 2.0 * (n + 1) * height_m
        part = _log_integral(high, far) - _log_integral(low, far)
        part -= _log_integral(high, near) - _log_integral(low, near)
        total += (-k) ** n * part
    return np.asarray(total / (2.0 * np.pi * EPS0_F_M * (1.0 + epsilon_r)), dtype=np.float64)


def _log_integral(u: Real, a: float) -> Real:
    """Return the integral of ln(u^2 + a^2), without its constant."""
    squared = u**2 + a**2
    flat = u * np.log(np.where(squared > 0.0, squared, 1.0)) - 2.0 * u
    return np.asarray(flat + (2.0 * a * np.arctan(u / a) if a > 0.0 else 0.0), dtype=np.float64)


def per_metre(
    board: Substrate, widths_m: tuple[float, ...], gaps_m: tuple[float, ...], f_hz: Real
) -> PerMetre:
    """Return the quasi-static impedance and admittance per metre of coupled strips at `f_hz`.

    Without dispersion: strips of a meander are far narrower than a wavelength. The inside of each
    conductor is that of the strip alone; crowding by neighbours is neglected.
    """
    nominal = board.dielectric.epsilon_r
    c_board = capacitance_f_m(widths_m, gaps_m, board.height_m, nominal)
    c_air = capacitance_f_m(widths_m, gaps_m, board.height_m, 1.0)
    l_h_m = np.linalg.inv(c_air) / C0_M_S**2
    inside = np.zeros((f_hz.size, len(widths_m), len(widths_m)), dtype=np.complex128)
    surface = surface_impedance(board.metal, f_hz)
    for i, width_m in enumerate(widths_m):
        r_dc = board.metal.resistivity_ohm_m / (width_m * board.copper_m)
        skin = surface * skin_factor_1_m(width_m, board.height_m, board.copper_m)
        inside[:, i, i] = internal_impedance(r_dc, skin)
    jw = (2j * np.pi * f_hz)[:, None, None]
    share = ((permittivity(board.dielectric, f_hz) - 1.0) / (nominal - 1.0))[:, None, None]
    return PerMetre(series=jw * l_h_m + inside, shunt=jw * (c_air + share * (c_board - c_air)))


def coupled_line(lines: PerMetre, length_m: float, z_ref_ohm: float = Z_REF_OHM) -> Complex:
    """Return S, shape (F, 2n, 2n), of coupled lines, the n left ports first.

    In modes that decay away from the port where they start, so that nothing overflows.
    """
    squared, modes = np.linalg.eig(lines.series @ lines.shunt)
    gamma = np.sqrt(squared)
    gamma = np.where(gamma.real < 0.0, -gamma, gamma)
    decay = np.exp(-gamma * length_m)[:, None, :]
    current = np.linalg.solve(lines.series, modes * gamma[:, None, :])
    volts = np.block([[modes, modes * decay], [modes * decay, modes]])
    amperes = np.block([[current, -current * decay], [-current * decay, current]])
    forward = volts + z_ref_ohm * amperes
    backward = volts - z_ref_ohm * amperes
    # S = backward forward^-1, solved from the right.
    turned = np.linalg.solve(np.swapaxes(forward, -1, -2), np.swapaxes(backward, -1, -2))
    return np.asarray(np.swapaxes(turned, -1, -2), dtype=np.complex128)


def folded(s: Complex) -> Complex:
    """Return the two-port, (F, 2, 2), of a pair whose right ends are joined: a meander's turn."""
    if s.shape[-1] != 4:
        raise ValueError("folded takes a pair: four ports")
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    inner = np.linalg.solve(np.eye(2) - swap @ s[:, 2:, 2:], swap @ s[:, 2:, :2])
    return np.asarray(s[:, :2, :2] + s[:, :2, 2:] @ inner, dtype=np.complex128)
