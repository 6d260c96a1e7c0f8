"""Where the tiles of design.json lie on the faces of a box. Pure.

design.json has sizes and names of tiles, not their places: they are laid side by side in the order
of their names. Every file that draws an enclosure agrees on this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.design.frames import face_frame

FACES = ("front", "rear", "left", "right", "top", "bottom")
MOST_OPENINGS, OPENING_POINTS = 8, 16
"""Openings of a tile that are drawn, and points of each (planning values)."""
_TILE = re.compile(r"(?P<face>[a-z]+)(-(?P<region>low|near|far|high))?-(?P<x>\d+)-(?P<y>\d+)")
_STRIP = re.compile(r"edge-(?P<a>[a-z]+)-(?P<b>[a-z]+)-(?P<n>\d+)")

Rect = tuple[float, float, float, float]
"""Left, low, right, high, as shares of a face."""
Size = tuple[float, float, float]
"""Width, depth, height of the box, m."""
Array = NDArray[np.float64]


def is_flat(tile: Mapping[str, Any], face: str) -> bool:
    """Return whether a tile lies flat on a face, under a name that says where."""
    return tile["face"] == face and tile["bend"] is None and _TILE.fullmatch(tile["id"]) is not None


def laid(tiles: Sequence[Mapping[str, Any]]) -> dict[str, Rect]:
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


def size(design: Mapping[str, Any]) -> Size:
    """Return width, depth and height of the box, as far as its tiles tell."""
    least = 0.01
    found = {}
    for face in FACES:
        tiles = [each for each in design["tiles"] if is_flat(each, face)]
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


def on_face(face: str, size: Size, rect: Rect) -> Array:
    """Return the four corners (4, 3) of a part of a face, m."""
    left, low, right, top = rect
    return in_space(face, size, ((left, low), (right, low), (right, top), (left, top)))


def in_space(face: str, size: Size, points: Sequence[tuple[float, float]]) -> Array:
    """Return points (K, 3), m, of a face, which are given as shares of its width and height."""
    origin, ways = _plane(face, size)
    out: Array = origin + np.asarray(points, float) @ ways
    return out


@lru_cache(maxsize=64)
def _plane(face: str, size: Size) -> tuple[Array, Array]:
    """Return the lower left corner (3,) of a face, and its width and height as ways (2, 3), m."""
    frame = face_frame(face, size)
    ways = np.array([frame.x_axis, frame.y_axis], float)
    return np.array(frame.origin_m, float), ways * np.abs(ways @ np.array(size))[:, None]


def openings(tile: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    """Return the openings of a tile, the largest, as points that are shares of it.

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
        out.append([(min(max(x / wide, 0.0), 1.0), min(max(y / high, 0.0), 1.0))
                    for x, y in points])  # fmt: skip
    return out


def strips(
    tiles: Sequence[Mapping[str, Any]], size: Size, toward: Array
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


@lru_cache(maxsize=256)
def _edge(pair: tuple[str, str], size: Size) -> Array | None:
    whole = (0.0, 0.0, 1.0, 1.0)
    one, other = (on_face(face, size, whole) for face in pair)
    both = [a for a in one if any(np.allclose(a, b) for b in other)]
    return np.array(sorted(both, key=lambda p: tuple(p))) if len(both) == 2 else None
