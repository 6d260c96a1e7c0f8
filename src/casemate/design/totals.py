"""Sums over a finished choice: thickness, mass, cost, install, unavailability, power, hold-up.

Written without the solver, so that it checks the solver's sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casemate.core.units import YEAR_S
from casemate.design.enclosure import FACES, Target
from casemate.design.needs import (
    EDGES,
    Slot,
    door_rise_m,
    path_needs,
    skin_hole_m,
    vent_drop_pa,
)
from casemate.modules import Card, Catalogue
from casemate.spec.model import EnclosureSpec

PART_SHARE = {"compute-tray": 1 / 18, "cable-or-optic": 1 / 18, "power-shelf": 1 / 8}
"""Share of the host that stands still while this part is swapped: 18 compute trays and 8 power
shelves a rack (shared reference context.md, 2.1). Any other part counts as the whole host."""
EVIDENCE_WEIGHT = {"proof": 0, "measurement": 0, "simulation": 0, "datasheet": 2, "judgement": 3}
MATURITY_WEIGHT = {"performing": 0, "placeholder": 5, "skipped": 10}
STUCK_WEIGHT = 50

Chosen = Mapping[str, tuple[Slot, Card, float]]
"""Slot key -> slot, card, amount (square metres, metres or pieces by the card's `per`)."""


def is_stuck(card: Card, catalogue: Catalogue) -> bool:
    """Return whether a module is stuck between roadmap and placeholder (PRODUCT.md, rule 2).

    A placeholder is stuck if no module is a named drop-in for it, or if effort is spent on it
    while it has no roadmap of its own to the target.
    """
    if card.maturity != "placeholder":
        return False
    return not catalogue.drop_ins(card.id) or (card.effort_on_placeholder and not card.roadmap)


def card_doubt_weight(card: Card, spec: EnclosureSpec, catalogue: Catalogue) -> int:
    """Return how much doubt a card brings: unproven claims, bands not stated, maturity."""
    weight = MATURITY_WEIGHT[card.maturity] + STUCK_WEIGHT * is_stuck(card, catalogue)
    weight += sum(EVIDENCE_WEIGHT[row.evidence] for row in card.detections)
    if bounds_field(card):
        for band in spec.targets.attenuation:
            stated = card.attenuation_over(band.f_min_hz, band.f_max_hz)
            weight += 2 if stated is None else 0
    return weight


def bounds_field(card: Card) -> bool:
    """Return whether the enclosure's attenuation rests on this card's own statement."""
    return card.function in ("crossing_power", "crossing_copper")


def failure_downtime_s(card: Card) -> float:
    """Return seconds a year that replacing one piece stops the host: year / MTBF * service."""
    return YEAR_S / card.mtbf_s * card.service_s if card.stops_host else 0.0


def swap_downtime_factor(spec: EnclosureSpec, face: str) -> float:
    """Return host-swaps a year through a face: sum of rate * share of the host that stops."""
    return sum(
        swap.rate_per_year * PART_SHARE.get(swap.part, 1.0)
        for swap in spec.service.swaps
        if swap.face == face
    )


def false_alarm_s(controller: Card, spec: EnclosureSpec) -> float:
    """Return seconds a year lost to false alarms at the rate that the spec allows."""
    return spec.targets.far_per_year * float(
        controller.parameters.get("false_alarm_handling_s", 0.0)
    )


def unavailability_s(chosen: Chosen, spec: EnclosureSpec) -> float:
    """Return seconds a year that the enclosure takes from the host.

    U = sum over pieces that stop the host of (year / MTBF) * service
      + sum over doors of door service time * sum of swap rate * share of the host that stops
      + false alarms a year * handling time. Parts that do not stop the host are replaced with the
    rest armed and cost nothing.
    """
    total = 0.0
    for slot, card, amount in chosen.values():
        pieces = amount if card.per == "each" else 1.0
        total += pieces * failure_downtime_s(card)
        if slot.function == "seam":
            total += card.service_s * swap_downtime_factor(spec, slot.face)
        if slot.function == "controller":
            total += false_alarm_s(card, spec)
    return total


def face_thickness_m(chosen: Chosen) -> dict[str, float]:
    """Return metres a face: skin + seam + shield + edge strip, or its thickest crossing if more.

    Beside a door a face lies deeper by what the door's clearance exceeds the strip's own gap.
    """
    result = {}
    strip = chosen[EDGES][1] if EDGES in chosen else None
    doors = {slot.face for slot, _, _ in chosen.values() if slot.context == "door"}
    for face in FACES:
        rows = [(slot, card) for slot, card, _ in chosen.values() if slot.face == face]
        base = sum(card.thickness_m for slot, card in rows if slot.crossing is None)
        through = [card.thickness_m for slot, card in rows if slot.crossing is not None]
        if strip is not None:
            rises = [
                door_rise_m(face, door, chosen[f"seam/{door}"][1], strip, doors) for door in doors
            ]
            base += strip.thickness_m + max(rises, default=0.0)
        result[face] = max([base, *through])
    return result


def totals_of(chosen: Chosen, spec: EnclosureSpec) -> dict[str, float]:
    """Return the totals of design.json and those that the targets need."""
    rows = list(chosen.values())
    different = {card.id: card for _, card, _ in rows}
    swapped = {swap.face for swap in spec.service.swaps}
    jobs = [
        card.service_s
        for slot, card, _ in rows
        if not swapped or (slot.function == "seam" and slot.face in swapped)
    ]
    hold_w = sum(card.hold_up_power_w * amount for _, card, amount in rows)
    energy_j = sum(float(card.parameters.get("energy_j", 0.0)) * n for _, card, n in rows)
    thickness = face_thickness_m(chosen)
    return {
        "thickness_max_m": max(thickness.values()),
        "thickness_sum_m": sum(thickness.values()),
        "mass_kg": sum(card.mass_kg * amount for _, card, amount in rows),
        "unit_cost_usd": sum(card.unit_cost_usd * amount for _, card, amount in rows),
        "development_cost_usd": sum(card.development_cost_usd for card in different.values()),
        "development_s": max(card.development_s for card in different.values()),
        "install_h": sum(card.install_s * amount for _, card, amount in rows) / 3600,
        "service_s": max(jobs, default=0.0),
        "unavailability_min_per_year": unavailability_s(chosen, spec) / 60,
        "power_w": sum(card.power_w * amount for _, card, amount in rows),
        "hold_up_power_w": hold_w,
        "hold_up_s": energy_j / hold_w if hold_w > 0 else 0.0,
        "custom_interfaces": float(sum(not card.interface_standard for _, card, _ in rows)),
    }


def coverage(chosen: Chosen, spec: EnclosureSpec) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return per attack path what is required and the independent modalities that reach it."""
    rows = list(chosen.values())
    controller = max((card.latency_s for slot, card, _ in rows if slot.key == "controller"))
    sensors = [card for slot, card, _ in rows if slot.function.endswith("_sensing")]
    result = {}
    for need in path_needs(spec, tuple(slot for slot, _, _ in rows)):
        found = set()
        for slot, card, _ in rows:
            if need.slot and slot.key != need.slot:
                continue
            for row in card.detections:
                if row.attack_path != need.attack_path or not row.primary:
                    continue
                delays = [s.latency_s for s in sensors if s.form in row.read_by]
                delays = delays if row.read_by else [card.latency_s]
                patient = row.attack_path.startswith(("environment", "key"))
                limit = float("inf") if patient else spec.targets.reaction_s * (1 + 1e-9)
                if any(delay + controller <= limit for delay in delays):
                    found.add(row.modality)
        result[need.id] = (need.required, tuple(sorted(found)))
    return result


def targets_of(chosen: Chosen, spec: EnclosureSpec) -> tuple[Target, ...]:
    """Return a row for every target and budget that the choice of modules decides."""
    totals, budgets = totals_of(chosen, spec), spec.budgets
    rows = [
        _most(f"thickness.{face}", budgets.thickness_m[face], depth, "m")
        for face, depth in face_thickness_m(chosen).items()
    ]
    rows += [
        _most("install", budgets.install_s, totals["install_h"] * 3600, "s"),
        _most("service", budgets.service_s, totals["service_s"], "s"),
        _most(
            "unavailability",
            budgets.unavailability_s_per_year,
            totals["unavailability_min_per_year"] * 60,
            "s/year",
        ),
        _most("unit_cost", budgets.unit_cost_usd, totals["unit_cost_usd"], "USD"),
        _most("own_power", budgets.own_power_w, totals["power_w"], "W"),
        _least("hold_up", budgets.hold_up_s, totals["hold_up_s"], "s"),
    ]
    for slot, card, _ in chosen.values():
        item = slot.crossing
        if slot.function == "vent" and item is not None and item.pressure_drop_max_pa > 0:
            drop = vent_drop_pa(card, item)
            name = f"choice.{item.id}.pressure_drop"
            rows.append(_most(name, item.pressure_drop_max_pa, drop, "Pa", "honeycomb law"))
    skins = [card for slot, card, _ in chosen.values() if slot.function == "mesh_skin"]
    hole = max(skin_hole_m(card, spec) for card in skins)
    rows.append(_most("choice.tool", spec.targets.tool_m, hole, "m", "lattice bound, planned"))
    covered = coverage(chosen, spec)
    ways = {id: row for id, row in covered.items() if row[0] > 1}
    if ways:
        least = min(len(found) for _, found in ways.values())
        rows.append(_least("dual_detection", 2.0, float(least), "independent detections", "cards"))
    bare = [id for id, (asked, found) in covered.items() if asked == 1 and len(found) < asked]
    rows.append(_most("detection.bare_paths", 0.0, float(len(bare)), "paths", "cards"))
    rows.append(_most("reaction", spec.targets.reaction_s, reaction_s(chosen, spec), "s", "cards"))
    return tuple(rows)


def reaction_s(chosen: Chosen, spec: EnclosureSpec) -> float:
    """Return the delay (s) by which every way in has the detections that it needs.

    Per way in: delays of its modalities in rising order, the one at the required count; plus the
    controller. The slowest way in counts.
    """
    rows = list(chosen.values())
    controller = max(card.latency_s for slot, card, _ in rows if slot.key == "controller")
    sensors = [card for slot, card, _ in rows if slot.function.endswith("_sensing")]
    slowest = 0.0
    for need in path_needs(spec, tuple(slot for slot, _, _ in rows)):
        if need.attack_path.startswith(("environment", "key")):
            continue
        first: dict[str, float] = {}
        for slot, card, _ in rows:
            if need.slot and slot.key != need.slot:
                continue
            for row in card.detections:
                if row.attack_path != need.attack_path or not row.primary:
                    continue
                delays = [s.latency_s for s in sensors if s.form in row.read_by]
                for delay in delays if row.read_by else [card.latency_s]:
                    first[row.modality] = min(delay, first.get(row.modality, delay))
        ranked = sorted(first.values())
        if ranked:
            slowest = max(slowest, ranked[min(need.required, len(ranked)) - 1])
    return slowest + controller


def bill(chosen: Chosen) -> tuple[dict[str, Any], ...]:
    """Return the rows of the bill of materials: one a card, amounts added up."""
    amounts: dict[str, float] = {}
    cards: dict[str, Card] = {}
    for _, card, amount in chosen.values():
        amounts[card.id] = amounts.get(card.id, 0.0) + amount
        cards[card.id] = card
    return tuple(
        {
            "id": id,
            "name": cards[id].name,
            "function": cards[id].function,
            "quantity": round(amounts[id], 6),
            "per": cards[id].per,
            "unit_cost_usd": cards[id].unit_cost_usd,
            "cost_usd": round(cards[id].unit_cost_usd * amounts[id], 2),
            "mass_kg": round(cards[id].mass_kg * amounts[id], 6),
            "origin": cards[id].origin,
            "maturity": cards[id].maturity,
            "interface": cards[id].interface,
            "source": cards[id].source,
        }
        for id in sorted(amounts)
    )


def _most(id: str, required: float, achieved: float, unit: str, evidence: str = "") -> Target:
    met = achieved <= required * (1 + 1e-9) + 1e-12
    return _compared(id, required, achieved, unit, evidence, met=met, sense="max")


def _least(id: str, required: float, achieved: float, unit: str, evidence: str = "") -> Target:
    met = achieved >= required * (1 - 1e-9) - 1e-12
    return _compared(id, required, achieved, unit, evidence, met=met, sense="min")


def _compared(
    id: str, required: float, achieved: float, unit: str, evidence: str, *, met: bool, sense: str
) -> Target:
    return Target(
        id=id,
        required=required,
        achieved=achieved,
        unit=unit,
        met=met,
        evidence=evidence or "sum of module cards (planning values)",
        sense=sense,
    )
