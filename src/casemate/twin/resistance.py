"""Loop resistance of a net from its polyline: squares of copper, bends, temperature, twins.

R = (rho/t) sum of squares, rho(T) = rho_ref (1 + alpha (T - T_ref)). A segment of length L counts
L/w squares; at a bend the current cuts the corner, which saves squares: 2 ln 2 / pi at a sharp
right angle (conformal map, e.g. P. M. Hall, Thin Solid Films 1, 1967), a little less where the
joint is round. Tests hold this against finite elements of pieces of real nets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.mesh.model import VertexArray
from casemate.twin.line_materials import Real

NM = 1e-9
IACS_OHM_M = 1.7241e-8
"""Standard annealed copper at 20 C (IEC 60028)."""
IACS_ALPHA_1_K = 3.93e-3
"""Its coefficient at 20 C and constant mass (IEC 60028)."""
BEND_RAD = tuple(np.pi / 4 * n for n in range(4))
BEND_SQUARES = (0.0, 0.0879, 0.4396, 1.576)
"""Squares saved at one bend by this angle with round joints: finite elements of order 4, edges of
the re-entrant corner refined geometrically. Sharp right angle there: 0.4413, exactly 2 ln 2/pi."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copper:
    """The copper of a trace: drawn width, what etching adds to it, thickness, resistivity.

    `alpha_1_k` is linear and holds at `reference_c`. By Matthiessen's rule rho times alpha is the
    same for all copper, so a foil of higher resistivity has a lower coefficient; see
    `matthiessen_alpha_1_k`. Raises InputError where no copper is left.
    """

    thickness_m: float
    width_m: float
    etch_m: float = 0.0
    resistivity_ohm_m: float = IACS_OHM_M
    alpha_1_k: float = IACS_ALPHA_1_K
    reference_c: float = 20.0

    def __post_init__(self) -> None:
        if min(self.thickness_m, self.width_m + self.etch_m, self.resistivity_ohm_m) <= 0.0:
            raise InputError(
                "a trace needs a thickness, an etched width and a resistivity above 0.",
                remedy="give positive figures and an etch smaller than the width.",
                value=(self.thickness_m, self.width_m, self.etch_m, self.resistivity_ohm_m),
            )

    @property
    def etched_m(self) -> float:
        """Return the width after etching."""
        return self.width_m + self.etch_m

    @property
    def sheet_ohm(self) -> float:
        """Return ohms a square at the reference temperature."""
        return self.resistivity_ohm_m / self.thickness_m


def matthiessen_alpha_1_k(resistivity_ohm_m: float) -> float:
    """Return the coefficient at 20 C of copper of this resistivity: rho alpha is constant."""
    return IACS_ALPHA_1_K * IACS_OHM_M / resistivity_ohm_m


def lengths_m(vertices: VertexArray) -> Real:
    """Return the length of each segment, shape (n - 1,), of a polyline (n, 2) in nanometres."""
    steps = np.diff(vertices.astype(np.float64), axis=0)
    return np.asarray(np.hypot(steps[:, 0], steps[:, 1]) * NM, dtype=np.float64)


def bend_squares(vertices: VertexArray) -> Real:
    """Return the squares saved at each vertex, shape (n,); none at the two ends.

    Turns between the tabulated 0, 45, 90 and 135 degrees are interpolated; sharper ones are refused
    with InputError, for the trace then overlaps itself.
    """
    steps = np.diff(vertices.astype(np.float64), axis=0)
    angle = np.arctan2(steps[:, 1], steps[:, 0])
    turn = np.abs((np.diff(angle) + np.pi) % (2.0 * np.pi) - np.pi)
    if turn.size and turn.max() > BEND_RAD[-1] + 1e-6:
        raise InputError(
            "a net turns back on itself by more than 135 degrees.",
            remedy="split the turn into two vertices.",
            value=float(np.degrees(turn.max())),
        )
    saved = np.zeros(len(vertices))
    saved[1:-1] = np.interp(turn, BEND_RAD, BEND_SQUARES)
    return saved


def squares(vertices: VertexArray, copper: Copper) -> Real:
    """Return the squares of each segment, shape (n - 1,); a bend's saving is shared by its two.

    Raises InputError where a segment is so short that two bends leave nothing of it (the table
    holds to 3 % of a bend for segments of 1.5 widths, 11 % at one width).
    """
    saved = bend_squares(vertices)
    found = lengths_m(vertices) / copper.etched_m - 0.5 * (saved[:-1] + saved[1:])
    if found.size and found.min() <= 0.0:
        raise InputError(
            "a segment is shorter than its two bends.",
            remedy="draw the jog with segments of at least one trace width.",
            value=float(found.min()),
        )
    return np.asarray(found, dtype=np.float64)


def sample_points_m(vertices: VertexArray, *, order: int = 2) -> tuple[Real, Real]:
    """Return Gauss points (n - 1, order, 2) in metres and weights (order,) that sum to 1.

    Exact for temperature fields that are polynomials of degree 2 order - 1 along a segment.
    """
    nodes, weights = np.polynomial.legendre.leggauss(order)
    ends = vertices.astype(np.float64) * NM
    share = (0.5 * (1.0 + nodes))[None, :, None]
    points = ends[:-1, None, :] * (1.0 - share) + ends[1:, None, :] * share
    return np.asarray(points, dtype=np.float64), np.asarray(0.5 * weights, dtype=np.float64)


def warm_factor(copper: Copper, temperature_c: Real) -> Real:
    """Return R(T)/R(T_ref), shape as given."""
    rise = 1.0 + copper.alpha_1_k * (np.asarray(temperature_c) - copper.reference_c)
    return np.asarray(rise, dtype=np.float64)


def segment_ohm(vertices: VertexArray, copper: Copper, temperature_c: Real | None = None) -> Real:
    """Return the resistance of each segment, shape (n - 1,).

    `temperature_c`, shape (n - 1, order), is the field at `sample_points_m`; without it all copper
    is at the reference. This is the line integral of rho(T(s)) ds / (t w).
    """
    cold = squares(vertices, copper) * copper.sheet_ohm
    if temperature_c is None:
        return cold
    order = temperature_c.shape[-1]
    weights = 0.5 * np.polynomial.legendre.leggauss(order)[1]
    return np.asarray(cold * (warm_factor(copper, temperature_c) @ weights), dtype=np.float64)


def loop_ohm(vertices: VertexArray, copper: Copper, temperature_c: Real | None = None) -> float:
    """Return the resistance of a net from terminal to terminal; see `segment_ohm`."""
    return float(segment_ohm(vertices, copper, temperature_c).sum())


def arc_ohm(vertices: VertexArray, copper: Copper, temperature_c: Real | None = None) -> Real:
    """Return the resistance from the start to each vertex, shape (n,), rising from 0."""
    return np.concatenate([[0.0], np.cumsum(segment_ohm(vertices, copper, temperature_c))])


def jumped_ohm(
    loop: float,
    from_ohm: npt.NDArray[np.float64],
    to_ohm: npt.NDArray[np.float64],
    jumper_ohm: npt.NDArray[np.float64],
    *,
    cut: bool,
) -> Real:
    """Return a net's resistance with a jumper between two arcs, shapes broadcast.

    `from_ohm`, `to_ohm`: arc resistances of its feet (`arc_ohm`). `jumper_ohm`: wire and both
    contacts. `cut`: whether the copper between the feet is cut out, or left in parallel.
    """
    spanned = np.abs(to_ohm - from_ohm)
    if cut:
        return np.asarray(loop - spanned + jumper_ohm, dtype=np.float64)
    total = spanned + jumper_ohm
    saved = np.divide(spanned**2, total, out=np.zeros_like(total), where=total > 0.0)
    return np.asarray(loop - saved, dtype=np.float64)


def centroid_m(vertices: VertexArray, copper: Copper) -> Real:
    """Return where the net's resistance lies, (x, y) in metres: the mean of place over squares."""
    weights = squares(vertices, copper)
    ends = vertices.astype(np.float64) * NM
    middles = 0.5 * (ends[:-1] + ends[1:])
    return np.asarray(weights @ middles / weights.sum(), dtype=np.float64)


def twin_ratio(
    vertices: tuple[VertexArray, VertexArray],
    copper: Copper,
    temperature_c: tuple[Real | None, Real | None] = (None, None),
) -> float:
    """Return R_first/R_second of two nets of the same copper; a common temperature cancels."""
    first, second = (
        loop_ohm(net, copper, field) for net, field in zip(vertices, temperature_c, strict=True)
    )
    return first / second


def ratio_shift(
    vertices: tuple[VertexArray, VertexArray], copper: Copper, gradient_k_m: Real, mean_c: float
) -> float:
    """Return the relative change of `twin_ratio` by a linear field, first order in the gradient.

    alpha/(1 + alpha (T - T_ref)) g . (c_first - c_second), c the centroids: what is left when a
    panel of `mean_c` carries `gradient_k_m`, shape (2,). `mean_c` holds midway of the centroids.
    """
    apart = centroid_m(vertices[0], copper) - centroid_m(vertices[1], copper)
    slope = copper.alpha_1_k / float(warm_factor(copper, np.asarray(mean_c)))
    return float(slope * (np.asarray(gradient_k_m) @ apart))
