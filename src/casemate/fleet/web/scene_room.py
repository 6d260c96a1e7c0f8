"""Room for words on a drawing: they cover neither each other nor a number, and stay within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casemate.fleet.drawing import scene
from casemate.fleet.drawing.scene import Drawing, Points

BADGE = 13.0
"""Radius of a place's number, in the drawing's units."""
_LINE, _LETTER, _MARGIN = 15.0, 6.9, 4.0
"""Height of a line and width of a letter of a label, and its margin, in the drawing's units."""
_SHIFTS = ((0.0, 0.0), (0.0, -40.0), (0.0, 40.0), (0.0, -80.0), (0.0, 80.0))
_BESIDE = ((0.0, 0.0), *((side, high) for high in (0.0, -24.0, 24.0, -48.0, 48.0, -72.0, 72.0)
                         for side in (-130.0, 130.0, 0.0)))  # fmt: skip
_NEAR = tuple((0.0, sign * 24.0 * step) for step in range(6) for sign in (-1.0, 1.0))
"""Where a label may go, from its place; names go beside it, or in small steps within a ring."""
MOST_NAMES = 60
"""Names of tiles in a drawing; the table has the others (planning value)."""

Box = tuple[float, float, float, float]


class Room:
    """What is taken of a drawing: names of faces that are seen, numbers of places."""

    def __init__(self, drawn: Drawing, numbers: Sequence[Mapping[str, Any]]) -> None:
        self._taken: list[Box] = [
            (each["x"] - BADGE, each["y"] - BADGE, each["x"] + BADGE, each["y"] + BADGE)
            for each in numbers
        ]
        self._taken += [
            _box(each.at, len(face_name(each.name, each.door)), 1)
            for each in drawn.faces
            if not each.inside
        ]

    def put(
        self,
        at: tuple[float, float],
        lines: Sequence[str],
        *,
        within: Points | None = None,
        beside: float | None = None,
    ) -> dict[str, Any] | None:
        """Take the room of a label near a point, and return where it is; None if there is none.

        within: a ring that it has to stay in. beside: width of what it names; if that is less than
        its own, it goes beside it.
        """
        letters = max(map(len, lines))
        ways = _SHIFTS if within is None else _NEAR
        if beside is not None:
            ways = _BESIDE[1:] if beside < letters * _LETTER else _BESIDE
        for shift in ways:
            to = _kept_in((at[0] + shift[0], at[1] + shift[1]), letters, len(lines))
            box = _box(to, letters, len(lines))
            if any(_meet(box, other) for other in self._taken):
                continue
            if within is not None and not all(_inside(within, each) for each in _corners(box)):
                continue
            self._taken.append(box)
            return {
                "lines": list(lines), "x": round(to[0], 1), "y": round(to[1], 1),
                "left": round(box[0], 1), "top": round(box[1], 1),
                "width": round(box[2] - box[0], 1), "height": round(box[3] - box[1], 1),
                "from_x": at[0], "from_y": at[1],
            }  # fmt: skip
        return None


def face_name(name: str, door: bool) -> str:
    """Return what a face is called on the drawing."""
    return f"{name}, door" if door else name


def crossings(drawn: Drawing, room: Room) -> list[dict[str, Any]]:
    """Return what passes the faces that are seen: outlines, and names where there is room."""
    return [
        {"name": each.name, "points": each.points,
         "label": room.put(each.centre, [each.name], beside=_width(each.points))}
        for each in drawn.crossings
    ]  # fmt: skip


def tile_names(drawn: Drawing, room: Room) -> list[dict[str, Any]]:
    """Return the names of tiles that have room for them."""
    out: list[dict[str, Any]] = []
    for each in drawn.shapes:
        if each.strip or len(out) == MOST_NAMES:
            continue
        label = room.put(each.centre, [each.tile], within=each.points)
        if label is not None:
            out.append(label)
    return out


def named(drawn: Drawing, room: Room, tile: str) -> list[dict[str, Any]]:
    """Return the name of one tile, beside it if it is too narrow; nothing if it is not seen."""
    found = next((each for each in drawn.shapes if each.tile == tile), None)
    label = room.put(found.centre, [tile], beside=_width(found.points)) if found else None
    return [label] if label else []


def _width(ring: Points) -> float:
    return max(x for x, _ in ring) - min(x for x, _ in ring)


def _box(at: tuple[float, float], letters: int, lines: int) -> Box:
    wide, tall = letters * _LETTER / 2 + _MARGIN, lines * _LINE / 2 + _MARGIN
    return at[0] - wide, at[1] - tall, at[0] + wide, at[1] + tall


def _kept_in(at: tuple[float, float], letters: int, lines: int) -> tuple[float, float]:
    left, top, right, low = _box((0.0, 0.0), letters, lines)
    return (
        min(max(at[0], -left), scene.WIDTH - right), min(max(at[1], -top), scene.HEIGHT - low)
    )  # fmt: skip


def _corners(box: Box) -> tuple[tuple[float, float], ...]:
    left, top, right, low = box
    return (left, top), (right, top), (right, low), (left, low)


def _inside(ring: Points, at: tuple[float, float]) -> bool:
    """Return whether a point lies in a convex ring."""
    turns = [
        (b[0] - a[0]) * (at[1] - a[1]) - (b[1] - a[1]) * (at[0] - a[0])
        for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)
    ]
    return all(each >= 0 for each in turns) or all(each <= 0 for each in turns)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
