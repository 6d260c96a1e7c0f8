"""KiCad text: exact numbers, stamps that repeat nowhere, rules of the fab, planes as one ring."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import synthetic_boards as boards
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box
from shapely.ops import unary_union

from casemate.fabricate import kicad, write_tile
from casemate.fabricate.board import lay_out
from casemate.fabricate.keyhole import keyhole
from casemate.fabricate.text import millimetres, put_hex, put_millimetres, put_signed


@settings(deadline=None)
@given(st.integers(-(2**32) + 1, 2**32 - 1))
def test_numbers_are_exact(value: int) -> None:
    buffer = np.empty(40, dtype=np.uint8)
    assert buffer[: put_signed(buffer, 0, value)].tobytes().decode() == str(value)
    text = buffer[: put_millimetres(buffer, 0, value)].tobytes().decode()
    assert text == millimetres(value)
    assert Decimal(text) * 1_000_000 == value
    assert "." not in text or not text.endswith(("0", "."))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_hex_is_exact(value: int) -> None:
    buffer = np.empty(8, dtype=np.uint8)
    put_hex(buffer, 0, value)
    assert buffer.tobytes().decode() == f"{value:08x}"


def board_text(folder: Path) -> str:
    tile = boards.tile()
    write_tile(folder, tile, boards.mesh(tile), kicad=True, compress=False)
    return (folder / "front.0.kicad_pcb").read_text()


def test_stamps_are_unique_and_repeat_each_run(tmp_path: Path) -> None:
    text = board_text(tmp_path / "one")
    stamps = re.findall(r"\(tstamp ([0-9a-f-]+)\)", text)
    assert len(stamps) == len(set(stamps)) > 200
    assert text == board_text(tmp_path / "two")


def test_chunks_join_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = board_text(tmp_path / "one")
    monkeypatch.setattr(kicad, "CHUNK", 7)
    assert board_text(tmp_path / "two") == whole


def test_project_carries_the_rules_of_the_fab(tmp_path: Path) -> None:
    board_text(tmp_path)
    design = json.loads((tmp_path / "front.0.kicad_pro").read_text())["board"]["design_settings"]
    rules = design["rules"]
    assert rules["min_clearance"] == 0.1
    assert rules["min_track_width"] == 0.1
    assert rules["min_copper_edge_clearance"] == 0.3
    assert rules["min_via_diameter"] == 0.45
    assert rules["min_through_hole_diameter"] == 0.2
    assert rules["allow_blind_buried_vias"] is True
    ignored = [key for key, value in design["rule_severities"].items() if value != "error"]
    assert ignored == ["zone_has_empty_net"]


def test_vias_are_blind_and_name_their_layers(tmp_path: Path) -> None:
    text = board_text(tmp_path)
    vias = re.findall(r'\(via( blind)? .*?\(layers "(.+?)" "(.+?)"\)', text)
    assert sorted(set(vias)) == [(" blind", "In1.Cu", "B.Cu"), (" blind", "In2.Cu", "B.Cu")]
    assert len(vias) == 8


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(5, 95), st.integers(5, 95), st.integers(1, 8)),
        min_size=1,
        max_size=12,
    )
)
def test_keyhole_keeps_the_area(spots: list[tuple[int, int, int]]) -> None:
    unit = 1_000_000
    discs = [Point(x * unit, y * unit).buffer(r * unit, quad_segs=6) for x, y, r in spots]
    area = box(0, 0, 100 * unit, 100 * unit).difference(unary_union(discs))
    if area.geom_type != "Polygon" or not area.interiors:
        return
    exterior, *openings = (
        np.rint(np.array(ring.coords)[:-1]).astype(np.int64)
        for ring in (area.exterior, *area.interiors)
    )
    ring = keyhole(exterior, openings)
    x, y = ring.astype(np.float64).T
    signed = 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    assert abs(signed) == pytest.approx(area.area, rel=1e-6)
    assert len(ring) == len(exterior) + sum(len(one) + 3 for one in openings)


def test_planes_avoid_vias_where_nothing_is_blind() -> None:
    tile = boards.tile(stackup=replace(boards.FOUR_LAYERS, blind=False))
    board = lay_out(tile, boards.mesh(tile))
    outer = next(plane for plane in board.planes if plane.layer == "F.Cu")
    copper = Polygon(outer.exterior, outer.openings)
    assert copper.is_valid
    for hole in board.holes:
        distance = copper.distance(Point(hole.x_nm, hole.y_nm))
        assert distance >= hole.pad_nm / 2 + tile.fab.space_min_m * 1e9


def test_a_plane_that_falls_apart_has_a_net_for_each_piece() -> None:
    tile = boards.tile(hole=False)
    slot = ((0.0098, 0.0002), (0.0098, 0.0118), (0.0102, 0.0118), (0.0102, 0.0002))
    tile = replace(tile, outline=replace(tile.outline, holes=(slot,)))
    planes = [one for one in lay_out(tile, boards.mesh(tile)).planes if one.layer == "F.Cu"]
    assert [plane.net for plane in planes] == ["SHIELD_F.Cu", "SHIELD_F.Cu_2"]
