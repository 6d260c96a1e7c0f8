"""Drawn copper, fingers and leads included, measured exactly with shapely."""

from __future__ import annotations

from functools import cache

import pytest
from mesh_samples import drawn
from shapely import LineString, Point, Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from casemate.core.geometry import Outline, circle_ring, rectangle_ring
from casemate.mesh.generate import Drawing, draw_tile
from small_tile import SECRET, tile

L_SHAPE = Outline(
    exterior=((0, 0), (18e-3, 0), (18e-3, 9e-3), (12e-3, 13.07e-3), (0, 13.07e-3)),
    holes=(tuple(reversed(rectangle_ring(2.1e-3, 1.3e-3, x_m=9.03e-3, y_m=9e-3))),
           circle_ring((5e-3, 3.9e-3), 1.1e-3, clockwise=True)),
)  # fmt: skip
"""A slanted corner, a slot and a round hole, none of them on the lattice."""


@cache
def holed() -> Drawing:
    return draw_tile(tile(L_SHAPE), secret=SECRET, serial="S-1")


def copper(drawing: Drawing, layer: int) -> dict[str, Polygon]:
    """Return each net's copper in micrometres."""
    half = drawing.mesh.trace_nm / 2e3
    name = drawing.layers[layer].layer
    return {
        net.name: LineString(net.vertices / 1e3).buffer(half, quad_segs=16)
        for net in drawing.mesh.nets
        if net.layer == name
    }


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("shape", ["rectangle", "holed"])
def test_no_two_nets_come_nearer_than_the_space(shape: str, layer: int) -> None:
    drawing = drawn() if shape == "rectangle" else holed()
    pieces = list(copper(drawing, layer).values())
    assert len(pieces) >= 4
    space = (drawing.mesh.pitch_nm - drawing.mesh.trace_nm) / 1e3
    tree = STRtree(pieces)
    near = [
        (k, int(other)) for k, piece in enumerate(pieces)
        for other in tree.query(piece, predicate="dwithin", distance=space - 0.5) if other > k
    ]  # fmt: skip
    assert near == []


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("shape", ["rectangle", "holed"])
def test_no_net_touches_itself(shape: str, layer: int) -> None:
    """Copper of a path without contact is simply connected: one piece, no hole."""
    drawing = drawn() if shape == "rectangle" else holed()
    for name, piece in copper(drawing, layer).items():
        assert isinstance(piece, Polygon), name
        assert len(piece.interiors) == 0, name


@pytest.mark.parametrize("layer", [0, 1])
def test_no_net_comes_nearer_to_itself_than_the_space(layer: int) -> None:
    """Grown by just under half the space, each net is still simply connected."""
    drawing = holed()
    space = (drawing.mesh.pitch_nm - drawing.mesh.trace_nm) / 1e3
    for name, piece in copper(drawing, layer).items():
        wide = piece.buffer(space / 2 - 0.5, quad_segs=16)
        assert isinstance(wide, Polygon) and len(wide.interiors) == 0, name


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("shape", ["rectangle", "holed"])
def test_copper_keeps_its_clearance_from_every_edge(shape: str, layer: int) -> None:
    drawing, outline = (drawn(), tile().outline) if shape == "rectangle" else (holed(), L_SHAPE)
    board = Polygon([(x * 1e6, y * 1e6) for x, y in outline.exterior],
                    [[(x * 1e6, y * 1e6) for x, y in ring] for ring in outline.holes])  # fmt: skip
    clearance = tile().fab.edge_clearance_m * 1e6
    for name, piece in copper(drawing, layer).items():
        assert board.contains(piece), name
        assert board.exterior.distance(piece) >= clearance - 0.01, name
        assert all(ring.distance(piece) >= clearance - 0.01 for ring in board.interiors), name


@pytest.mark.parametrize("shape", ["rectangle", "holed"])
def test_vias_keep_their_space_from_foreign_copper_on_every_layer_they_pass(shape: str) -> None:
    drawing = drawn() if shape == "rectangle" else holed()
    space = tile().fab.space_min_m * 1e6
    order = tile().stackup.mesh
    pads: list[tuple[str, BaseGeometry]] = []
    for index, layer in enumerate(order):
        nets = copper(drawing, index)
        for t in drawing.mesh.terminals:
            if order.index(t.layer) > index:
                continue  # blind: the via goes inward from its own layer
            pad = Point(t.x_nm / 1e3, t.y_nm / 1e3).buffer(t.pad_nm / 2e3, quad_segs=32)
            if t.layer == layer:
                pads.append((t.net, pad))
            foreign = [piece for name, piece in nets.items() if name != t.net]
            assert min(pad.distance(piece) for piece in foreign) >= space - 0.5, t
    for k, (_, one) in enumerate(pads):
        assert all(one.distance(other) >= space - 0.5 for _, other in pads[k + 1 :])
