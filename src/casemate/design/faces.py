"""The boards of one face: where its openings, boards, laps and crossings lie.

Within a face boards lie like shingles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.errors import DesignError
from casemate.core.geometry import Outline, Point, Point3
from casemate.design.crossings import RING_M, PlacedOpening, place, ring_of
from casemate.design.edges import FaceAtEdge
from casemate.design.enclosure import CrossingDesign, SeamDesign, TileDesign, TileFrame
from casemate.design.frames import at_depth, face_size, tilted
from casemate.design.regions import Board, boards_of, regions_of
from casemate.design.seams import Overlap, SeamRule, Visible, lap_seams, overlap_of
from casemate.design.skins import FaceSkin, LayoutPlan, depth_of, starts_and_legs
from casemate.design.tiling import Rect

ALONG_X = {"front": True, "rear": True}
"""Faces whose boards are shingled along x, the others along y."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidFace:
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


def lay_face(
    plan: LayoutPlan, face: str, size: Point3, frame: TileFrame, at_edge: dict[str, FaceAtEdge]
) -> LaidFace:
    """Return a face's boards, laps and crossings; at_edge: the faces that are laid already.

    size: of the box, metres; frame: of the face's outer plane. DesignError if nothing fits.
    """
    skin, extent = plan.skins[face], face_size(face, size)
    lap = _overlap(skin, skin.lap)
    step = skin.stackup.thickness_m + lap.rule.clearance_m
    flat = starts_and_legs(plan, face, at_edge, 0.0)
    deep = starts_and_legs(plan, face, at_edge, step)
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
    low = at_depth(frame, depth_of(plan, face))
    covered = {side: legs[side] - flat[side][0] for side in legs}
    tiles = [_tile(face, board, skin, low, lap, openings, covered) for board in boards]
    shown = [
        Visible(id=tile.id, face=face, visible=board.visible, board=board.board)
        for tile, board in zip(tiles, boards, strict=True)
    ]
    return LaidFace(
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
