"""Faces, panels and tiles of a box: where every board sits and what it shows.

Around every box edge one face is folded under the other, in a ring so that no board is folded on
two neighbouring sides: front and rear fold under left and right, those under top and bottom,
those under front and rear. Hence a corner of a board never needs a notch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.geometry import Outline, Point, Point3
from casemate.design.crossings import OpeningPlan, PlacedOpening, place, ring_of
from casemate.design.enclosure import (
    FACES,
    CrossingDesign,
    FabProfile,
    FaceDesign,
    MeshRules,
    PanelDesign,
    SeamDesign,
    Stackup,
    TileDesign,
    TileFrame,
)
from casemate.design.regions import Board, boards_of, regions_of
from casemate.design.seams import (
    Overlap,
    SeamRule,
    Visible,
    edge_seams,
    lap_seams,
    overlap_of,
    point_on,
)
from casemate.design.tiling import Rect

NEIGHBOURS: dict[str, dict[str, str]] = {
    "front": {"left": "left", "right": "right", "bottom": "bottom", "top": "top"},
    "rear": {"left": "right", "right": "left", "bottom": "bottom", "top": "top"},
    "left": {"left": "rear", "right": "front", "bottom": "bottom", "top": "top"},
    "right": {"left": "front", "right": "rear", "bottom": "bottom", "top": "top"},
    "top": {"left": "left", "right": "right", "bottom": "front", "top": "rear"},
    "bottom": {"left": "right", "right": "left", "bottom": "front", "top": "rear"},
}
"""face -> side seen from outside -> the face beyond that edge."""

FOLDED_SIDES: dict[str, tuple[str, str]] = {
    "front": ("left", "right"),
    "rear": ("left", "right"),
    "left": ("bottom", "top"),
    "right": ("bottom", "top"),
    "top": ("bottom", "top"),
    "bottom": ("bottom", "top"),
}


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
    corner: SeamRule
    door: SeamRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutPlan:
    """All that the layout needs: the protected volume, the skin of each face, the crossings."""

    protected_m: Point3
    skins: dict[str, FaceSkin]
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
    visible: dict[str, Rect]
    openings: dict[str, tuple[PlacedOpening, ...]]


def lay_out(plan: LayoutPlan) -> Layout:
    """Return faces, panels, tiles, seams and crossings of the box; DesignError if none fits."""
    size = outer_size(plan)
    frames = {face: face_frame(face, size) for face in FACES}
    edges = {face: _edge_overlaps(plan, face) for face in FACES}
    tiles: list[TileDesign] = []
    shown: dict[str, list[Visible]] = {}
    crossings: list[CrossingDesign] = []
    panels, faces, seams = [], [], []
    openings: dict[str, tuple[PlacedOpening, ...]] = {}
    for face in FACES:
        skin, extent = plan.skins[face], face_size(face, size)
        lap = _overlap(skin, skin.lap)
        openings[face] = _place_openings(plan, face, extent, edges[face], lap)
        boards = _face_boards(face, extent, edges[face], lap, skin, openings[face])
        made = [_tile(face, board, skin, frames[face], lap, openings[face]) for board in boards]
        tiles.extend(made)
        shown[face] = [
            Visible(id=tile.id, face=face, visible=board.visible, board=board.board)
            for tile, board in zip(made, boards, strict=True)
        ]
        crossings.extend(_crossings(face, openings[face], made, boards))
        panels.append(_panel(face, extent, skin, frames[face], made))
        faces.append(_face(face, extent, skin))
        seams.extend(lap_seams(shown[face], frames[face], lap))
    seams.extend(_box_edges(frames, size, shown, edges))
    return Layout(
        size_m=size,
        faces=tuple(faces),
        panels=tuple(panels),
        tiles=tuple(tiles),
        seams=tuple(seams),
        crossings=tuple(crossings),
        visible={tile.id: tile.visible for face in FACES for tile in shown[face]},
        openings=openings,
    )


def outer_size(plan: LayoutPlan) -> Point3:
    """Return the outer size in metres: the protected size grown by the faces, nothing else."""
    t = {face: plan.skins[face].thickness_m for face in FACES}
    x, y, z = plan.protected_m
    return x + t["left"] + t["right"], y + t["front"] + t["rear"], z + t["bottom"] + t["top"]


def face_size(face: str, size_m: Point3) -> Point:
    """Return width and height of a face of the outer box, seen from outside."""
    x, y, z = size_m
    return {"front": (x, z), "rear": (x, z), "left": (y, z), "right": (y, z)}.get(face, (x, y))


def face_frame(face: str, size_m: Point3) -> TileFrame:
    """Return the frame of a face: lower left corner seen from outside, x right, y up."""
    w, d, h = size_m
    rows: dict[str, tuple[Point3, Point3, Point3, Point3]] = {
        "front": ((0, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 0)),
        "rear": ((w, d, 0), (-1, 0, 0), (0, 0, 1), (0, -1, 0)),
        "left": ((0, d, 0), (0, -1, 0), (0, 0, 1), (1, 0, 0)),
        "right": ((w, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0)),
        "top": ((0, 0, h), (1, 0, 0), (0, 1, 0), (0, 0, -1)),
        "bottom": ((w, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1)),
    }
    origin, x, y, inward = rows[face]
    return TileFrame(origin_m=origin, x_axis=x, y_axis=y, inward=inward)


def _overlap(skin: FaceSkin, rule: SeamRule) -> Overlap:
    return overlap_of(
        rule,
        stackup=skin.stackup,
        fab=skin.fab,
        tool_m=skin.mesh.hole_max_m,
        theta_rad=skin.mesh.theta_max_rad,
    )


def _edge_overlaps(plan: LayoutPlan, face: str) -> dict[str, Overlap]:
    """Return for each side the overlap of that box edge, whichever face is folded there."""
    found = {}
    for side, other in NEIGHBOURS[face].items():
        over = other if side in FOLDED_SIDES[face] else face
        upper, mine, theirs = plan.skins[over], plan.skins[face], plan.skins[other]
        door = mine.door or theirs.door
        rule = door if door is not None else upper.corner
        found[side] = _overlap(upper, rule)
    return found


def _place_openings(
    plan: LayoutPlan, face: str, extent: Point, edges: dict[str, Overlap], lap: Overlap
) -> tuple[PlacedOpening, ...]:
    from casemate.design.crossings import RING_M

    mine = [opening for opening in plan.openings if opening.face == face]
    margins = tuple(
        RING_M if side in FOLDED_SIDES[face] else max(RING_M, edges[side].board_m + 1e-3)
        for side in ("left", "right", "bottom", "top")
    )
    clear = max(2 * RING_M, lap.board_m + 1e-3)
    return place(
        mine,
        face=face,
        size_m=extent,
        margins=margins,
        clear_m=clear,
        along_x=FOLDED_SIDES[face][0] == "left",
    )


def _face_boards(
    face: str,
    extent: Point,
    edges: dict[str, Overlap],
    lap: Overlap,
    skin: FaceSkin,
    placed: Sequence[PlacedOpening],
) -> list[Board]:
    low, high = FOLDED_SIDES[face]
    regions = regions_of(
        extent,
        along_x=low == "left",
        folds_m=(edges[low].board_m, edges[high].board_m),
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
) -> TileDesign:
    rect = board.board
    holes = tuple(
        tuple((x - rect.x0, y - rect.y0) for x, y in ring_of(opening.plan, hole))
        for opening in placed
        for hole in opening.holes
        if board.visible.holds(hole)
    )
    corners = ((0.0, 0.0), (rect.width, 0.0), (rect.width, rect.height), (0.0, rect.height))
    covered = dict(board.flaps) | dict(board.laps)
    return TileDesign(
        id=f"{face}-{board.label}",
        face=face,
        panel=face,
        module=skin.module,
        outline=Outline(exterior=corners, holes=holes),
        frame=_tilted(frame, board, skin.stackup.thickness_m + lap.rule.clearance_m),
        stackup=skin.stackup,
        fab=skin.fab,
        mesh=skin.mesh,
        terminal_edge=board.terminal,
        lap_m=covered[board.terminal],
        flaps=board.flaps,
        laps=board.laps,
    )


def _tilted(frame: TileFrame, board: Board, step_m: float) -> TileFrame:
    """Return the frame of a board laid like a shingle: its tucked ends lie one step deeper."""
    laps = dict(board.laps)
    rect = board.board
    low_x, high_x = (step_m if side in laps else 0.0 for side in ("left", "right"))
    low_y, high_y = (step_m if side in laps else 0.0 for side in ("bottom", "top"))
    slope_x = (high_x - low_x) / rect.width
    slope_y = (high_y - low_y) / rect.height
    if not laps:
        return TileFrame(
            origin_m=point_on(frame, rect.x0, rect.y0),
            x_axis=frame.x_axis,
            y_axis=frame.y_axis,
            inward=frame.inward,
        )
    x = _unit(_plus(frame.x_axis, frame.inward, slope_x))
    n = _unit(_plus(_plus(frame.inward, frame.x_axis, -slope_x), frame.y_axis, -slope_y))
    y = _cross(n, x)
    if sum(a * b for a, b in zip(y, frame.y_axis, strict=True)) < 0:
        y = (-y[0], -y[1], -y[2])
    origin = _plus(point_on(frame, rect.x0, rect.y0), frame.inward, low_x + low_y)
    return TileFrame(origin_m=origin, x_axis=x, y_axis=y, inward=n)


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


def _box_edges(
    frames: dict[str, TileFrame],
    size: Point3,
    shown: dict[str, list[Visible]],
    edges: dict[str, dict[str, Overlap]],
) -> list[SeamDesign]:
    found = []
    for face in FACES:
        for side in FOLDED_SIDES[face]:
            other = NEIGHBOURS[face][side]
            back = next(s for s, f in NEIGHBOURS[other].items() if f == face)
            found.extend(
                edge_seams(
                    shown[face],
                    frames[face],
                    side,
                    face_size(face, size),
                    shown[other],
                    frames[other],
                    back,
                    face_size(other, size),
                    edges[face][side],
                )
            )
    return found


def _plus(a: Point3, b: Point3, share: float) -> Point3:
    return a[0] + b[0] * share, a[1] + b[1] * share, a[2] + b[2] * share


def _unit(a: Point3) -> Point3:
    size = sum(value * value for value in a) ** 0.5
    return a[0] / size, a[1] / size, a[2] / size


def _cross(a: Point3, b: Point3) -> Point3:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
