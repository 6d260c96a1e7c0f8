"""Flat outlines in metres, shared by design, mesh and fabricate."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]
Point3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A simple polygon with holes, in metres, in the tile's own plane (x right, y up).

    exterior: ring of points, counter-clockwise, not closed; holes: rings, clockwise.
    """

    exterior: tuple[Point, ...]
    holes: tuple[tuple[Point, ...], ...] = ()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return (x_min, y_min, x_max, y_max) in metres."""
        xs = [point[0] for point in self.exterior]
        ys = [point[1] for point in self.exterior]
        return min(xs), min(ys), max(xs), max(ys)


def rectangle(width_m: float, height_m: float, *, x_m: float = 0.0, y_m: float = 0.0) -> Outline:
    """Return a rectangle whose lower left corner is at (x_m, y_m)."""
    return Outline(exterior=rectangle_ring(width_m, height_m, x_m=x_m, y_m=y_m))


def rectangle_ring(width_m: float, height_m: float, *, x_m: float, y_m: float) -> tuple[Point, ...]:
    """Return the counter-clockwise ring of a rectangle."""
    return (
        (x_m, y_m),
        (x_m + width_m, y_m),
        (x_m + width_m, y_m + height_m),
        (x_m, y_m + height_m),
    )


def circle_ring(
    centre: Point, radius_m: float, *, chord_error_m: float = 2e-6, clockwise: bool = False
) -> tuple[Point, ...]:
    """Return a polygon around (outside) a circle; it leaves the circle by at most chord_error_m."""
    half = math.acos(max(-1.0, radius_m / (radius_m + chord_error_m)))
    count = max(16, math.ceil(math.pi / half))
    reach = radius_m / math.cos(math.pi / count)
    turn = -1.0 if clockwise else 1.0
    return tuple(
        (
            centre[0] + reach * math.cos(2 * math.pi * step / count),
            centre[1] + turn * reach * math.sin(2 * math.pi * step / count),
        )
        for step in range(count)
    )
