"""Meshes that the generator has drawn, as other programs read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_boards as boards
from outside_readers import (
    drc,
    intended,
    layer_path,
    net_graph,
    outline_holes,
    rendered_area_mm2,
    written,
)

from casemate.design.enclosure import TileDesign
from casemate.mesh.model import TileMesh


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
