"""The twelve box edges: whose boards run through, where they end, and the strip round each.

Boards stay flat. At an edge one face's boards run to the outer face of the other's, whose boards
butt under them. Outside, a strip of flex is bonded round the edge. Depths are measured inward from
the outer planes of the box, which the outermost strips' outer surfaces form.

At a vertex three strips meet; they lap in the order of STRIP_ORDER: the first runs to the very end,
the second ends where the first one's bend begins and lies under its leg, the third under both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from casemate.core.errors import DesignError
from casemate.core.geometry import Point3, rectangle
from casemate.design.enclosure import (
    FACES,
    Bend,
    EdgeDesign,
    EdgeSide,
    FabProfile,
    MeshRules,
    Stackup,
    TileDesign,
    TileFrame,
)
from casemate.design.seams import SeamRule
from casemate.design.tiling import Axis, cut, pieces

NEIGHBOURS: dict[str, dict[str, str]] = {
    "front": {"left": "left", "right": "right", "bottom": "bottom", "top": "top"},
    "rear": {"left": "right", "right": "left", "bottom": "bottom", "top": "top"},
    "left": {"left": "rear", "right": "front", "bottom": "bottom", "top": "top"},
    "right": {"left": "front", "right": "rear", "bottom": "bottom", "top": "top"},
    "top": {"left": "left", "right": "right", "bottom": "front", "top": "rear"},
    "bottom": {"left": "right", "right": "left", "bottom": "front", "top": "rear"},
}
"""face -> side seen from outside -> the face beyond that edge."""

THROUGH = ("top", "bottom", "left", "right", "front", "rear")
"""Of two faces at an edge the boards of the earlier one run through; the later one's butt."""

STRIP_ORDER = ("z", "x", "y")
"""Axes of the edges by the order in which their strips lie at a vertex, the outermost first."""

JOINT_M = 0.3e-3
"""Free gap between a butting board and the one that runs through (engineering choice: three times
the 0.1 mm by which a routed edge errs)."""

LEAST_CELLS = 7
"""Least mesh cells across a strip: room for a spine, its terminals and ribs on both sides."""

SPARE_M = 0.04e-3
"""What a strip is wider than its mesh cells ask, so that rounding takes none away."""

_AXIS = {"left": 0, "right": 0, "front": 1, "rear": 1, "top": 2, "bottom": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class StripSkin:
    """What an edge strip is made of. gap_m: from the outermost strip's inner surface to the boards.

    bend_m: inside radius of the outermost strip. rule: its laps along the edge and its legs.
    """

    module: str
    stackup: Stackup
    fab: FabProfile
    mesh: MeshRules
    bend_m: float
    gap_m: float
    rule: SeamRule

    @property
    def centre_m(self) -> float:
        """Return the depth of the bend's axis below the outer planes."""
        return self.bend_m + self.stackup.thickness_m


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceAtEdge:
    """What an edge needs of a face. clearance_m: of its door, None if fixed."""

    face: str
    stackup: Stackup
    fab: FabProfile
    board_depth_m: float
    shingle_m: float
    inside_m: float
    clearance_m: float | None


def pairs() -> tuple[tuple[str, str], ...]:
    """Return the twelve edges as (face that runs through, face that butts)."""
    rows = []
    for index, over in enumerate(THROUGH):
        for under in THROUGH[index + 1 :]:
            if _AXIS[over] != _AXIS[under]:
                rows.append((over, under))
    return tuple(rows)


def edge_name(one: str, other: str) -> str:
    """Return the names of both faces in the order of FACES, joined by ~."""
    return "~".join(sorted((one, other), key=FACES.index))


def carrier(over: str, under: str, doors: set[str]) -> str:
    """Return the face to whose boards the strip is bonded: the door's, or the one that runs on."""
    open_faces = [face for face in FACES if face in doors and face in (over, under)]
    return open_faces[0] if open_faces else over


def level(over: str, under: str) -> int:
    """Return 0 for the outermost strips, 1 and 2 for those under them at the vertices."""
    along = next(axis for axis in range(3) if axis not in (_AXIS[over], _AXIS[under]))
    return STRIP_ORDER.index("xyz"[along])


def strip_depth(strip: StripSkin, over: str, under: str) -> float:
    """Return the depth of a strip's outer surface below the box's outer planes."""
    return level(over, under) * strip.stackup.thickness_m


def board_depth(face: str, strip: StripSkin, doors: dict[str, float]) -> float:
    """Return how deep a face's boards lie. doors: clearance of each door.

    Beside a door whose strip reaches over this face the door's clearance counts, if it is more.
    """
    gap = strip.gap_m
    for other in FACES:
        beside = other in doors and _AXIS[other] != _AXIS[face]
        if beside and carrier(face, other, set(doors)) == other:
            gap = max(gap, doors[other])
    return strip.stackup.thickness_m + gap


def board_start(over: FaceAtEdge, under: FaceAtEdge, face: str) -> float:
    """Return where a face's boards start, below the other face's outer plane."""
    if face == over.face:
        return under.board_depth_m
    return over.board_depth_m + over.shingle_m + over.stackup.thickness_m + JOINT_M


def leg(strip: StripSkin, mine: FaceAtEdge, start_m: float, outer_m: float) -> tuple[float, float]:
    """Return (overlap required, depth below the other face's plane at which a leg ends).

    outer_m: depth of the strip's outer surface. Gap: from its mesh to the deepest mesh layer.
    """
    rules, fab = strip.mesh, mine.fab
    gap = leg_gap(strip, mine, outer_m)
    reach = max(rules.hole_max_m, strip.rule.tool_reach_m)
    errs = fab.registration_m + strip.fab.registration_m
    required = reach + gap * math.tan(rules.theta_max_rad) + errs
    end = start_m + fab.edge_clearance_m + required + strip.fab.edge_clearance_m
    return required, math.ceil(end * 1e5 - 1e-6) / 1e5


def leg_gap(strip: StripSkin, mine: FaceAtEdge, outer_m: float) -> float:
    """Return the depth from a strip's mesh to the deepest mesh layer of the boards under it."""
    deepest = mine.board_depth_m + mine.shingle_m + max(mine.stackup.depth_m)
    return deepest - outer_m - max(strip.stackup.depth_m)


def edge_of(
    strip: StripSkin, over: FaceAtEdge, under: FaceAtEdge, size_m: Point3, doors: set[str]
) -> EdgeDesign:
    """Return one edge, its strips and tiles still to be named."""
    sides = []
    outer = strip_depth(strip, over.face, under.face)
    for mine in (over, under):
        start = board_start(over, under, mine.face)
        sides.append(
            EdgeSide(
                face=mine.face,
                board_depth_m=mine.board_depth_m,
                board_m=mine.stackup.thickness_m,
                mesh_depth_m=mine.stackup.depth_m,
                shingle_m=mine.shingle_m,
                board_start_m=start,
                leg_end_m=leg(strip, mine, start, outer)[1],
                inside_m=mine.inside_m,
                tiles=(),
            )
        )
    sides[1] = _widened(strip, outer, sides[0], sides[1])
    start_m, end_m = _line(over.face, under.face, size_m)
    length = math.dist(start_m, end_m)
    tucked = strip.centre_m if level(over.face, under.face) else 0.0
    door = bool(doors & {over.face, under.face})
    return EdgeDesign(
        id=edge_name(over.face, under.face),
        over=sides[0],
        under=sides[1],
        door=door,
        module=strip.module,
        centre_m=strip.centre_m,
        level_m=outer,
        strip_mesh_m=outer + max(strip.stackup.depth_m),
        length_m=length,
        start_m=start_m,
        end_m=end_m,
        ends_m=(tucked, length - tucked),
        strips=(),
    )


def _arc(strip: StripSkin, outer_m: float) -> tuple[float, float]:
    """Return inside radius and developed length of a strip's bend."""
    radius = strip.centre_m - outer_m - strip.stackup.thickness_m
    return radius, math.pi / 2 * (radius + strip.stackup.thickness_m / 2)


def _widened(strip: StripSkin, outer_m: float, one: EdgeSide, other: EdgeSide) -> EdgeSide:
    """Return the second side with its leg longer, so that whole mesh cells fill the strip."""
    legs = one.leg_end_m + other.leg_end_m - 2 * strip.centre_m
    width = legs + _arc(strip, outer_m)[1]
    rules, cell = strip.mesh, 2 * strip.mesh.lanes * strip.mesh.pitch_m
    rims = 2 * strip.fab.edge_clearance_m + rules.trace_m - rules.pitch_m + SPARE_M
    cells = max(LEAST_CELLS, math.ceil((width - rims) / cell - 1e-6))
    return replace(other, leg_end_m=other.leg_end_m + cells * cell + rims - width)


def _line(over: str, under: str, size_m: Point3) -> tuple[Point3, Point3]:
    """Return both ends of an edge of the outer box, in rising order of its axis."""
    low = [0.0, 0.0, 0.0]
    for face in (over, under):
        if face in ("right", "rear", "top"):
            low[_AXIS[face]] = size_m[_AXIS[face]]
    along = next(axis for axis in range(3) if axis not in (_AXIS[over], _AXIS[under]))
    high = list(low)
    high[along] = size_m[along]
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def strip_tiles(
    strip: StripSkin,
    edge: EdgeDesign,
    frames: dict[str, TileFrame],
    lap_m: float,
    doors: set[str],
) -> list[tuple[TileDesign, tuple[Point3, Point3]]]:
    """Return the strip's pieces, each with the ends of what it shows along the edge.

    A piece that is tucked under the next one keeps its level in the model; 0.1 mm of bond gives.
    """
    owner = carrier(edge.over.face, edge.under.face, doors)
    first, second = edge.over, edge.under
    if owner == second.face:
        first, second = second, first
    radius, arc = _arc(strip, edge.level_m)
    legs = [side.leg_end_m - edge.centre_m for side in (first, second)]
    bend = Bend(
        edge=edge.id,
        faces=(first.face, second.face),
        line_m=(legs[0], legs[0] + arc),
        radius_m=radius,
        level_m=edge.level_m,
        ends_m=(first.leg_end_m, second.leg_end_m),
    )
    width = legs[0] + arc + legs[1]
    return [
        (_piece(strip, edge, frames, bend, (number, *piece), width, lap_m), piece[0])
        for number, piece in enumerate(_pieces(strip, edge, width, lap_m), start=1)
    ]


def _pieces(
    strip: StripSkin, edge: EdgeDesign, width: float, lap_m: float
) -> list[tuple[tuple[Point3, Point3], tuple[float, float], bool]]:
    """Return for each piece the ends of its share of the edge, its extent, whether it is tucked."""
    short, long = sorted(strip.fab.max_board_m)
    if width > short:
        raise DesignError(
            f"the strip of edge {edge.id} is {width * 1e3:.1f} mm wide, boards of"
            f" {strip.fab.id} at most {short * 1e3:.0f} mm.",
            remedy="choose a door with less clearance, or a smaller targets.tool_angle.",
        )
    axis = Axis(start_m=edge.ends_m[0], end_m=edge.ends_m[1], low_m=0.0, high_m=0.0, lap_m=lap_m)
    count = max(1, math.ceil((axis.end_m - axis.start_m) / long - 1e-9))
    cuts = None
    while cuts is None and count < 1000:
        cuts = cut(axis, count=count, board_m=long, avoid=())
        count += 1
    if cuts is None:
        raise DesignError(
            f"the strip of edge {edge.id} cannot be cut into boards of {long * 1e3:.0f} mm.",
            remedy="choose a fab profile with longer boards.",
        )
    rows = []
    for piece in pieces(axis, cuts, low_lap=False, high_lap=False):
        shown = (_along(edge, piece.visible[0]), _along(edge, piece.visible[1]))
        rows.append((shown, piece.board, piece.high_lap))
    return rows


def _along(edge: EdgeDesign, at_m: float) -> Point3:
    a, b = edge.start_m, edge.end_m
    share = at_m / edge.length_m
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


def _piece(
    strip: StripSkin,
    edge: EdgeDesign,
    frames: dict[str, TileFrame],
    bend: Bend,
    piece: tuple[int, tuple[Point3, Point3], tuple[float, float], bool],
    width: float,
    lap_m: float,
) -> TileDesign:
    number, _, (low, high), tucked = piece
    depth = frames[bend.faces[0]].inward
    across = frames[bend.faces[1]].inward
    up = (0.0 - across[0], 0.0 - across[1], 0.0 - across[2])  # towards the edge
    along = _cross(depth, up)
    rising = sum(v * (b - a) for v, a, b in zip(along, edge.start_m, edge.end_m, strict=True)) > 0
    corner = _along(edge, low if rising else high)
    origin = tuple(
        corner[k] + across[k] * bend.ends_m[0] + depth[k] * bend.level_m for k in range(3)
    )
    side = "right" if rising else "left"
    return TileDesign(
        id=f"edge-{edge.id.replace('~', '-')}-{number}",
        face=bend.faces[0],
        panel=bend.faces[0],
        module=strip.module,
        outline=rectangle(high - low, width),
        frame=TileFrame(
            origin_m=(origin[0], origin[1], origin[2]), x_axis=along, y_axis=up, inward=depth
        ),
        stackup=strip.stackup,
        fab=strip.fab,
        mesh=strip.mesh,
        terminal_edge=side,
        lap_m=lap_m if tucked else 0.0,
        laps=((side, lap_m),) if tucked else (),
        bend=bend,
    )


def _cross(a: Point3, b: Point3) -> Point3:
    return (
        a[1] * b[2] - a[2] * b[1] + 0.0,
        a[2] * b[0] - a[0] * b[2] + 0.0,
        a[0] * b[1] - a[1] * b[0] + 0.0,
    )
