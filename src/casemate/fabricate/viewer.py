"""What the report's 3-D viewer draws: prisms with their triangles, and words on each part."""

from __future__ import annotations

from typing import Any

from casemate.core.geometry import Outline, Point
from casemate.design.enclosure import CrossingDesign, Enclosure, TileDesign
from casemate.fabricate.charts import has_place
from casemate.fabricate.figures import figure, number
from casemate.fabricate.shapes import (
    counter_clockwise,
    frame_matrix,
    in_face,
    opening_ring,
    parts,
    vent_cell,
)

MAX_RING = 72
"""Corners kept of a ring: the picture needs no 2 µm chord error."""


def viewer_data(
    enclosure: Enclosure, proof: dict[str, Any], coverage: dict[str, Any]
) -> dict[str, Any]:
    """Return {size, parts}: lengths in metres, z outward, matrices by columns as WebGL wants."""
    tiles = {tile.id: tile for tile in enclosure.tiles}
    crossings = {crossing.id: crossing for crossing in enclosure.crossings}
    proved = {tile.get("id"): tile for tile in proof.get("tiles", [])}
    found = []
    for part in parts(enclosure):
        outline = part.outline
        crossing = crossings.get(part.id) if part.kind not in ("tile", "strip") else None
        tile = tiles[part.tile]
        if part.instances and crossing is not None:
            x_m, y_m = in_face(tile, part.frame)
            ring = tuple((x + x_m, y + y_m) for x, y in opening_ring(crossing))
            outline = Outline(exterior=ring)
        info = (
            _tile_words(tile, proved.get(tile.id), coverage.get(tile.id))
            if crossing is None
            else _crossing_words(crossing, part.note)
        )
        row = _prism(outline, part.z_m)
        row.update(
            id=part.id,
            kind=part.kind,
            face=tile.face,
            cell=_rounded(vent_cell(enclosure, part.id)[0]) if part.kind == "vent" else 0,
            m=[_rounded(line[i]) for i in range(4) for line in frame_matrix(part.frame)],
            out=[_rounded(0.0 - c) for c in tile.frame.inward],
            info=info,
            share=_share(tile, coverage.get(tile.id)) if part.kind in ("tile", "strip") else None,
        )
        found.append(row)
    return {"size": list(enclosure.size_m), "parts": found}


def _rounded(value: float) -> float:
    return round(value, 7) + 0.0


def _share(tile: TileDesign, entry: Any) -> float | None:
    if not has_place(entry):
        return None
    return round(float(entry["worst"]["diameter_m"]) / tile.mesh.hole_max_m, 4)


def _prism(outline: Outline, z_m: tuple[float, float]) -> dict[str, Any]:
    import manifold3d
    import numpy as np

    rings = [counter_clockwise(_thinned(outline.exterior))]
    rings += [tuple(reversed(counter_clockwise(_thinned(hole)))) for hole in outline.holes]
    arrays = [np.asarray(ring, dtype=np.float64) for ring in rings]
    triangles = manifold3d.triangulate(arrays)
    return {
        "rings": [[_rounded(float(v)) for v in ring.ravel()] for ring in arrays],
        "tris": [int(i) for i in np.asarray(triangles).ravel()],
        "z": [_rounded(z_m[0]), _rounded(z_m[1])],
    }


def _thinned(ring: tuple[Point, ...]) -> tuple[Point, ...]:
    return ring[:: max(1, -(-len(ring) // MAX_RING))]


def _tile_words(tile: TileDesign, proved: Any, entry: Any) -> list[list[str]]:
    rows = [
        ["face, panel", f"{tile.face}, {tile.panel}"],
        ["module", tile.module],
        ["size", f"{number(tile.width_m * 1e3)} x {number(tile.height_m * 1e3)} mm"],
        ["board", f"{figure(tile.stackup.thickness_m, 'm')}, {len(tile.stackup.copper)} layers"],
        ["mesh layers", ", ".join(tile.stackup.mesh)],
        ["pitch, trace", f"{figure(tile.mesh.pitch_m, 'm')}, {figure(tile.mesh.trace_m, 'm')}"],
    ]
    if has_place(entry):
        worst = figure(entry["worst"]["diameter_m"], "m")
        rows.append(["largest unseen hole", f"{worst} (tool {figure(tile.mesh.hole_max_m, 'm')})"])
    if proved:
        properties = proved.get("properties", [])
        hold = sum(1 for row in properties if row.get("holds"))
        rows.append(["proved properties that hold", f"{hold} of {len(properties)}"])
    else:
        rows.append(["proof", "none"])
    return rows


def _crossing_words(crossing: CrossingDesign, note: str) -> list[list[str]]:
    rows = [
        ["kind", crossing.kind],
        ["face, tile", f"{crossing.face}, {crossing.tile}"],
        ["module", crossing.module],
    ]
    if note:
        rows.append(["drawn as", note])
    rows += [[f"attenuation, {k}", f"{number(v)} dB"] for k, v in crossing.attenuation_db.items()]
    return rows
