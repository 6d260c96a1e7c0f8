"""The choice of modules: right by brute force, explained, and honest where nothing fits."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casemate.core.errors import DesignError
from casemate.design import explain
from casemate.design.choice import Choice, choose
from casemate.design.choice_model import DIFFERENT_MODULE_S, build
from casemate.design.choice_rules import CUSTOM_INTERFACE_S
from casemate.design.choice_solve import UNMET, feasible, solve
from casemate.design.needs import candidates, quantity, slots_of
from casemate.design.totals import card_doubt_weight, coverage, targets_of, totals_of
from casemate.modules import Card, Catalogue, load_catalogue
from casemate.modules.loader import SHIPPED
from casemate.spec.loader import load_spec
from casemate.spec.model import EnclosureSpec

EXAMPLES = Path(__file__).parents[3] / "examples"
CATALOGUE = load_catalogue()


def example(name: str) -> EnclosureSpec:
    return load_spec(EXAMPLES / name / "enclosure.toml")


@functools.cache
def chosen(name: str) -> Choice:
    """The explained choice of an example, which takes seconds."""
    return choose(example(name), CATALOGUE)


def without(*ids: str) -> Catalogue:
    return Catalogue(cards=tuple(card for card in CATALOGUE if card.id not in ids))


def budget(spec: EnclosureSpec, **changes: Any) -> EnclosureSpec:
    return replace(spec, budgets=replace(spec.budgets, **changes))


def target(spec: EnclosureSpec, **changes: Any) -> EnclosureSpec:
    return replace(spec, targets=replace(spec.targets, **changes))


@pytest.mark.parametrize("name", ["camera", "dpa", "nvl72"])
def test_example_meets_every_target_and_explains_every_module(name: str) -> None:
    choice = chosen(name)
    assert [row.id for row in choice.targets if not row.met] == []
    assert choice.conflict == ()
    assert all(row.reason and row.runner_up for row in choice.modules)
    assert any(row.kind == "slimmest" for row in choice.alternatives)
    assert any(row.id == "relaxed.dual_detection" for row in choice.alternatives)
    assert [doubt.severity for doubt in choice.doubts].count("error") == 0
    assert choice.net_length_max_m > 0
    assert set(choice.totals) >= {
        "thickness_max_m",
        "mass_kg",
        "unit_cost_usd",
        "development_cost_usd",
        "install_h",
        "unavailability_min_per_year",
        "development_s",
        "service_s",
        "power_w",
    }


@pytest.mark.slow  # test_assemble compares whole designs, made of whole choices, each time
def test_same_spec_gives_the_same_choice() -> None:
    assert choose(example("dpa"), CATALOGUE) == chosen("dpa")


@pytest.mark.parametrize("name", ["camera", "nvl72"])
def test_sums_of_the_solver_agree_with_sums_made_without_it(name: str) -> None:
    spec = example(name)
    best = solve(build(spec, CATALOGUE))
    assert best is not None
    totals = totals_of(best.chosen, spec)
    assert best.levels["cost"] / 100 == pytest.approx(totals["unit_cost_usd"], abs=1)
    assert best.levels["space"] * 1e-5 == pytest.approx(totals["thickness_sum_m"], abs=1e-4)
    doubts = sum(card_doubt_weight(card, spec, CATALOGUE) for _, card, _ in best.chosen.values())
    assert best.levels["doubts"] == doubts


def test_solver_finds_the_best_of_all_designs_by_brute_force() -> None:
    spec = example("camera")
    kept = {card.id for card in choose(spec, CATALOGUE, alternatives=False).slots.values()}
    rivals = {"skin-rigid-4l-1.6", "controller-soc", "key-tpm2", "hold-lifepo4", "shield-foil"}
    catalogue = Catalogue(cards=tuple(c for c in CATALOGUE if c.id in kept | rivals))
    slots = slots_of(spec, catalogue)
    free: tuple[str, ...] = ("mesh_skin/front", "mesh_skin/left", "shield/front")
    free += ("shield/rear", "controller", "key_store", "hold_up")
    best_by_hand: tuple[float, ...] | None = None
    fixed = solve(build(spec, catalogue))
    assert fixed is not None
    options = [candidates(slot, spec, catalogue) for slot in slots if slot.key in free]
    keys = [slot.key for slot in slots if slot.key in free]
    seen = 0
    for picked in itertools.product(*options):
        chosen = dict(fixed.chosen)
        for key, card in zip(keys, picked, strict=True):
            slot = chosen[key][0]
            amount = 1.0 if key == "hold_up" else quantity(slot, card)
            chosen[key] = (slot, card, amount)
        if all(row.met for row in targets_of(chosen, spec)):
            seen += 1
            levels = levels_by_hand(chosen, spec, catalogue)
            best_by_hand = min(best_by_hand or levels, levels)
    assert seen > 10
    assert best_by_hand is not None
    found = levels_by_hand(fixed.chosen, spec, catalogue)
    assert found == pytest.approx(best_by_hand)


def levels_by_hand(
    chosen: dict[str, Any], spec: EnclosureSpec, catalogue: Catalogue
) -> tuple[float, ...]:
    totals = totals_of(chosen, spec)
    cards = [card for _, card, _ in chosen.values()]
    integration = (
        sum(round(card.install_s * amount) for _, card, amount in chosen.values())
        + totals["service_s"]
        + CUSTOM_INTERFACE_S * totals["custom_interfaces"]
        + DIFFERENT_MODULE_S * len({card.id for card in cards})
    )
    doubts = sum(card_doubt_weight(card, spec, catalogue) for card in cards)
    return doubts, round(totals["thickness_sum_m"], 6), integration, totals["unit_cost_usd"]


def test_each_way_in_has_two_detections_without_a_common_mode() -> None:
    for name in ("camera", "dpa", "nvl72"):
        spec = example(name)
        best = solve(build(spec, CATALOGUE))
        assert best is not None
        for id, (required, modalities) in coverage(best.chosen, spec).items():
            assert len(modalities) >= required, id


def test_two_sensors_on_the_same_copper_are_not_two_detections() -> None:
    spec = target(example("camera"), reaction_s=5.0)
    choice = choose(spec, without("sense-capacitance"), alternatives=False)
    row = next(row for row in choice.targets if row.id == "dual_detection")
    assert not row.met and row.achieved == 1
    assert len(choice.conflict) == 1  # one path alone shows that it cannot be met
    assert choice.conflict[0].startswith("targets.dual_detection.")


def test_a_sensor_that_is_too_slow_does_not_count() -> None:
    spec = budget(example("camera"), own_power_w=10.0, unit_cost_usd=9000.0, install_s=9000.0)
    fast = choose(spec, without("sense-loop-r"), alternatives=False)
    assert not next(row for row in fast.targets if row.id == "reaction").met
    slow = choose(target(spec, reaction_s=2.0), without("sense-loop-r"), alternatives=False)
    assert "skin_sensing/tdr" in slow.slots
    assert all(row.met for row in slow.targets)
    assert slow.net_length_max_m == pytest.approx(4.0)


def test_a_finer_tool_rules_out_what_a_coarser_allows() -> None:
    spec = example("camera")
    loose = target(spec, tool_m=5e-3, dual_detection=False)
    cheap = replace(loose, pins={"mesh_skin": "skin-coarse-bulk", "shield": "shield-foil"})
    choice = choose(cheap, CATALOGUE, alternatives=False)
    assert {c.id for k, c in choice.slots.items() if k[:9] == "mesh_skin"} == {"skin-coarse-bulk"}
    assert next(row for row in choice.targets if row.id == "choice.tool").met
    strict = choose(target(cheap, tool_m=0.45e-3), CATALOGUE, alternatives=False)
    assert not next(row for row in strict.targets if row.id == "choice.tool").met
    assert strict.conflict == ("pins.mesh_skin", "targets.tool")


def thin() -> EnclosureSpec:
    """The rack with a side that no skin is thin enough for."""
    spec = example("nvl72")
    return budget(spec, thickness_m={**spec.budgets.thickness_m, "left": 3.0e-3})


def test_security_is_never_traded_for_thickness(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = thin()
    choice = choose(spec, CATALOGUE, alternatives=False)
    unmet = {row.id for row in choice.targets if not row.met}
    assert "thickness.left" in unmet
    assert not unmet & {"choice.tool", "dual_detection", "detection.bare_paths", "reaction"}
    assert "budgets.thickness.left" in choice.conflict
    best = solve(build(spec, CATALOGUE))
    assert best is not None
    monkeypatch.setattr(explain, "relaxations", lambda _: [])  # they take seconds
    others = explain.alternatives(spec, CATALOGUE, best, choice.conflict)
    assert [row.kind for row in others].count("nearest") == 1


@pytest.mark.slow  # the same with all reasons and alternatives, which are not about security
def test_security_is_never_traded_for_thickness_with_all_reasons() -> None:
    whole, plain = (choose(thin(), CATALOGUE, alternatives=each) for each in (True, False))
    assert (whole.slots, whole.targets, whole.conflict) == (
        plain.slots,
        plain.targets,
        plain.conflict,
    )
    assert [row.kind for row in whole.alternatives].count("nearest") == 1


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("camera", {"unit_cost_usd": 10.0}),
        ("camera", {"own_power_w": 1.0}),
        ("nvl72", {"hold_up_s": 1e9}),
        ("nvl72", {"install_s": 600.0, "unit_cost_usd": 500.0}),
    ],
)
def test_conflict_is_irreducible(name: str, changes: dict[str, float]) -> None:
    spec = budget(example(name), **changes)
    choice = choose(spec, CATALOGUE, alternatives=False)
    assert choice.conflict
    model = build(spec, CATALOGUE)
    everything = frozenset(choice.conflict)
    assert not feasible(model, everything, frozenset())
    for id in choice.conflict:
        assert feasible(model, everything - {id}, frozenset()), id


def test_a_module_that_is_forced_misses_nothing_just_where_all_can_be_met() -> None:
    spec = budget(example("camera"), own_power_w=6.0)
    model = build(spec, CATALOGUE)
    seen = set()
    for key in ("controller", "key_store"):
        for card in model.options[key]:
            forced = solve(model, order=UNMET, force=(key, card.id))
            pinned = build(replace(spec, pins={key: card.id}), CATALOGUE)
            all_of_it = frozenset(id for id, row in pinned.requirements.items() if row.slacks)
            met = feasible(pinned, all_of_it, frozenset(pinned.pins))
            assert (forced is not None and forced.unmet == ()) == met, card.id
            seen.add(met)
    assert seen == {True, False}


def test_contradicting_pins_are_named_and_innocent_ones_are_not() -> None:
    pins = {
        "mesh_skin/left": "skin-coarse-bulk",
        "shield/left": "shield-board-plane",  # needs a board with an outer plane
        "controller": "controller-soc",
    }
    with pytest.raises(DesignError) as caught:
        choose(replace(example("camera"), pins=pins), CATALOGUE)
    assert caught.value.conflict == ("pins.mesh_skin/left", "pins.shield/left")
    assert caught.value.remedy


def test_pin_to_an_unknown_module_is_the_conflict() -> None:
    with pytest.raises(DesignError) as caught:
        choose(replace(example("camera"), pins={"controller": "nonsense"}), CATALOGUE)
    assert caught.value.conflict == ("pins.controller",)


def test_slot_that_no_card_fits_is_named() -> None:
    with pytest.raises(DesignError) as caught:
        choose(example("camera"), without("window-wire-grid", "window-ito"))
    assert caught.value.conflict == ("slots.window/window",)


def test_pin_of_a_sensing_module_fills_its_slot() -> None:
    spec = replace(example("nvl72"), pins={"aux_sensing": "aux-light"})
    assert "aux_sensing/light" in choose(spec, CATALOGUE, alternatives=False).slots


def extra_card(folder: Path, old: str, **changes: str) -> None:
    text = (SHIPPED / f"{old}.toml").read_text()
    for key, value in changes.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{key} = ")]
        text = "\n".join([f"{key} = {value}", *lines]) + "\n"
    (folder / "extra.toml").write_text(text)


def test_card_in_an_extra_folder_is_chosen_when_pinned_and_when_better(tmp_path: Path) -> None:
    extra_card(tmp_path, "controller-mcu", id='"controller-mine"', unit_cost='"400 USD"')
    spec = example("camera")
    catalogue = load_catalogue(tmp_path)
    free = choose(spec, catalogue, alternatives=False)
    assert free.slots["controller"].id == "controller-mcu"
    pinned = replace(spec, pins={"controller": "controller-mine"})
    assert choose(pinned, catalogue, alternatives=False).slots["controller"].id == "controller-mine"
    extra_card(tmp_path, "controller-mcu", id='"controller-mine"', unit_cost='"1 USD"')
    better = choose(spec, load_catalogue(tmp_path), alternatives=False)
    assert better.slots["controller"].id == "controller-mine"


def test_module_stuck_between_roadmap_and_placeholder_is_an_error(tmp_path: Path) -> None:
    stuck = {"id": '"controller-stuck"', "maturity": '"placeholder"', "roadmap": '""'}
    extra_card(tmp_path, "controller-mcu", **stuck, effort_on_placeholder="true")
    spec = replace(example("camera"), pins={"controller": "controller-stuck"})
    choice = choose(spec, load_catalogue(tmp_path), alternatives=False)
    assert choice.doubts[0].id == "controller-stuck.stuck"
    assert choice.doubts[0].severity == "error"


def test_every_judged_claim_is_a_doubt() -> None:
    choice = choose(example("camera"), CATALOGUE, alternatives=False)
    ids = {doubt.id for doubt in choice.doubts}
    for card in set_of(choice.slots):
        for row in card.detections:
            name = f"{card.id}.{row.attack_path}.{row.modality}"
            assert (name in ids) == (row.evidence in ("judgement", "datasheet"))


def test_blind_vias_that_the_fab_does_not_name_are_a_doubt() -> None:
    spec = replace(example("camera"), fab="jlc-rigid-4l")
    choice = choose(spec, CATALOGUE, alternatives=False)
    assert "choice.blind-vias" in {doubt.id for doubt in choice.doubts}


def set_of(slots: dict[str, Card]) -> list[Card]:
    return list({card.id: card for card in slots.values()}.values())


@pytest.mark.parametrize("size", [(0.02, 0.02, 0.02), (0.3, 0.05, 0.1), (3.0, 3.0, 3.0)])
def test_any_box_from_20_mm_to_3_m_gets_a_choice(size: tuple[float, float, float]) -> None:
    base = example("camera")
    spec = replace(
        base,
        protected=replace(base.protected, size_m=size),
        crossings=(),
        service=replace(base.service, doors=(), swaps=()),
    )
    choice = choose(spec, CATALOGUE, alternatives=False)
    secure = {"choice.tool", "dual_detection", "detection.bare_paths", "reaction"}
    assert all(row.met for row in choice.targets if row.id in secure)
    surface = 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    nets = surface * 2 / 0.2e-3 / choice.net_length_max_m
    assert choice.amounts["reader"] >= math.ceil(nets / 2048)
