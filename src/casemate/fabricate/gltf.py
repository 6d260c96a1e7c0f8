"""The assembly as one binary glTF file: panels, tiles, vents, sleeves, windows.

glTF 2.0 (ISO/IEC 12113:2022) has y up and metres, so the root node turns z-up into y-up. Its
default material is fully metallic, which many viewers draw black; every material here says 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from casemate.core.geometry import Outline
from casemate.design.enclosure import Enclosure
from casemate.fabricate.shapes import Part, frame_matrix, parts

MATERIALS: dict[str, tuple[tuple[int, int, int, int], float]] = {
    "tile": ((38, 110, 84, 255), 0.7),
    "strip": ((176, 122, 40, 255), 0.6),
    "vent": ((150, 156, 164, 255), 0.5),
    "sleeve": ((196, 132, 62, 255), 0.5),
    "window": ((120, 176, 214, 110), 0.1),
}
"""Colour (8-bit RGBA) and roughness of each kind of part."""

_MM = 1e3
"""Solids are built in millimetres: Clipper rounds to 1e-8 of a unit."""


def write_gltf(path: Path, enclosure: Enclosure) -> None:
    """Write the enclosure as a .glb file; the bytes depend on the enclosure alone."""
    raw: bytes = scene(enclosure).export(file_type="glb")
    Path(path).write_bytes(raw)


def scene(enclosure: Enclosure) -> Any:
    """Return a trimesh.Scene: root, one node a panel, under it its tiles and crossings."""
    import trimesh

    built: Any = trimesh.Scene(base_frame="world")
    built.metadata.update({"name": enclosure.name, "serial": enclosure.serial})
    up = ((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1))
    root = f"enclosure {enclosure.name}"
    built.graph.update(frame_to=root, frame_from="world", matrix=_array(up))
    panels = [panel.id for panel in enclosure.panels]
    found = parts(enclosure)
    for panel in dict.fromkeys([*panels, *(part.panel for part in found)]):
        built.graph.update(frame_to=f"panel {panel}", frame_from=root, matrix=_array(_IDENTITY))
    for part in found:
        _add(built, part)
    return built


_IDENTITY = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))


def _add(built: Any, part: Part) -> None:
    mesh = solid(part.outline, *part.z_m)
    mesh.visual = _material(part.kind)
    name = f"{part.kind} {part.id}"
    mesh.metadata.clear()
    if part.note:
        mesh.metadata["note"] = part.note
    places = part.instances or ((0.0, 0.0),)
    parent = f"panel {part.panel}"
    built.geometry[name] = mesh
    for index, (x_m, y_m) in enumerate(places):
        node = name if len(places) == 1 else f"{name} {index + 1}"
        matrix = _array(frame_matrix(part.frame, x_m=x_m, y_m=y_m))
        built.graph.update(frame_to=node, frame_from=parent, matrix=matrix, geometry=name)


def solid(outline: Outline, bottom_m: float, top_m: float) -> Any:
    """Return the prism over `outline` between two heights as a closed mesh (metres)."""
    import manifold3d
    import numpy as np
    import trimesh

    rings = [
        np.asarray(ring, dtype=np.float64) * _MM for ring in (outline.exterior, *outline.holes)
    ]
    section = manifold3d.CrossSection(rings, manifold3d.FillRule.EvenOdd)
    raw = section.extrude((top_m - bottom_m) * _MM).to_mesh64()
    vertices = np.array(raw.vert_properties[:, :3]) / _MM + (0.0, 0.0, bottom_m)
    return trimesh.Trimesh(vertices, np.array(raw.tri_verts), process=False)


def _material(kind: str) -> Any:
    from trimesh.visual import material, texture

    pbr: Any = material.PBRMaterial  # trimesh carries no annotations here
    visuals: Any = texture.TextureVisuals
    colour, roughness = MATERIALS[kind]
    return visuals(
        material=pbr(
            name=kind,
            baseColorFactor=list(colour),
            metallicFactor=0.0,
            roughnessFactor=roughness,
            alphaMode="OPAQUE" if colour[3] == 255 else "BLEND",
            doubleSided=colour[3] != 255,
        )
    )


def _array(rows: Any) -> Any:
    import numpy as np

    return np.asarray(rows, dtype=np.float64)
