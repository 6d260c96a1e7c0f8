"""Where a drawn tile comes closest to its certified bound: the measured slack of the proof."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from casemate.mesh.holes.lattice import LatticeCertificate
from casemate.mesh.holes.oblique import oblique_bound
from casemate.mesh.holes.raster import drill_severs
from casemate.mesh.holes.region import region_bound, region_index
from casemate.mesh.model import VertexArray

DRAWING_ERROR_M = 8e-6
"""By how much a drawn drill (2 um a pixel) may differ from the exact one; tests hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A drill that severs nothing, found on the tile's own copper.

    found_m: its diameter by the criterion; drawn: a drill DRAWING_ERROR_M smaller severs nothing
    on drawn copper as well. slack_m: certified bound minus found_m. The axis meets the first layer
    at x_m, y_m.
    """

    found_m: float
    slack_m: float
    drawn: bool
    x_m: float
    y_m: float
    theta_rad: float
    phi_rad: float


def find_witness(
    layers: Sequence[Sequence[VertexArray]],
    *,
    certificate: LatticeCertificate,
    trace_nm: float,
    pitch_nm: float,
    window_nm: tuple[float, float, float, float],
    depths_m: Sequence[float],
    any_direction: bool,
) -> Witness:
    """Return the largest drill that severs nothing with its axis in the window (x0, y0, x1, y1).

    The window lies inside the pattern; some 30 pitches square is enough to come within 10 um.
    """
    slant = (max(depths_m) - min(depths_m)) * math.tan(certificate.theta_max_rad)
    near = [_clip(nets, window_nm, 1e9 * slant + 5.0 * pitch_nm) for nets in layers]
    index = region_index(
        near, trace_nm=trace_nm, pitch_nm=pitch_nm, slant_m=slant,
        boxes=np.array([window_nm], dtype=np.float64),
    )  # fmt: skip
    straight = region_bound(index, tolerance_m=1e-6)
    found, x, y, theta, phi = straight.found_m, straight.x_m, straight.y_m, 0.0, 0.0
    bound = certificate.perpendicular_m
    if any_direction:
        bound = certificate.any_direction_m
        slanted = oblique_bound(
            index,
            depths_m=depths_m,
            theta_max_rad=certificate.theta_max_rad,
            floor_m=max(straight.found_m, bound - 2e-5),
            tolerance_m=2e-6,
        )
        if slanted.found_m > found:
            found, x, y = slanted.found_m, slanted.x_m, slanted.y_m
            theta, phi = slanted.theta_rad, slanted.phi_rad
    cut = drill_severs(
        near,
        trace_nm=trace_nm,
        x_nm=x * 1e9,
        y_nm=y * 1e9,
        diameter_nm=(found - DRAWING_ERROR_M) * 1e9,
        pixel_nm=2000.0,
        depths_nm=[1e9 * (z - depths_m[0]) for z in depths_m],
        theta_rad=theta,
        phi_rad=phi,
    )
    return Witness(
        found_m=found, slack_m=bound - found, drawn=not any(cut), x_m=x, y_m=y,
        theta_rad=theta, phi_rad=phi,
    )  # fmt: skip


def _clip(
    nets: Sequence[VertexArray], window: tuple[float, float, float, float], margin: float
) -> list[VertexArray]:
    """Return the stretches of the nets whose segments come within margin of the window."""
    pieces: list[VertexArray] = []
    low = np.array(window[:2]) - margin
    high = np.array(window[2:]) + margin
    for net in nets:
        least, most = np.minimum(net[:-1], net[1:]), np.maximum(net[:-1], net[1:])
        near = ((least <= high) & (most >= low)).all(axis=1).astype(np.int8)
        edge = np.diff(np.concatenate([[0], near, [0]]))
        starts, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
        pieces += [net[a : b + 1] for a, b in zip(starts, ends, strict=True)]
    return pieces
