"""The proof of a tile: its form, and each planted fault found by the property meant for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from mesh_samples import drawn

from casemate.core.proof import Property
from casemate.design.enclosure import TileDesign
from casemate.mesh.decode import decode
from casemate.mesh.generate import Drawing, draw_tile
from casemate.mesh.model import Net, TileMesh
from casemate.mesh.prove import prove_tile
from small_tile import SECRET, tile

PROPERTIES = (
    "net.single_path", "net.no_contact", "fab.width", "fab.space", "hole.severing.perpendicular",
    "hole.severing.any_direction", "hole.severing.per_layer", "hole.empty.any_direction",
    "adjacency.same_net_share", "bypass.worst_share", "bypass.over_one_percent_share",
    "rim.severing", "patch.severing.any_direction", "terminal.exposed", "pair.resistance_mismatch",
)  # fmt: skip


@cache
def sound() -> dict[str, Property]:
    return rows(tile(), drawn())


def rows(design: TileDesign, drawing: Drawing) -> dict[str, Property]:
    return {row.id: row for row in prove_tile(design, drawing).properties}


def broken(found: dict[str, Property]) -> set[str]:
    return {name for name, row in found.items() if not row.holds}


def with_mesh(**changes: Any) -> Drawing:
    return replace(drawn(), mesh=replace(drawn().mesh, **changes))


def with_vertices(number: int, vertices: np.typing.NDArray[np.int32]) -> Drawing:
    nets = list(drawn().mesh.nets)
    nets[number] = replace(nets[number], vertices=np.ascontiguousarray(vertices, dtype=np.int32))
    return with_mesh(nets=tuple(nets))


def test_proof_has_exactly_the_properties_of_proof_json() -> None:
    entry = prove_tile(tile(), drawn()).as_json()
    assert {"id", "nets", "fine_cells", "properties"} <= set(entry)
    assert entry["nets"] == 16 // 2 == len(drawn().mesh.nets)
    assert sorted(row["id"] for row in entry["properties"]) == sorted(PROPERTIES)
    for row in entry["properties"]:
        fields = set(row) - {"detail"}
        assert fields == {"id", "figure", "bound", "unit", "holds", "method", "seconds"}
        assert math.isfinite(row["figure"]) and row["seconds"] >= 0 and len(row["method"]) > 20


def test_the_sample_is_sound() -> None:
    assert broken(sound()) == set()


@pytest.mark.parametrize("name", ["hole.severing.perpendicular", "hole.severing.per_layer",
                                  "rim.severing"])  # fmt: skip
def test_certified_holes_have_a_witness_within_ten_micrometres(name: str) -> None:
    row = sound()[name]
    assert 0 <= row.detail["slack_m"] <= 10e-6
    assert row.detail["seen_m"] <= row.figure
    x, y = row.detail["at_m"]
    assert 0 <= x <= 16e-3 and 0 <= y <= 12e-3


def test_hole_figures_are_in_order() -> None:
    found = sound()
    straight = found["hole.severing.perpendicular"].figure
    assert found["rim.severing"].figure <= straight
    assert straight <= found["hole.severing.any_direction"].figure
    assert straight <= found["hole.severing.per_layer"].figure
    inside = found["hole.severing.perpendicular"].detail["inside_m"]
    assert 0.2e-3 < inside <= straight


def test_wider_angles_never_make_the_bound_smaller() -> None:
    wide = rows(tile(theta_max_rad=math.radians(70)), drawn())
    for name, row in sound().items():
        if name.startswith("hole."):
            assert wide[name].figure >= row.figure - 8e-6


BOUNDS = (
    ("hole_max_m", 1e-4,
     {"hole.severing.perpendicular", "hole.severing.any_direction", "rim.severing"}),
    ("same_net_share_max", 0.1, {"adjacency.same_net_share"}),
    ("bypass_worst_max", 0.01, {"bypass.worst_share"}),
    ("bypass_over_one_percent_max", 0.01, {"bypass.over_one_percent_share"}),
    ("resistance_mismatch_max", 0.001, {"pair.resistance_mismatch"}),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "value", "expected"), BOUNDS)
def test_each_bound_of_the_spec_judges_its_own_property(
    rule: str, value: float, expected: set[str]
) -> None:
    assert broken(rows(tile(None, **{rule: value}), drawn())) == expected


@pytest.mark.parametrize("keep", [lambda v: v[:-1], lambda v: v[1:], lambda v: v[: len(v) // 2]])
def test_a_cut_net_is_found(
    keep: Callable[[np.typing.NDArray[np.int32]], np.typing.NDArray[np.int32]],
) -> None:
    found = rows(tile(), with_vertices(3, keep(drawn().mesh.nets[3].vertices)))
    assert found["net.single_path"].detail["broken"] == [drawn().mesh.nets[3].name]
    assert "net.single_path" in broken(found)
    assert "net.no_contact" not in broken(found)


def test_a_gap_within_a_net_is_found() -> None:
    """One net drawn as two polylines of the same name."""
    net = drawn().mesh.nets[2]
    middle = len(net.vertices) // 2
    halves = (replace(net, vertices=net.vertices[:middle]),
              replace(net, vertices=net.vertices[middle:]))  # fmt: skip
    nets = drawn().mesh.nets
    found = rows(tile(), with_mesh(nets=(*nets[:2], *halves, *nets[3:])))
    assert "net.single_path" in broken(found)


def spur(number: int, share: float, *, own: bool) -> Drawing:
    """Add to a net a spur towards a neighbouring node of its own, or of another net."""
    mesh = drawn().mesh
    net = mesh.nets[number]
    layer = next(row for row in drawn().layers if row.layer == net.layer)
    nets = [row for row in mesh.nets if row.layer == net.layer]
    mine = [row.name for row in nets].index(net.name)
    d = decode(nets, layer.lattice, swap=False)
    lattice = layer.lattice
    for k in range(len(net.vertices) // 3, len(net.vertices) - 9):
        x, y = (net.vertices[k].astype(np.int64) - [lattice.x_nm, lattice.y_nm]).tolist()
        if x % lattice.pitch_nm or y % lattice.pitch_nm:
            continue
        c, r = x // lattice.pitch_nm, y // lattice.pitch_nm
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            other = d.owner[r + dr, c + dc]
            far = abs(int(d.arc_um[r, c]) - int(d.arc_um[r + dr, c + dc])) > 3000
            if (own and other == mine and far) or (not own and other not in (-1, mine)):
                end = net.vertices[k] + np.round(
                    np.array([dc, dr]) * share * lattice.pitch_nm
                ).astype(np.int32)
                grown = np.insert(net.vertices, k + 1, [end, net.vertices[k]], axis=0)
                return with_vertices(number, grown)
    raise AssertionError("no place for a spur")


@pytest.mark.parametrize("number", [0, 5])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("share", [1.0, 0.55])
def test_a_short_is_found(share: float, own: bool, number: int) -> None:
    """To its own next turn (a full bypass) or to another net, on the lattice or off it."""
    found = rows(tile(), spur(number, share, own=own))
    assert "net.no_contact" in broken(found)
    assert broken(found) <= {"net.no_contact", "fab.space"}
    assert found["net.no_contact"].figure >= 1


@pytest.mark.parametrize("own", [True, False])
def test_a_gap_narrower_than_the_fab_makes_is_found(own: bool) -> None:
    found = rows(tile(), spur(0, 0.3, own=own))
    # the spur goes back over itself, which is a contact of its own
    assert broken(found) == {"fab.space", "net.no_contact"}
    assert found["fab.space"].figure == pytest.approx(40e-6, abs=1e-9)


def test_a_neck_is_found() -> None:
    found = rows(tile(), with_mesh(trace_nm=90_000))
    assert broken(found) == {"fab.width"}


def test_a_fat_trace_is_found() -> None:
    found = rows(tile(hole_max_m=0.8e-3), with_mesh(trace_nm=120_000))
    assert broken(found) == {"fab.space"}


def test_a_moved_terminal_is_found() -> None:
    first, *others = drawn().mesh.terminals
    moved = replace(first, x_nm=first.x_nm + 1)
    found = rows(tile(), with_mesh(terminals=(moved, *others)))
    assert broken(found) == {"net.single_path"}
    assert found["net.single_path"].figure == 1


def test_a_missing_or_stray_terminal_is_found() -> None:
    first, *others = drawn().mesh.terminals
    for terminals in ((*others,), (first, *others, replace(first, net="nobody"))):
        found = rows(tile(), with_mesh(terminals=terminals))
        assert "net.single_path" in broken(found)


def test_swapped_nets_are_found() -> None:
    a, b, *others = drawn().mesh.nets
    nets = (replace(a, name=b.name), replace(b, name=a.name), *others)
    found = rows(tile(), with_mesh(nets=nets))
    assert "net.single_path" in broken(found)
    assert found["net.single_path"].figure == 2


def test_a_pad_on_foreign_copper_is_found() -> None:
    first, *others = drawn().mesh.terminals
    found = rows(tile(), with_mesh(terminals=(replace(first, pad_nm=800_000), *others)))
    assert broken(found) == {"net.no_contact", "fab.space"}


def test_through_vias_show_outside() -> None:
    design = tile()
    through = replace(design, stackup=replace(design.stackup, blind=False))
    found = rows(through, drawn())
    assert found["terminal.exposed"].figure == len(drawn().mesh.terminals)
    hidden = replace(through, lap_m=20e-3)
    assert rows(hidden, drawn())["terminal.exposed"].figure == 0


def test_a_bare_rim_is_found() -> None:
    """Drawn 0.3 mm further from the edge than the tile's own fab profile asks."""
    design = tile()
    shy = replace(design, fab=replace(design.fab, edge_clearance_m=0.5e-3))
    drawing = draw_tile(shy, secret=SECRET, serial="S-1")
    found = rows(design, drawing)
    assert broken(found) == {
        "rim.severing", "hole.severing.perpendicular", "hole.severing.any_direction"
    }  # fmt: skip
    rise = found["rim.severing"].figure - sound()["rim.severing"].figure
    assert 0.28e-3 < rise < 0.5e-3  # 0.3 mm at a side, 0.35 mm in a corner, and a ragged pitch


def test_a_missing_net_is_found() -> None:
    """Its strip is then guarded by the other layer alone."""
    lost = drawn().mesh.nets[1]
    mesh: TileMesh = drawn().mesh
    nets: tuple[Net, ...] = tuple(net for net in mesh.nets if net is not lost)
    terminals = tuple(t for t in mesh.terminals if t.net != lost.name)
    found = rows(tile(), with_mesh(nets=nets, terminals=terminals))
    assert "hole.severing.perpendicular" in broken(found)
    assert "net.single_path" not in broken(found)
