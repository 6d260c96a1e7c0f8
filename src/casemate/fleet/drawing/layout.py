"""Where the tiles and crossings of design.json lie on the faces of a box. Pure.

Places are those of the design: `frame` of each tile, the same from which STEP, glTF and the boards
are written. Nothing is guessed from names: a design without places has none (`has_places`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.design.frames import face_frame, face_size

FACES = ("front", "rear", "left", "right", "top", "bottom")
NEIGHBOURS = {
    "front": ("left", "bottom"), "rear": ("right", "bottom"), "left": ("rear", "bottom"),
    "right": ("front", "bottom"), "top": ("left", "front"), "bottom": ("right", "front"),
}  # fmt: skip
"""Of each face, the faces from whose edges places are measured: along its width, its height."""
MOST_OPENINGS, OPENING_POINTS = 8, 16
"""Openings of a tile that are drawn, and points of each (planning values)."""
MOST_CROSSINGS = 500
LARGEST_M = 1000.0
_ALONG = np.eye(2)
_SLACK_M = 1e-3
"""By which a place may leave the box: the edge of a board that is laid like a shingle does."""

Rect = tuple[float, float, float, float]
"""Left, low, right, high on a face, as one stands before it, m."""
Size = tuple[float, float, float]
"""Width, depth, height of the box, m."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a tile, a leg of an edge strip or a crossing lies on a face.

    rect: what is seen of it from outside. board: the whole board, of which a side may be tucked
    under its neighbour.
    """

    name: str
    face: str
    rect: Rect
    board: Rect


def has_places(design: Mapping[str, Any]) -> bool:
    """Return whether a design says where its tiles lie; those before `size_m` did not."""
    return "size_m" in design


def size(design: Mapping[str, Any]) -> Size:
    """Return width, depth and height of the box, m."""
    w, d, h = (float(each) for each in design["size_m"])
    return w, d, h


def flat(design: Mapping[str, Any]) -> list[Place]:
    """Return where each flat tile lies."""
    box = size(design)
    return [_flat(each, box) for each in design["tiles"] if each["bend"] is None]


def strips(design: Mapping[str, Any]) -> list[Place]:
    """Return where the two legs of each edge strip lie, without what is tucked under the next."""
    box = size(design)
    return [leg for each in design["tiles"] if each["bend"] is not None for leg in _legs(each, box)]


def crossings(design: Mapping[str, Any]) -> list[Place]:
    """Return where what passes the boundary does so."""
    box = size(design)
    boards = {each["id"]: _flat(each, box) for each in design["tiles"] if each["bend"] is None}
    out = []
    for each in design.get("crossings", ()):
        left, low, _, _ = boards[each["tile"]].board
        (x, y), (wide, high) = each["centre_m"], each["size_m"]
        rect = (left + x - wide / 2, low + y - high / 2, left + x + wide / 2, low + y + high / 2)
        out.append(Place(name=each["id"], face=each["face"], rect=rect, board=rect))
    return out


def all_places(design: Mapping[str, Any]) -> dict[str, tuple[Place, ...]]:
    """Return the places of each tile: one, or the two legs of a strip."""
    out: dict[str, tuple[Place, ...]] = {}
    for each in (*flat(design), *strips(design)):
        out[each.name] = (*out.get(each.name, ()), each)
    return out


def where(place: Place) -> str:
    """Return in words where something lies, so that it can be found with a rule."""
    left, low, right, high = place.rect
    beside, below = NEIGHBOURS[place.face]
    return (
        f"{place.face}, {metres(left)} to {metres(right)} m from its edge with the {beside}, "
        f"{metres(low)} to {metres(high)} m from its edge with the {below}"
    )


def metres(value: float) -> str:
    """Return a length to a millimetre, m."""
    return f"{value + 0.0:.3f}" if abs(value) >= 5e-4 else "0.000"


def on_face(face: str, box: Size, rect: Rect) -> Array:
    """Return the four corners (4, 3) of a part of a face, m."""
    left, low, right, top = rect
    return in_space(face, box, ((left, low), (right, low), (right, top), (left, top)))


def whole(face: str, box: Size) -> Rect:
    """Return a face as a part of itself."""
    return (0.0, 0.0, *face_size(face, box))


def in_space(face: str, box: Size, points: Iterable[tuple[float, float]]) -> Array:
    """Return points (K, 3) of a face, m, given as x, y on it, m."""
    origin, ways = _plane(face, box)
    out: Array = origin + np.asarray(list(points), float) @ ways
    return out


def openings(tile: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    """Return the openings of a tile, the largest, as points of its plane, m.

    ValueError or TypeError if its outline is none. A design that says nothing of it has none.
    """
    outline = tile.get("outline") or {}
    held = sorted((outline.get("holes") or [])[:1000], key=len, reverse=True)[:MOST_OPENINGS]
    out = []
    for ring in held:
        points = [(float(x), float(y)) for x, y in ring[:: max(len(ring) // OPENING_POINTS, 1)]]
        if not all(map(np.isfinite, np.ravel(points))) or len(points) < 3:
            raise ValueError(f"tile {tile['id']} has an opening that is none")
        wide, high = float(tile["width_m"]), float(tile["height_m"])
        out.append([(min(max(x, 0.0), wide), min(max(y, 0.0), high)) for x, y in points])
    return out


def check(design: Mapping[str, Any]) -> None:
    """ValueError, KeyError or TypeError unless places are such, and within the box."""
    box = size(design)
    if not all(math.isfinite(each) and 0.0 < each < LARGEST_M for each in box):
        raise ValueError("it has no size")
    if len(design["crossings"]) > MOST_CROSSINGS:
        raise ValueError("it has too many crossings")
    for each in (*flat(design), *strips(design), *crossings(design)):
        wide, high = face_size(each.face, box)
        left, low, right, top = each.rect
        fits = -_SLACK_M <= left < right <= wide + _SLACK_M
        if not fits or not -_SLACK_M <= low < top <= high + _SLACK_M:
            raise ValueError(f"{each.name} does not lie on its face")


def _flat(tile: Mapping[str, Any], box: Size) -> Place:
    face = _known(tile["face"])
    origin, ways = _plane(face, box)
    held = tile["frame"]
    turned = np.array([held["x_axis"], held["y_axis"]], float)
    if not float(np.abs(turned @ ways.T - _ALONG).max()) < 0.05:  # NaN is not less either
        raise ValueError(f"tile {tile['id']} does not lie along its face")
    x, y = (float(each) for each in ways @ (np.array(held["origin_m"], float) - origin))
    wide, high = float(tile["width_m"]), float(tile["height_m"])
    laps = {side: float(width) for side, width in tile["laps"].items()}
    rect = (
        x + laps.get("left", 0.0), y + laps.get("bottom", 0.0),
        x + wide - laps.get("right", 0.0), y + high - laps.get("top", 0.0),
    )  # fmt: skip
    return Place(name=tile["id"], face=face, rect=rect, board=(x, y, x + wide, y + high))


def _legs(tile: Mapping[str, Any], box: Size) -> list[Place]:
    """Return the legs of a strip: on each of its faces, from the edge to where it ends."""
    held, bend = tile["frame"], tile["bend"]
    laps = {side: float(width) for side, width in tile["laps"].items()}
    reach = (laps.get("left", 0.0), float(tile["width_m"]) - laps.get("right", 0.0))
    along = np.array([held["x_axis"]], float)
    ends = np.array(held["origin_m"], float) + np.array(reach)[:, None] * along
    faces = [_known(each) for each in bend["faces"]]
    out = []
    for face, other, deep in zip(faces, faces[::-1], bend["ends_m"], strict=True):
        inward = np.array(face_frame(other, box).inward, float)
        start, _ = _plane(other, box)
        edge = ends - np.outer((ends - start) @ inward, inward)  # on the other face's plane
        origin, ways = _plane(face, box)
        corners = (np.concatenate([edge, edge + float(deep) * inward]) - origin) @ ways.T
        (left, low), (right, high) = corners.min(axis=0), corners.max(axis=0)
        rect = (float(left), float(low), float(right), float(high))
        out.append(Place(name=tile["id"], face=face, rect=rect, board=rect))
    return out


def _known(face: Any) -> str:
    if face not in FACES:
        raise ValueError(f"{face} is no face of a box")
    return str(face)


@lru_cache(maxsize=64)
def _plane(face: str, box: Size) -> tuple[Array, Array]:
    """Return the lower left corner (3,) of a face, m, and unit ways along width and height."""
    frame = face_frame(face, box)
    return np.array(frame.origin_m, float), np.array([frame.x_axis, frame.y_axis], float)
