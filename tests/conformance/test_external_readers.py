"""What others read in our manufacturing files: gerbonara, KLayout, kiutils and gerbv.

KiCad: test_external_drc.py.

Faults are planted in the copper; each must be seen by the tool that can see it.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import synthetic_boards as boards
from outside_readers import (
    board_file,
    copper,
    cut,
    gerber_shapes,
    intended,
    layer_path,
    net_graph,
    outline_holes,
    rendered_area_mm2,
    rim_gap_mm,
    self_shorted,
    shorted,
    written,
)
from shapely.geometry import Polygon

from casemate.design.enclosure import TileDesign
from casemate.fabricate.board import lay_out
from casemate.mesh.model import TileMesh


@pytest.mark.parametrize("layer", ["In1.Cu", "In2.Cu"])
def test_gerber_copper_is_the_mesh(
    folder: Path, sound: tuple[TileDesign, TileMesh], layer: str
) -> None:
    read = copper(gerber_shapes(layer_path(folder, layer)))
    want = intended(*sound, layer)
    assert read.symmetric_difference(want).area < 1e-4 * want.area


@pytest.mark.parametrize("layer", ["F.Cu", "B.Cu"])
def test_planes_keep_their_distance(
    folder: Path, sound: tuple[TileDesign, TileMesh], layer: str
) -> None:
    tile, mesh = sound
    shapes = gerber_shapes(layer_path(folder, layer))
    plane = copper(shape for shape in shapes if shape[0].endswith("_Cu"))
    lands = intended(tile, mesh, layer)
    exterior, *holes = (
        np.array(ring) * 1e3 for ring in (tile.outline.exterior, *tile.outline.holes)
    )
    board = Polygon(exterior, holes)
    edge, gap = tile.fab.edge_clearance_m * 1e3, tile.fab.space_min_m * 1e3
    assert board.contains(plane)
    assert plane.distance(board.boundary) >= edge
    assert lands.is_empty or plane.distance(lands) >= gap
    ideal = board.buffer(-edge).difference(lands.buffer(gap))
    assert 0.985 * ideal.area < plane.area < ideal.area


def test_profile_and_mask(folder: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    tile, _ = sound
    edge = copper(gerber_shapes(layer_path(folder, "Edge.Cuts")))
    assert len(edge.geoms) == 1 + len(tile.outline.holes)
    board = Polygon(np.array(tile.outline.exterior) * 1e3)
    assert edge.envelope.buffer(-0.025).symmetric_difference(board).area < 0.01
    assert gerber_shapes(layer_path(folder, "F.Mask")) == []
    openings = gerber_shapes(layer_path(folder, "B.Mask"))
    assert len(openings) == len(sound[1].terminals)


def test_net_graph_agrees_with_netlist(folder: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    from gerbonara.ipc356 import Netlist

    tile, mesh = sound
    count, names = net_graph(folder, tile.stackup.copper)
    assert all(len(found) == 1 for found in names.values())
    assert len(set.union(*names.values())) == len(names) == count
    records = Netlist.open(folder / "netlist.ipc").test_records
    assert {record.net_name for record in records} == {net.name for net in mesh.nets}
    for net in mesh.nets:
        pads = [one for one in records if one.net_name == net.name and not one.is_via]
        ends = {(int(x), int(y)) for x, y in (net.vertices[0], net.vertices[-1])}
        assert {(round(pad.x * 1e6), round(pad.y * 1e6)) for pad in pads} == ends


def test_net_graph_sees_short_and_cut(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    tile, mesh = sound
    _, names = net_graph(written(tmp_path / "short", tile, shorted(mesh)), tile.stackup.copper)
    assert names[mesh.nets[0].name] == names[mesh.nets[1].name]
    _, names = net_graph(written(tmp_path / "cut", tile, cut(mesh)), tile.stackup.copper)
    assert len(names[mesh.nets[0].name]) == 2


@pytest.mark.parametrize("layer", ["In1.Cu", "In2.Cu"])
def test_klayout_each_net_is_one_polygon_without_holes(folder: Path, layer: str) -> None:
    found = outline_holes(layer_path(folder, layer))
    assert len(found) == 2
    assert set(found.values()) == {(1, 0)}


def test_klayout_sees_a_self_short(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    tile, mesh = sound
    bad = self_shorted(mesh)
    found = outline_holes(layer_path(written(tmp_path, tile, bad), "In1.Cu"))
    assert found[mesh.nets[0].name] == (1, 1)
    assert found[mesh.nets[1].name] == (1, 0)


def test_kiutils_reads_every_segment(folder: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    from kiutils.board import Board

    tile, mesh = sound
    read = Board.from_file(str(board_file(folder)))
    x_min, _, _, y_max = lay_out(tile, mesh).bounds
    strokes = [item for item in read.traceItems if type(item).__name__ == "Segment"]
    assert len(strokes) == mesh.segments
    assert len({item.tstamp for item in strokes}) == len(strokes)
    numbers = {net.name: net.number for net in read.nets}
    want = set()
    for net in mesh.nets:
        points = net.vertices.astype(np.int64) - [x_min, y_max]
        points = points * [1, -1] + 10_000_000
        for start, end in itertools.pairwise(points):
            want.add((*start.tolist(), *end.tolist(), numbers[net.name]))
    got = {
        (*(round(v * 1e6) for v in (s.start.X, s.start.Y, s.end.X, s.end.Y)), s.net)
        for s in strokes
    }
    assert got == want


@pytest.mark.parametrize("layer", ["In1.Cu", "B.Cu"])
def test_gerbv_draws_the_same_area(folder: Path, tmp_path: Path, layer: str) -> None:
    path = layer_path(folder, layer)
    drawn = rendered_area_mm2(path, tmp_path / "layer.png")
    assert drawn == pytest.approx(copper(gerber_shapes(path)).area, rel=0.002)


def test_bare_rim_shows_in_the_files(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    tile, mesh = sound
    full = written(tmp_path / "full", tile, mesh)
    bare = written(tmp_path / "bare", tile, boards.mesh(tile, turns=20))
    body = ((3.1, 1.0), (12.9, 10.4))
    assert rim_gap_mm(layer_path(full, "In1.Cu"), *body) <= 0.2
    assert rim_gap_mm(layer_path(bare, "In1.Cu"), *body) > 1.0
