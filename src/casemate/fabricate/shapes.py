"""Solids of an enclosure as plain data: what glTF, STEP, picture and viewer all draw.

Every part lies in a tile's own plane, x right and y up seen from outside, z OUTWARD (the
tile's `inward` reversed, so that the frame is right-handed). All lengths in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from casemate.core.geometry import Outline, Point
from casemate.design.enclosure import CrossingDesign, Enclosure, TileDesign, TileFrame

MAX_CELLS = 2000
"""Honeycomb cells drawn one by one; STEP export time grows with the square of the holes."""

WALL_SHARE = 0.1
WALL_MAX_M = 1e-3
"""Wall of a drawn sleeve: a share of the opening, at most 1 mm. An envelope, not a part drawing."""

Matrix = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One prism of the assembly: `outline` in the tile's plane, from z_m[0] up to z_m[1].

    kind: tile, vent, sleeve or window. instances: centres (x, y) of repeated copies, or empty
    when the prism stands once where its outline says.
    """

    id: str
    kind: str
    panel: str
    tile: str
    frame: TileFrame
    outline: Outline
    z_m: tuple[float, float]
    note: str = ""
    instances: tuple[Point, ...] = field(default=())

    @property
    def volume_m3(self) -> float:
        """Return the volume of one copy."""
        return outline_area(self.outline) * (self.z_m[1] - self.z_m[0])


def parts(enclosure: Enclosure) -> tuple[Part, ...]:
    """Return every tile and crossing of the enclosure as prisms, in the design's order."""
    tiles = {tile.id: tile for tile in enclosure.tiles}
    depth = {face.name: face.thickness_m for face in enclosure.faces}
    found = [_tile_part(tile) for tile in enclosure.tiles]
    for crossing in enclosure.crossings:
        tile = tiles.get(crossing.tile)
        if tile is not None and crossing.opening is not None:
            found.append(_crossing_part(enclosure, crossing, tile, depth))
    return tuple(found)


def _tile_part(tile: TileDesign) -> Part:
    return Part(
        id=tile.id,
        kind="tile",
        panel=tile.panel,
        tile=tile.id,
        frame=tile.frame,
        outline=tile.outline,
        z_m=(-tile.stackup.thickness_m, 0.0),
    )


def _crossing_part(
    enclosure: Enclosure, crossing: CrossingDesign, tile: TileDesign, depth: dict[str, float]
) -> Part:
    assert crossing.opening is not None
    ring = counter_clockwise(crossing.opening)
    deep = max(depth.get(crossing.face, 0.0), tile.stackup.thickness_m)
    outline = Outline(exterior=ring)
    centres: tuple[Point, ...] = ()
    kind, note = "sleeve", "envelope: as deep as the face"
    if crossing.kind == "air":
        kind = "vent"
        outline, centres, note = _vent(enclosure, crossing, ring)
    elif crossing.kind == "window":
        kind, deep = "window", tile.stackup.thickness_m
        note = "window pane, as thick as the board"
    else:
        outline = Outline(exterior=ring, holes=(_shrunk(ring),))
    return Part(
        id=crossing.id,
        kind=kind,
        panel=tile.panel,
        tile=tile.id,
        frame=tile.frame,
        outline=outline,
        z_m=(-deep, 0.0),
        note=note,
        instances=centres,
    )


def _vent(
    enclosure: Enclosure, crossing: CrossingDesign, ring: tuple[Point, ...]
) -> tuple[Outline, tuple[Point, ...], str]:
    cell_m, wall_m = vent_cell(enclosure, crossing.id)
    if cell_m <= 0.0:
        return Outline(exterior=ring), (), "honeycomb region as a slab (cell size not stated)"
    pitch = cell_m + wall_m
    columns = math.sqrt(abs(ring_area(ring)) / (pitch * pitch * math.sqrt(3) / 2))
    if columns**2 > MAX_CELLS:
        return (
            Outline(exterior=ring),
            (),
            f"honeycomb region as a slab ({columns**2:.0f} cells of {cell_m * 1e3:.3g} mm)",
        )
    centres = hex_centres(ring, pitch)
    outer, inner = hexagon(pitch / 2), hexagon(cell_m / 2)
    note = f"honeycomb of {len(centres)} cells, {cell_m * 1e3:.3g} mm across flats"
    return Outline(exterior=outer, holes=(tuple(reversed(inner)),)), centres, note


def vent_cell(enclosure: Enclosure, crossing: str) -> tuple[float, float]:
    """Return (cell across flats, wall) in metres as stated in `enclosure.air`; 0, 0 if not."""
    rows = enclosure.air.get("vents", [])
    row = next((r for r in rows if crossing in (r.get("id"), r.get("crossing"))), enclosure.air)
    cell = row.get("cell_m", 0.0) or 0.0
    return float(cell), float(row.get("wall_m", 0.0) or cell * 0.02)


def hexagon(inradius_m: float) -> tuple[Point, ...]:
    """Return a counter-clockwise hexagon about the origin, flats left and right."""
    reach = 2 * inradius_m / math.sqrt(3)
    angles = [math.pi / 6 + step * math.pi / 3 for step in range(6)]
    return tuple((reach * math.cos(angle), reach * math.sin(angle)) for angle in angles)


def hex_centres(ring: tuple[Point, ...], pitch_m: float) -> tuple[Point, ...]:
    """Return centres of the whole hexagons of `pitch_m` across flats that lie inside `ring`."""
    x_min, y_min, x_max, y_max = Outline(exterior=ring).bounds
    row_m = pitch_m * math.sqrt(3) / 2
    mid = ((x_min + x_max) / 2, (y_min + y_max) / 2)
    across = int((x_max - x_min) / pitch_m) + 2
    up = int((y_max - y_min) / row_m) + 2
    corners = hexagon(pitch_m / 2 * (1 - 1e-9))
    centres = []
    for row in range(-up, up + 1):
        for column in range(-across, across + 1):
            x = mid[0] + (column + 0.5 * (row % 2)) * pitch_m
            y = mid[1] + row * row_m
            if all(inside(ring, (x + dx, y + dy)) for dx, dy in corners):
                centres.append((x, y))
    return tuple(centres)


def inside(ring: tuple[Point, ...], point: Point) -> bool:
    """Return whether a point lies inside a ring (even-odd rule)."""
    x, y = point
    found = False
    for (xa, ya), (xb, yb) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (ya > y) != (yb > y) and x < xa + (y - ya) * (xb - xa) / (yb - ya):
            found = not found
    return found


def ring_area(ring: tuple[Point, ...]) -> float:
    """Return the signed area of a ring (m^2), positive if counter-clockwise."""
    pairs = zip(ring, (*ring[1:], ring[0]), strict=True)
    return 0.5 * math.fsum(xa * yb - xb * ya for (xa, ya), (xb, yb) in pairs)


def outline_area(outline: Outline) -> float:
    """Return the area of an outline less its holes (m^2)."""
    return abs(ring_area(outline.exterior)) - sum(abs(ring_area(hole)) for hole in outline.holes)


def counter_clockwise(ring: tuple[Point, ...]) -> tuple[Point, ...]:
    """Return the ring counter-clockwise."""
    return ring if ring_area(ring) > 0 else tuple(reversed(ring))


def as_circle(ring: tuple[Point, ...]) -> tuple[Point, float] | None:
    """Return (centre, radius) of the circle that a regular ring of >= 16 corners stands around.

    The radius is the apothem, since `core.geometry.circle_ring` lies outside its circle.
    """
    count = len(ring)
    if count < 16:
        return None
    centre = (sum(x for x, _ in ring) / count, sum(y for _, y in ring) / count)
    reach = [math.dist(point, centre) for point in ring]
    step = [math.dist(a, b) for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)]
    mean = sum(reach) / count
    if max(reach) - min(reach) > 1e-6 * mean or max(step) - min(step) > 1e-5 * mean:
        return None
    return centre, mean * math.cos(math.pi / count)


def frame_matrix(frame: TileFrame, *, x_m: float = 0.0, y_m: float = 0.0) -> Matrix:
    """Return the 4 x 4 matrix (rows) from tile plane + outward z to the enclosure's axes."""
    outward = tuple(0.0 - c for c in frame.inward)
    return (
        *(
            (
                frame.x_axis[i],
                frame.y_axis[i],
                outward[i],
                frame.origin_m[i] + frame.x_axis[i] * x_m + frame.y_axis[i] * y_m,
            )
            for i in range(3)
        ),
        (0.0, 0.0, 0.0, 1.0),
    )


def _shrunk(ring: tuple[Point, ...]) -> tuple[Point, ...]:
    x_min, y_min, x_max, y_max = Outline(exterior=ring).bounds
    narrow = min(x_max - x_min, y_max - y_min)
    wall = min(WALL_MAX_M, WALL_SHARE * narrow)
    mid = ((x_min + x_max) / 2, (y_min + y_max) / 2)
    scale_x = 1 - 2 * wall / (x_max - x_min)
    scale_y = 1 - 2 * wall / (y_max - y_min)
    inner = [(mid[0] + (x - mid[0]) * scale_x, mid[1] + (y - mid[1]) * scale_y) for x, y in ring]
    return tuple(reversed(inner))
