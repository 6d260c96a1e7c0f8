"""Figures that the choice plans with, against the shared references and by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from casemate.design import shielding as em
from casemate.design.choice_fields import leak_db, leak_share_ppm
from casemate.design.needs import (
    Slot,
    face_size_m,
    lattice_hole_m,
    made_by,
    quantity,
    slots_of,
    vent_drop_pa,
)
from casemate.design.totals import unavailability_s
from casemate.modules import Card, load_catalogue
from casemate.spec.loader import load_spec
from casemate.spec.model import CrossingSpec, EnclosureSpec

CATALOGUE = load_catalogue()
EXAMPLES = Path(__file__).parents[3] / "examples"


def example(name: str) -> EnclosureSpec:
    return load_spec(EXAMPLES / name / "enclosure.toml")


def card(id: str) -> Card:
    found = CATALOGUE.get(id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("depth_m", "reference_mm"),
    [((0.0,), 0.424), ((0.0, 0.2e-3), 0.375), ((0.0, 0.05e-3), 0.339)],
)
def test_lattice_hole_reaches_the_figures_of_the_reference(
    depth_m: tuple[float, ...], reference_mm: float
) -> None:
    """Reference mesh.md 6b.3 at pitch 0.2, trace 0.1; ours adds half a pixel, so never less."""
    found = lattice_hole_m(0.2e-3, 0.1e-3, depth_m, math.radians(70)) * 1e3
    assert reference_mm - 0.0005 <= found <= reference_mm + 0.010


def test_lattice_hole_scales_with_the_drawing() -> None:
    small = lattice_hole_m(0.2e-3, 0.1e-3, (0.0, 0.05e-3), 1.2)
    assert lattice_hole_m(0.6e-3, 0.3e-3, (0.0, 0.15e-3), 1.2) == pytest.approx(3 * small)


@pytest.mark.parametrize(("speed", "reference_pa"), [(1.0, 1.4), (2.5, 5.2), (5.0, 14.5)])
def test_pressure_drop_of_a_honeycomb_is_that_of_the_reference(
    speed: float, reference_pa: float
) -> None:
    """Reference cad_em.md section 4: 3.2 x 12.7 mm, open share 0.95."""
    vent = card("vent-honeycomb-3.2")
    bare = replace(vent, parameters={**vent.parameters, "lamella_open_share": 1.0})
    air = CrossingSpec(
        id="air",
        kind="air",
        face="front",
        count=1,
        diameter_m=0.0,
        size_m=(1.0, 1.0),
        position_m=None,
        flow_m3_s=speed,
    )
    assert vent_drop_pa(bare, air) == pytest.approx(reference_pa, rel=0.03)
    assert vent_drop_pa(vent, air) > vent_drop_pa(bare, air)


def test_a_vent_of_the_reference_keeps_what_the_reference_says() -> None:
    """Reference cad_em.md 2.2: 3.2 x 12.7 mm at 1 GHz 108 dB a cell, 10,149 cells in 300 x 300."""
    slot = Slot(key="vent/a", function="vent", area_m2=0.09)
    found = leak_db(slot, card("vent-honeycomb-3.2"), example("nvl72"), 1e9)
    assert found == pytest.approx(108 - 10 * math.log10(10149), abs=0.5)


def test_leaks_add_up_to_the_whole_allowance() -> None:
    spec, slot = example("camera"), Slot(key="crossing_copper/x", function="crossing_copper")
    filter_ = card("copper-poe-filter")
    assert leak_share_ppm(slot, filter_, spec, 5e8, 40.0) == pytest.approx(1e6, rel=1e-6)
    assert leak_share_ppm(slot, filter_, spec, 5e8, 30.0) == pytest.approx(1e5, rel=1e-5)
    assert leak_db(slot, filter_, spec, 5e9) == 0.0  # outside its bands a wire voids the wall


def test_shield_is_the_sheet_equation() -> None:
    slot = Slot(key="shield/left", function="shield")
    found = leak_db(slot, card("shield-foil"), example("camera"), 1e6)
    assert found == em.sheet_db(1e6, 35e-6, 5.8e7) == pytest.approx(111.7, abs=0.1)


def test_skin_area_and_seams_are_those_of_the_box() -> None:
    spec = example("camera")
    bare = replace(spec, crossings=())
    slots = {slot.key: slot for slot in slots_of(bare, CATALOGUE)}
    x, y, z = spec.protected.size_m
    area = sum(slot.area_m2 for slot in slots.values() if slot.function == "mesh_skin")
    assert area == pytest.approx(2 * (x * y + y * z + x * z))
    assert slots["seam/edges"].length_m == pytest.approx(4 * (x + y + z))  # a strip each
    assert slots["seam/left"].length_m == 0  # boards larger than any face: no joints
    assert slots["seam/rear"].length_m == pytest.approx(2 * (x + z))  # the door owns its edges


def test_a_rack_has_joints_where_the_boards_end() -> None:
    spec = example("nvl72")
    slots = {slot.key: slot for slot in slots_of(spec, CATALOGUE)}
    depth, height = face_size_m(spec, "left")
    assert slots["seam/left"].length_m == pytest.approx(height + 3 * depth)  # 2 x 4 boards


def test_fibres_are_counted_by_ferrule() -> None:
    slot = Slot(key="crossing_fibre/f", function="crossing_fibre", count=180)
    assert quantity(slot, card("fibre-ferrule")) == 8
    assert quantity(slot, card("fibre-mpo-bulkhead")) == 3


def test_a_fab_makes_only_its_kind_of_board() -> None:
    assert made_by(card("skin-rigid-4l"), "jlc-rigid-4l")
    assert not made_by(card("skin-rigid-4l"), "flex-standard-2l")
    assert made_by(card("skin-flex-2l"), "flex-standard-2l")
    assert not made_by(card("skin-rigid-flex-wall"), "jlc-rigid-4l")


def test_unavailability_by_hand() -> None:
    """Two liquid plates, one door with swaps of a part that stops the host, and false alarms."""
    spec = example("nvl72")
    liquid, door, mcu = (
        card("liquid-multi-bore"),
        card("seam-gasketed-door"),
        card("controller-mcu"),
    )
    chosen = {
        "crossing_liquid/c": (Slot(key="", function="crossing_liquid"), liquid, 2.0),
        "seam/rear": (Slot(key="", function="seam", face="rear"), door, 5.0),
        "controller": (Slot(key="", function="controller"), mcu, 1.0),
    }
    by_hand = 2 * 3600 / 100  # 60 min once in 100 years each
    by_hand += 90 * 0.05 * 12  # manifold or cartridge: 0.05 a month, whole host
    by_hand += 0.012 * 900  # one false alarm in 83 years, 15 min
    assert unavailability_s(chosen, spec) == pytest.approx(by_hand, rel=1e-3)
