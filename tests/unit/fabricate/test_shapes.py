"""Solids of a real design: strips bent, shingles tilted, all of it inside the box."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import manifold3d
import numpy as np
import pytest
from assembly_samples import camera

from casemate.core.geometry import circle_ring, rectangle_ring
from casemate.design import design_enclosure
from casemate.design.enclosure import Enclosure
from casemate.fabricate.gltf import scene, solid
from casemate.fabricate.shapes import (
    as_circle,
    frame_matrix,
    hex_centres,
    outline_area,
    parts,
    ring_area,
    vent_cell,
)
from casemate.spec import load_spec


@pytest.fixture(scope="module")
def rack() -> Enclosure:
    spec = files("casemate.spec") / "examples" / "nvl72.toml"
    return design_enclosure(load_spec(Path(str(spec))), serial="1", explained=False)


def test_a_rack_of_tilted_boards_stays_in_its_box(rack: Enclosure) -> None:
    low, high = scene(rack).bounds
    width, depth, height = rack.size_m
    assert any(tile.laps for tile in rack.tiles) and any(tile.bend for tile in rack.tiles)
    np.testing.assert_allclose(low, (0.0, 0.0, -depth), atol=1e-6)
    np.testing.assert_allclose(high, (width, height, 0.0), atol=1e-6)


def test_parts_have_the_volume_of_the_boards(rack: Enclosure) -> None:
    found = {part.id: part.volume_m3 for part in parts(rack) if part.kind in ("tile", "strip")}
    for tile in rack.tiles:
        shown = tile.width_m - (sum(dict(tile.laps).values()) if tile.bend else 0.0)
        area = shown * tile.height_m if tile.bend else outline_area(tile.outline)
        loose = 5e-3 if tile.bend else 1e-4  # chords of the bend; slivers of the tilt
        assert found[tile.id] == pytest.approx(area * tile.stackup.thickness_m, rel=loose)


def test_every_frame_is_right_handed_and_rigid(rack: Enclosure) -> None:
    for part in parts(rack):
        turn = np.array(frame_matrix(part.frame))[:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(turn) == pytest.approx(1.0)


def solids(enclosure: Enclosure, kinds: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Return the parts as closed bodies in place, a little slimmer so that contact is none."""
    found = []
    for part in parts(enclosure):
        if part.kind in kinds:
            mesh = solid(part.outline, part.z_m[0] + 1e-6, part.z_m[1] - 1e-6)
            mesh.apply_transform(np.array(frame_matrix(part.frame)))
            body = manifold3d.Manifold(
                manifold3d.Mesh64(
                    np.asarray(mesh.vertices) * 1e3, np.asarray(mesh.faces, dtype=np.uint64)
                )
            )
            found.append((part.id, body))
    return found


@pytest.mark.parametrize("name", ["camera", "dpa", "nvl72"])
def test_boards_and_strips_do_not_run_into_each_other(name: str) -> None:
    """Strips against everything, boards against those of other faces."""
    spec = files("casemate.spec") / "examples" / f"{name}.toml"
    made = design_enclosure(load_spec(Path(str(spec))), serial="1", explained=False)
    owner = {tile.id: "" if tile.bend else tile.face for tile in made.tiles}
    bodies = solids(made, ("tile", "strip"))
    boxes = [np.array(body.bounding_box()) for _, body in bodies]
    for i, (one, body) in enumerate(bodies):
        for j, (other, against) in enumerate(bodies[:i]):
            apart = np.maximum(boxes[i][:3], boxes[j][:3]) >= np.minimum(boxes[i][3:], boxes[j][3:])
            if apart.any() or owner[one] == owner[other] != "":
                continue
            common = (body ^ against).volume()
            assert common < 0.05, (one, other, common)  # cubic millimetres


def test_a_vent_that_cuts_no_board_is_drawn(rack: Enclosure) -> None:
    vents = {part.id: part for part in parts(rack) if part.kind == "vent"}
    crossings = [c for c in rack.crossings if c.kind == "air"]
    assert crossings and all(c.id in vents for c in crossings)
    for crossing in crossings:
        assert outline_area(vents[crossing.id].outline) == pytest.approx(
            math.prod(crossing.size_m), rel=1e-9
        )
        assert "slab" in vents[crossing.id].note
    assert vent_cell(rack, crossings[0].id)[0] > 0


def test_circle_is_found_and_a_square_is_not() -> None:
    found = as_circle(circle_ring((0.01, 0.02), 0.005, clockwise=True))
    assert found is not None
    assert found[0] == pytest.approx((0.01, 0.02)) and found[1] == pytest.approx(0.005, rel=1e-9)
    assert as_circle(rectangle_ring(1.0, 1.0, x_m=0.0, y_m=0.0)) is None
    oval = tuple((x, 1.01 * y) for x, y in circle_ring((0.0, 0.0), 0.005))
    assert as_circle(oval) is None


def test_hexagons_do_not_overlap_and_stay_inside() -> None:
    ring = rectangle_ring(0.03, 0.02, x_m=0.0, y_m=0.0)
    centres = hex_centres(ring, 0.003)
    gaps = [math.dist(a, b) for i, a in enumerate(centres) for b in centres[:i]]
    assert min(gaps) == pytest.approx(0.003)
    assert len(centres) * 0.003**2 * math.sqrt(3) / 2 < ring_area(ring)
    assert all(0.0015 - 1e-9 <= x <= 0.0285 + 1e-9 and 0 < y < 0.02 for x, y in centres)


def test_camera_sample_has_no_strips() -> None:
    assert not [part for part in parts(camera()) if part.kind == "strip"]
