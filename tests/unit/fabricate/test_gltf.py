"""The glTF assembly, read back with trimesh and as raw JSON."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from assembly_samples import THICKNESS_M, box, camera

from casemate.design.enclosure import Enclosure
from casemate.fabricate.gltf import scene, write_gltf
from casemate.fabricate.shapes import MAX_CELLS, parts


def _json(path: Path) -> dict[str, object]:
    raw = path.read_bytes()
    assert raw[:4] == b"glTF"
    (length,) = struct.unpack("<I", raw[12:16])
    found: dict[str, object] = json.loads(raw[20 : 20 + length])
    return found


def _volumes(built: trimesh.Scene) -> dict[str, float]:
    return {name: float(mesh.volume) for name, mesh in built.geometry.items()}


@pytest.fixture
def sample() -> Enclosure:
    return camera()


def test_bounding_box_is_the_enclosure(tmp_path: Path, sample: Enclosure) -> None:
    write_gltf(tmp_path / "a.glb", sample)
    extents = trimesh.load_scene(tmp_path / "a.glb").extents
    width, depth, height = sample.size_m
    np.testing.assert_allclose(extents, (width, height, depth), rtol=1e-6)  # glTF: y is up


def test_a_tile_that_leaves_the_box_is_seen(sample: Enclosure) -> None:
    from dataclasses import replace

    tile = sample.tiles[0]
    outward = replace(tile, frame=replace(tile.frame, inward=(0.0, -1.0, 0.0)))
    wrong = replace(sample, tiles=(outward, *sample.tiles[1:]))
    assert scene(wrong).extents[2] > sample.size_m[1] + THICKNESS_M / 2


def test_every_solid_is_closed_and_volumes_sum(tmp_path: Path, sample: Enclosure) -> None:
    write_gltf(tmp_path / "a.glb", sample)
    built = trimesh.load_scene(tmp_path / "a.glb", merge_primitives=True)
    for mesh in built.geometry.values():
        mesh.merge_vertices()
        assert mesh.is_watertight
        assert mesh.volume > 0
    w, d, h = sample.size_m
    skin = 2 * (w * d + d * h + w * h)
    holes = math.pi * (0.020**2 + 0.004**2) + 0.060 * 0.030  # analytic: circles, rectangle
    tiles = sum(v for name, v in _volumes(built).items() if name.startswith("tile "))
    assert tiles == pytest.approx((skin - holes) * THICKNESS_M, rel=1e-4)


def test_vent_cells_share_one_mesh(tmp_path: Path, sample: Enclosure) -> None:
    write_gltf(tmp_path / "a.glb", sample)
    tree = _json(tmp_path / "a.glb")
    nodes = [n for n in tree["nodes"] if str(n.get("name", "")).startswith("vent ")]  # type: ignore[attr-defined]
    assert len({n["mesh"] for n in nodes}) == 1
    vent = next(part for part in parts(sample) if part.kind == "vent")
    assert len(nodes) == len(vent.instances) > 100
    pitch = 0.0032 * 1.02
    full = 0.060 * 0.030 / (pitch**2 * math.sqrt(3) / 2)
    assert 0.75 * full < len(nodes) <= full


def test_too_many_cells_become_a_stated_slab() -> None:
    big = box(
        name="big",
        size=(0.6, 1.0, 2.0),
        vent=("rear", (0.3, 1.0), (0.5, 1.8)),
        cell_m=0.0032,
    )
    vent = next(part for part in parts(big) if part.kind == "vent")
    assert not vent.instances
    assert "slab" in vent.note and int(vent.note.split("(")[1].split()[0]) > MAX_CELLS


def test_materials_are_stated_non_metallic(tmp_path: Path, sample: Enclosure) -> None:
    write_gltf(tmp_path / "a.glb", sample)
    tree = _json(tmp_path / "a.glb")
    for material in tree["materials"]:  # type: ignore[attr-defined]
        assert material["pbrMetallicRoughness"]["metallicFactor"] == 0.0
    for mesh in tree["meshes"]:  # type: ignore[attr-defined]
        assert all("material" in primitive for primitive in mesh["primitives"])


def test_panels_are_named_nodes(tmp_path: Path, sample: Enclosure) -> None:
    write_gltf(tmp_path / "a.glb", sample)
    names = {node.get("name") for node in _json(tmp_path / "a.glb")["nodes"]}  # type: ignore[attr-defined]
    assert {f"panel {panel.id}" for panel in sample.panels} <= names
    assert {f"tile {tile.id}" for tile in sample.tiles} <= names


def test_bytes_are_deterministic(tmp_path: Path) -> None:
    write_gltf(tmp_path / "a.glb", camera())
    write_gltf(tmp_path / "b.glb", camera())
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()
