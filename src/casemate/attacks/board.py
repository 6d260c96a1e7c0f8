"""Where a tool is on the board that it works on: spots round the place of a plan, on each layer."""

from __future__ import annotations

import math
from functools import lru_cache

import shapely
from shapely.geometry.base import BaseGeometry

from casemate.attacks.move import Plan
from casemate.core.geometry import Outline, Point
from casemate.twin.effects import Aperture, Place, Scatterer, Spot

ON_BOARD_M = 1e-5
"""A spot that would leave the board is put this far inside its edge: finer than any trace."""


@lru_cache(maxsize=512)
def board_of(outline: Outline) -> shapely.Polygon:
    """Return the area of a board, openings left out; prepared for tests of many points."""
    polygon = shapely.Polygon(outline.exterior, outline.holes)
    shapely.prepare(polygon)
    return polygon


@lru_cache(maxsize=512)
def _inner(outline: Outline) -> BaseGeometry:
    return board_of(outline).buffer(-ON_BOARD_M, join_style="mitre")


def on_board(plan: Plan, x_m: float, y_m: float) -> Point:
    """Return the point of the board nearest to a wanted one: who works there stays on the board."""
    outline = plan.tile.outline
    if shapely.contains_xy(board_of(outline), x_m, y_m):
        return x_m, y_m
    inner = _inner(outline)
    nearest = inner.interpolate(0.0) if inner.is_empty else _nearest(inner, x_m, y_m)
    return float(nearest.x), float(nearest.y)


def _nearest(area: BaseGeometry, x_m: float, y_m: float) -> shapely.Point:
    return shapely.Point(shapely.shortest_line(area, shapely.Point(x_m, y_m)).coords[0])


def beside(plan: Plan, distance_m: float, azimuth_rad: float) -> Point:
    """Return the point of the board at a distance and direction from the place of the plan."""
    x_m, y_m = plan.place
    return on_board(
        plan,
        x_m + distance_m * math.cos(azimuth_rad),
        y_m + distance_m * math.sin(azimuth_rad),
    )


def here(plan: Plan) -> Place:
    """Return the place of the plan on its board."""
    return Place(tile=plan.tile.id, x_m=plan.place[0], y_m=plan.place[1])


def spot(plan: Plan, layer: str, at: Point | None = None) -> Spot:
    """Return a spot on a copper layer; None for the place of the plan."""
    x_m, y_m = plan.place if at is None else at
    return Spot(tile=plan.tile.id, layer=layer, x_m=x_m, y_m=y_m)


def mesh_layer(plan: Plan, number: float) -> int:
    """Return the index of a mesh layer, 0 the outermost; the innermost if there are fewer."""
    return min(round(number), len(plan.tile.stackup.mesh) - 1)


def spots(plan: Plan, tilt_rad: float, azimuth_rad: float) -> list[tuple[float, Spot]]:
    """Return (depth in m, spot) where a straight tool from `plan.place` meets each mesh layer.

    The tool enters the outer surface at the place and leans by tilt towards azimuth. A layer is
    left out if the tool has left the board, through an edge or into an opening, before it.
    """
    stack = plan.tile.stackup
    board = board_of(plan.tile.outline)
    rows = []
    for layer, depth_m in zip(stack.mesh, stack.depth_m, strict=True):
        aside_m = depth_m * math.tan(tilt_rad)
        x_m = plan.place[0] + aside_m * math.cos(azimuth_rad)
        y_m = plan.place[1] + aside_m * math.sin(azimuth_rad)
        if aside_m == 0.0 or shapely.contains_xy(board, x_m, y_m):
            rows.append((depth_m, spot(plan, layer, (x_m, y_m))))
    return rows


def rod(plan: Plan, length_m: float, diameter_m: float, **more: float) -> Scatterer:
    """Return a rod that stands in the protected volume on the wall behind the place."""
    x_m, y_m, z_m = plan.cavity_m
    return Scatterer(
        x_m=x_m, y_m=y_m, z_m=z_m, length_m=length_m, diameter_m=diameter_m, **more
    )  # fmt: skip


def opening(plan: Plan, length_m: float, width_m: float, *, clear: bool = True) -> Aperture:
    """Return an opening in the conducting wall of the face that the board belongs to."""
    return Aperture(face=plan.tile.face, length_m=length_m, width_m=width_m, clear=clear)
