"""Certified largest hole over place and direction, of any drawn nets within given boxes.

Proofs and assumptions: docs/formats/hole-certificate.md, sections 5 and 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from casemate.core.errors import ProofError
from casemate.mesh.holes.region import RegionCertificate, RegionIndex, region_bound, squares

MAX_BOXES = 5_000_000
"""Boxes after which the search stops; the bound stays valid but is looser than asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObliqueCertificate:
    """Upper bound on a drill's diameter over all places in the boxes and all directions.

    bound_m is at least the floor given. found_m: largest diameter seen above the floor, where the
    axis meets the first layer at x_m, y_m with direction theta_rad, phi_rad (nan if none).
    """

    bound_m: float
    found_m: float
    x_m: float
    y_m: float
    theta_rad: float
    phi_rad: float
    boxes: int


def oblique_bound(
    index: RegionIndex,
    *,
    depths_m: Sequence[float],
    theta_max_rad: float,
    floor_m: float = 0.0,
    tolerance_m: float = 4e-6,
    touch: bool = False,
    max_boxes: int = MAX_BOXES,
) -> ObliqueCertificate:
    """Return a certified bound on the largest drill of any direction that severs nothing.

    The boxes of the index are places of the drill's axis in the plane of the first layer. floor_m:
    a bound known elsewhere (the lattice's); it also makes the search short, as the perpendicular
    figure, found first, does. touch: that touches
    nothing instead.
    """
    from casemate.mesh.holes._oblique_search import search_directions, surviving_places

    _check(index, depths_m, theta_max_rad)
    # Only the first layer: the axis meets the others outside the boxes as well.
    alone = region_bound(index, layers=[0], touch=touch, floor_m=floor_m).bound_m
    straight = region_bound(index, touch=touch, floor_m=floor_m)
    floor_m = max(floor_m, straight.bound_m)
    if alone <= floor_m:
        return _upright(floor_m, straight)
    base = 1 + (index.layers if touch else 0)
    rows = [0, *range(base, base + index.layers)]
    shrink = index.half_nm if touch else 0.0
    outlined = len(index.outline) > 0
    places = surviving_places(
        squares(index.boxes), 0.25 * index.half_nm, 0.5e9 * floor_m, outlined, index.outline,
        shrink, index.pieces, index.starts[rows[:2]], index.items, index.grid,
    )  # fmt: skip
    depths = np.array([1e9 * (z - depths_m[0]) for z in depths_m])
    best, where, upper, count = search_directions(
        places, depths, math.tan(theta_max_rad), 0.5e9 * floor_m, 0.5e9 * tolerance_m, max_boxes,
        outlined, index.outline, shrink, index.pieces, index.starts[rows], index.items, index.grid,
    )  # fmt: skip
    if 2e-9 * best <= straight.found_m:
        return _upright(min(2e-9 * upper, alone), straight, count)
    return ObliqueCertificate(
        bound_m=min(2e-9 * upper, alone),
        found_m=2e-9 * best,
        x_m=1e-9 * float(where[0]),
        y_m=1e-9 * float(where[1]),
        theta_rad=math.atan(math.hypot(where[2], where[3])),
        phi_rad=math.atan2(where[3], where[2]),
        boxes=count,
    )


def _check(index: RegionIndex, depths_m: Sequence[float], theta_max_rad: float) -> None:
    if len(depths_m) != index.layers or not 0.0 <= theta_max_rad <= math.radians(80.0):
        raise ProofError(
            f"{len(depths_m)} depths for {index.layers} layers, or angle {theta_max_rad} rad.",
            remedy="Give one depth for each layer and an angle between 0 and 80 degrees.",
        )


def _upright(bound_m: float, straight: RegionCertificate, boxes: int = 0) -> ObliqueCertificate:
    """Return a certificate whose worst place is that of the perpendicular drill."""
    return ObliqueCertificate(
        bound_m=bound_m,
        found_m=straight.found_m,
        x_m=straight.x_m,
        y_m=straight.y_m,
        theta_rad=0.0,
        phi_rad=0.0,
        boxes=boxes,
    )
