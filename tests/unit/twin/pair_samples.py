"""What the tests of pairs share: a buried pair of the sample tile, and cascades of it."""

from __future__ import annotations

import numpy as np

from casemate.twin.line_coupled import PerMetre, coupled_line
from casemate.twin.line_materials import Complex, Dielectric, Metal, Real
from casemate.twin.line_microstrip import Substrate
from casemate.twin.line_network import cascade
from casemate.twin.line_tdr import frequencies
from casemate.twin.pair_line import Pair, Termination, buried, laplace_of, pair_of, stretched

BOARD = Substrate(
    height_m=0.15e-3, copper_m=18e-6, dielectric=Dielectric(epsilon_r=4.43, tan_delta=0.0173),
    metal=Metal(),
)  # fmt: skip
RISE_S = 2e-10
F_HZ = frequencies(40e-9, RISE_S)
S = laplace_of(F_HZ, damped=False)
DAMPED = laplace_of(F_HZ)
WIDTHS, GAPS = (1e-4, 1e-4), (1e-4,)
END = Termination(between_ohm=100.0)


def matrices(share: float = 0.0, s: Complex = S) -> tuple[PerMetre, PerMetre]:
    """Return the pair's matrices and those of a lane alone."""
    both = buried(BOARD, WIDTHS, GAPS, s)
    return (stretched(both, share) if share else both), buried(BOARD, WIDTHS[:1], (), s)


def sample(length_m: float = 0.6, share: float = 0.0, s: Complex = S) -> Pair:
    """Return a pair of 0.1 mm lanes, 0.1 mm apart."""
    lines, alone = matrices(share, s)
    return pair_of(s, lines, alone, length_m)


def of_matrix(z: Complex | None = None, y: Complex | None = None) -> Complex:
    """Return S (F, 4, 4) in 50 ohm of series impedances and shunt admittances, (F, 2, 2) each."""
    one = np.eye(2)
    if z is not None:
        z = z / 50.0
        half = np.linalg.inv(z + 2.0 * one)
        own, through = z @ half, 2.0 * half
    else:
        assert y is not None
        y = y * 50.0
        half = np.linalg.inv(y + 2.0 * one)
        own, through = -y @ half, 2.0 * half
    return np.block([[own, through], [through, own]])


def two_by_two(a: Complex | float, b: Complex | float, d: Complex | float, size: int) -> Complex:
    """Return (size, 2, 2) of a symmetric matrix."""
    found = np.zeros((size, 2, 2), dtype=np.complex128)
    found[:, 0, 0], found[:, 1, 1] = a, d
    found[:, 0, 1] = found[:, 1, 0] = b
    return found


def ended(s: Complex, termination: Termination) -> Complex:
    """Return the reflection (F, 2, 2) of a four-port whose right ends are terminated."""
    g = 1.0 / termination.between_ohm
    ground = [1.0 / ohm for ohm in termination.ground_ohm]
    y = 50.0 * np.array([[g + ground[0], -g], [-g, g + ground[1]]])
    load = np.linalg.solve(np.eye(2) + y, np.eye(2) - y)
    inner = np.linalg.solve(np.eye(2) - load @ s[:, 2:, 2:], load @ s[:, 2:, :2])
    return np.asarray(s[:, :2, :2] + s[:, :2, 2:] @ inner)


def by_cascade(
    lines: PerMetre, lengths_m: tuple[float, float], parts: list[Complex], end: Termination = END
) -> tuple[Complex, Complex]:
    """Return difference and common reflections of two pieces of pair with networks between."""
    whole = cascade(coupled_line(lines, lengths_m[0]), *parts, coupled_line(lines, lengths_m[1]))
    s = ended(whole, end)
    difference = 0.5 * (s[:, 0, 0] + s[:, 1, 1] - s[:, 0, 1] - s[:, 1, 0])
    common = 0.5 * (s[:, 0, 0] - s[:, 1, 1] + s[:, 1, 0] - s[:, 0, 1])
    return difference, common


R_OHM_M = 12.0
L_H_M = np.array([[360e-9, 90e-9], [90e-9, 360e-9]])
C_F_M = np.array([[110e-12, -25e-12], [-25e-12, 110e-12]])
LC_END = Termination(between_ohm=90.0)


def skewed_h(skew: float) -> Real:
    """Return the inductance of lanes of which one has more and the other less by `skew`."""
    return np.asarray(L_H_M + np.diag([skew, -skew]) * L_H_M[0, 0], dtype=np.float64)


def constant_pair(s: Complex, length_m: float, r_ohm_m: float = R_OHM_M, skew: float = 0.0) -> Pair:
    """Return a pair of constant R, L, C; `skew` makes its lanes unlike."""
    at = s[:, None, None]
    lines = PerMetre(series=r_ohm_m * np.eye(2) + at * skewed_h(skew), shunt=at * C_F_M)
    alone = PerMetre(series=lines.series[:, :1, :1], shunt=lines.shunt[:, :1, :1])
    return pair_of(s, lines, alone, length_m)
