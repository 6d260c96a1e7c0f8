"""Faces, panels and tiles of a box: where every board sits and what it shows.

Boards are flat. At every box edge one face's boards run through and the other's butt under them;
a strip of flex covers the joint outside (edges.py). Within a face boards lie like shingles
(faces.py).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from casemate.core.geometry import Point, Point3
from casemate.design.crossings import PlacedOpening
from casemate.design.edges import (
    NEIGHBOURS,
    THROUGH,
    FaceAtEdge,
    carrier,
    edge_of,
    leg,
    leg_gap,
    pairs,
    strip_tiles,
)
from casemate.design.enclosure import (
    FACES,
    CrossingDesign,
    EdgeDesign,
    EdgeSide,
    FaceDesign,
    PanelDesign,
    SeamDesign,
    TileDesign,
    TileFrame,
)
from casemate.design.faces import LaidFace, lay_face
from casemate.design.frames import face_frame
from casemate.design.seams import Overlap, leg_seams, overlap_of, seam_of
from casemate.design.skins import FaceSkin, LayoutPlan, at_edge_of, doors_of, outer_size
from casemate.design.tiling import Rect


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
    laid: dict[str, LaidFace] = {}
    for face in THROUGH:  # where a board butts depends on how its neighbours' are shingled
        laid[face] = lay_face(plan, face, size, frames[face], at_edge)
        at_edge[face] = at_edge_of(plan, face, laid[face].shingle_m)
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


def _edges(
    plan: LayoutPlan,
    size: Point3,
    frames: dict[str, TileFrame],
    at_edge: dict[str, FaceAtEdge],
    laid: dict[str, LaidFace],
) -> tuple[list[EdgeDesign], list[tuple[TileDesign, tuple[Point3, Point3]]], list[SeamDesign]]:
    """Return the edges, the pieces of their strips with what each shows, and the legs' seams."""
    strip, doors = plan.strip, set(doors_of(plan))
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
    laid: LaidFace,
    strips: list[tuple[str, Point3, Point3]],
    frames: dict[str, TileFrame],
) -> list[SeamDesign]:
    """Return the seams of one leg; over a door's neighbour they are the door's own module's."""
    strip, skins = plan.strip, plan.skins
    owner = carrier(edge.over.face, edge.under.face, set(doors_of(plan)))
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
