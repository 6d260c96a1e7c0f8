"""Drill files: one a span, the right kind, every hole once."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_boards as boards

from casemate.design.enclosure import Bend, Stackup
from casemate.fabricate import write_tile


def written(folder: Path, stackup: Stackup, **change: object) -> dict[str, str]:
    tile = boards.tile(stackup=stackup)
    mesh = boards.mesh(tile)
    terminals = tuple(replace(one, **change) for one in mesh.terminals)  # type: ignore[arg-type]
    write_tile(folder, tile, replace(mesh, terminals=terminals), kicad=False, compress=False)
    return {path.name: path.read_text() for path in sorted((folder / "drill").glob("*"))}


def test_blind_spans_have_files_of_their_own(tmp_path: Path) -> None:
    files = written(tmp_path, boards.FOUR_LAYERS)
    assert list(files) == ["front.0-L2-L4.drl", "front.0-L3-L4.drl"]
    assert "TF.FileFunction,Plated,2,4,Blind" in files["front.0-L2-L4.drl"]
    assert "TF.FileFunction,Plated,3,4,Blind" in files["front.0-L3-L4.drl"]


def test_buried_spans_are_called_buried(tmp_path: Path) -> None:
    files = written(tmp_path, boards.FOUR_LAYERS, layer="In1.Cu", to_layer="In2.Cu")
    assert list(files) == ["front.0-L2-L3.drl"]
    assert "Plated,2,3,Buried" in files["front.0-L2-L3.drl"]


def test_without_blind_vias_every_hole_goes_through(tmp_path: Path) -> None:
    files = written(tmp_path, replace(boards.FOUR_LAYERS, blind=False))
    assert list(files) == ["front.0-L1-L4.drl"]
    assert "Plated,1,4,PTH" in files["front.0-L1-L4.drl"]


def test_a_terminal_on_its_own_layer_needs_no_hole(tmp_path: Path) -> None:
    assert written(tmp_path, boards.FOUR_LAYERS, layer="B.Cu", to_layer="B.Cu") == {}


def test_every_coordinate_shows_its_decimal_point(tmp_path: Path) -> None:
    for text in written(tmp_path, boards.FOUR_LAYERS).values():
        holes = [line for line in text.splitlines() if line.startswith("X")]
        assert len(holes) == 4
        assert all(re.fullmatch(r"X-?\d+\.\d+Y-?\d+\.\d+", line) for line in holes)


def test_gerbonara_reads_the_holes(tmp_path: Path) -> None:
    from gerbonara import ExcellonFile

    written(tmp_path, boards.FOUR_LAYERS)
    mesh = boards.mesh(boards.tile())
    want = {(one.x_nm, one.y_nm, one.drill_nm) for one in mesh.terminals}
    got = set()
    for path in (tmp_path / "drill").glob("*.drl"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            for hole in ExcellonFile.open(path).objects:
                size = hole.aperture.diameter
                got.add(tuple(round(value * 1e6) for value in (hole.x, hole.y, size)))
    assert got == want


def test_notes_say_where_and_how_to_bend(tmp_path: Path) -> None:
    bend = Bend(
        edge="front~left", faces=("left", "front"), line_m=(0.003, 0.0046), radius_m=0.96e-3,
        level_m=0.0, ends_m=(0.00408, 0.005),
    )  # fmt: skip
    tile = replace(boards.tile(stackup=boards.TWO_LAYERS), bend=bend)
    write_tile(tmp_path, tile, boards.mesh(tile), kicad=False, compress=False)
    notes = json.loads((tmp_path / "fabrication.json").read_text())
    assert notes["bend"]["lines_y_mm"] == [3.0, 4.6]
    assert notes["bend"]["inside_radius_mm"] == 0.96
    assert notes["bend"]["outside"] == notes["copper_layers"][0]
    assert any("mandrel" in sentence for sentence in notes["notes"])


def test_notes_table_agrees_with_the_files(tmp_path: Path) -> None:
    files = written(tmp_path, boards.FOUR_LAYERS)
    notes = json.loads((tmp_path / "fabrication.json").read_text())
    assert [row["file"] for row in notes["drills"]] == list(files)
    for row in notes["drills"]:
        text = files[row["file"]]
        assert row["count"] == sum(line.startswith("X") for line in text.splitlines())
        assert f"T1C{row['drill_mm']:g}" in text
    assert notes["impedance_control"] is None
    assert notes["fab_profile"]["source"] == boards.FAB.source
    assert notes["space_mm"] == pytest.approx(0.1)
