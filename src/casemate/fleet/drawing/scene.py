"""An enclosure drawn from its design.json: tiles on the faces of a box, from any side. Pure.

Places of tiles are those of the design, by `scene_layout`; of a side that is tucked under its
neighbour what is covered is not drawn. What is marked is what the evidence tells of: the
enclosure's own words, its unwatched places, the permit in use. No mark is a colour alone. A box
hides its own far side: faces that look away are drawn first, as insides, and are seen through
openings alone; those that look here cover them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from casemate.design.frames import face_frame
from casemate.fleet.drawing import layout
from casemate.fleet.drawing.layout import FACES, Array, Place, Size, in_space, on_face, size, whole

ROUND = (
    "front-right", "right", "rear-right", "rear", "rear-left", "left", "front-left", "front",
)  # fmt: skip
"""Sides, as one walks round it to one's right, the enclosure turning to the left."""
VIEWS = (
    *(f"{each}-top" for each in ROUND), *ROUND, *(f"{each}-bottom" for each in ROUND),
    "top", "bottom",
)  # fmt: skip
"""From where it can be seen: eight sides from above, level and from below, and two straight."""
CORNERS = tuple(f"{a}-{b}-{c}" for c in ("top", "bottom") for a in ("front", "rear")
                for b in ("right", "left"))  # fmt: skip
"""Views that show three faces; two opposite ones show all."""
MARKS = ("event", "unwatched", "permit", "plain")
"""What is told of a tile, worst first."""
WIDTH, HEIGHT, _EDGE = 640.0, 480.0, 24.0
_AWAY = {"front": (0.0, -1.3), "rear": (0.0, 1.3), "right": (1.0, 0.0), "left": (-1.0, 0.0)}
_LEVELS = ("bottom", "", "top")

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A tile as it is seen. points, centre: x, y in the drawing. mark: one of MARKS.

    openings: rings of points in it that one sees through. strip: whether it is a leg of an edge
    strip.
    """

    tile: str
    face: str
    points: Points
    mark: str
    centre: tuple[float, float]
    openings: tuple[Points, ...] = ()
    strip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face as it is seen. inside: it looks away, so its inside is. at: where its name goes."""

    name: str
    points: Points
    inside: bool
    at: tuple[float, float]
    door: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What passes a face that is seen: its outline, and where its name goes."""

    name: str
    points: Points
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What is drawn, in the order to draw it: insides, tiles, strips, crossings, names of faces."""

    faces: tuple[Face, ...]
    shapes: tuple[Shape, ...]
    crossings: tuple[Crossing, ...]


def named(design: Mapping[str, Any], text: str) -> list[str]:
    """Return the tiles that a text names; a face that is named stands for all of its tiles."""
    words = set(re.findall(r"[a-z0-9-]+", text.lower()))
    return [each["id"] for each in design["tiles"] if words & _names(each)]


def marks(
    design: Mapping[str, Any],
    *,
    said: Iterable[str] = (),
    unwatched: Iterable[str] = (),
    permitted: Iterable[str] = (),
) -> dict[str, str]:
    """Return the mark of each tile. said: texts of the enclosure, in which it may name a place."""
    words = {word for text in said for word in re.findall(r"[a-z0-9-]+", text.lower())}
    places = {"event": words, "unwatched": set(unwatched), "permit": set(permitted)}
    out = {}
    for each in design["tiles"]:
        names = _names(each)
        out[each["id"]] = next((kind for kind in MARKS[:-1] if names & places[kind]), "plain")
    return out


def best(design: Mapping[str, Any], marked: Mapping[str, str]) -> str:
    """Return the corner from which most of what is marked is seen, events before all else."""
    weight = {"event": 10_000.0, "unwatched": 1.0, "permit": 1.0}
    count = dict.fromkeys(FACES, 0.0)
    for each in design["tiles"]:
        faces = [each["face"]] if each["bend"] is None else each["bend"]["faces"]
        for face in faces:
            if face in count:
                count[face] += weight.get(marked.get(each["id"], ""), 0.0)
    return max(CORNERS, key=lambda view: sum(count[face] for face in view.split("-")))


def turned(view: str) -> dict[str, str]:
    """Return the views next to one: to the left and right of it, higher and lower."""
    side, level = _parts(view)
    if not side:  # straight from above or below: one steps down or up to the front
        step = {"top": ("", "front-top"), "bottom": ("front-bottom", "")}[view]
        return {each: to for each, to in zip(("higher", "lower"), step, strict=True) if to}
    at, high = ROUND.index(side), _LEVELS.index(level)
    out = {
        "left": _view(ROUND[(at - 1) % len(ROUND)], level),
        "right": _view(ROUND[(at + 1) % len(ROUND)], level),
    }
    out["higher"] = _view(side, _LEVELS[high + 1]) if high < 2 else "top"
    out["lower"] = _view(side, _LEVELS[high - 1]) if high > 0 else "bottom"
    return out


def described(view: str) -> str:
    """Return in words from where a view looks."""
    side, level = _parts(view)
    if not side:
        return {"top": "straight from above", "bottom": "straight from below"}[view]
    high = {"top": ", from above", "": ", level with it", "bottom": ", from below"}[level]
    return f"from the {side.replace('-', ' ')}{high}"


def drawing(design: Mapping[str, Any], view: str, marked: Mapping[str, str]) -> Drawing:
    """Return what is seen from a view (one of VIEWS)."""
    box = size(design)
    right, up, toward = _axes(view)
    corners = np.array([[x, y, z] for x in (0, box[0]) for y in (0, box[1]) for z in (0, box[2])])
    flat = np.stack([corners @ right, -(corners @ up)], axis=1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = float(
        min((WIDTH - 2 * _EDGE) / (high - low)[0], (HEIGHT - 2 * _EDGE) / (high - low)[1])
    )
    offset = np.array([WIDTH, HEIGHT]) / 2 - scale * (low + high) / 2

    def seen(points: Array) -> Array:
        flat_: Array = scale * np.stack([points @ right, -(points @ up)], axis=1) + offset
        return flat_

    doors = {each["name"] for each in design["faces"] if each["door"]}
    found = [one for face in FACES if (one := _face(face, box, toward, seen, doors)) is not None]
    here = {each.name for each in found if not each.inside}
    tiles = {each["id"]: each for each in design["tiles"]}
    shapes = [_tile(place, tiles[place.name], box, seen, marked)
              for place in layout.flat(design) if place.face in here]  # fmt: skip
    shapes += [_shape(place, box, seen, marked, strip=True)
               for place in layout.strips(design) if place.face in here]  # fmt: skip
    passing = [_crossing(place, box, seen)
               for place in layout.crossings(design) if place.face in here]  # fmt: skip
    return Drawing(
        faces=tuple(sorted(found, key=lambda each: not each.inside)),
        shapes=tuple(shapes), crossings=tuple(passing),
    )  # fmt: skip


def draw(design: Mapping[str, Any], view: str, marked: Mapping[str, str]) -> list[Shape]:
    """Return the tiles that are seen from a view (one of VIEWS), in the order to draw them."""
    return list(drawing(design, view, marked).shapes)


def hidden(design: Mapping[str, Any], shapes: Sequence[Shape]) -> list[str]:
    """Return the tiles that are not seen from here."""
    drawn = {each.tile for each in shapes}
    return [each["id"] for each in design["tiles"] if each["id"] not in drawn]


def _names(tile: Mapping[str, Any]) -> set[str]:
    return {tile["id"], tile["face"]} if tile["bend"] is None else {tile["id"]}


def _parts(view: str) -> tuple[str, str]:
    """Return the side of a view, "" for one straight from above or below, and its level."""
    if view in ("top", "bottom"):
        return "", view
    side, _, last = view.rpartition("-")
    return (side, last) if last in ("top", "bottom") else (view, "")


def _view(side: str, level: str) -> str:
    return f"{side}-{level}" if level else side


def _axes(view: str) -> tuple[Array, Array, Array]:
    """Return right and up of the drawing, and the way toward who looks."""
    side, level = _parts(view)
    sign = {"top": 1.0, "": 0.0, "bottom": -1.0}[level]
    if not side:
        right, up = np.array([1.0, 0.0, 0.0]), np.array([0.0, sign, 0.0])
        return right, up, np.array([0.0, 0.0, sign])
    ways = np.array([_AWAY[each] for each in side.split("-")]).sum(axis=0)
    toward = np.array([*ways, sign * 0.8 * math.hypot(*ways) / math.hypot(1.0, 1.3)])
    toward /= np.linalg.norm(toward)
    right = np.cross([0.0, 0.0, 1.0], toward)
    right /= np.linalg.norm(right)
    return right, np.cross(toward, right), toward


def _face(face: str, box: Size, toward: Array, seen: Any, doors: set[str]) -> Face | None:
    """Return a face of the box as it is seen; None of one that is seen from its edge."""
    facing = -float(np.dot(face_frame(face, box).inward, toward))
    if abs(facing) <= 1e-9:
        return None
    wide, high = whole(face, box)[2:]
    at = seen(in_space(face, box, ((0.5 * wide, 0.07 * high),)))[0]
    return Face(
        name=face, inside=facing < 0, door=face in doors,
        points=_rounded(seen(on_face(face, box, whole(face, box)))),
        at=(round(float(at[0]), 1), round(float(at[1]), 1)),
    )  # fmt: skip


def _tile(
    place: Place, tile: Mapping[str, Any], box: Size, seen: Any, marked: Mapping[str, str]
) -> Shape:
    left, low, _, _ = place.board
    holes = [
        _rounded(seen(in_space(place.face, box, ((left + x, low + y) for x, y in ring))))
        for ring in layout.openings(tile)
    ]
    return _shape(place, box, seen, marked, openings=tuple(holes))


def _shape(place: Place, box: Size, seen: Any, marked: Mapping[str, str], **more: Any) -> Shape:
    ring, centre = _outline(place, box, seen)
    mark = marked.get(place.name, "plain")
    return Shape(tile=place.name, face=place.face, mark=mark, centre=centre, points=ring, **more)


def _crossing(place: Place, box: Size, seen: Any) -> Crossing:
    ring, centre = _outline(place, box, seen)
    return Crossing(name=place.name, points=ring, centre=centre)


def _outline(place: Place, box: Size, seen: Any) -> tuple[Points, tuple[float, float]]:
    """Return the corners of a place in the drawing, and their middle."""
    points = seen(on_face(place.face, box, place.rect))
    ring = _rounded(np.array([*points, points.mean(axis=0)]))
    return ring[:-1], ring[-1]


def _rounded(points: Array) -> Points:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in points)
