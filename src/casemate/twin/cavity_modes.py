"""Modes of a closed box: how many there are, how densely they lie, how far they overlap.

Smooth counts for a rectangular box: B. H. Liu, D. C. Chang and M. T. Ma, NBS TN 1066, 1983;
D. A. Hill, Electromagnetic Fields in Cavities, IEEE Press 2009, chapter 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casemate.twin.line_materials import C0_M_S, Real

Size = tuple[float, float, float]


def weyl_count(size_m: Size, f_hz: Real) -> Real:
    """Return the smooth number of modes below `f_hz`, shape (F,), with the edge term and 1/2.

    8 pi V f^3 / (3 c^3) - (a + b + d) f / c + 1/2. For vector modes the surface terms of electric
    and magnetic modes cancel. Exact counts scatter about it.
    """
    volume_m3 = size_m[0] * size_m[1] * size_m[2]
    per_m = f_hz / C0_M_S
    return np.asarray(8.0 / 3.0 * np.pi * volume_m3 * per_m**3 - sum(size_m) * per_m + 0.5)


def mode_density_1_hz(volume_m3: float, f_hz: Real, edges_m: float = 0.0) -> Real:
    """Return modes per hertz, shape (F,): 8 pi V f^2 / c^3 less `edges_m` / c, at least 0.

    `edges_m` is the sum of the three edges of a box; leave it 0 for other shapes.
    """
    density = 8.0 * np.pi * volume_m3 * f_hz**2 / C0_M_S**3 - edges_m / C0_M_S
    return np.asarray(np.maximum(density, 0.0))


def modal_overlap(volume_m3: float, q: Real, f_hz: Real, edges_m: float = 0.0) -> Real:
    """Return the modes within one bandwidth f/Q, shape (F,).

    Below about 1 single resonances are seen; above about 3 |H| is Rayleigh.
    """
    return np.asarray(mode_density_1_hz(volume_m3, f_hz, edges_m) * f_hz / q)


def box_indices(size_m: Size, f_max_hz: float) -> tuple[NDArray[np.int64], Real]:
    """Return indices (m, n, p), shape (M, 3), and frequencies (M,) of a box's modes, rising.

    A triple without zero stands twice (two polarisations), one with a single zero once; triples
    with two zeros carry no field.
    """
    limit = [int(2.0 * side * f_max_hz / C0_M_S) + 1 for side in size_m]
    axes = [np.arange(count + 1) for count in limit]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    f_hz = 0.5 * C0_M_S * np.sqrt(((grid / np.asarray(size_m)) ** 2).sum(axis=1))
    zeros = (grid == 0).sum(axis=1)
    copies = np.where(zeros == 0, 2, np.where(zeros == 1, 1, 0)) * (f_hz <= f_max_hz)
    grid, f_hz = np.repeat(grid, copies, axis=0), np.repeat(f_hz, copies)
    order = np.argsort(f_hz, kind="stable")
    return grid[order].astype(np.int64), f_hz[order]
