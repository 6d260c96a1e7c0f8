"""The joined design of the three examples, its leakage paths and design.json."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import pytest

from casemate.design import design_enclosure, design_json
from casemate.design.assemble import assemble
from casemate.design.attenuation import scope_of, shielding_of
from casemate.design.choice import Choice, choose
from casemate.design.enclosure import Enclosure
from casemate.design.layout import lay_out
from casemate.design.plan import plan_of
from casemate.modules import load_catalogue
from casemate.modules.model import Card
from casemate.spec import load_spec
from casemate.spec.model import EnclosureSpec

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("camera", "dpa", "nvl72")


@cache
def designed(name: str) -> tuple[EnclosureSpec, Choice, Enclosure]:
    spec = load_spec(EXAMPLES / name / "enclosure.toml")
    choice = choose(spec, load_catalogue(), alternatives=False)
    return spec, choice, assemble(spec, choice, serial="T1")


def with_parameters(card: Card, **changes: float) -> Card:
    return dataclasses.replace(card, parameters={**card.parameters, **changes})


def errors_of(name: str, slot: str, card: Card) -> set[str]:
    spec, choice, _ = designed(name)
    picked = {**choice.slots, slot: card}
    found = shielding_of(spec, lay_out(plan_of(spec, choice)), picked)
    return {doubt.id for doubt in found.doubts if doubt.severity == "error"}


@pytest.mark.parametrize("name", NAMES)
def test_example_is_laid_out_whole(name: str) -> None:
    spec, choice, made = designed(name)
    inner, outer, t = spec.protected.size_m, made.size_m, choice.thickness_m
    assert outer[0] == pytest.approx(inner[0] + t["left"] + t["right"])
    assert {crossing.id.split("-1")[0] for crossing in made.crossings} >= {
        item.id for item in spec.crossings if item.count == 1
    }
    tiles = {tile.id: tile for tile in made.tiles}
    assert len(tiles) == len(made.tiles)
    for seam in made.seams:
        assert set(seam.tiles) <= set(tiles)
        assert seam.overlap_m >= seam.required_m
    for crossing in made.crossings:
        if crossing.opening is not None:
            assert crossing.opening in tiles[crossing.tile].outline.holes
    for tile in made.tiles:
        assert tile.mesh.hole_max_m == spec.targets.tool_m
        assert tile.mesh.trace_m < tile.mesh.pitch_m


@pytest.mark.parametrize("name", NAMES)
def test_a_target_missed_by_one_path_alone_is_an_error(name: str) -> None:
    spec, _, made = designed(name)
    errors = {doubt.id for doubt in made.doubts if doubt.severity == "error"}
    for band in spec.targets.attenuation:
        row = next(t for t in made.targets if t.id == f"attenuation.{band.id}")
        blamed = [i for i in errors if i.startswith("shielding.") and i.endswith(f".{band.id}")]
        alone = min(
            min(v for f, v in zip(made.shielding["frequency_hz"], curve, strict=True)
                if band.f_min_hz * 0.999 <= f <= band.f_max_hz * 1.001)
            for curve in made.shielding["paths"].values()
        )  # fmt: skip
        assert bool(blamed) == (alone < band.attenuation_db - 1e-3)
        assert row.achieved <= alone + 1e-2
        assert row.met == (row.achieved >= row.required)
        if blamed:
            assert not row.met


def test_a_vent_with_cells_too_wide_is_an_error() -> None:
    _, choice, _ = designed("nvl72")
    card = choice.slots["vent/air-in"]
    good = errors_of("nvl72", "vent/air-in", card)
    assert "shielding.air.air-in.plane-wave" not in good
    wide = errors_of("nvl72", "vent/air-in", with_parameters(card, cell_m=0.2, depth_m=0.02))
    assert "shielding.air.air-in.plane-wave" in wide


def test_an_unfiltered_wire_voids_the_wall() -> None:
    _, choice, _ = designed("camera")
    bare = dataclasses.replace(choice.slots["crossing_copper/poe"], attenuation=())
    assert "shielding.copper.poe.plane-wave" in errors_of("camera", "crossing_copper/poe", bare)


def test_a_seam_without_a_bond_keeps_nothing() -> None:
    spec, choice, _ = designed("camera")
    bare = {
        key: with_parameters(card, transfer_impedance_ohm_m=0.0)
        if card.function in ("seam", "shield")
        else card
        for key, card in choice.slots.items()
    }
    found = shielding_of(spec, lay_out(plan_of(spec, choice)), bare)
    assert all(t.achieved == 0.0 and not t.met for t in found.targets)


def test_no_standard_is_claimed() -> None:
    for name in NAMES:
        text = json.dumps(designed(name)[2].shielding).lower()
        assert "compliant" not in text
        assert "tailored method" in text
    assert "in neither scope" in designed("nvl72")[2].shielding["scope"]
    assert "299.1" in scope_of((0.3, 0.12, 0.3))
    assert "299-2006" in scope_of((2.0, 2.1, 3.0))


def test_curves_reach_from_10_khz_to_18_ghz() -> None:
    made = designed("camera")[2].shielding
    assert made["frequency_hz"][0] == pytest.approx(1e4)
    assert made["frequency_hz"][-1] == pytest.approx(18e9)
    for curve in made["paths"].values():
        assert len(curve) == len(made["frequency_hz"])
        assert all(t <= v * 1.0001 + 1e-3 for t, v in zip(made["total_db"], curve, strict=True))
    pairs = zip(made["in_phase_db"], made["total_db"], strict=True)
    assert all(phase <= power + 1e-3 for phase, power in pairs)
    assert {term["id"] for term in made["terms"]} == set(made["paths"])
    assert all(term["equation"] and term["source"] for term in made["terms"])


def test_rack_air_meets_its_limits_and_counts_the_lamella() -> None:
    _, choice, made = designed("nvl72")
    rows = {t.id: t for t in made.targets}
    assert rows["pressure_drop.air-in"].met
    assert rows["inlet_rise.air-in"].met
    assert 0 < made.air["pressure_drop_pa"] <= made.air["limit_pa"] == 15.0
    plan = plan_of(designed("nvl72")[0], choice)
    shut = with_parameters(choice.slots["vent/air-in"], lamella_open_share=0.3)
    blocked = dataclasses.replace(choice, slots={**choice.slots, "vent/air-in": shut})
    worse = assemble(designed("nvl72")[0], blocked, serial="T1")
    assert worse.air["pressure_drop_pa"] > 5 * made.air["pressure_drop_pa"]
    assert len(plan.openings) == len(designed("nvl72")[0].crossings)


def test_fibres_share_bores_of_their_card() -> None:
    made = designed("nvl72")[2]
    fibres = next(c for c in made.crossings if c.id == "fibres")
    assert fibres.size_m[0] * fibres.size_m[1] < 0.12 * 0.04
    assert fibres.attenuation_db["microwave"] > 60


@pytest.mark.parametrize("name", NAMES)
def test_totals_follow_from_the_bill_of_what_is_built(name: str) -> None:
    _, choice, made = designed(name)
    assert made.totals["unit_cost_usd"] == pytest.approx(
        sum(row["cost_usd"] for row in made.bom), abs=0.02 * len(made.bom)
    )
    assert made.totals["mass_kg"] == pytest.approx(sum(row["mass_kg"] for row in made.bom))
    skins = {card.id for key, card in choice.slots.items() if key.startswith("mesh_skin/")}
    boards = sum(row["quantity"] for row in made.bom if row["id"] in skins)
    flat = sum(t.width_m * t.height_m for t in made.tiles if t.bend is None)
    assert boards == pytest.approx(flat, abs=1e-5)
    strips = next(row for row in made.bom if row["id"] == "seam-folded-flex")
    assert strips["quantity"] == pytest.approx(4 * sum(made.size_m), abs=1e-5)
    seams = sum(row["quantity"] for row in made.bom if row["function"] == "seam")
    assert seams == pytest.approx(made.totals["seam_length_m"], abs=1e-5)
    cost = next(row for row in made.targets if row.id == "unit_cost")
    assert cost.achieved == pytest.approx(made.totals["unit_cost_usd"])


def test_errors_come_first_among_doubts() -> None:
    severities = [doubt.severity for doubt in designed("nvl72")[2].doubts]
    assert severities == sorted(severities, key=("error", "high", "medium", "low").index)


def test_design_json_has_the_agreed_keys() -> None:
    made = design_json(designed("camera")[2])
    assert list(made) == [
        "name", "size_m", "modules", "faces", "tiles", "crossings", "targets", "doubts",
        "alternatives", "totals",
    ]  # fmt: skip
    assert set(made["modules"][0]) == {
        "id", "function", "face", "maturity", "reason", "runner_up",
    }  # fmt: skip
    assert set(made["faces"][0]) == {"name", "thickness_m", "budget_m", "door"}
    assert set(made["tiles"][0]) == {
        "id", "face", "module", "width_m", "height_m", "layers", "pitch_m", "trace_m", "outline",
        "bend", "frame", "laps",
    }  # fmt: skip
    assert set(made["tiles"][0]["frame"]) == {"origin_m", "x_axis", "y_axis", "inward"}
    assert set(made["crossings"][0]) == {
        "id", "kind", "face", "tile", "module", "centre_m", "size_m",
    }  # fmt: skip
    assert set(made["targets"][0]) == {"id", "required", "achieved", "unit", "met", "evidence"}
    assert set(made["totals"]) == {
        "thickness_max_m", "mass_kg", "unit_cost_usd", "development_cost_usd", "install_h",
        "unavailability_min_per_year",
    }  # fmt: skip
    assert len(made["faces"]) == 6
    json.dumps(made, allow_nan=False)


def test_the_whole_design_is_deterministic(dpa_design: Enclosure) -> None:
    """Twice in this process, and once, without reasons, in whichever of the run came first."""
    spec = load_spec(EXAMPLES / "dpa" / "enclosure.toml")
    first, second = (design_enclosure(spec, serial="UNIT-0001") for _ in range(2))
    assert json.dumps(design_json(first)) == json.dumps(design_json(second))
    assert first.shielding == second.shielding
    assert dpa_design == dataclasses.replace(
        first,
        alternatives=(),
        modules=tuple(
            dataclasses.replace(row, reason="not explained", runner_up="not searched", binding="")
            for row in first.modules
        ),
    ), "only reasons and alternatives are left out"
