"""Frames of faces and boards: where their planes lie in the box, and how shingled boards tilt."""

from __future__ import annotations

from dataclasses import replace

from casemate.core.geometry import Point, Point3
from casemate.design.enclosure import TileFrame
from casemate.design.regions import Board
from casemate.design.seams import point_on


def at_depth(frame: TileFrame, depth_m: float) -> TileFrame:
    """Return a frame moved inward."""
    return replace(frame, origin_m=_plus(frame.origin_m, frame.inward, depth_m))


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


def tilted(frame: TileFrame, board: Board, step_m: float) -> TileFrame:
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


def _plus(a: Point3, b: Point3, share: float) -> Point3:
    return a[0] + b[0] * share, a[1] + b[1] * share, a[2] + b[2] * share


def _unit(a: Point3) -> Point3:
    size = sum(value * value for value in a) ** 0.5
    return a[0] / size, a[1] / size, a[2] / size


def _cross(a: Point3, b: Point3) -> Point3:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
