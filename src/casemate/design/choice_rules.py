"""The rules of the choice model: detection, fields, thickness, service, integration, budgets."""

from __future__ import annotations

import math
from typing import Any

from casemate.core.units import YEAR_S
from casemate.design.choice_base import Model, Requirement
from casemate.design.choice_fields import band_points_hz, leak_share_ppm
from casemate.design.enclosure import FACES
from casemate.design.needs import (
    EDGES,
    Slot,
    door_rise_m,
    path_needs,
    quantity,
    skin_hole_m,
    vent_drop_pa,
)
from casemate.design.totals import (
    failure_downtime_s,
    false_alarm_s,
    swap_downtime_factor,
)
from casemate.modules import Card, Catalogue, Detection
from casemate.spec.model import EnclosureSpec

CUSTOM_INTERFACE_S = 600
"""What one custom interface counts beside install seconds: ten minutes of a fitter's care."""


def detection(model: Model, spec: EnclosureSpec) -> None:
    """Each attack path has its independent detections, fast enough for the reaction time."""
    late = model.slack("targets.reaction", "security", 1, 1)
    by_key = {slot.key: slot for slot in model.slots}
    for need in path_needs(spec, model.slots):
        groups: dict[str, list[Any]] = {}
        where = (by_key[need.slot],) if need.slot else model.slots
        for slot in where:
            for card in model.options[slot.key]:
                for row in card.detections:
                    if row.attack_path == need.attack_path and row.primary:
                        live = _live(model, spec, slot, card, row, late)
                        groups.setdefault(row.modality, []).extend(live)
        covered = []
        for modality, rows in sorted(groups.items()):
            group = model.cp.new_bool_var(f"{need.id}:{modality}")
            model.cp.add(sum(rows) >= 1).only_enforce_if(group)
            covered.append(group)
        name = "targets.dual_detection" if need.required > 1 else "targets.detection"
        slack = model.slack(f"{name}.{need.id}", "security", need.required, 1, f"detect:{need.id}")
        model.cp.add(sum(covered) + slack >= need.required)


def _live(
    model: Model, spec: EnclosureSpec, slot: Slot, card: Card, row: Detection, late: Any
) -> list[Any]:
    """Return one literal a (card, reading sensor) pair: true only if it works in time."""
    cp = model.cp
    own = model.x[slot.key, card.id]
    pairs: list[tuple[Any, float]] = []
    if row.read_by:
        for other in model.slots:
            for sensor in model.options[other.key]:
                if other.function.endswith("_sensing") and sensor.form in row.read_by:
                    pairs.append((model.x[other.key, sensor.id], sensor.latency_s))
    else:
        pairs.append((own, card.latency_s))
    live = []
    for reader, latency in pairs:
        literal = cp.new_bool_var("")
        cp.add_implication(literal, own)
        cp.add_implication(literal, reader)
        for controller in model.options["controller"]:
            slow = latency + controller.latency_s > spec.targets.reaction_s * (1 + 1e-9)
            if slow and not row.attack_path.startswith(("environment", "key")):
                cp.add(literal + model.x["controller", controller.id] <= 1 + late)
        live.append(literal)
    return live


def fields(model: Model, spec: EnclosureSpec) -> None:
    """Holes in the skin against the tool, pressure drop of vents."""
    tool = spec.targets.tool_m
    for slot in model.slots:
        cards = model.options[slot.key]
        if slot.function == "mesh_skin":
            over = {c.id: math.ceil((skin_hole_m(c, spec) - tool) * 1e6 - 1e-6) for c in cards}
            _penalise(model, slot, over, "targets.tool", "security", round(tool * 1e6))
        item = slot.crossing
        if slot.function == "vent" and item is not None and item.pressure_drop_max_pa > 0:
            most = item.pressure_drop_max_pa
            over = {c.id: math.ceil((vent_drop_pa(c, item) - most) * 100) for c in cards}
            _penalise(model, slot, over, f"crossings.{item.id}.pressure_drop", "integration", 100)


def leaks(model: Model, spec: EnclosureSpec) -> None:
    """The leaks of all parts together stay within each band's attenuation, at every frequency."""
    parts = [s for s in model.slots if s.function in ("shield", "seam") or s.crossing is not None]
    for band in spec.targets.attenuation:
        name = f"targets.attenuation.{band.id}"
        for index, f_hz in enumerate(band_points_hz(band)):
            total = sum(
                model.x[slot.key, card.id]
                * leak_share_ppm(slot, card, spec, f_hz, band.attenuation_db)
                for slot in parts
                for card in model.options[slot.key]
            )
            slack = model.slack(name, "security", 10**12, 10**6, f"{name}:{index}")
            model.cp.add(total <= 10**6 + slack)


def _penalise(
    model: Model, slot: Slot, over: dict[str, int], requirement: str, family: str, bound: int
) -> None:
    """Add a slack that is at least the excess of the chosen card."""
    worst = max(over.values(), default=0)
    if worst <= 0:
        model.requirements.setdefault(requirement, Requirement(id=requirement, family=family))
        return
    slack = model.slack(requirement, family, worst, bound, f"{requirement}:{slot.key}")
    model.cp.add(
        slack >= sum(model.x[slot.key, id] * max(excess, 0) for id, excess in over.items())
    )


def thickness(model: Model, spec: EnclosureSpec) -> dict[str, Any]:
    """A face is as thick as skin + seam + shield + edge strip, or its thickest crossing if more.

    Beside a door it lies deeper by what the door's clearance exceeds the strip's own gap.
    """
    cp, result = model.cp, {}
    doors = {door.face for door in spec.service.doors}
    strips = model.options[EDGES]
    for face in FACES:
        depth = cp.new_int_var(0, 10**6, f"thickness:{face}")
        base: Any = 0
        for slot in model.slots:
            if slot.face != face and slot.key != EDGES:
                continue
            own = sum(
                model.x[slot.key, card.id] * math.ceil(card.thickness_m * 1e5 - 1e-6)
                for card in model.options[slot.key]
            )
            if slot.crossing is None:
                base += own
            else:
                cp.add(depth >= own)
        cp.add(depth >= base)
        for door in sorted(doors):
            for card in model.options[f"seam/{door}"]:
                for strip in strips:
                    rise = door_rise_m(face, door, card, strip, doors)
                    if rise > 0:
                        both = [model.x[f"seam/{door}", card.id], model.x[EDGES, strip.id]]
                        more = base + math.ceil(rise * 1e5 - 1e-6)
                        cp.add(depth >= more).only_enforce_if(both)
        bound = math.floor(spec.budgets.thickness_m[face] * 1e5 + 1e-6)
        cp.add(depth <= bound + model.slack(f"budgets.thickness.{face}", "thickness", 10**6, bound))
        result[face] = depth
    return result


def service(model: Model, spec: EnclosureSpec) -> Any:
    """Return the longest service job: a swap through a door, or a module's own replacement."""
    cp = model.cp
    longest = cp.new_int_var(0, 10**8, "service")
    swapped = {swap.face for swap in spec.service.swaps}
    for slot in model.slots:
        door = slot.function == "seam" and slot.face in swapped
        for card in model.options[slot.key]:
            if door or not swapped:
                cp.add(longest >= math.ceil(card.service_s) * model.x[slot.key, card.id])
    bound = round(spec.budgets.service_s)
    cp.add(longest <= bound + model.slack("budgets.service", "integration", 10**8, bound))
    return longest


def integration(model: Model, spec: EnclosureSpec) -> Any:
    """Bound install time, unavailability and power; return install time and interfaces in s."""
    cp = model.cp
    install = model.summed(lambda _, card: card.install_s, 1.0)
    bound = round(spec.budgets.install_s)
    cp.add(install <= bound + model.slack("budgets.install", "integration", 10**9, bound))
    power = model.summed(lambda _, card: card.power_w, 1000)
    bound = math.floor(spec.budgets.own_power_w * 1000 + 1e-6)
    cp.add(power <= bound + model.slack("budgets.own_power", "integration", 10**9, bound))

    def downtime(slot: Slot, card: Card) -> float:
        """Return milliseconds a year that one unit of this card costs the host."""
        pieces = quantity(slot, card) if card.per != "each" else 1.0
        lost = failure_downtime_s(card) / max(pieces, 1e-12)
        if slot.function == "seam":
            lost += card.service_s * swap_downtime_factor(spec, slot.face) / max(pieces, 1e-12)
        if slot.function == "controller":
            lost += false_alarm_s(card, spec)
        return lost

    away = model.summed(downtime, 1000)
    bound = math.floor(spec.budgets.unavailability_s_per_year * 1000)
    slack = model.slack("budgets.unavailability", "integration", round(YEAR_S * 1000), bound)
    cp.add(away <= bound + slack)
    custom = sum(
        model.x[slot.key, card.id]
        for slot in model.slots
        for card in model.options[slot.key]
        if not card.interface_standard
    )
    return install + custom * CUSTOM_INTERFACE_S


def development(model: Model, catalogue: Catalogue) -> tuple[Any, Any]:
    """Return the development cost (USD) of all different cards that are used, and their number."""
    total: Any = 0
    number: Any = 0
    for card in catalogue:
        uses = [
            model.x[slot.key, card.id] for slot in model.slots if (slot.key, card.id) in model.x
        ]
        if uses:
            used = model.cp.new_bool_var(f"used:{card.id}")
            model.cp.add_max_equality(used, uses)
            total += used * round(card.development_cost_usd)
            number += used
    return total, number
