"""What KiCad's DRC says of our boards: nothing of sound ones, and each fault that it can see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_boards as boards
from outside_readers import (
    board_file,
    cut,
    drc,
    self_shorted,
    shorted,
    written,
)

from casemate.design.enclosure import TileDesign
from casemate.fabricate import kicad
from casemate.mesh.model import TileMesh


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
