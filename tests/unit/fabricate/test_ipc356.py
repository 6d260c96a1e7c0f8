"""The netlist as gerbonara reads it, in both units and with long names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import synthetic_boards as boards

from casemate.design.enclosure import TileDesign
from casemate.fabricate import write_tile
from casemate.mesh.model import TileMesh


def read(folder: Path, tile: TileDesign, mesh: TileMesh) -> list[Any]:
    from gerbonara.ipc356 import Netlist

    write_tile(folder, tile, mesh, kicad=False, compress=False)
    return list(Netlist.open(folder / "netlist.ipc").test_records)


def test_terminals_and_vias_have_their_nets_and_places(tmp_path: Path) -> None:
    tile = boards.tile()
    mesh = boards.mesh(tile)
    records = read(tmp_path, tile, mesh)
    want = {(one.net, one.x_nm, one.y_nm) for one in mesh.terminals}
    for via in (False, True):
        some = [one for one in records if one.is_via is via]
        assert {(r.net_name, round(r.x * 1e6), round(r.y * 1e6)) for r in some} == want
        assert {record.access_layer for record in some} == {4}
    pads = [one for one in records if not one.is_via]
    assert {record.ref_des for record in pads} == {f"TP{n}" for n in range(1, 9)}
    assert {round(record.w * 1e6) for record in pads} == {boards.PAD_NM}
    assert {round(r.hole_dia * 1e6) for r in records if r.is_via} == {boards.DRILL_NM}


def test_long_names_survive_through_aliases(tmp_path: Path) -> None:
    tile = boards.tile()
    mesh = boards.mesh(tile)
    long = {net.name: f"{net.name}.of.a.zone.with.a.long.name" for net in mesh.nets}
    mesh = replace(
        mesh,
        nets=tuple(replace(net, name=long[net.name]) for net in mesh.nets),
        terminals=tuple(replace(one, net=long[one.net]) for one in mesh.terminals),
    )
    assert {record.net_name for record in read(tmp_path, tile, mesh)} == set(long.values())


def test_boards_over_a_metre_are_written_in_inches(tmp_path: Path) -> None:
    tile = boards.tile(width_m=1.2, hole=False)
    mesh = boards.mesh(tile)
    far = replace(mesh.terminals[0], x_nm=1_150_000_000)
    mesh = replace(mesh, terminals=(far, *mesh.terminals[1:]))
    records = read(tmp_path, tile, mesh)
    assert "UNITS CUST 0" in (tmp_path / "netlist.ipc").read_text()
    assert max(record.x for record in records) * 25.4 == pytest.approx(1150.0, abs=0.0026)


def test_lines_keep_to_the_columns(tmp_path: Path) -> None:
    read(tmp_path, boards.tile(), boards.mesh(boards.tile()))
    for line in (tmp_path / "netlist.ipc").read_text().splitlines():
        assert len(line) <= 80
        if line.startswith("3"):
            assert (line[38], line[41], line[49], line[57], line[62]) == ("A", "X", "Y", "X", "Y")


def test_buried_holes_are_left_out(tmp_path: Path) -> None:
    tile = boards.tile()
    mesh = boards.mesh(tile)
    buried = tuple(replace(one, layer="In1.Cu", to_layer="In2.Cu") for one in mesh.terminals)
    records = read(tmp_path, tile, replace(mesh, terminals=buried))
    assert not [record for record in records if record.is_via]
