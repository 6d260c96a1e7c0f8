"""Drawing a tile: bound to secret and serial, complete or refused with the bare polygons."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from mesh_samples import drawn
from shapely import MultiLineString, Polygon, box

from casemate.core.errors import MeshError
from casemate.core.geometry import Outline, Point, rectangle, rectangle_ring
from casemate.core.randomness import commitment, opening
from casemate.mesh.generate import Drawing, draw_tile
from small_tile import FAB, SECRET, tile


def same(one: Drawing, two: Drawing) -> bool:
    return len(one.mesh.nets) == len(two.mesh.nets) and all(
        a.name == b.name and np.array_equal(a.vertices, b.vertices)
        for a, b in zip(one.mesh.nets, two.mesh.nets, strict=True)
    )


def test_same_secret_and_serial_draw_the_same() -> None:
    again = draw_tile(tile(), secret=SECRET, serial="S-1")
    assert same(drawn(), again)
    assert again.mesh.terminals == drawn().mesh.terminals
    assert again.mesh.commitment == drawn().mesh.commitment


@pytest.mark.parametrize("change", ["secret", "serial", "tile"])
def test_each_of_secret_serial_and_tile_changes_the_layout(change: str) -> None:
    design = replace(tile(), id="front-2") if change == "tile" else tile()
    secret = bytes(32) if change == "secret" else SECRET
    serial = "S-2" if change == "serial" else "S-1"
    other = draw_tile(design, secret=secret, serial=serial)
    assert not same(drawn(), other)
    assert other.mesh.commitment != drawn().mesh.commitment


def test_the_two_layers_are_not_copies() -> None:
    first, second = ([net.vertices for net in drawn().mesh.nets if net.layer == layer.layer]
                     for layer in drawn().layers)  # fmt: skip
    shift = drawn().mesh.pitch_nm // 2
    moved = {(v - shift).tobytes() for v in second}
    assert not moved & {v.tobytes() for v in first}


def test_the_commitment_opens_and_discloses_nothing() -> None:
    import hashlib

    label = "S-1/front-1"
    shown = drawn().mesh.commitment
    assert shown == commitment(SECRET, label)
    rebuilt = hashlib.sha256(
        b"casemate/v1/commitment\0" + label.encode() + b"\0" + opening(SECRET, label)
    ).hexdigest()
    assert rebuilt == shown
    assert opening(SECRET, label).hex() not in shown and SECRET.hex() not in shown


def test_the_opening_determines_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is shown the opening can draw the layout again, without the secret."""
    shown = opening(SECRET, "S-1/front-1")
    monkeypatch.setattr("casemate.mesh.generate.opening", lambda *_: shown)
    again = draw_tile(tile(), secret=bytes(32), serial="S-1")
    assert same(drawn(), again)


def test_through_vias_that_would_pass_another_mesh_layer_are_refused() -> None:
    design = tile()
    through = replace(design, stackup=replace(design.stackup, blind=False))
    with pytest.raises(MeshError) as caught:
        draw_tile(through, secret=SECRET, serial="S-1")
    assert caught.value.remedy


def test_a_tall_tile_is_drawn_in_its_own_frame() -> None:
    drawing = draw_tile(tile(rectangle(12e-3, 16e-3)), secret=SECRET, serial="S-1")
    assert all(layer.swap for layer in drawing.layers)
    vertices = np.concatenate([net.vertices for net in drawing.mesh.nets])
    assert 11.4e6 < vertices[:, 0].max() < 11.8e6 and 15.4e6 < vertices[:, 1].max() < 15.8e6


@pytest.mark.parametrize("pattern", ["tree", "serpentine"])
@pytest.mark.parametrize("lanes", [2, 3])
def test_nets_are_two_a_lane_and_zone_with_two_terminals_each(lanes: int, pattern: str) -> None:
    design = tile(rectangle(30e-3, 24e-3), lanes=lanes, pattern=pattern, net_length_max_m=0.7)
    mesh = draw_tile(design, secret=SECRET, serial="S").mesh
    assert len(mesh.nets) % (2 * lanes) == 0 and len(mesh.nets) >= 4 * lanes
    ends = {(t.net, t.end) for t in mesh.terminals}
    assert ends == set(itertools.product([net.name for net in mesh.nets], ("start", "end")))
    assert len(mesh.terminals) == len(ends)


def dumbbell(lobe_m: float) -> Outline:
    """Return a lobe of 16 x 12 mm and a smaller square one, joined by a neck of 0.3 mm."""
    y0, y1 = 6e-3 - 0.15e-3, 6e-3 + 0.15e-3
    half = lobe_m / 2
    points: tuple[Point, ...] = (
        (0, 0), (16e-3, 0), (16e-3, y0), (18e-3, y0), (18e-3, 6e-3 - half),
        (18e-3 + lobe_m, 6e-3 - half), (18e-3 + lobe_m, 6e-3 + half), (18e-3, 6e-3 + half),
        (18e-3, y1), (16e-3, y1), (16e-3, 12e-3), (0, 12e-3),
    )  # fmt: skip
    return Outline(exterior=points)


def test_a_second_lobe_is_covered_where_it_holds_a_zone() -> None:
    """The other public generator leaves it empty in silence."""
    drawing = draw_tile(tile(dumbbell(12e-3)), secret=SECRET, serial="S-1")
    window = box(18.6e6, 0.6e6, 29.4e6, 11.4e6)
    for layer in drawing.layers:
        lines = MultiLineString(
            [net.vertices for net in drawing.mesh.nets if net.layer == layer.layer]
        )
        bare = window.difference(lines.buffer(0.31e6, quad_segs=4))
        assert bare.area == pytest.approx(0.0, abs=1e6)


@pytest.mark.parametrize("lobe_m", [2e-3, 3e-3, 5e-3])
def test_an_unreachable_lobe_is_an_error_with_its_polygon(lobe_m: float) -> None:
    outline = dumbbell(lobe_m)
    with pytest.raises(MeshError) as caught:
        draw_tile(tile(outline), secret=SECRET, serial="S-1")
    assert caught.value.polygons_m and caught.value.exit_code == 1
    assert "cannot be reached" in caught.value.message and "mm" in caught.value.remedy
    for ring in caught.value.polygons_m:
        shape = Polygon(ring)
        assert Polygon(outline.exterior).contains(shape)
        assert shape.bounds[0] >= 18e-3, "the polygon lies in the lobe"
        assert shape.area > 0.2 * lobe_m**2


def test_the_polygons_of_a_tall_tile_are_in_its_own_frame() -> None:
    wide = dumbbell(3e-3)
    tall = Outline(exterior=tuple((y, x) for x, y in reversed(wide.exterior)))
    with pytest.raises(MeshError) as caught:
        draw_tile(tile(tall), secret=SECRET, serial="S-1")
    assert all(Polygon(ring).bounds[1] >= 18e-3 for ring in caught.value.polygons_m)


@pytest.mark.parametrize("size", [(0.3e-3, 12e-3), (1e-3, 1e-3), (4e-3, 2e-3), (16e-3, 1.5e-3)])
def test_a_tile_too_small_says_so(size: tuple[float, float]) -> None:
    with pytest.raises(MeshError) as caught:
        draw_tile(tile(rectangle(*size)), secret=SECRET, serial="S-1")
    assert caught.value.remedy and "tile" in str(caught.value)


def test_vias_that_do_not_fit_the_pitch_are_refused() -> None:
    design = replace(tile(), fab=replace(FAB, via_pad_m=0.75e-3, via_drill_m=0.4e-3))
    with pytest.raises(MeshError, match="do not fit a pitch"):
        draw_tile(design, secret=SECRET, serial="S-1")


def test_traces_ring_an_opening_on_both_layers() -> None:
    hole = tuple(reversed(rectangle_ring(4e-3, 3e-3, x_m=10e-3, y_m=7e-3)))
    outline = Outline(exterior=rectangle(24e-3, 18e-3).exterior, holes=(hole,))
    drawing = draw_tile(tile(outline), secret=SECRET, serial="S-1")
    opening_nm = box(10e6, 7e6, 14e6, 10e6)
    ring = opening_nm.buffer(0.26e6, join_style="mitre").exterior
    for layer in drawing.layers:
        lines = MultiLineString(
            [net.vertices for net in drawing.mesh.nets if net.layer == layer.layer]
        )
        assert lines.distance(opening_nm) >= 0.25e6
        near = ring.intersection(lines.buffer(0.25e6))
        assert near.length > 0.9 * ring.length
