"""Where a strip changes its width: excess inductance and capacitance of the step.

A strip is a parallel-plate guide with magnetic side walls, as wide as gives its impedance (G. Kompa
and R. Mehran, Electronics Letters 11, 1975). A symmetric step of such a guide from D1 to D2 has the
series inductance (mu0 h/pi) ln cosec(pi D2/2 D1) (H. M. Altschuler and A. A. Oliner, IRE MTT-8,
1960); the fringes of a narrow strip let the current turn early, which the factor 0.79 sqrt(w2/D2)
tells. The free part of the wide strip's end fringes as an open end does; its share is (1 - D2/D1)
to the power 1.25. Factor and power were found from field solutions in three dimensions of six and
seven steps between 0.5 and 8 mm on 1.5 mm of FR-4, which they meet within 12 pH, and within 4 fF
(10 fF for the step of 8 to 1): decision 7.
"""

from __future__ import annotations

import math

from casemate.twin.line_materials import ETA0_OHM, MU0_H_M, Complex, Real, j_omega
from casemate.twin.line_microstrip import Substrate, open_end_m, quasi_static
from casemate.twin.line_network import cascade, series, shunt

FREE_POWER = 1.25
TURN_FACTOR = 0.79


def step_inductance_h(board: Substrate, width_a_m: float, width_b_m: float) -> float:
    """Return the excess series inductance of a symmetric step; 0 for equal widths."""
    wide_m, narrow_m = _sorted(width_a_m, width_b_m)
    wide_d_m, narrow_d_m = _guide_width_m(board, wide_m), _guide_width_m(board, narrow_m)
    guide_h = -math.log(math.sin(math.pi * narrow_d_m / (2.0 * wide_d_m)))
    guide_h *= MU0_H_M * board.height_m / math.pi
    return guide_h * min(1.0, TURN_FACTOR * math.sqrt(narrow_m / narrow_d_m))


def step_capacitance_f(board: Substrate, width_a_m: float, width_b_m: float) -> float:
    """Return the excess shunt capacitance of a step; 0 for equal widths."""
    wide_m, narrow_m = _sorted(width_a_m, width_b_m)
    static = quasi_static(wide_m, board.height_m, board.copper_m, board.dielectric.epsilon_r)
    free = 1.0 - _guide_width_m(board, narrow_m) / _guide_width_m(board, wide_m)
    return float(static.c_f_m * open_end_m(board, wide_m) * free**FREE_POWER)


def width_step(board: Substrate, width_a_m: float, width_b_m: float, f_hz: Real) -> Complex:
    """Return S, shape (F, 2, 2), of a step between two widths, in the reference of the lines.

    The inductance is split in the ratio of the inductances per metre, with the capacitance between.
    """
    l_h = step_inductance_h(board, width_a_m, width_b_m)
    c_f = step_capacitance_f(board, width_a_m, width_b_m)
    of_a, of_b = (_inductance_h_m(board, each) for each in (width_a_m, width_b_m))
    share = of_a / (of_a + of_b)
    jw = j_omega(f_hz)
    return cascade(series(jw * l_h * share), shunt(jw * c_f), series(jw * l_h * (1.0 - share)))


def _sorted(a_m: float, b_m: float) -> tuple[float, float]:
    return max(a_m, b_m), min(a_m, b_m)


def _guide_width_m(board: Substrate, width_m: float) -> float:
    static = quasi_static(width_m, board.height_m, board.copper_m, board.dielectric.epsilon_r)
    return board.height_m * ETA0_OHM / static.z_air_ohm


def _inductance_h_m(board: Substrate, width_m: float) -> float:
    epsilon_r = board.dielectric.epsilon_r
    return quasi_static(width_m, board.height_m, board.copper_m, epsilon_r).l_h_m
