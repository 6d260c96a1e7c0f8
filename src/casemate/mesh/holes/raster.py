"""Outside truth: draw the copper, remove the drill, and see whether a net falls apart.

It shares nothing with the bounds but the nets: no boundary lines, no lattice, only pixels and
connected components. Used by tests and by the witness of a tile's proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from casemate.mesh.model import VertexArray

Mask = npt.NDArray[np.bool_]


def draw_copper(
    nets: Sequence[VertexArray],
    *,
    trace_nm: float,
    x_nm: float,
    y_nm: float,
    half_nm: float,
    pixel_nm: float,
) -> Mask:
    """Return the copper in the square window about (x, y): strokes with a round aperture."""
    steps = math.ceil(half_nm / pixel_nm)
    axis = np.arange(-steps, steps + 1, dtype=np.float64) * pixel_nm
    copper: Mask = np.zeros((len(axis), len(axis)), dtype=bool)
    reach = half_nm + trace_nm
    for net in nets:
        points = np.asarray(net, dtype=np.float64) - (x_nm, y_nm)
        lo = np.minimum(points[:-1], points[1:])
        hi = np.maximum(points[:-1], points[1:])
        near = np.flatnonzero((lo < reach).all(axis=1) & (hi > -reach).all(axis=1))
        for k in near.tolist():
            copper |= _stroke(points[k], points[k + 1], 0.5 * trace_nm, axis)
    return copper


def draw_drill(
    shape: tuple[int, int], *, diameter_nm: float, pixel_nm: float, theta_rad: float, phi_rad: float
) -> Mask:
    """Return the ellipse that a tilted drill cuts in the window's plane, about its centre."""
    steps = (shape[0] - 1) // 2
    axis = np.arange(-steps, steps + 1) * pixel_nm
    along = math.cos(phi_rad) * axis[None, :] + math.sin(phi_rad) * axis[:, None]
    across = -math.sin(phi_rad) * axis[None, :] + math.cos(phi_rad) * axis[:, None]
    hole: Mask = np.hypot(along * math.cos(theta_rad), across) <= 0.5 * diameter_nm
    return hole


def severs(copper: Mask, hole: Mask) -> bool:
    """Return whether a net that leaves the window twice no longer joins its two exits.

    The hole must not reach the window's border. A neck one pixel wide still joins.
    """
    from scipy import ndimage

    eight = np.ones((3, 3), dtype=int)
    before, count = ndimage.label(copper, structure=eight)
    after, _ = ndimage.label(copper & ~hole, structure=eight)
    rim = np.zeros_like(copper)
    rim[[0, -1], :] = rim[:, [0, -1]] = True
    pairs = np.unique(np.column_stack([before[rim & copper], after[rim & copper]]), axis=0)
    return bool((np.bincount(pairs[:, 0], minlength=count + 1) > 1).any())


def drill_severs(
    layers: Sequence[Sequence[VertexArray]],
    *,
    trace_nm: float,
    x_nm: float,
    y_nm: float,
    diameter_nm: float,
    pixel_nm: float = 2500.0,
    depths_nm: Sequence[float] = (),
    theta_rad: float = 0.0,
    phi_rad: float = 0.0,
) -> tuple[bool, ...]:
    """Return, for each layer, whether the drill about (x, y) at depth 0 severs a net."""
    depths = depths_nm or [0.0] * len(layers)
    half = 0.5 * diameter_nm / math.cos(theta_rad) + 2.0 * trace_nm
    result = []
    for nets, depth in zip(layers, depths, strict=True):
        shift = depth * math.tan(theta_rad)
        copper = draw_copper(
            nets,
            trace_nm=trace_nm,
            x_nm=x_nm + shift * math.cos(phi_rad),
            y_nm=y_nm + shift * math.sin(phi_rad),
            half_nm=half,
            pixel_nm=pixel_nm,
        )
        hole = draw_drill(
            copper.shape,
            diameter_nm=diameter_nm,
            pixel_nm=pixel_nm,
            theta_rad=theta_rad,
            phi_rad=phi_rad,
        )
        result.append(severs(copper, hole))
    return tuple(result)


def _stroke(
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    half: float,
    axis: npt.NDArray[np.float64],
) -> Mask:
    """Return the pixels within half of the segment ab; rows are y."""
    dx, dy = b - a
    px, py = axis[None, :] - a[0], axis[:, None] - a[1]
    t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0.0, 1.0)
    inside: Mask = np.hypot(px - t * dx, py - t * dy) <= half
    return inside
