"""Solids of a real design: flaps folded, shingles tilted, all of it inside the box."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from assembly_samples import camera

from casemate.core.geometry import circle_ring, rectangle_ring
from casemate.design import design_enclosure
from casemate.design.enclosure import Enclosure
from casemate.fabricate.gltf import scene
from casemate.fabricate.shapes import (
    as_circle,
    frame_matrix,
    hex_centres,
    outline_area,
    parts,
    ring_area,
    vent_cell,
    visible_outline,
)
from casemate.spec import load_spec


@pytest.fixture(scope="module")
def rack() -> Enclosure:
    spec = files("casemate.spec") / "examples" / "nvl72.toml"
    return design_enclosure(load_spec(Path(str(spec))), serial="1")


def test_a_rack_of_tilted_boards_stays_in_its_box(rack: Enclosure) -> None:
    low, high = scene(rack).bounds
    width, depth, height = rack.size_m
    assert any(tile.laps for tile in rack.tiles) and any(tile.flaps for tile in rack.tiles)
    np.testing.assert_allclose(low, (0.0, 0.0, -depth), atol=1e-6)
    np.testing.assert_allclose(high, (width, height, 0.0), atol=1e-6)


def test_flat_parts_and_flaps_add_up_to_the_boards(rack: Enclosure) -> None:
    found: dict[str, float] = {}
    for part in parts(rack):
        if part.kind in ("tile", "flap"):
            found[part.tile] = found.get(part.tile, 0.0) + part.volume_m3
    for tile in rack.tiles:
        board = outline_area(tile.outline) * tile.stackup.thickness_m
        assert found[tile.id] == pytest.approx(board, rel=1e-4)  # slivers of the tilt: 10 µm


def test_every_frame_is_right_handed_and_rigid(rack: Enclosure) -> None:
    for part in parts(rack):
        turn = np.array(frame_matrix(part.frame))[:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(turn) == pytest.approx(1.0)


def test_a_flap_left_flat_would_leave_the_box(rack: Enclosure) -> None:
    flat = replace(rack, tiles=tuple(replace(tile, flaps=()) for tile in rack.tiles))
    assert scene(flat).extents[0] > rack.size_m[0] + 1e-3


def test_visible_outline_drops_the_flaps(rack: Enclosure) -> None:
    tile = next(tile for tile in rack.tiles if tile.flaps)
    lost = sum(width for _, width in tile.flaps)
    assert tile.width_m + tile.height_m - lost == pytest.approx(
        sum(visible_outline(tile).bounds[i + 2] - visible_outline(tile).bounds[i] for i in (0, 1))
    )


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


def test_camera_sample_has_no_flaps() -> None:
    assert not [part for part in parts(camera()) if part.kind == "flap"]
