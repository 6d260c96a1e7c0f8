"""Solids of an enclosure as plain data: what glTF, STEP, picture and viewer all draw.

Every part lies in a tile's own plane, x right and y up seen from outside, z OUTWARD (the
tile's `inward` reversed, so that the frame is right-handed). All lengths in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from casemate.core.geometry import Outline, Point, Point3, rectangle_ring
from casemate.design.enclosure import Bend, CrossingDesign, Enclosure, TileDesign, TileFrame

MAX_CELLS = 2000
"""Honeycomb cells drawn one by one; STEP export time grows with the square of the holes."""

WALL_SHARE = 0.1
WALL_MAX_M = 1e-3
"""Wall of a drawn sleeve: a share of the opening, at most 1 mm. An envelope, not a part drawing."""

Matrix = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One prism of the assembly: `outline` in the tile's plane, from z_m[0] up to z_m[1].

    kind: tile, strip, vent, sleeve or window. instances: centres (x, y) of repeated copies, or
    empty when the prism stands once where its outline says.
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
    """Return every tile, edge strip and crossing as prisms, in the design's order."""
    tiles = {tile.id: tile for tile in enclosure.tiles}
    found = []
    for tile in enclosure.tiles:
        found.append(_strip(tile) if tile.bend is not None else _flat(enclosure, tile))
    for crossing in enclosure.crossings:
        ring = opening_ring(crossing)
        if crossing.tile in tiles and ring:
            found.append(_crossing_part(enclosure, crossing, tiles[crossing.tile], ring))
    return tuple(found)


def opening_ring(crossing: CrossingDesign) -> tuple[Point, ...]:
    """Return the ring that a crossing takes in its tile's plane; empty if it takes none."""
    if crossing.opening is not None:
        return counter_clockwise(crossing.opening)
    width, height = crossing.size_m
    if width <= 0 or height <= 0:
        return ()
    x, y = crossing.centre_m
    return rectangle_ring(width, height, x_m=x - width / 2, y_m=y - height / 2)


def _flat(enclosure: Enclosure, tile: TileDesign) -> Part:
    return Part(
        id=tile.id,
        kind="tile",
        panel=tile.panel,
        tile=tile.id,
        frame=tile.frame,
        outline=_within_box(enclosure, tile),
        z_m=(-tile.stackup.thickness_m, 0.0),
    )


def _within_box(enclosure: Enclosure, tile: TileDesign) -> Outline:
    """Return the flat part of a board without the sliver by which its tilt leaves the face.

    A board laid like a shingle swings its inner edge out by thickness * slope, some 10 µm.
    """
    outline = tile.outline
    panel = next((p for p in enclosure.panels if p.id == tile.panel), None)
    if panel is None or not tile.laps:
        return outline
    x_min, y_min, x_max, y_max = outline.bounds
    places = [
        _seen_from(panel.frame, _on(tile.frame, (x, y), depth))
        for x in (x_min, x_max)
        for y in (y_min, y_max)
        for depth in (0.0, tile.stackup.thickness_m)
    ]
    x_min -= min(0.0, *(u for u, _, _ in places))
    y_min -= min(0.0, *(v for _, v, _ in places))
    x_max -= max(0.0, *(u - panel.width_m for u, _, _ in places))
    y_max -= max(0.0, *(v - panel.height_m for _, v, _ in places))
    return _clamped(outline, (x_min, y_min, x_max, y_max))


def _clamped(outline: Outline, box: tuple[float, float, float, float]) -> Outline:
    x_min, y_min, x_max, y_max = box
    ring = tuple(
        (min(max(x, x_min), x_max), min(max(y, y_min), y_max)) for x, y in outline.exterior
    )
    return Outline(exterior=ring, holes=outline.holes)


ARC_STEPS = 8
"""Chords in which the quarter arc of a strip is drawn; they miss it by under 10 µm."""


def _strip(tile: TileDesign) -> Part:
    """Return a bent strip: its section, x along the second leg's depth, drawn along the edge.

    What is tucked under the next piece of the same edge is left out; the bond gives way there.
    """
    bend = tile.bend
    assert bend is not None
    thick = tile.stackup.thickness_m
    frame = tile.frame
    across = _negative(frame.y_axis)  # from the edge into the box, along the first leg's face
    corner = _plus(_on(frame, (0.0, 0.0), 0.0), across, -bend.ends_m[0])
    corner = _plus(corner, frame.inward, -bend.level_m)
    x_min, _, x_max, _ = tile.outline.bounds
    laps = dict(tile.laps)
    low, high = x_min + laps.get("left", 0.0), x_max - laps.get("right", 0.0)
    outward = _cross(across, frame.inward)  # along the edge
    turned = _dot(outward, frame.x_axis) < 0
    start = _plus(corner, frame.x_axis, high if turned else low)
    return Part(
        id=tile.id,
        kind="strip",
        panel=tile.panel,
        tile=tile.id,
        frame=TileFrame(
            origin_m=start, x_axis=across, y_axis=frame.inward, inward=_negative(outward)
        ),
        outline=Outline(exterior=_section(bend, thick)),
        z_m=(0.0, high - low),
        note="bent round the edge" + ("; its tucked end is not drawn" if laps else ""),
    )


def _section(bend: Bend, thick_m: float) -> tuple[Point, ...]:
    """Return a strip's cross-section, counter-clockwise; x: depth below the second face's plane."""
    level, inner = bend.level_m, bend.radius_m
    centre = level + thick_m + inner
    angles = [math.pi / 2 * step / ARC_STEPS for step in range(ARC_STEPS + 1)]

    def arc(radius: float) -> list[Point]:
        return [
            (centre - radius * math.sin(angle), centre - radius * math.cos(angle))
            for angle in angles
        ]

    first, second = bend.ends_m
    ring = [(first, level), *arc(inner + thick_m), (level, second)]
    ring += [(level + thick_m, second), *reversed(arc(inner)), (first, level + thick_m)]
    return counter_clockwise(tuple(ring))


def _plus(a: Point3, b: Point3, share: float) -> Point3:
    return a[0] + b[0] * share, a[1] + b[1] * share, a[2] + b[2] * share


def _seen_from(frame: TileFrame, point: Point3) -> Point3:
    """Return (x, y, depth) of a point in a frame."""
    o = frame.origin_m
    delta = (point[0] - o[0], point[1] - o[1], point[2] - o[2])
    return _dot(delta, frame.x_axis), _dot(delta, frame.y_axis), _dot(delta, frame.inward)


def _on(frame: TileFrame, point: Point, depth_m: float) -> Point3:
    o, x, y, n = frame.origin_m, frame.x_axis, frame.y_axis, frame.inward
    u, v = point
    return (
        o[0] + x[0] * u + y[0] * v + n[0] * depth_m,
        o[1] + x[1] * u + y[1] * v + n[1] * depth_m,
        o[2] + x[2] * u + y[2] * v + n[2] * depth_m,
    )


def _negative(a: Point3) -> Point3:
    return 0.0 - a[0], 0.0 - a[1], 0.0 - a[2]


def _dot(a: Point3, b: Point3) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Point3, b: Point3) -> Point3:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _crossing_part(
    enclosure: Enclosure, crossing: CrossingDesign, tile: TileDesign, ring: tuple[Point, ...]
) -> Part:
    """Return what fills an opening, in the plane of the face (a shingled tile is tilted)."""
    frame = face_frame(enclosure, tile)
    x_m, y_m = in_face(tile, frame)
    ring = tuple((x + x_m, y + y_m) for x, y in ring)
    deep = crossing.depth_m or _face_depth(enclosure, tile)
    outline = Outline(exterior=ring)
    centres: tuple[Point, ...] = ()
    kind, note = "sleeve", "an envelope, not a part drawing"
    if crossing.kind == "air":
        kind = "vent"
        outline, centres, note = _vent(enclosure, crossing, ring)
    elif crossing.kind == "window":
        kind, note = "window", "a plain pane"
    else:
        outline = Outline(exterior=ring, holes=(_shrunk(ring),))
    return Part(
        id=crossing.id,
        kind=kind,
        panel=tile.panel,
        tile=tile.id,
        frame=frame,
        outline=outline,
        z_m=(-deep, 0.0),
        note=note,
        instances=centres,
    )


def face_frame(enclosure: Enclosure, tile: TileDesign) -> TileFrame:
    """Return the frame of the tile's panel, or its own if the panel is not stated."""
    for panel in enclosure.panels:
        if panel.id == tile.panel:
            return panel.frame
    return tile.frame


def in_face(tile: TileDesign, frame: TileFrame) -> Point:
    """Return where the tile's origin lies in the plane of its face."""
    x, y, _ = _seen_from(frame, tile.frame.origin_m)
    return x, y


def _face_depth(enclosure: Enclosure, tile: TileDesign) -> float:
    depths = [face.thickness_m for face in enclosure.faces if face.name == tile.face]
    return max([*depths, tile.stackup.thickness_m])


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
    row = next((r for r in rows if _names(str(r.get("id", "")), crossing)), enclosure.air)
    cell = row.get("cell_m", 0.0) or 0.0
    return float(cell), float(row.get("wall_m", 0.0) or cell * 0.02)


def _names(id: str, crossing: str) -> bool:
    return bool(id) and (crossing == id or crossing.startswith(f"{id}-"))


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
