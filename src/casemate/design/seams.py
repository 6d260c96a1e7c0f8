"""How far boards must overlap where they meet, and the list of all those places.

A tool of diameter t at an angle of at most theta that passes just beyond the upper mesh reaches,
over the gap g between the two stacks, at most t + g tan(theta) under it; each of the two boards
errs by the registration. So mesh that overlaps by the sum is struck at every angle
(reference/mesh.md, 4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemate.core.geometry import Point3
from casemate.design.enclosure import FabProfile, SeamDesign, Stackup, TileFrame
from casemate.design.tiling import Rect

SIDES = ("left", "right", "bottom", "top")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamRule:
    """A seam module. clearance_m: free depth between the two boards; kind: lap, edge or door.

    tool_reach_m: how far a tool works sideways in the gap; terminal_strip_m: kept free of mesh;
    overlap_min_m: least board overlap that the module can be built with.
    """

    module: str
    kind: str
    clearance_m: float
    tool_reach_m: float = 0.0
    terminal_strip_m: float = 0.0
    overlap_min_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Figures of one seam: board_m is the board overlap that is built (metres)."""

    rule: SeamRule
    gap_m: float
    required_m: float
    meshed_m: float
    board_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """A placed tile as the seam list needs it. visible: what shows, in the face's plane."""

    id: str
    face: str
    visible: Rect
    board: Rect


def terminal_strip(fab: FabProfile) -> float:
    """Return the width in metres of two staggered rows of terminal vias with their spaces."""
    return 2 * fab.via_pad_m + 3 * fab.space_min_m


def overlap_of(
    rule: SeamRule, *, stackup: Stackup, fab: FabProfile, tool_m: float, theta_rad: float
) -> Overlap:
    """Return the overlap that a seam needs and gets: required + terminals + two bare rims.

    The gap is the depth from a mesh layer of the upper board to the same layer of the lower one.
    """
    gap = stackup.thickness_m + rule.clearance_m
    reach = max(tool_m, rule.tool_reach_m)
    required = reach + gap * math.tan(theta_rad) + 2 * fab.registration_m
    bare = max(rule.terminal_strip_m, terminal_strip(fab)) + 2 * fab.edge_clearance_m
    board = max(required + bare, rule.overlap_min_m)
    board = math.ceil(board * 1e5 - 1e-6) / 1e5
    meshed = board - bare
    return Overlap(rule=rule, gap_m=gap, required_m=required, meshed_m=meshed, board_m=board)


def point_on(frame: TileFrame, x_m: float, y_m: float) -> Point3:
    """Return the place in space of a point of a frame's plane."""
    o, x, y = frame.origin_m, frame.x_axis, frame.y_axis
    return (
        o[0] + x_m * x[0] + y_m * y[0],
        o[1] + x_m * x[1] + y_m * y[1],
        o[2] + x_m * x[2] + y_m * y[2],
    )


def lap_seams(tiles: Sequence[Visible], frame: TileFrame, overlap: Overlap) -> list[SeamDesign]:
    """Return a seam for every two tiles of one face whose visible parts share a border."""
    found = []
    for index, one in enumerate(tiles):
        for other in tiles[index + 1 :]:
            border = _shared_border(one.visible, other.visible)
            if border is None:
                continue
            (x0, y0), (x1, y1) = border
            under, over = (one, other) if _reaches(one, other) else (other, one)
            found.append(
                seam_of(
                    overlap, under.id, over.id, point_on(frame, x0, y0), point_on(frame, x1, y1)
                )
            )
    return found


def leg_seams(
    tiles: Iterable[Visible],
    frame: TileFrame,
    side: str,
    whole: Rect,
    strips: Iterable[tuple[str, Point3, Point3]],
    overlap: Overlap,
) -> list[SeamDesign]:
    """Return a seam for every tile at a box edge and every strip whose leg lies over it.

    whole: what the face's boards cover. strips: id and the ends of its share of the edge.
    """
    found = []
    pieces = list(strips)
    for name, a, b in _segments(tiles, frame, side, whole):
        for strip, c, d in pieces:
            shared = _common(a, b, c, d)
            if shared is not None:
                found.append(seam_of(overlap, name, strip, *shared))
    return found


def seam_of(overlap: Overlap, under: str, over: str, start: Point3, end: Point3) -> SeamDesign:
    return SeamDesign(
        id=f"{under}~{over}",
        kind=overlap.rule.kind,
        module=overlap.rule.module,
        tiles=(under, over),
        length_m=math.dist(start, end),
        gap_m=overlap.gap_m,
        overlap_m=overlap.meshed_m,
        required_m=overlap.required_m,
        start_m=start,
        end_m=end,
    )


def _shared_border(a: Rect, b: Rect) -> tuple[tuple[float, float], tuple[float, float]] | None:
    low_x, high_x = max(a.x0, b.x0), min(a.x1, b.x1)
    low_y, high_y = max(a.y0, b.y0), min(a.y1, b.y1)
    if abs(high_x - low_x) < 1e-9 and high_y - low_y > 1e-9:
        return (low_x, low_y), (low_x, high_y)
    if abs(high_y - low_y) < 1e-9 and high_x - low_x > 1e-9:
        return (low_x, low_y), (high_x, low_y)
    return None


def _reaches(one: Visible, other: Visible) -> bool:
    """Return whether the board of `one` runs under what `other` shows."""
    a, b = one.board, other.visible
    mine = max(0.0, min(a.x1, b.x1) - max(a.x0, b.x0)) * max(0.0, min(a.y1, b.y1) - max(a.y0, b.y0))
    c, d = other.board, one.visible
    theirs = max(0.0, min(c.x1, d.x1) - max(c.x0, d.x0)) * max(
        0.0, min(c.y1, d.y1) - max(c.y0, d.y0)
    )
    return mine >= theirs


def _segments(
    tiles: Iterable[Visible], frame: TileFrame, side: str, whole: Rect
) -> list[tuple[str, Point3, Point3]]:
    rows = []
    for tile in tiles:
        r = tile.visible
        ends = {
            "left": (abs(r.x0 - whole.x0) < 1e-9, (r.x0, r.y0), (r.x0, r.y1)),
            "right": (abs(r.x1 - whole.x1) < 1e-9, (r.x1, r.y0), (r.x1, r.y1)),
            "bottom": (abs(r.y0 - whole.y0) < 1e-9, (r.x0, r.y0), (r.x1, r.y0)),
            "top": (abs(r.y1 - whole.y1) < 1e-9, (r.x0, r.y1), (r.x1, r.y1)),
        }
        touches, a, b = ends[side]
        if touches:
            rows.append((tile.id, point_on(frame, *a), point_on(frame, *b)))
    return rows


def _common(a: Point3, b: Point3, c: Point3, d: Point3) -> tuple[Point3, Point3] | None:
    """Return the common part of two segments on one axis-parallel line, None if there is none."""
    axis = max(range(3), key=lambda k: abs(b[k] - a[k]))
    low = max(min(a[axis], b[axis]), min(c[axis], d[axis]))
    high = min(max(a[axis], b[axis]), max(c[axis], d[axis]))
    if high - low <= 1e-9:
        return None
    start, end = list(a), list(a)
    start[axis], end[axis] = low, high
    return (start[0], start[1], start[2]), (end[0], end[1], end[2])
