"""An enclosure drawn from its design.json: tiles on the faces of a box, seen from a corner. Pure.

design.json has sizes and names of tiles, not their places: they are laid side by side in the order
of their names, so overlaps are not drawn. What is marked is what the evidence tells of: the
enclosure's own words, its unwatched places, the permit in use. No mark is a colour alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.design.frames import face_frame

FACES = ("front", "rear", "left", "right", "top", "bottom")
VIEWS = tuple(
    f"{a}-{b}-{c}" for c in ("top", "bottom") for a in ("front", "rear") for b in ("right", "left")
)
"""Corners from which it can be seen; two opposite ones show all faces."""
MARKS = ("event", "unwatched", "permit", "plain")
"""What is told of a tile, worst first."""
WIDTH, HEIGHT, _EDGE = 640.0, 480.0, 24.0
_TILE = re.compile(r"(?P<face>[a-z]+)(-(?P<region>low|near|far|high))?-(?P<x>\d+)-(?P<y>\d+)")
_STRIP = re.compile(r"edge-(?P<a>[a-z]+)-(?P<b>[a-z]+)-(?P<n>\d+)")

Rect = tuple[float, float, float, float]
"""Left, low, right, high, as shares of a face."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A tile as it is seen. points, centre: x, y in the drawing. mark: one of MARKS."""

    tile: str
    face: str
    points: tuple[tuple[float, float], ...]
    mark: str
    centre: tuple[float, float]


def marks(
    design: Mapping[str, Any],
    *,
    said: Iterable[str] = (),
    unwatched: Iterable[str] = (),
    permitted: Iterable[str] = (),
) -> dict[str, str]:
    """Return the mark of each tile. said: texts of the enclosure, in which it may name a place.

    A face that is named stands for all of its tiles.
    """
    words = {word for text in said for word in re.findall(r"[a-z0-9-]+", text.lower())}
    places = {"event": words, "unwatched": set(unwatched), "permit": set(permitted)}
    out = {}
    for each in design["tiles"]:
        names = {each["id"], each["face"]} if each["bend"] is None else {each["id"]}
        out[each["id"]] = next((kind for kind in MARKS[:-1] if names & places[kind]), "plain")
    return out


def draw(design: Mapping[str, Any], view: str, marked: Mapping[str, str]) -> list[Shape]:
    """Return the tiles that are seen from a corner (one of VIEWS), in the order to draw them."""
    rects = {face: _laid([t for t in design["tiles"] if _is_flat(t, face)]) for face in FACES}
    size = _size(design)
    right, up, toward = _axes(view)
    corners = np.array(
        [[x, y, z] for x in (0, size[0]) for y in (0, size[1]) for z in (0, size[2])]
    )
    flat = np.stack([corners @ right, -(corners @ up)], axis=1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = float(
        min((WIDTH - 2 * _EDGE) / (high - low)[0], (HEIGHT - 2 * _EDGE) / (high - low)[1])
    )
    offset = np.array([WIDTH, HEIGHT]) / 2 - scale * (low + high) / 2

    def seen(points: Array) -> Array:
        flat_: Array = scale * np.stack([points @ right, -(points @ up)], axis=1) + offset
        return flat_

    out = []
    for face in FACES:
        if -np.dot(face_frame(face, size).inward, toward) <= 1e-9:
            continue
        for tile, rect in rects[face].items():
            points = seen(_on_face(face, size, rect))
            out.append(_shape(tile, face, points, marked.get(tile, "plain")))
    out += [
        _shape(name, face, seen(line), marked.get(name, "plain"))
        for name, face, line in _strips(design["tiles"], size, toward)
    ]
    return out


def hidden(design: Mapping[str, Any], shapes: Sequence[Shape]) -> list[str]:
    """Return the tiles that are not seen from here."""
    drawn = {each.tile for each in shapes}
    return [each["id"] for each in design["tiles"] if each["id"] not in drawn]


def _is_flat(tile: Mapping[str, Any], face: str) -> bool:
    return tile["face"] == face and tile["bend"] is None and _TILE.fullmatch(tile["id"]) is not None


def _laid(tiles: Sequence[Mapping[str, Any]]) -> dict[str, Rect]:
    """Return where each tile of a face lies: regions round a vent, each a grid."""
    grids: dict[str, list[Mapping[str, Any]]] = {}
    for each in tiles:
        found = _TILE.fullmatch(each["id"])
        assert found is not None
        grids.setdefault(found["region"] or "", []).append(each)
    sizes = {region: _extent(held) for region, held in grids.items()}
    whole_w = max((w for w, _ in sizes.values()), default=1.0)
    middle_h = max((sizes[r][1] for r in ("near", "far") if r in sizes), default=0.0)
    low_h = sizes.get("low", (0.0, 0.0))[1]
    whole_h = max(low_h + middle_h + sizes.get("high", (0.0, 0.0))[1], sizes.get("", (0, 0))[1])
    at = {
        "": (0.0, 0.0), "low": (0.0, 0.0), "near": (0.0, low_h), "high": (0.0, low_h + middle_h),
        "far": (whole_w - sizes.get("far", (0.0, 0.0))[0], low_h),
    }  # fmt: skip
    out = {}
    for region, held in grids.items():
        for name, (a, b, c, d) in _grid(held).items():
            x, y = at[region]
            out[name] = ((x + a) / whole_w, (y + b) / whole_h, (x + c) / whole_w, (y + d) / whole_h)
    return out


def _steps(tiles: Sequence[Mapping[str, Any]]) -> tuple[dict[int, float], dict[int, float]]:
    """Return the widths by the first number of a name, and the heights by the second."""
    wide: dict[int, float] = {}
    high: dict[int, float] = {}
    for each in tiles:
        found = _TILE.fullmatch(each["id"])
        assert found is not None
        x, y = int(found["x"]), int(found["y"])
        wide[x] = max(wide.get(x, 0.0), float(each["width_m"]))
        high[y] = max(high.get(y, 0.0), float(each["height_m"]))
    return wide, high


def _extent(tiles: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    wide, high = _steps(tiles)
    return sum(wide.values()), sum(high.values())


def _grid(tiles: Sequence[Mapping[str, Any]]) -> dict[str, Rect]:
    wide, high = _steps(tiles)
    out = {}
    for each in tiles:
        found = _TILE.fullmatch(each["id"])
        assert found is not None
        x, y = int(found["x"]), int(found["y"])
        left, low = (
            sum(v for k, v in held.items() if k < at) for held, at in ((wide, x), (high, y))
        )
        out[str(each["id"])] = (left, low, left + wide[x], low + high[y])
    return out


def _size(design: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return width, depth and height of the box, as far as its tiles tell."""
    least = 0.01
    found = {}
    for face in FACES:
        tiles = [each for each in design["tiles"] if _is_flat(each, face)]
        rects = [
            each for each in tiles if (_TILE.fullmatch(each["id"]) or {"region": None})["region"]
        ]
        plain = [each for each in tiles if each not in rects]
        w, h = _extent(plain) if plain else (0.0, 0.0)
        parts = {r: _extent(held) for r, held in _by_region(rects).items()}
        w = max([w, *(each[0] for each in parts.values())])
        middle = max((parts[r][1] for r in ("near", "far") if r in parts), default=0.0)
        h = max(h, sum(parts[r][1] for r in ("low", "high") if r in parts) + middle)
        found[face] = (w, h)
    width = max(found[each][0] for each in ("front", "rear", "top", "bottom"))
    depth = max(
        *(found[x][0] for x in ("left", "right")), *(found[x][1] for x in ("top", "bottom"))
    )
    height = max(found[each][1] for each in ("front", "rear", "left", "right"))
    return max(width, least), max(depth, least), max(height, least)


def _by_region(tiles: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    out: dict[str, list[Mapping[str, Any]]] = {}
    for each in tiles:
        found = _TILE.fullmatch(each["id"])
        assert found is not None
        out.setdefault(found["region"] or "", []).append(each)
    return out


def _axes(view: str) -> tuple[Array, Array, Array]:
    """Return right and up of the drawing, and the way toward who looks."""
    a, b, c = view.split("-")
    toward = np.array(
        [1.0 if b == "right" else -1.0, -1.3 if a == "front" else 1.3, 0.8 if c == "top" else -0.8]
    )
    toward /= np.linalg.norm(toward)
    right = np.cross([0.0, 0.0, 1.0], toward)
    right /= np.linalg.norm(right)
    return right, np.cross(toward, right), toward


def _on_face(face: str, size: tuple[float, float, float], rect: Rect) -> Array:
    frame = face_frame(face, size)
    x_axis, y_axis = np.array(frame.x_axis, float), np.array(frame.y_axis, float)
    wide = float(np.abs(x_axis) @ np.array(size))
    high = float(np.abs(y_axis) @ np.array(size))
    left, low, right, top = rect
    ring = ((left, low), (right, low), (right, top), (left, top))
    return np.array([np.array(frame.origin_m) + u * wide * x_axis + v * high * y_axis
                     for u, v in ring])  # fmt: skip


def _strips(
    tiles: Sequence[Mapping[str, Any]], size: tuple[float, float, float], toward: Array
) -> list[tuple[str, str, Array]]:
    """Return edge strips as lines along the edge of their two faces, those that are seen."""
    counts: dict[tuple[str, str], int] = {}
    found = []
    for each in tiles:
        named = _STRIP.fullmatch(each["id"]) if each["bend"] is not None else None
        if named is None or not {named["a"], named["b"]} <= set(FACES):
            continue
        pair = (named["a"], named["b"])
        counts[pair] = max(counts.get(pair, 0), int(named["n"]))
        found.append((each["id"], pair, int(named["n"])))
    out = []
    for name, pair, number in found:
        ends = _edge(pair, size)
        if ends is None or all(-np.dot(face_frame(f, size).inward, toward) <= 1e-9 for f in pair):
            continue
        steps = [(number - 1 + at) / counts[pair] for at in (0, 1)]
        line = np.array([ends[0] + share * (ends[1] - ends[0]) for share in steps])
        out.append((name, "~".join(pair), line))
    return out


def _edge(pair: tuple[str, str], size: tuple[float, float, float]) -> Array | None:
    whole = (0.0, 0.0, 1.0, 1.0)
    one, other = (_on_face(face, size, whole) for face in pair)
    both = [a for a in one if any(np.allclose(a, b) for b in other)]
    return np.array(sorted(both, key=lambda p: tuple(p))) if len(both) == 2 else None


def _shape(tile: str, face: str, points: Array, mark: str) -> Shape:
    ring = [(round(float(x), 1), round(float(y), 1)) for x, y in (*points, points.mean(axis=0))]
    return Shape(tile=tile, face=face, mark=mark, centre=ring[-1], points=tuple(ring[:-1]))
