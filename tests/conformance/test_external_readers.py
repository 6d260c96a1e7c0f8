"""What others read in our manufacturing files: gerbonara, KLayout, kiutils, gerbv and KiCad's DRC.

Faults are planted in the copper; each must be seen by the tool that can see it.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import STRtree
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import unary_union

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "fabricate"))

import synthetic_boards as boards

from casemate.design.enclosure import TileDesign
from casemate.fabricate import kicad, write_tile
from casemate.fabricate.board import lay_out
from casemate.mesh.model import TileMesh

SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's KiCad lives in the system's Python; it runs as a process of its own, never imported."""

DRC_SCRIPT = """
import sys, pcbnew
board = pcbnew.LoadBoard(sys.argv[1])
assert pcbnew.WriteDRCReport(board, sys.argv[2], pcbnew.EDA_UNITS_MILLIMETRES, True)
"""


def unavailable(what: str) -> None:
    """Skip, or fail where every outside tool is required."""
    if os.environ.get("CASEMATE_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is required here and missing")
    pytest.skip(f"{what} is not installed")


def written(folder: Path, tile: TileDesign, mesh: TileMesh) -> Path:
    write_tile(folder, tile, mesh, kicad=True, compress=False)
    return folder


@pytest.fixture(scope="module")
def sound() -> tuple[TileDesign, TileMesh]:
    tile = boards.tile()
    return tile, boards.mesh(tile)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sound: tuple[TileDesign, TileMesh]) -> Path:
    return written(tmp_path_factory.mktemp("tile"), *sound)


# ---------------------------------------------------------------- reading back


def gerber_shapes(path: Path, *, quarter: int = 16) -> list[tuple[str, bool, Any]]:
    """Return (net, dark, polygon in mm) of each object, in drawing order, as gerbonara has it.

    quarter: chords in a quarter of a round end.
    """
    from gerbonara import GerberFile

    shapes: list[tuple[str, bool, Any]] = []
    for item in GerberFile.open(path).objects:
        kind = type(item).__name__
        # gerbonara 1.5 keeps no attributes on regions; only planes are drawn as regions
        net = path.stem if kind == "Region" else item.attrs.get(".N", ("",))[0]
        if kind == "Line":
            line = LineString([(item.x1, item.y1), (item.x2, item.y2)])
            shape = line.buffer(item.aperture.diameter / 2, quad_segs=quarter)
        elif kind == "Flash":
            shape = Point(item.x, item.y).buffer(item.aperture.diameter / 2, quad_segs=quarter)
        elif kind == "Region":
            shape = Polygon(item.outline)
        else:
            raise AssertionError(f"unexpected object {kind}")
        shapes.append((net, item.polarity_dark, shape))
    return shapes


def copper(shapes: Iterable[tuple[str, bool, Any]]) -> Any:
    """Return the image of the shapes: dark ones add, clear ones take away what is beneath."""
    image: Any = Polygon()
    batch: list[Any] = []
    now = True
    for _, dark, shape in [*shapes, ("", True, Polygon()), ("", False, Polygon())]:
        if dark != now:
            part = unary_union(batch)
            image = image.union(part) if now else image.difference(part)
            batch, now = [], dark
        batch.append(shape)
    return image


def layer_path(folder: Path, layer: str) -> Path:
    return next((folder / "gerber").glob(f"*-{layer.replace('.', '_')}.gbr"))


def intended(tile: TileDesign, mesh: TileMesh, layer: str) -> Any:
    """Return the traces and lands a layer should carry, straight from the mesh (mm)."""
    parts = [
        LineString(net.vertices / 1e6).buffer(mesh.trace_nm / 2e6, quad_segs=16)
        for net in mesh.nets
        if net.layer == layer
    ]
    names = tile.stackup.copper
    for terminal in mesh.terminals:
        span = sorted((names.index(terminal.layer), names.index(terminal.to_layer)))
        if span[0] <= names.index(layer) <= span[1]:
            centre = Point(terminal.x_nm / 1e6, terminal.y_nm / 1e6)
            parts.append(centre.buffer(terminal.pad_nm / 2e6, quad_segs=16))
    return unary_union(parts)


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


def drills(folder: Path) -> list[tuple[int, int, float, float]]:
    """Return (first, last, x, y) of every hole as gerbonara reads it."""
    from gerbonara import ExcellonFile

    found = []
    for path in sorted((folder / "drill").glob("*.drl")):
        first, last = map(int, re.findall(r"-L(\d+)-L(\d+)\.drl", path.name)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # G90 after the header, as KiCad has it
            found += [(first, last, hole.x, hole.y) for hole in ExcellonFile.open(path).objects]
    return found


def net_graph(folder: Path, layers: tuple[str, ...]) -> tuple[int, dict[str, set[int]]]:
    """Return how many connected pieces the copper has and which pieces each net name touches.

    Pieces come from read-back Gerber polygons alone, joined through read-back drill holes.
    """
    pieces: list[tuple[int, Any]] = []
    labels: list[tuple[str, int, Any]] = []
    for number, layer in enumerate(layers, start=1):
        shapes = gerber_shapes(layer_path(folder, layer), quarter=2)
        image = copper(shapes)
        parts = getattr(image, "geoms", [image])
        pieces += [(number, part) for part in parts if not part.is_empty]
        labels += [(net, number, shape) for net, dark, shape in shapes if dark and net]
    parent = list(range(len(pieces)))

    def find(one: int) -> int:
        while parent[one] != one:
            one = parent[one]
        return one

    tree = STRtree([part for _, part in pieces])
    for first, last, x, y in drills(folder):
        near = tree.query(Point(x, y), predicate="intersects").tolist()
        hit = [index for index in sorted(near) if first <= pieces[index][0] <= last]
        for other in hit[1:]:
            parent[find(other)] = find(hit[0])
    # the middle of a plane may lie in one of its openings, a point of its rim does not
    middles = [
        Point(shape.exterior.coords[0]) if net.endswith("_Cu") else shape.representative_point()
        for net, _, shape in labels
    ]
    names: dict[str, set[int]] = {}
    for which, index in tree.query(middles, predicate="intersects").T.tolist():
        net, number, _ = labels[which]
        if pieces[index][0] == number:
            names.setdefault(net, set()).add(find(index))
    return len({find(index) for index in range(len(pieces))}), names


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


# ---------------------------------------------------------------- planted faults


def cut(mesh: TileMesh) -> TileMesh:
    """Return the mesh with one stroke of net 0 missing: two pieces under one name."""
    net = mesh.nets[0]
    pieces = (
        replace(net, vertices=net.vertices[:20].copy()),
        replace(net, vertices=net.vertices[21:].copy()),
    )
    return replace(mesh, nets=(*pieces, *mesh.nets[1:]))


def shorted(mesh: TileMesh) -> TileMesh:
    """Return the mesh with a corner of net 0 pulled onto net 1."""
    points = mesh.nets[0].vertices.copy()
    right = np.flatnonzero(points[:, 0] == points[:, 0].max())[10:12]
    points[right, 0] += boards.PITCH_NM
    bad: TileMesh = boards.with_vertices(mesh, 0, points)
    return bad


def self_shorted(mesh: TileMesh) -> TileMesh:
    """Return the mesh with a bridge between the first two strokes of net 0, half-way along.

    After a right end lane 0 comes back beside itself, so the bridge meets no other net.
    """
    net = mesh.nets[0]
    (_, low), (_, high) = net.vertices[2].tolist(), net.vertices[3].tolist()
    assert abs(high - low) == boards.PITCH_NM
    bridge = np.array([[8_000_000, low], [8_000_000, high]], dtype=np.int32)
    return replace(mesh, nets=(*mesh.nets, replace(net, vertices=bridge)))


# ---------------------------------------------------------------- KLayout: no contact with oneself


def outline_holes(path: Path) -> dict[str, tuple[int, int]]:
    """Return (polygons, holes) of each net's merged copper on one layer."""
    import klayout.db as kdb
    from gerbonara import GerberFile

    regions: dict[str, Any] = {}
    for item in GerberFile.open(path).objects:
        if type(item).__name__ != "Line":
            continue
        net = item.attrs[".N"][0]
        width = round(item.aperture.diameter * 1e6)
        ends = [
            kdb.Point(round(x * 1e6), round(y * 1e6))
            for x, y in ((item.x1, item.y1), (item.x2, item.y2))
        ]
        path_shape = kdb.Path(ends, width, width // 2, width // 2, True)
        regions.setdefault(net, kdb.Region()).insert(path_shape.polygon())
    found = {}
    for net, region in regions.items():
        merged = region.merged()
        polygons = list(merged.each())
        found[net] = (len(polygons), sum(polygon.holes() for polygon in polygons))
    return found


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


# ---------------------------------------------------------------- KiCad


def board_file(folder: Path) -> Path:
    return next(folder.glob("*.kicad_pcb"))


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


def drc(folder: Path) -> tuple[int, dict[str, int]]:
    """Return KiCad's number of findings and how many of each kind."""
    probe = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import pcbnew"], capture_output=True, check=False, timeout=120
    )
    if probe.returncode:
        unavailable("KiCad's pcbnew")
    report = folder / "drc.txt"
    run = subprocess.run(
        [SYSTEM_PYTHON, "-c", DRC_SCRIPT, str(board_file(folder)), str(report)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "HOME": str(folder)},
    )
    assert run.returncode == 0, run.stderr
    text = report.read_text()
    total = sum(int(number) for number in re.findall(r"\*\* Found (\d+) ", text))
    kinds: dict[str, int] = {}
    for kind in re.findall(r"^\[(\w+)\]:", text, re.MULTILINE):
        kinds[kind] = kinds.get(kind, 0) + 1
    return total, kinds


def test_kicad_drc_finds_nothing(folder: Path) -> None:
    assert drc(folder) == (0, {})


def test_kicad_drc_finds_nothing_on_two_layers(tmp_path: Path) -> None:
    tile = boards.tile(stackup=boards.TWO_LAYERS)
    assert drc(written(tmp_path, tile, boards.mesh(tile))) == (0, {})


def test_kicad_sees_a_cut(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    _, kinds = drc(written(tmp_path, sound[0], cut(sound[1])))
    assert kinds.get("track_dangling", 0) >= 2
    assert kinds.get("unconnected_items", 0) >= 1


def test_kicad_sees_a_short(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    _, kinds = drc(written(tmp_path, sound[0], shorted(sound[1])))
    assert {"shorting_items", "tracks_crossing", "clearance"} & set(kinds)


def test_kicad_sees_a_neck(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    written(tmp_path, *sound)
    path = board_file(tmp_path)
    path.write_text(path.read_text().replace("(width 0.1) (layer", "(width 0.08) (layer", 1))
    _, kinds = drc(tmp_path)
    assert kinds == {"track_width": 1}


def test_kicad_sees_copper_at_the_rim(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    points = sound[1].nets[1].vertices.copy()
    points[:2, 1] = 200_000
    bad = boards.with_vertices(sound[1], 1, points)
    _, kinds = drc(written(tmp_path, sound[0], bad))
    assert kinds.get("copper_edge_clearance", 0) >= 1


def test_kicad_checks_the_fill_of_planes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through vias pass both planes; with the antipads filled in, each one is a finding."""
    tile = boards.tile(stackup=replace(boards.FOUR_LAYERS, blind=False))
    mesh = boards.mesh(tile)
    assert drc(written(tmp_path / "sound", tile, mesh)) == (0, {})
    monkeypatch.setattr(kicad, "keyhole", lambda exterior, openings: exterior)
    _, kinds = drc(written(tmp_path / "filled", tile, mesh))
    found = kinds.get("clearance", 0) + kinds.get("shorting_items", 0)
    assert found + kinds.get("hole_clearance", 0) >= len(mesh.terminals)


def test_kicad_does_not_see_a_self_short(
    tmp_path: Path, sound: tuple[TileDesign, TileMesh]
) -> None:
    """The blind spot for which KLayout's count above (and our own proof) exist."""
    _, kinds = drc(written(tmp_path, sound[0], self_shorted(sound[1])))
    assert not {"shorting_items", "clearance", "unconnected_items"} & set(kinds)


# ---------------------------------------------------------------- gerbv


def rendered_area_mm2(path: Path, picture: Path, *, dpi: int = 2540) -> float:
    """Return the dark area that gerbv draws; at 10 um a pixel no width is rounded."""
    import cv2

    if shutil.which("gerbv") is None:
        unavailable("gerbv")
    subprocess.run(
        ["gerbv", "-x", "png", "-D", str(dpi), "-B", "0", "-b", "#000000", "-f", "#FFFFFFFF",
         "-o", str(picture), str(path)],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    image = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return float(image.sum(dtype=np.float64)) / 255 * (25.4 / dpi) ** 2


@pytest.mark.parametrize("layer", ["In1.Cu", "B.Cu"])
def test_gerbv_draws_the_same_area(folder: Path, tmp_path: Path, layer: str) -> None:
    path = layer_path(folder, layer)
    drawn = rendered_area_mm2(path, tmp_path / "layer.png")
    assert drawn == pytest.approx(copper(gerber_shapes(path)).area, rel=0.002)


# ---------------------------------------------------------------- rim


def rim_gap_mm(path: Path, corner: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the largest distance from a meshed rectangle's rim to the nearest copper."""
    image = copper(gerber_shapes(path))
    rim = Polygon.from_bounds(*corner, *other).exterior
    return max(
        float(image.distance(rim.interpolate(step))) for step in np.arange(0, rim.length, 0.05)
    )


def test_bare_rim_shows_in_the_files(tmp_path: Path, sound: tuple[TileDesign, TileMesh]) -> None:
    tile, mesh = sound
    full = written(tmp_path / "full", tile, mesh)
    bare = written(tmp_path / "bare", tile, boards.mesh(tile, turns=20))
    body = ((3.1, 1.0), (12.9, 10.4))
    assert rim_gap_mm(layer_path(full, "In1.Cu"), *body) <= 0.2
    assert rim_gap_mm(layer_path(bare, "In1.Cu"), *body) > 1.0


# ---------------------------------------------------------------- drawn meshes


@pytest.fixture(scope="module", params=["rigid", "flex"])
def drawn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TileDesign, TileMesh, Path]:
    """Return a random mesh of the generator and the folder of its files."""
    from casemate.mesh.generate import draw_tile

    if request.param != "flex":
        stackup = replace(boards.FOUR_LAYERS, plane=("F.Cu",), blind=True)
        pitch_m, trace_m = 0.2e-3, 0.1e-3
    else:
        stackup = replace(boards.TWO_LAYERS, mesh=("F.Cu", "B.Cu"), depth_m=(35e-6, 85e-6))
        pitch_m, trace_m = 0.3e-3, 0.15e-3
    tile = boards.tile(width_m=0.03, height_m=0.025, stackup=stackup, hole=False)
    slot = ((0.018, 0.008), (0.018, 0.017), (0.022, 0.017), (0.022, 0.008))
    tile = replace(
        tile,
        outline=replace(tile.outline, holes=(slot,)),
        mesh=replace(tile.mesh, pattern="tree", pitch_m=pitch_m, trace_m=trace_m),
        fab=replace(tile.fab, trace_min_m=trace_m, space_min_m=pitch_m - trace_m),
    )
    mesh = draw_tile(tile, secret=bytes(32), serial="conformance").mesh
    return tile, mesh, written(tmp_path_factory.mktemp(request.param), tile, mesh)


def test_drawn_mesh_passes_drc(drawn: tuple[TileDesign, TileMesh, Path]) -> None:
    assert drc(drawn[2]) == (0, {})


def test_drawn_nets_are_polygons_without_holes(drawn: tuple[TileDesign, TileMesh, Path]) -> None:
    tile, mesh, folder = drawn
    found: dict[str, tuple[int, int]] = {}
    for layer in tile.stackup.mesh:
        found |= outline_holes(layer_path(folder, layer))
    assert found == {net.name: (1, 0) for net in mesh.nets}


def test_drawn_net_graph(drawn: tuple[TileDesign, TileMesh, Path]) -> None:
    tile, mesh, folder = drawn
    count, names = net_graph(folder, tile.stackup.copper)
    assert {net.name for net in mesh.nets} <= set(names)
    assert all(len(found) == 1 for found in names.values())
    assert len(set.union(*names.values())) == len(names) == count


def test_drawn_copper_has_the_same_area_in_gerbv(
    drawn: tuple[TileDesign, TileMesh, Path], tmp_path: Path
) -> None:
    tile, mesh, folder = drawn
    for layer in tile.stackup.mesh:
        path = layer_path(folder, layer)
        area = rendered_area_mm2(path, tmp_path / "layer.png")
        assert area == pytest.approx(intended(tile, mesh, layer).area, rel=0.002)
