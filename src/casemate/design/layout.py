"""Faces, panels and tiles of a box: where every board sits and what it shows.

Boards are flat. At every box edge one face's boards run through and the other's butt under them;
a strip of flex covers the joint outside (edges.py). Within a face boards lie like shingles.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from casemate.core.errors import DesignError
from casemate.core.geometry import Outline, Point, Point3
from casemate.design.crossings import RING_M, OpeningPlan, PlacedOpening, place, ring_of
from casemate.design.edges import (
    NEIGHBOURS,
    THROUGH,
    FaceAtEdge,
    StripSkin,
    board_depth,
    board_start,
    carrier,
    edge_of,
    leg,
    leg_gap,
    pairs,
    strip_depth,
    strip_tiles,
)
from casemate.design.enclosure import (
    FACES,
    CrossingDesign,
    EdgeDesign,
    EdgeSide,
    FabProfile,
    FaceDesign,
    MeshRules,
    PanelDesign,
    SeamDesign,
    Stackup,
    TileDesign,
    TileFrame,
)
from casemate.design.frames import at_depth, face_frame, face_size, tilted
from casemate.design.regions import Board, boards_of, regions_of
from casemate.design.seams import (
    Overlap,
    SeamRule,
    Visible,
    lap_seams,
    leg_seams,
    overlap_of,
    seam_of,
)
from casemate.design.tiling import Rect

ALONG_X = {"front": True, "rear": True}
"""Faces whose boards are shingled along x, the others along y."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSkin:
    """What covers a face. thickness_m: all that the face takes, module and structure."""

    module: str
    thickness_m: float
    budget_m: float
    stackup: Stackup
    fab: FabProfile
    mesh: MeshRules
    lap: SeamRule
    door: SeamRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutPlan:
    """All that the layout needs: protected volume, skins, strips of the edges, crossings."""

    protected_m: Point3
    skins: dict[str, FaceSkin]
    strip: StripSkin
    openings: tuple[OpeningPlan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The laid-out box. size_m: outer; visible: what each tile shows, in its face's plane."""

    size_m: Point3
    faces: tuple[FaceDesign, ...]
    panels: tuple[PanelDesign, ...]
    tiles: tuple[TileDesign, ...]
    seams: tuple[SeamDesign, ...]
    crossings: tuple[CrossingDesign, ...]
    edges: tuple[EdgeDesign, ...]
    visible: dict[str, Rect]
    openings: dict[str, tuple[PlacedOpening, ...]]


def lay_out(plan: LayoutPlan) -> Layout:
    """Return faces, panels, tiles, seams and crossings of the box; DesignError if none fits."""
    size = outer_size(plan)
    frames = {face: face_frame(face, size) for face in FACES}
    at_edge: dict[str, FaceAtEdge] = {}
    laid: dict[str, _LaidFace] = {}
    for face in THROUGH:  # where a board butts depends on how its neighbours' are shingled
        laid[face] = _lay_face(plan, face, size, frames[face], at_edge)
        at_edge[face] = _at_edge(plan, face, laid[face].shingle_m)
    edges, strips, legs = _edges(plan, size, frames, at_edge, laid)
    faces = [laid[face] for face in FACES]
    tiles = [tile for face in faces for tile in face.tiles] + [tile for tile, _ in strips]
    seams = [seam for face in faces for seam in face.seams] + legs
    return Layout(
        size_m=size,
        faces=tuple(_face(row.face, row.extent, plan.skins[row.face]) for row in faces),
        panels=tuple(
            _panel(
                row.face,
                row.extent,
                plan.skins[row.face],
                frames[row.face],
                [tile for tile in tiles if tile.panel == row.face],
            )
            for row in faces
        ),
        tiles=tuple(tiles),
        seams=tuple(seams),
        crossings=tuple(crossing for row in faces for crossing in row.crossings),
        edges=tuple(edges),
        visible={shown.id: shown.visible for row in faces for shown in row.shown},
        openings={row.face: row.openings for row in faces},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LaidFace:
    """A face's boards. whole: what they cover; shingle_m: how much deeper tucked ends lie."""

    face: str
    extent: Point
    whole: Rect
    shingle_m: float
    tiles: tuple[TileDesign, ...]
    shown: tuple[Visible, ...]
    seams: tuple[SeamDesign, ...]
    crossings: tuple[CrossingDesign, ...]
    openings: tuple[PlacedOpening, ...]


def _lay_face(
    plan: LayoutPlan, face: str, size: Point3, frame: TileFrame, at_edge: dict[str, FaceAtEdge]
) -> _LaidFace:
    skin, extent = plan.skins[face], face_size(face, size)
    lap = _overlap(skin, skin.lap)
    step = skin.stackup.thickness_m + lap.rule.clearance_m
    flat = _starts_and_legs(plan, face, at_edge, 0.0)
    deep = _starts_and_legs(plan, face, at_edge, step)
    whole = Rect(
        flat["left"][0],
        flat["bottom"][0],
        extent[0] - flat["right"][0],
        extent[1] - flat["top"][0],
    )
    legs = {side: leg for side, (_, leg) in deep.items()}
    openings = _place_openings(plan, face, extent, flat, legs, lap)
    boards = _face_boards(face, whole, lap, skin, openings)
    shingle = step if any(board.laps for board in boards) else 0.0
    if not shingle:
        legs = {side: leg for side, (_, leg) in flat.items()}
    low = at_depth(frame, _depth(plan, face))
    covered = {side: legs[side] - flat[side][0] for side in legs}
    tiles = [_tile(face, board, skin, low, lap, openings, covered) for board in boards]
    shown = [
        Visible(id=tile.id, face=face, visible=board.visible, board=board.board)
        for tile, board in zip(tiles, boards, strict=True)
    ]
    return _LaidFace(
        face=face,
        extent=extent,
        whole=whole,
        shingle_m=shingle,
        tiles=tuple(tiles),
        shown=tuple(shown),
        seams=tuple(lap_seams(shown, low, lap)),
        crossings=tuple(_crossings(face, openings, tiles, boards)),
        openings=openings,
    )


def _starts_and_legs(
    plan: LayoutPlan, face: str, at_edge: dict[str, FaceAtEdge], shingle_m: float
) -> dict[str, tuple[float, float]]:
    """Return for each side where the boards start and where the strip's leg over them ends."""
    mine = _at_edge(plan, face, shingle_m)
    found = {}
    for side, other in NEIGHBOURS[face].items():
        theirs = at_edge.get(other) or _at_edge(plan, other, 0.0)
        over, under = (mine, theirs) if runs_through(face, other) else (theirs, mine)
        start = board_start(over, under, face)
        outer = strip_depth(plan.strip, over.face, under.face)
        found[side] = (start, leg(plan.strip, mine, start, outer)[1])
    return found


def runs_through(face: str, other: str) -> bool:
    """Return whether a face's boards run through at its edge with another face."""
    return THROUGH.index(face) < THROUGH.index(other)


def _doors(plan: LayoutPlan) -> dict[str, float]:
    rules = {face: skin.door for face, skin in plan.skins.items()}
    return {face: rule.clearance_m for face, rule in rules.items() if rule is not None}


def _depth(plan: LayoutPlan, face: str) -> float:
    return board_depth(face, plan.strip, _doors(plan))


def _at_edge(plan: LayoutPlan, face: str, shingle_m: float) -> FaceAtEdge:
    skin = plan.skins[face]
    return FaceAtEdge(
        face=face,
        stackup=skin.stackup,
        fab=skin.fab,
        board_depth_m=_depth(plan, face),
        shingle_m=shingle_m,
        inside_m=skin.thickness_m,
        clearance_m=skin.door.clearance_m if skin.door else None,
    )


def _edges(
    plan: LayoutPlan,
    size: Point3,
    frames: dict[str, TileFrame],
    at_edge: dict[str, FaceAtEdge],
    laid: dict[str, _LaidFace],
) -> tuple[list[EdgeDesign], list[tuple[TileDesign, tuple[Point3, Point3]]], list[SeamDesign]]:
    """Return the edges, the pieces of their strips with what each shows, and the legs' seams."""
    strip, doors = plan.strip, set(_doors(plan))
    lap = overlap_of(
        strip.rule,
        stackup=strip.stackup,
        fab=strip.fab,
        tool_m=strip.mesh.hole_max_m,
        theta_rad=strip.mesh.theta_max_rad,
    )
    edges, tiles, seams = [], [], []
    for over, under in pairs():
        edge = edge_of(strip, at_edge[over], at_edge[under], size, doors)
        made = strip_tiles(strip, edge, frames, lap.board_m, doors)
        for (one, (_, meet)), (other, _) in itertools.pairwise(made):
            seams.append(seam_of(lap, one.id, other.id, meet, meet))
        ends = [(tile.id, *shown) for tile, shown in made]
        ends[0] = (ends[0][0], edge.start_m, ends[0][2])  # a tucked end runs on under the vertex
        ends[-1] = (ends[-1][0], ends[-1][1], edge.end_m)
        sides = []
        for side in (edge.over, edge.under):
            rows = _leg_seams(plan, edge, side, at_edge[side.face], laid[side.face], ends, frames)
            seams += rows
            named = tuple(dict.fromkeys(row.tiles[0] for row in rows))
            sides.append(replace(side, tiles=named))
        names = tuple(tile.id for tile, _ in made)
        edges.append(replace(edge, over=sides[0], under=sides[1], strips=names))
        tiles += made
    return edges, tiles, seams


def _leg_seams(
    plan: LayoutPlan,
    edge: EdgeDesign,
    side: EdgeSide,
    mine: FaceAtEdge,
    laid: _LaidFace,
    strips: list[tuple[str, Point3, Point3]],
    frames: dict[str, TileFrame],
) -> list[SeamDesign]:
    """Return the seams of one leg; over a door's neighbour they are the door's own module's."""
    strip, skins = plan.strip, plan.skins
    owner = carrier(edge.over.face, edge.under.face, set(_doors(plan)))
    door = skins[owner].door
    rule = door if door is not None and side.face != owner else strip.rule
    required, _ = leg(strip, mine, side.board_start_m, edge.level_m)
    end = side.leg_end_m
    bare = mine.fab.edge_clearance_m + strip.fab.edge_clearance_m
    overlap = Overlap(
        rule=rule,
        gap_m=leg_gap(strip, mine, edge.level_m),
        required_m=required,
        meshed_m=end - side.board_start_m - bare,
        board_m=end - side.board_start_m,
    )
    other = edge.under.face if side is edge.over else edge.over.face
    where = next(s for s, face in NEIGHBOURS[side.face].items() if face == other)
    return leg_seams(laid.shown, frames[side.face], where, laid.whole, strips, overlap)


def outer_size(plan: LayoutPlan) -> Point3:
    """Return the outer size in metres: the protected size grown by the faces, nothing else."""
    t = {face: plan.skins[face].thickness_m for face in FACES}
    x, y, z = plan.protected_m
    return x + t["left"] + t["right"], y + t["front"] + t["rear"], z + t["bottom"] + t["top"]


def _overlap(skin: FaceSkin, rule: SeamRule) -> Overlap:
    return overlap_of(
        rule,
        stackup=skin.stackup,
        fab=skin.fab,
        tool_m=skin.mesh.hole_max_m,
        theta_rad=skin.mesh.theta_max_rad,
    )


def _place_openings(
    plan: LayoutPlan,
    face: str,
    extent: Point,
    starts: dict[str, tuple[float, float]],
    legs: dict[str, float],
    lap: Overlap,
) -> tuple[PlacedOpening, ...]:
    mine = [opening for opening in plan.openings if opening.face == face]
    margins = tuple(
        max(starts[side][0] + RING_M, legs[side] + 1e-3)
        for side in ("left", "right", "bottom", "top")
    )
    return place(
        mine,
        face=face,
        size_m=extent,
        margins=margins,
        clear_m=max(2 * RING_M, lap.board_m + 1e-3),
        along_x=ALONG_X.get(face, False),
    )


def _face_boards(
    face: str, whole: Rect, lap: Overlap, skin: FaceSkin, placed: Sequence[PlacedOpening]
) -> list[Board]:
    if whole.width <= 0 or whole.height <= 0:
        raise DesignError(
            f"face {face} is too small for the joints at its edges.",
            remedy="make the protected volume larger, or choose flatter modules.",
        )
    regions = regions_of(
        whole,
        along_x=ALONG_X.get(face, False),
        lap_m=lap.board_m,
        board_m=skin.fab.max_board_m,
        placed=placed,
        name=f"face {face}",
    )
    return [board for region in regions for board in boards_of(region)]


def _tile(
    face: str,
    board: Board,
    skin: FaceSkin,
    frame: TileFrame,
    lap: Overlap,
    placed: Sequence[PlacedOpening],
    leg_m: dict[str, float],
) -> TileDesign:
    rect = board.board
    holes = tuple(
        tuple((x - rect.x0, y - rect.y0) for x, y in ring_of(opening.plan, hole))
        for opening in placed
        for hole in opening.holes
        if board.visible.holds(hole)
    )
    corners = ((0.0, 0.0), (rect.width, 0.0), (rect.width, rect.height), (0.0, rect.height))
    covered = leg_m | dict(board.laps)
    return TileDesign(
        id=f"{face}-{board.label}",
        face=face,
        panel=face,
        module=skin.module,
        outline=Outline(exterior=corners, holes=holes),
        frame=tilted(frame, board, skin.stackup.thickness_m + lap.rule.clearance_m),
        stackup=skin.stackup,
        fab=skin.fab,
        mesh=skin.mesh,
        terminal_edge=board.terminal,
        lap_m=covered[board.terminal],
        laps=board.laps,
    )


def _crossings(
    face: str, placed: Sequence[PlacedOpening], tiles: list[TileDesign], boards: list[Board]
) -> list[CrossingDesign]:
    rows = []
    for opening in placed:
        for index, hole in enumerate(opening.holes):
            owner = next((k for k, b in enumerate(boards) if b.visible.holds(hole)), None)
            nearest = owner if owner is not None else _beside(hole, boards)
            rect = boards[nearest].board
            ring = None
            if owner is not None:
                ring = tuple((x - rect.x0, y - rect.y0) for x, y in ring_of(opening.plan, hole))
            suffix = f"-{index + 1}" if len(opening.holes) > 1 else ""
            rows.append(
                CrossingDesign(
                    id=opening.plan.id + suffix,
                    kind=opening.plan.kind,
                    face=face,
                    tile=tiles[nearest].id,
                    module=opening.plan.module,
                    centre_m=(hole.centre[0] - rect.x0, hole.centre[1] - rect.y0),
                    opening=ring,
                    size_m=(hole.width, hole.height),
                    depth_m=opening.plan.depth_m,
                )
            )
    return rows


def _beside(hole: Rect, boards: list[Board]) -> int:
    def distance(index: int) -> float:
        x, y = boards[index].visible.centre
        return (x - hole.centre[0]) ** 2 + (y - hole.centre[1]) ** 2

    return min(range(len(boards)), key=distance)


def _panel(
    face: str, extent: Point, skin: FaceSkin, frame: TileFrame, tiles: list[TileDesign]
) -> PanelDesign:
    return PanelDesign(
        id=face,
        face=face,
        width_m=extent[0],
        height_m=extent[1],
        thickness_m=skin.thickness_m,
        door=skin.door is not None,
        frame=frame,
        tiles=tuple(tile.id for tile in tiles),
    )


def _face(face: str, extent: Point, skin: FaceSkin) -> FaceDesign:
    return FaceDesign(
        name=face,
        width_m=extent[0],
        height_m=extent[1],
        thickness_m=skin.thickness_m,
        budget_m=skin.budget_m,
        panels=(face,),
    )
