"""Inline SVG charts of the report: attenuation, thickness against budget, coverage."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from html import escape
from typing import Any

from casemate.core.geometry import Point
from casemate.design.enclosure import Enclosure, TileDesign
from casemate.fabricate.figures import figure, number

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5195", "#5d6d7e")
"""Okabe-Ito palette (2008), told apart with colour-blind eyes, less its yellow and black."""

_RAMP = ((236, 244, 250), (146, 190, 219), (58, 121, 173), (17, 49, 92))
_DASH = ' stroke-dasharray="5 3"'
_OVER = (214, 69, 33)
MAX_MAP_CELLS = 160
"""Cells of a tile's map along its longer side; finer maps keep the largest of each block."""

MAP_REACH = 560.0
"""SVG units of the enclosure's longest side in the coverage maps."""


def attenuation_svg(shielding: dict[str, Any]) -> str:
    """Return attenuation (dB) against frequency (log), paths thin, total bold, targets red.

    Returns "" when there is no curve to draw.
    """
    frequency = [float(f) for f in shielding.get("frequency_hz", [])]
    total = [float(v) for v in shielding.get("total_db", [])]
    if len(frequency) < 2 or len(total) != len(frequency):
        return ""
    paths = {str(k): [float(v) for v in vs] for k, vs in dict(shielding.get("paths", {})).items()}
    targets = [t for t in shielding.get("targets", []) if isinstance(t, dict)]
    axis = _LogAxis(frequency, total, targets)
    body = [axis.grid(), *(axis.target(target) for target in targets)]
    names = [name for name, values in paths.items() if len(values) == len(frequency)]
    for index, name in enumerate(names):
        dash = _dash(index)
        body.append(axis.curve(frequency, paths[name], _COLOURS[index % 8], 1.6, dash))
    phase = [float(v) for v in shielding.get("in_phase_db", [])]
    if len(phase) == len(frequency):
        body.append(axis.curve(frequency, phase, "currentColor", 1.4, _DASH))
    body.append(axis.curve(frequency, total, "currentColor", 3.2, ""))
    body.append(_legend(names, axis.right + 14))
    height = max(360, 60 + 20 * (len(names) + 3))
    return (
        f'<svg viewBox="0 0 900 {height}" role="img" aria-label="Attenuation in decibels against '
        f'frequency" class="chart">' + "".join(body) + "</svg>"
    )


def _legend(names: Sequence[str], x: float) -> str:
    rows = [
        ("whole enclosure", "currentColor", 3.2, ""),
        ("all leaks in phase", "currentColor", 1.4, _DASH),
        ("asked", "#d64521", 2.4, ""),
    ]
    rows += [(name, _COLOURS[i % 8], 1.6, _dash(i)) for i, name in enumerate(names)]
    return "".join(
        f'<path d="M{x:g} {34 + 20 * i}h22" stroke="{colour}" stroke-width="{width}" fill="none"'
        f"{dash}/>"
        f'<text x="{x + 28:g}" y="{38 + 20 * i}" class="tick">{escape(_short(name))}</text>'
        for i, (name, colour, width, dash) in enumerate(rows)
    )


def _dash(index: int) -> str:
    return _DASH if index >= len(_COLOURS) else ""


def _short(name: str) -> str:
    return name if len(name) <= 26 else name[:25] + "…"


class _LogAxis:
    """Maps (Hz, dB) to the sheet; curves above the top are cut there and said so."""

    left, right, top, bottom = 56.0, 650.0, 20.0, 312.0

    def __init__(
        self, frequency: list[float], total: list[float], targets: list[dict[str, Any]]
    ) -> None:
        self.f_min, self.f_max = min(frequency), max(frequency)
        asked = [float(t.get("attenuation_db", 0.0)) for t in targets]
        reach = max([*[v for v in total if math.isfinite(v)], *asked, 20.0])
        self.db_max = min(200.0, 20.0 * math.ceil((reach + 40.0) / 20.0))

    def x(self, f_hz: float) -> float:
        share = math.log(max(f_hz, 1e-9) / self.f_min) / math.log(self.f_max / self.f_min)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, share))

    def y(self, db: float) -> float:
        share = min(1.0, max(0.0, (db if math.isfinite(db) else self.db_max) / self.db_max))
        return self.bottom - (self.bottom - self.top) * share

    def grid(self) -> str:
        lines = []
        for db in range(0, int(self.db_max) + 1, 20):
            y = self.y(db)
            lines.append(
                f'<path d="M{self.left:g} {y:.1f}H{self.right:g}" class="grid"/>'
                f'<text x="{self.left - 8:g}" y="{y + 4:.1f}" class="tick" '
                f'text-anchor="end">{db}</text>'
            )
        low, high = math.ceil(math.log10(self.f_min) - 1e-9), math.log10(self.f_max) + 1e-9
        decades = range(low, math.floor(high) + 1)
        for decade in decades:
            x = self.x(10.0**decade)
            lines.append(
                f'<path d="M{x:.1f} {self.top:g}V{self.bottom:g}" class="grid"/>'
                f'<text x="{x:.1f}" y="{self.bottom + 18:g}" class="tick" '
                f'text-anchor="middle">{figure(10.0**decade, "Hz")}</text>'
            )
        mid = (self.top + self.bottom) / 2
        lines.append(
            f'<text x="14" y="{mid:g}" class="tick" text-anchor="middle" '
            f'transform="rotate(-90 14 {mid:g})">attenuation in dB</text>'
            f'<text x="{(self.left + self.right) / 2:g}" y="{self.bottom + 38:g}" class="tick" '
            f'text-anchor="middle">frequency; curves above {self.db_max:g} dB are cut there</text>'
        )
        return "".join(lines)

    def curve(
        self, frequency: list[float], db: list[float], colour: str, width: float, dash: str
    ) -> str:
        points = zip(frequency, db, strict=True)
        path = "L".join(f"{self.x(f):.1f} {self.y(v):.1f}" for f, v in points)
        return (
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linejoin="round"{dash}/>'
        )

    def target(self, target: dict[str, Any]) -> str:
        try:
            a, b = self.x(float(target["f_min_hz"])), self.x(float(target["f_max_hz"]))
            y = self.y(float(target["attenuation_db"]))
        except (KeyError, TypeError, ValueError):
            return ""
        return (
            f'<rect x="{a:.1f}" y="{y:.1f}" width="{b - a:.1f}" height="{self.bottom - y:.1f}" '
            f'fill="#d64521" opacity=".10"/>'
            f'<path d="M{a:.1f} {y:.1f}H{b:.1f}" stroke="#d64521" stroke-width="2.4"/>'
        )


def thickness_svg(enclosure: Enclosure) -> str:
    """Return one bar a face: thickness built against the budget of the spec."""
    faces = enclosure.faces
    if not faces:
        return ""
    reach = max(max(f.thickness_m, f.budget_m) for f in faces) or 1.0
    rows = []
    for index, face in enumerate(faces):
        y, over = 14 + 34 * index, face.thickness_m > face.budget_m * (1 + 1e-9)
        wide, mark = 470 * face.thickness_m / reach, 90 + 470 * face.budget_m / reach
        rows.append(
            f'<text x="82" y="{y + 16}" class="tick" text-anchor="end">{escape(face.name)}</text>'
            f'<rect x="90" y="{y}" width="{wide:.1f}" height="22" rx="2" '
            f'class="bar{" over" if over else ""}"/>'
            f'<path d="M{mark:.1f} {y - 4}v30" class="mark"/>'
            f'<text x="574" y="{y + 16}" class="tick">{figure(face.thickness_m, "m")} of '
            f"{figure(face.budget_m, 'm')}{' - over' if over else ''}</text>"
        )
    return (
        f'<svg viewBox="0 0 760 {20 + 34 * len(faces)}" role="img" class="chart" '
        f'aria-label="Thickness of each face against its budget">' + "".join(rows) + "</svg>"
    )


def coverage_low_um(coverage: dict[str, Any]) -> float:
    """Return the smallest hole of all maps, rounded down to 10 µm: the light end of the scale."""
    values = [
        v for c in coverage.values() for row in c.get("cells", []) for v in row if v is not None
    ]
    return 10.0 * math.floor(min(values) / 10.0) if values else 0.0


def coverage_svg(enclosure: Enclosure, face: str, coverage: dict[str, Any], low_um: float) -> str:
    """Return the heat map of one face: each tile where it sits, its worst place ringed.

    All faces of an enclosure share one scale.
    """
    tiles = [tile for tile in enclosure.tiles if tile.face == face and tile.bend is None]
    if not tiles:
        return ""
    base = tiles[0].frame
    places = {tile.id: _offset(tile, base.origin_m, base.x_axis, base.y_axis) for tile in tiles}
    boxes = [_box(tile, places[tile.id]) for tile in tiles]
    x_min, y_min = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x_max, y_max = max(b[2] for b in boxes), max(b[3] for b in boxes)
    scale = MAP_REACH / max(enclosure.size_m)
    sheet = _Sheet(x_min, y_max, scale)
    body = "".join(_tile_map(t, places[t.id], coverage.get(t.id), low_um, sheet) for t in tiles)
    for crossing in enclosure.crossings:
        if crossing.tile in places and crossing.opening is not None:
            body += (
                f'<path d="{sheet.ring(crossing.opening, places[crossing.tile])}" class="hole"/>'
            )
    body += "".join(_worst(t, places[t.id], coverage.get(t.id), sheet) for t in tiles)
    width, height = scale * (x_max - x_min) + 16, scale * (y_max - y_min) + 16
    return (
        f'<svg viewBox="-8 -8 {width:.1f} {height:.1f}" width="{width:.0f}" role="img" '
        f'class="map" aria-label="Coverage of the {escape(face)} face">{body}</svg>'
    )


def has_place(entry: Any) -> bool:
    """Return whether a tile's coverage states a worst place with a finite figure."""
    worst = entry.get("worst") if isinstance(entry, dict) else None
    if not worst:
        return False
    return all(
        isinstance(worst.get(key), (int, float)) and math.isfinite(worst[key])
        for key in ("x_m", "y_m", "diameter_m")
    )


class _Sheet:
    """Maps a face's plane (metres, y up) to SVG units (y down)."""

    def __init__(self, x_min: float, y_max: float, scale: float) -> None:
        self.x_min, self.y_max, self.scale = x_min, y_max, scale

    def at(self, x_m: float, y_m: float) -> Point:
        return (x_m - self.x_min) * self.scale, (self.y_max - y_m) * self.scale

    def ring(self, ring: tuple[Point, ...], offset: Point) -> str:
        step = max(1, len(ring) // 96)
        points = [self.at(x + offset[0], y + offset[1]) for x, y in ring[::step]]
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def _offset(tile: TileDesign, origin: Any, x_axis: Any, y_axis: Any) -> Point:
    delta = [tile.frame.origin_m[i] - origin[i] for i in range(3)]
    return (
        sum(delta[i] * x_axis[i] for i in range(3)),
        sum(delta[i] * y_axis[i] for i in range(3)),
    )


def _box(tile: TileDesign, offset: Point) -> tuple[float, float, float, float]:
    a, b, c, d = tile.outline.bounds
    return a + offset[0], b + offset[1], c + offset[0], d + offset[1]


def _tile_map(tile: TileDesign, offset: Point, entry: Any, low_um: float, sheet: _Sheet) -> str:
    x_min, y_min, x_max, y_max = _box(tile, offset)
    (x, y), (u, v) = sheet.at(x_min, y_max), sheet.at(x_max, y_min)
    edge = f'<rect x="{x:.1f}" y="{y:.1f}" width="{u - x:.1f}" height="{v - y:.1f}" class="edge"'
    cells = entry.get("cells") if isinstance(entry, dict) else None
    if not cells:
        return (
            f"{edge}><title>{escape(tile.id)}: not mapped</title></rect>"
            f'<text x="{(x + u) / 2:.1f}" y="{(y + v) / 2:.1f}" text-anchor="middle" '
            f'class="tick">not mapped</text>'
        )
    image = heat_png(cells, low_um, tile.mesh.hole_max_m * 1e6)
    size = float(entry.get("cell_m") or 0.0) * sheet.scale
    wide, high = (size * len(cells[0]), size * len(cells)) if size else (u - x, v - y)
    data = base64.b64encode(image).decode()
    clip = "c-" + "".join(c if c.isalnum() else "-" for c in tile.id)
    return (
        f'<clipPath id="{clip}"><rect x="{x:.1f}" y="{y:.1f}" width="{u - x:.1f}" '
        f'height="{v - y:.1f}"/></clipPath>'
        f'<image href="data:image/png;base64,{data}" x="{x:.2f}" y="{v - high:.2f}" '
        f'width="{wide:.2f}" height="{high:.2f}" preserveAspectRatio="none" '
        f'clip-path="url(#{clip})"/>'
        f'{edge} fill="none"><title>{escape(tile.id)}</title></rect>'
    )


def _worst(tile: TileDesign, offset: Point, entry: Any, sheet: _Sheet) -> str:
    if not has_place(entry):
        return ""
    worst = entry["worst"]
    x, y = sheet.at(worst["x_m"] + offset[0], worst["y_m"] + offset[1])
    words = figure(worst["diameter_m"], "m")
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" class="ring-back"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" class="ring"><title>{escape(tile.id)}: worst '
        f"{words} at ({number(worst['x_m'] * 1e3)}, {number(worst['y_m'] * 1e3)}) mm</title>"
        f"</circle>"
    )


def heat_png(cells: Sequence[Sequence[float | None]], low_um: float, bound_um: float) -> bytes:
    """Return a palette PNG of a map; row 0 of `cells` is the tile's lower edge.

    Index 0 is transparent (outside), 1 to 254 run from low_um to bound_um, 255 is over the bound.
    """
    rows = _reduced(cells)
    span = max(bound_um - low_um, 1e-9)

    def index(value: float | None) -> int:
        if value is None:
            return 0
        if value > bound_um * (1 + 1e-9):
            return 255
        return 1 + round(253 * min(1.0, max(0.0, (value - low_um) / span)))

    raw = b"".join(b"\0" + bytes(index(v) for v in row) for row in reversed(rows))
    palette = bytes(part for i in range(256) for part in _palette(i))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
        for tag, data in (
            (b"IHDR", header),
            (b"PLTE", palette),
            (b"tRNS", b"\0"),
            (b"IDAT", zlib.compress(raw, 9)),
            (b"IEND", b""),
        )
    )


def _palette(index: int) -> tuple[int, int, int]:
    if index == 0:
        return (255, 255, 255)
    return _OVER if index == 255 else _ramp((index - 1) / 253)


def _ramp(share: float) -> tuple[int, int, int]:
    place = min(max(share, 0.0), 1.0) * (len(_RAMP) - 1)
    at = min(int(place), len(_RAMP) - 2)
    low, high, part = _RAMP[at], _RAMP[at + 1], place - at
    mixed = [round(low[i] + (high[i] - low[i]) * part) for i in range(3)]
    return mixed[0], mixed[1], mixed[2]


def _reduced(cells: Sequence[Sequence[float | None]]) -> list[list[float | None]]:
    """Return the map with at most MAX_MAP_CELLS a side; a block keeps its largest hole."""
    rows, columns = len(cells), max(len(row) for row in cells)
    step = max(1, math.ceil(max(rows, columns) / MAX_MAP_CELLS))
    found: list[list[float | None]] = []
    for r in range(0, rows, step):
        line: list[float | None] = []
        for c in range(0, columns, step):
            block = [v for row in cells[r : r + step] for v in row[c : c + step] if v is not None]
            line.append(max(block) if block else None)
        found.append(line)
    return found


def scale_svg(low_um: float, bound_um: float) -> str:
    """Return the legend of the heat map."""
    stops = "".join(
        f'<stop offset="{i / 3:.3f}" stop-color="rgb{colour}"/>' for i, colour in enumerate(_RAMP)
    )
    return (
        '<svg viewBox="0 0 420 46" width="420" role="img" class="scale" '
        f'aria-label="Colour scale from {low_um:g} to {bound_um:g} micrometres">'
        f'<defs><linearGradient id="ramp">{stops}</linearGradient></defs>'
        '<rect x="4" y="4" width="260" height="16" fill="url(#ramp)" class="edge"/>'
        f'<rect x="272" y="4" width="26" height="16" fill="rgb{_OVER}"/>'
        f'<text x="4" y="38" class="tick">{number(low_um)} µm</text>'
        f'<text x="264" y="38" class="tick" text-anchor="end">tool {number(bound_um)} µm</text>'
        '<text x="272" y="38" class="tick">larger than the tool</text></svg>'
    )
