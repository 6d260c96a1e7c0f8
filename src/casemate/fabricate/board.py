"""A tile's copper beyond its traces, worked out once for all formats: pads, holes, planes, mask.

All lengths are whole nanometres in the tile's plane, x right and y up seen from outside.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.core.geometry import Outline, Point
from casemate.design.enclosure import TileDesign
from casemate.fabricate.text import to_nm
from casemate.mesh.model import Terminal, TileMesh

if TYPE_CHECKING:
    from shapely.geometry import Polygon
    from shapely.geometry.base import BaseGeometry

Ring = npt.NDArray[np.int64]
"""Shape (n, 2), nanometres, not closed."""

MASK_MARGIN_NM = 50_000
"""Solder mask opening beyond a pad on each side; 0.05 mm is the usual expansion of board fabs."""

_ROUNDING_NM = 1_000
"""Extra clearance that absorbs chords of arcs and rounding to whole nanometres."""

_SIMPLIFIED = 1.0 / 0.985
"""GEOS simplifies a curve by up to 1 % of the distance before it offsets it; this makes up for it.
"""

_SMALLEST_PLANE_NM2 = 1e12
"""Pieces of plane below 1 mm2 are left out: they shield nothing and may peel in etching."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """A round land. reference: designator of the terminal's pad on `to_layer`, else ""."""

    net: str
    layer: str
    x_nm: int
    y_nm: int
    diameter_nm: int
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A plated hole from copper layer `first` to `last` (1-based, outer first)."""

    net: str
    first: int
    last: int
    x_nm: int
    y_nm: int
    drill_nm: int
    pad_nm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One connected piece of solid copper: exterior ring and rings of its openings."""

    net: str
    layer: str
    exterior: Ring
    openings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that the writers need beside the nets' vertices."""

    tile: TileDesign
    mesh: TileMesh
    name: str
    rings: tuple[Ring, ...]
    pads: tuple[Pad, ...]
    holes: tuple[Hole, ...]
    planes: tuple[Plane, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the copper layers from outside to inside."""
        return self.tile.stackup.copper

    @property
    def guid(self) -> str:
        """Return a GUID that depends on the unit's layout only, so files repeat byte for byte."""
        return uuid_of(self.tile.id, self.mesh.commitment)

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Return (x_min, y_min, x_max, y_max) of the board edge in nanometres."""
        low, high = self.rings[0].min(axis=0), self.rings[0].max(axis=0)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    @property
    def openings(self) -> tuple[Pad, ...]:
        """Return the pads that are free of solder mask: terminals on the inner face only."""
        return tuple(pad for pad in self.pads if self.is_open(pad))

    def is_open(self, pad: Pad) -> bool:
        """Return whether a pad is free of solder mask."""
        return bool(pad.reference) and pad.layer == self.layers[-1]


def uuid_of(*parts: object) -> str:
    """Return a version 8 UUID (RFC 9562) from the SHA-256 of the parts."""
    digest = bytearray(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def lay_out(tile: TileDesign, mesh: TileMesh) -> Board:
    """Return the board of a tile; InputError if the mesh names a layer that the tile lacks."""
    _check_layers(tile, mesh)
    rings = _rings(tile.outline)
    holes = tuple(
        hole for terminal in mesh.terminals if (hole := _hole(tile, terminal)) is not None
    )
    pads = tuple(_pads(tile, mesh.terminals))
    planes = tuple(
        plane for layer in tile.stackup.plane for plane in _planes(tile, rings, pads, layer)
    )
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", tile.id)
    return Board(
        tile=tile,
        mesh=mesh,
        name=name,
        rings=rings,
        pads=pads,
        holes=holes,
        planes=planes,
    )


def _check_layers(tile: TileDesign, mesh: TileMesh) -> None:
    known = set(tile.stackup.copper)
    used = {net.layer for net in mesh.nets}
    used |= {layer for terminal in mesh.terminals for layer in (terminal.layer, terminal.to_layer)}
    used |= set(tile.stackup.plane)
    if unknown := sorted(used - known):
        raise InputError(
            f"tile {tile.id} has no copper layer {', '.join(unknown)}",
            remedy=f"use the layers of its stackup: {', '.join(tile.stackup.copper)}.",
            key="stackup.copper",
        )


def _ring(points: Iterable[Point]) -> Ring:
    return np.array([[to_nm(x), to_nm(y)] for x, y in points], dtype=np.int64)


def _rings(outline: Outline) -> tuple[Ring, ...]:
    return tuple(_ring(points) for points in (outline.exterior, *outline.holes))


def _span(tile: TileDesign, terminal: Terminal) -> tuple[int, int]:
    """Return the 1-based copper layers a terminal's hole joins; all of them without blind vias."""
    copper = tile.stackup.copper
    ends = sorted((copper.index(terminal.layer) + 1, copper.index(terminal.to_layer) + 1))
    if ends[0] != ends[1] and not tile.stackup.blind:
        return 1, len(copper)
    return ends[0], ends[1]


def _hole(tile: TileDesign, terminal: Terminal) -> Hole | None:
    first, last = _span(tile, terminal)
    if first == last:
        return None
    return Hole(
        net=terminal.net,
        first=first,
        last=last,
        x_nm=terminal.x_nm,
        y_nm=terminal.y_nm,
        drill_nm=terminal.drill_nm,
        pad_nm=terminal.pad_nm,
    )


def _pads(tile: TileDesign, terminals: Iterable[Terminal]) -> Iterable[Pad]:
    for number, terminal in enumerate(terminals, start=1):
        first, last = _span(tile, terminal)
        for layer in tile.stackup.copper[first - 1 : last]:
            yield Pad(
                net=terminal.net,
                layer=layer,
                x_nm=terminal.x_nm,
                y_nm=terminal.y_nm,
                diameter_nm=terminal.pad_nm,
                reference=f"TP{number}" if layer == terminal.to_layer else "",
            )


def _planes(
    tile: TileDesign, rings: tuple[Ring, ...], pads: tuple[Pad, ...], layer: str
) -> Iterable[Plane]:
    """Yield the plane's pieces: outline less edge clearance and antipads, no web below the minimum.

    Pieces that no copper joins get nets of their own, so that no netlist calls them connected.
    """
    from shapely.geometry import Point as Spot
    from shapely.geometry import Polygon
    from shapely.ops import unary_union

    fab = tile.fab
    inset = round(to_nm(fab.edge_clearance_m) * _SIMPLIFIED) + _ROUNDING_NM
    gap = to_nm(max(fab.space_min_m, fab.registration_m)) + _ROUNDING_NM
    area: BaseGeometry = Polygon(rings[0], [ring for ring in rings[1:]])
    area = area.buffer(-inset, join_style="mitre", mitre_limit=2.0)
    area = area.difference(
        unary_union(
            [
                Spot(pad.x_nm, pad.y_nm).buffer((pad.diameter_nm // 2 + gap) * _SIMPLIFIED)
                for pad in pads
                if pad.layer == layer
            ]
        )
    )
    half = to_nm(fab.trace_min_m) // 2
    area = area.buffer(-half, join_style="mitre").buffer(half * 0.999, quad_segs=8)
    pieces = [piece for piece in _polygons(area) if piece.area >= _SMALLEST_PLANE_NM2]
    pieces.sort(key=lambda piece: (-round(piece.area), piece.bounds))
    for number, piece in enumerate(pieces, start=1):
        yield Plane(
            net=f"SHIELD_{layer}" + ("" if number == 1 else f"_{number}"),
            layer=layer,
            exterior=_integer(piece.exterior.coords),
            openings=tuple(_integer(ring.coords) for ring in piece.interiors),
        )


def _polygons(area: BaseGeometry) -> list[Polygon]:
    parts = getattr(area, "geoms", [area])
    return [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]


def _integer(coords: Iterable[tuple[float, ...]]) -> Ring:
    ring = np.rint(np.array(list(coords)[:-1], dtype=np.float64)).astype(np.int64)
    keep = np.any(ring != np.roll(ring, 1, axis=0), axis=1)
    return ring[keep]
