"""What gerbonara, KLayout, gerbv and KiCad read in our files, and faults for copper."""

from __future__ import annotations

import os
import re
import subprocess
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import synthetic_boards as boards
from shapely import STRtree
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import unary_union

from casemate.design.enclosure import TileDesign
from casemate.fabricate import write_tile
from casemate.mesh.model import TileMesh
from outside_programs import missing, program

SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's KiCad lives in the system's Python; it runs as a process of its own, never imported."""

DRC_SCRIPT = """
import sys, pcbnew
board = pcbnew.LoadBoard(sys.argv[1])
assert pcbnew.WriteDRCReport(board, sys.argv[2], pcbnew.EDA_UNITS_MILLIMETRES, True)
"""


def written(folder: Path, tile: TileDesign, mesh: TileMesh) -> Path:
    write_tile(folder, tile, mesh, kicad=True, compress=False)
    return folder


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


def board_file(folder: Path) -> Path:
    return next(folder.glob("*.kicad_pcb"))


def drc(folder: Path) -> tuple[int, dict[str, int]]:
    """Return KiCad's number of findings and how many of each kind."""
    probe = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import pcbnew"], capture_output=True, check=False, timeout=120
    )
    if probe.returncode:
        missing("KiCad's pcbnew")
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


def rendered_area_mm2(path: Path, picture: Path, *, dpi: int = 2540) -> float:
    """Return the dark area that gerbv draws; at 10 um a pixel no width is rounded."""
    import cv2

    draw = program("gerbv")
    subprocess.run(
        [draw, "-x", "png", "-D", str(dpi), "-B", "0", "-b", "#000000", "-f", "#FFFFFFFF",
         "-o", str(picture), str(path)],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    image = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return float(image.sum(dtype=np.float64)) / 255 * (25.4 / dpi) ** 2


def rim_gap_mm(path: Path, corner: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the largest distance from a meshed rectangle's rim to the nearest copper."""
    image = copper(gerber_shapes(path))
    rim = Polygon.from_bounds(*corner, *other).exterior
    return max(
        float(image.distance(rim.interpolate(step))) for step in np.arange(0, rim.length, 0.05)
    )
