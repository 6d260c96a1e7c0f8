"""A still picture of the enclosure: isometric SVG of front, right side and top."""

from __future__ import annotations

import math
from html import escape

from casemate.core.geometry import Point, Point3
from casemate.design.enclosure import CrossingDesign, Enclosure, TileDesign, TileFrame
from casemate.fabricate.figures import millimetres
from casemate.fabricate.shapes import opening_ring, vent_cell

WIDTH, HEIGHT, MARGIN = 760.0, 560.0, 56.0

_AZIMUTH, _ELEVATION = math.radians(38), math.radians(26)
_RIGHT = (math.cos(_AZIMUTH), math.sin(_AZIMUTH), 0.0)
_TOWARD = (
    math.sin(_AZIMUTH) * math.cos(_ELEVATION),
    -math.cos(_AZIMUTH) * math.cos(_ELEVATION),
    math.sin(_ELEVATION),
)
_UP = (
    -math.sin(_AZIMUTH) * math.sin(_ELEVATION),
    math.cos(_AZIMUTH) * math.sin(_ELEVATION),
    math.cos(_ELEVATION),
)
_FILL = {"front": "#2b7a5f", "right": "#206350", "top": "#3c9474"}
_MESH_M = 24
"""Strokes of the mesh texture over the longest side; the real mesh is far finer."""


def picture_svg(enclosure: Enclosure) -> str:
    """Return a self-contained SVG (760 x 560) that shows tiles, seams and crossings."""
    view = _View(enclosure)
    body = [_defs(view), *_shadow(view)]
    for tile in _visible(enclosure):
        body.append(_tile(view, tile))
    tiles = {tile.id: tile for tile in enclosure.tiles}
    for crossing in enclosure.crossings:
        tile_of = tiles.get(crossing.tile)
        if tile_of is not None and _faces_us(tile_of.frame):
            body.append(_crossing(view, enclosure, crossing, tile_of))
    body += [path for tile in enclosure.tiles for path in _strip(view, enclosure, tile)]
    body += _dimensions(view)
    title = escape(f"Enclosure {enclosure.name}: {_size_words(enclosure.size_m)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'role="img" aria-label="{title}" font-family="system-ui, sans-serif">'
        f"<title>{title}</title>" + "".join(body) + "</svg>\n"
    )


def _size_words(size: Point3) -> str:
    return " x ".join(millimetres(side) for side in size) + " mm"


class _View:
    """Maps points of the enclosure (metres) to the sheet (SVG units)."""

    def __init__(self, enclosure: Enclosure) -> None:
        self.size = enclosure.size_m
        w, d, h = self.size
        corners = [(x, y, z) for x in (0.0, w) for y in (0.0, d) for z in (0.0, h)]
        flat = [(_dot(c, _RIGHT), _dot(c, _UP)) for c in corners]
        us, vs = [u for u, _ in flat], [v for _, v in flat]
        self.scale = min(
            (WIDTH - 2 * MARGIN) / (max(us) - min(us)), (HEIGHT - 2 * MARGIN) / (max(vs) - min(vs))
        )
        self._mid = ((max(us) + min(us)) / 2, (max(vs) + min(vs)) / 2)

    def at(self, point: Point3) -> Point:
        """Return the place on the sheet."""
        u, v = _dot(point, _RIGHT) - self._mid[0], _dot(point, _UP) - self._mid[1]
        return WIDTH / 2 + u * self.scale, HEIGHT / 2 - v * self.scale

    def on(self, frame: TileFrame, x_m: float, y_m: float, z_m: float = 0.0) -> Point:
        """Return the place of a point of a tile's plane; z_m is depth, inward."""
        o, x, y, i = frame.origin_m, frame.x_axis, frame.y_axis, frame.inward
        return self.at(
            (
                o[0] + x[0] * x_m + y[0] * y_m + i[0] * z_m,
                o[1] + x[1] * x_m + y[1] * y_m + i[1] * z_m,
                o[2] + x[2] * x_m + y[2] * y_m + i[2] * z_m,
            )
        )

    def path(self, frame: TileFrame, ring: tuple[Point, ...], z_m: float = 0.0) -> str:
        """Return the SVG path of a ring of a tile's plane."""
        step = max(1, len(ring) // 96)
        points = [self.on(frame, x, y, z_m) for x, y in ring[::step]]
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"

    def transform(self, frame: TileFrame) -> str:
        """Return the SVG matrix from a tile's plane (metres) to the sheet."""
        (ox, oy), (xx, xy), (yx, yy) = (
            self.on(frame, 0, 0),
            self.on(frame, 1, 0),
            self.on(frame, 0, 1),
        )
        values = (xx - ox, xy - oy, yx - ox, yy - oy, ox, oy)
        return "matrix(" + " ".join(f"{value:.3f}" for value in values) + ")"


def _dot(a: Point3, b: Point3) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _faces_us(frame: TileFrame) -> bool:
    return _dot(frame.inward, _TOWARD) < -1e-9


def _visible(enclosure: Enclosure) -> list[TileDesign]:
    return [tile for tile in enclosure.tiles if tile.bend is None and _faces_us(tile.frame)]


def _defs(view: _View) -> str:
    return (
        '<defs><radialGradient id="glass" cx=".35" cy=".3" r=".8">'
        '<stop offset="0" stop-color="#e3f1fa"/><stop offset=".55" stop-color="#7fb2d4"/>'
        '<stop offset="1" stop-color="#2f6285"/></radialGradient></defs>'
    )


def _shadow(view: _View) -> list[str]:
    w, d, _ = view.size
    reach = 0.05 * max(view.size)
    ground = [(-reach, -reach), (w + reach, -reach), (w + reach, d + reach), (-reach, d + reach)]
    points = " ".join("{:.1f},{:.1f}".format(*view.at((x, y, 0.0))) for x, y in ground)
    return [f'<polygon points="{points}" fill="#7a8794" opacity=".16"/>']


def _tile(view: _View, tile: TileDesign) -> str:
    ring, frame = tile.outline.exterior, tile.frame
    holes = "".join(view.path(frame, hole) for hole in tile.outline.holes)
    outline = view.path(frame, ring) + holes
    fill = _FILL.get(tile.face, "#2b7a5f")
    return (
        f'<path d="{outline}" fill="{fill}" fill-rule="evenodd" stroke="#0f3a2d" '
        f'stroke-width="1.4" stroke-linejoin="round"><title>{escape(tile.id)}</title></path>'
        f'<path d="{_meander(view, tile)}" fill="none" stroke="#e7c07a" stroke-width=".7" '
        f'opacity=".62" stroke-linejoin="round"/>'
    )


def _strip(view: _View, enclosure: Enclosure, tile: TileDesign) -> list[str]:
    """Return the legs of an edge strip on the faces that show, the bend left out."""
    bend = tile.bend
    if bend is None:
        return []
    frames = {panel.face: panel.frame for panel in enclosure.panels}
    x_min, _, x_max, _ = tile.outline.bounds
    seconds = frames[bend.faces[1]]
    o, x, y, n = tile.frame.origin_m, tile.frame.x_axis, tile.frame.y_axis, tile.frame.inward
    found = []
    if _faces_us(tile.frame):
        ring = ((x_min, 0.0), (x_max, 0.0), (x_max, bend.ends_m[0]), (x_min, bend.ends_m[0]))
        found.append(view.path(tile.frame, ring))
    if _faces_us(seconds):
        edge = tuple(o[k] + y[k] * bend.ends_m[0] - n[k] * bend.level_m for k in range(3))
        other = TileFrame(
            origin_m=(edge[0], edge[1], edge[2]), x_axis=x, y_axis=n, inward=seconds.inward
        )
        ring = ((x_min, 0.0), (x_max, 0.0), (x_max, bend.ends_m[1]), (x_min, bend.ends_m[1]))
        found.append(view.path(other, ring))
    return [
        f'<path d="{path}" fill="#b07a28" stroke="#0f3a2d" stroke-width=".8" opacity=".9">'
        f"<title>{escape(tile.id)}</title></path>"
        for path in found
    ]


def _meander(view: _View, tile: TileDesign) -> str:
    """Return a coarse meander over the tile as texture, left out where a hole is."""
    x_min, y_min, x_max, y_max = tile.outline.bounds
    pitch = max(view.size) / _MESH_M / 2
    inset = pitch * 0.6
    rows = max(2, int((y_max - y_min - 2 * inset) / pitch))
    step_y = (y_max - y_min - 2 * inset) / rows
    text, pen_down = "", False
    for row in range(rows + 1):
        y = y_min + inset + row * step_y
        xs = [x_min + inset + (x_max - x_min - 2 * inset) * k / 40 for k in range(41)]
        for x in xs if row % 2 == 0 else reversed(xs):
            if _in_hole(tile, (x, y), pitch * 0.4):
                pen_down = False
                continue
            u, v = view.on(tile.frame, x, y)
            text += f"{'L' if pen_down else 'M'}{u:.1f} {v:.1f}"
            pen_down = True
    return text


def _in_hole(tile: TileDesign, point: Point, margin_m: float) -> bool:
    for hole in tile.outline.holes:
        xs, ys = [x for x, _ in hole], [y for _, y in hole]
        mid = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
        half = ((max(xs) - min(xs)) / 2 + margin_m, (max(ys) - min(ys)) / 2 + margin_m)
        u, v = (point[0] - mid[0]) / half[0], (point[1] - mid[1]) / half[1]
        if max(abs(u), abs(v)) < 1 and (len(hole) < 12 or u * u + v * v < 1):
            return True
    return False


def _crossing(view: _View, enclosure: Enclosure, crossing: CrossingDesign, tile: TileDesign) -> str:
    title = f"<title>{escape(crossing.id)}: {escape(crossing.kind)}</title>"
    ring = opening_ring(crossing)
    if not ring:
        x, y = view.on(tile.frame, *crossing.centre_m)
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#c4843e">{title}</circle>'
    path = view.path(tile.frame, ring)
    if crossing.kind == "window":
        return (
            f'<path d="{path}" fill="url(#glass)" stroke="#143b55" stroke-width="2.2">'
            f"{title}</path>"
        )
    if crossing.kind == "air":
        return _vent(view, enclosure, crossing, tile, path, title)
    return f'<path d="{path}" fill="#1c2126" stroke="#c4843e" stroke-width="2.6">{title}</path>'


def _vent(
    view: _View,
    enclosure: Enclosure,
    crossing: CrossingDesign,
    tile: TileDesign,
    path: str,
    title: str,
) -> str:
    cell = max(vent_cell(enclosure, crossing.id)[0], max(view.size) / 90)
    row = cell * math.sqrt(3)
    name = "hex-" + "".join(c if c.isalnum() else "-" for c in crossing.id)
    r, s = cell / math.sqrt(3), cell / 2
    line = (
        f"M0 {r / 2:.5f}L{s:.5f} 0L{cell:.5f} {r / 2:.5f}V{3 * r / 2:.5f}L{s:.5f} {2 * r:.5f}"
        f"L0 {3 * r / 2:.5f}ZM{s:.5f} {2 * r:.5f}V{3 * r:.5f}"
    )
    return (
        f'<defs><pattern id="{name}" width="{cell:.5f}" height="{row:.5f}" '
        f'patternUnits="userSpaceOnUse" patternTransform="{view.transform(tile.frame)}">'
        f'<rect width="{cell:.5f}" height="{row:.5f}" fill="#2b3138"/>'
        f'<path d="{line}" fill="none" stroke="#b9c2cb" stroke-width="{cell * 0.14:.5f}"/>'
        f'</pattern></defs><path d="{path}" fill="url(#{name})" stroke="#8b949e" '
        f'stroke-width="1.6">{title}</path>'
    )


def _dimensions(view: _View) -> list[str]:
    w, d, h = view.size
    off = 0.055 * max(view.size)
    lines = (
        ((0.0, -off, 0.0), (w, -off, 0.0), w),
        ((w + off, 0.0, 0.0), (w + off, d, 0.0), d),
        ((-off * 0.7, -off * 0.7, 0.0), (-off * 0.7, -off * 0.7, h), h),
    )
    found = []
    for start, end, length in lines:
        (xa, ya), (xb, yb) = view.at(start), view.at(end)
        x, y = (xa + xb) / 2, (ya + yb) / 2
        across, up = (-10.0, 0.0) if abs(xb - xa) < 1 else (0.0, 18.0)
        anchor = "end" if across else "start" if xa < xb and yb < ya else "end"
        found.append(
            f'<path d="M{xa:.1f} {ya:.1f}L{xb:.1f} {yb:.1f}" stroke="#6b7680" '
            f'stroke-width="1.2"/>'
            f'<text x="{x + across:.1f}" y="{y + up:.1f}" font-size="15" fill="#6b7680" '
            f'text-anchor="{anchor}">{millimetres(length)} mm</text>'
        )
    return found
