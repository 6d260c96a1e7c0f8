"""Where to work: from a design to a plan for a board and a place, given or drawn at random.

A place is drawn uniformly over the area of all boards, openings left out, or of a part of it that
is known to be weaker. `cavity_m` is found by going inward from the place along its board's normal
and clamping to the box of the protected volume, so it lies on that box's surface. A bent edge strip
has the frame of its first leg only: places beyond its bend lie outside the box in that frame, and
the clamp puts them on the volume's edge, which is also what lies behind a strip.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from casemate.attacks.board import board_of
from casemate.attacks.move import Plan
from casemate.core.errors import InputError
from casemate.core.geometry import Point, Point3
from casemate.design.enclosure import Enclosure, TileDesign
from casemate.twin.modules import modalities_of

Near = Literal["anywhere", "rim", "terminals", "opening", "lap", "edge"]
"""rim: RIM_M from a board's edge or an opening. terminals: the side with the terminals. opening:
RIM_M round an opening. lap: what is tucked under a neighbour. edge: the strips round box edges."""
NEAR: tuple[Near, ...] = get_args(Near)
RIM_M = 2e-3
"""Bare rim, fingers and the ends of zones lie within it (0.2 mm pitch, see mesh.rim)."""
OFF_BOARD_M = 1e-9
"""How far outside a board a given place may be by rounding."""
TRIES = 64
"""Points drawn at once; a rim is at least a few percent of its bounding box."""


def plan_at(enclosure: Enclosure, tile: str, place: Point) -> Plan:
    """Return the plan for a place on a board, in its plane; InputError if it is not on it."""
    board = tile_named(enclosure, tile)
    if shapely.distance(board_of(board.outline), shapely.Point(place)) > OFF_BOARD_M:
        x0, y0, x1, y1 = (1e3 * edge for edge in board.outline.bounds)
        raise InputError(
            f"the place is not on the board {tile}, or in one of its openings.",
            remedy=f"choose x from {x0:.4g} to {x1:.4g} mm and y from {y0:.4g} to {y1:.4g} mm.",
            key="place",
            value=place,
        )
    cavity_m, wall_m = behind(enclosure, board, place)
    return Plan(
        size_m=enclosure.size_m,
        tile=board,
        place=place,
        tiles=enclosure.tiles,
        doors=tuple(sorted({panel.face for panel in enclosure.panels if panel.door})),
        modalities=modalities_of(enclosure),
        cavity_m=cavity_m,
        wall_m=wall_m,
    )


def plan_drawn(
    enclosure: Enclosure,
    generator: np.random.Generator,
    *,
    near: Near = "anywhere",
    tile: str | None = None,
) -> Plan:
    """Return the plan for a place drawn uniformly over all boards, or over one of them.

    InputError if the design has no such area: no edge strips, no laps, no opening.
    """
    board, place = drawn(enclosure, generator, near=near, tile=tile)
    return plan_at(enclosure, board.id, place)


def drawn(
    enclosure: Enclosure,
    generator: np.random.Generator,
    *,
    near: Near = "anywhere",
    tile: str | None = None,
) -> tuple[TileDesign, Point]:
    """Return a board and a place on it, uniform over the area that `near` names."""
    boards = enclosure.tiles if tile is None else (tile_named(enclosure, tile),)
    areas = np.array([_area(board, near).area for board in boards])
    if not areas.sum() > 0.0:
        raise InputError(
            f"no board has an area of the kind {near!r}.",
            remedy=f"choose another of {', '.join(NEAR)}, or another board.",
            key="near",
            value=tile,
        )
    board = boards[int(generator.choice(len(boards), p=areas / areas.sum()))]
    return board, _inside(_area(board, near), generator)


def tile_named(enclosure: Enclosure, tile: str) -> TileDesign:
    """Return the board of this id; InputError, with the nearest, if there is none."""
    import difflib

    for each in enclosure.tiles:
        if each.id == tile:
            return each
    near = difflib.get_close_matches(tile, [each.id for each in enclosure.tiles], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"the design has no board {tile!r}.",
        remedy=f"{hint}boards are listed in design.json, tiles.",
        key="tile",
        value=tile,
    )


def behind(enclosure: Enclosure, board: TileDesign, place: Point) -> tuple[Point3, float]:
    """Return the point of the protected volume behind a place, and its depth below the surface."""
    frame, walls = board.frame, {face.name: face.thickness_m for face in enclosure.faces}
    lows = (walls.get("left", 0.0), walls.get("front", 0.0), walls.get("bottom", 0.0))
    highs = (walls.get("right", 0.0), walls.get("rear", 0.0), walls.get("top", 0.0))
    outer = [
        origin + place[0] * x + place[1] * y
        for origin, x, y in zip(frame.origin_m, frame.x_axis, frame.y_axis, strict=True)
    ]
    at = [
        min(max(value, low), size - high)
        for value, low, high, size in zip(outer, lows, highs, enclosure.size_m, strict=True)
    ]
    deep = sum((inner - out) * way for inner, out, way in zip(at, outer, frame.inward, strict=True))
    return (at[0], at[1], at[2]), max(deep, board.stackup.thickness_m)


@lru_cache(maxsize=1024)
def _area(board: TileDesign, near: Near) -> BaseGeometry:
    """Return the part of a board that `near` names; it may be empty."""
    whole = board_of(board.outline)
    part: BaseGeometry
    match near:
        case "anywhere":
            part = whole
        case "rim":
            part = whole.difference(whole.buffer(-RIM_M, join_style="mitre"))
        case "opening":
            holes = [shapely.Polygon(hole).buffer(RIM_M) for hole in board.outline.holes]
            part = whole.intersection(shapely.union_all(holes))
        case "terminals":
            part = whole.intersection(_strip(board, board.terminal_edge, max(board.lap_m, RIM_M)))
        case "lap":
            laps = [_strip(board, side, width) for side, width in board.laps]
            part = whole.intersection(shapely.union_all(laps))
        case "edge":
            part = whole if board.bend is not None else shapely.Polygon()
    shapely.prepare(part)
    return part


def _strip(board: TileDesign, side: str, width_m: float) -> shapely.Polygon:
    x0, y0, x1, y1 = board.outline.bounds
    rows = {
        "left": (x0, y0, x0 + width_m, y1),
        "right": (x1 - width_m, y0, x1, y1),
        "bottom": (x0, y0, x1, y0 + width_m),
        "top": (x0, y1 - width_m, x1, y1),
    }
    return shapely.box(*rows[side])


def _inside(area: BaseGeometry, generator: np.random.Generator) -> Point:
    """Return a point drawn uniformly from an area, by rejection from its bounding box."""
    x0, y0, x1, y1 = area.bounds
    while True:
        points = generator.uniform((x0, y0), (x1, y1), size=(TRIES, 2))
        found = np.flatnonzero(shapely.contains_xy(area, points[:, 0], points[:, 1]))
        if found.size:
            x_m, y_m = points[found[0]]
            return float(x_m), float(y_m)
