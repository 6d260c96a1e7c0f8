"""The CP-SAT model of the choice of modules: variables, requirements with slack, levels.

Integer scales: thickness 10 um, cost cents, power mW, hold-up energy J, time s, unavailability
s a year, attenuation 0.1 dB, hole um. Every requirement of the spec is soft with a slack, so that
an infeasible spec still gets its nearest design; pins and structure are hard.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from casemate.design.enclosure import FACES
from casemate.design.needs import (
    Slot,
    candidates,
    path_needs,
    pitch_and_trace_m,
    quantity,
    skin_hole_m,
    slots_of,
    vent_drop_pa,
)
from casemate.design.totals import (
    YEAR_S,
    card_doubt_weight,
    failure_downtime_s,
    false_alarm_s,
    swap_downtime_factor,
)
from casemate.modules import Card, Catalogue, Detection
from casemate.spec.model import EnclosureSpec

FAMILIES = ("security", "thickness", "integration", "cost")
CUSTOM_INTERFACE_S = 600
"""What one custom interface counts beside install seconds: ten minutes of a fitter's care."""
DIFFERENT_MODULE_S = 300
"""What one more kind of module counts: five minutes of stock, drawings and training a unit."""


@dataclass(slots=True, kw_only=True)
class Requirement:
    """A target or budget of the spec; `slacks` are (variable, weight), all zero when it is met."""

    id: str
    family: str
    slacks: list[tuple[Any, int]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Model:
    """Variables and expressions of one spec. pieces: count variables of readers and hold-up."""

    cp: Any
    slots: tuple[Slot, ...]
    options: dict[str, tuple[Card, ...]]
    x: dict[tuple[str, str], Any]
    pieces: dict[tuple[str, str], Any]
    requirements: dict[str, Requirement]
    levels: tuple[tuple[str, Any], ...] = ()
    pins: dict[str, Any] = field(default_factory=dict)

    def slack(self, requirement: str, family: str, most: int, bound: int, name: str = "") -> Any:
        """Return a new slack variable (0..most), weighted by its share of the bound in ppm."""
        variable = self.cp.new_int_var(0, max(most, 0), name or requirement)
        row = self.requirements.setdefault(requirement, Requirement(id=requirement, family=family))
        row.slacks.append((variable, max(1, round(1e6 / max(bound, 1)))))
        return variable

    def unmet(self, family: str) -> Any:
        """Return the weighted sum of slacks of a family."""
        return sum(
            (
                variable * weight
                for row in self.requirements.values()
                if row.family == family
                for variable, weight in row.slacks
            ),
            0,
        )

    def chosen(self, function: str, forms: tuple[str, ...]) -> list[Any]:
        """Return the choice variables of all cards of a function with one of the forms."""
        return [
            self.x[slot.key, card.id]
            for slot in self.slots
            if slot.function == function
            for card in self.options[slot.key]
            if card.form in forms
        ]

    def summed(self, figure: Callable[[Slot, Card], float], scale: float) -> Any:
        """Return sum of figure (per unit) * amount * scale as an integer expression."""
        total: Any = 0
        for slot in self.slots:
            for card in self.options[slot.key]:
                key = (slot.key, card.id)
                if key in self.pieces:
                    total += self.pieces[key] * round(figure(slot, card) * scale)
                else:
                    amount = figure(slot, card) * quantity(slot, card)
                    total += self.x[key] * round(amount * scale)
        return total


def build(spec: EnclosureSpec, catalogue: Catalogue) -> Model:
    """Return the model of a spec."""
    from ortools.sat.python import cp_model

    cp = cp_model.CpModel()
    slots = slots_of(spec, catalogue)
    options = {slot.key: candidates(slot, spec, catalogue) for slot in slots}
    x = {
        (slot.key, card.id): cp.new_bool_var(f"{slot.key}={card.id}")
        for slot in slots
        for card in options[slot.key]
    }
    model = Model(cp=cp, slots=slots, options=options, x=x, pieces={}, requirements={})
    _structure(model, spec)
    _readers(model, spec)
    _hold_up(model, spec)
    _detection(model, spec)
    _fields(model, spec)
    thickness = _thickness(model, spec)
    service = _service(model, spec)
    install = _integration(model, spec)
    cost = model.summed(lambda _, card: card.unit_cost_usd, 100)
    bound = round(spec.budgets.unit_cost_usd * 100)
    cp.add(cost <= bound + model.slack("budgets.unit_cost", "cost", 10**10, bound))
    doubts = sum(
        (x[slot.key, card.id] * card_doubt_weight(card, spec, catalogue))
        for slot in slots
        for card in options[slot.key]
    )
    developed, different = _development(model, catalogue)
    order = sum(variable * (index % 97) for index, variable in enumerate(x.values()))
    model.levels = (
        *((f"unmet {family}", model.unmet(family)) for family in FAMILIES),
        ("doubts", doubts),
        ("space", sum(thickness.values())),
        ("integration", install + service + different * DIFFERENT_MODULE_S),
        ("cost", cost),
        ("development", developed),
        ("order", order),
    )
    return model


def _structure(model: Model, spec: EnclosureSpec) -> None:
    """One card a slot, at most one if optional; what a card requires; pins."""
    cp = model.cp
    for slot in model.slots:
        picks = [model.x[slot.key, card.id] for card in model.options[slot.key]]
        if slot.optional:
            cp.add_at_most_one(picks)
        else:
            cp.add_exactly_one(picks)
        for card in model.options[slot.key]:
            for needed in card.requires:
                _require(model, slot, card, needed)
    for key, id in sorted(spec.pins.items()):
        literal = cp.new_bool_var(f"pin:{key}")
        model.pins[key] = literal
        for slot in model.slots:
            if key not in (slot.key, slot.function, f"{slot.function}/{slot.face}"):
                continue
            fits = (slot.key, id) in model.x
            if slot.optional and not fits:
                continue  # a pin of `skin_sensing` binds only the slot of that card's form
            if fits:
                cp.add_implication(literal, model.x[slot.key, id])
            else:
                cp.add(literal == 0)
        if not any(id == card for _, card in model.x):
            cp.add(literal == 0)


def _require(model: Model, slot: Slot, card: Card, needed: str) -> None:
    function, _, forms = needed.partition("/")
    allowed = forms.split("|")
    others = [
        model.x[other.key, option.id]
        for other in model.slots
        if other.function == function
        and (
            not slot.face
            or f"{function}/{slot.face}" not in model.options
            or other.face == slot.face
        )
        for option in model.options[other.key]
        if option.form in allowed
    ]
    model.cp.add(sum(others) >= 1).only_enforce_if(model.x[slot.key, card.id])


def _readers(model: Model, spec: EnclosureSpec) -> None:
    """A sensing form needs a reader that reads it, with a channel for each net."""
    cp = model.cp
    readers = model.options["reader"]
    for card in readers:
        count = cp.new_int_var(0, 4096, f"pieces:{card.id}")
        model.pieces["reader", card.id] = count
        cp.add(count >= model.x["reader", card.id])
        cp.add(count == 0).only_enforce_if(model.x["reader", card.id].Not())
    for slot in model.slots:
        if slot.function != "skin_sensing":
            continue
        for sensing in model.options[slot.key]:
            chosen = model.x[slot.key, sensing.id]
            able = [card for card in readers if sensing.form in card.parameters.get("forms", ())]
            cp.add(sum(model.x["reader", card.id] for card in able) >= 1).only_enforce_if(chosen)
            nets = _nets(model, spec, float(sensing.parameters["net_length_max_m"]))
            for card in able:
                room = model.pieces["reader", card.id] * int(card.parameters["channels"])
                cp.add(room >= nets).only_enforce_if(chosen, model.x["reader", card.id])


def net_count(slot: Slot, card: Card, spec: EnclosureSpec, length_m: float) -> int:
    """Return the planned number of nets of a skin: area / pitch / net length, every mesh layer."""
    pitch, _ = pitch_and_trace_m(card, spec)
    return math.ceil(slot.area_m2 * len(card.parameters["mesh"]) / pitch / length_m)


def _nets(model: Model, spec: EnclosureSpec, length_m: float) -> Any:
    return sum(
        model.x[slot.key, card.id] * net_count(slot, card, spec, length_m)
        for slot in model.slots
        if slot.function == "mesh_skin"
        for card in model.options[slot.key]
    )


def _hold_up(model: Model, spec: EnclosureSpec) -> None:
    """Packs hold the energy that the armed enclosure takes without outside power."""
    cp = model.cp
    packs = []
    for card in model.options["hold_up"]:
        most = int(card.parameters.get("pieces_max", 1))
        count = cp.new_int_var(0, most, f"pieces:{card.id}")
        model.pieces["hold_up", card.id] = count
        chosen = model.x["hold_up", card.id]
        cp.add(count >= chosen)
        cp.add(count == 0).only_enforce_if(chosen.Not())
        packs.append(count * math.floor(float(card.parameters["energy_j"])))
    taken = model.summed(lambda _, card: card.hold_up_power_w * spec.budgets.hold_up_s, 1.0)
    slack = model.slack("budgets.hold_up", "integration", 10**12, round(spec.budgets.hold_up_s))
    cp.add(sum(packs) + slack >= taken)


def _detection(model: Model, spec: EnclosureSpec) -> None:
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


def _fields(model: Model, spec: EnclosureSpec) -> None:
    """Holes in the skin against the tool, attenuation of each part, pressure drop of vents."""
    tool = spec.targets.tool_m
    for slot in model.slots:
        cards = model.options[slot.key]
        if slot.function == "mesh_skin":
            over = {c.id: math.ceil((skin_hole_m(c, spec) - tool) * 1e6 - 1e-6) for c in cards}
            _penalise(model, slot, over, "targets.tool", "security", round(tool * 1e6))
        for band in spec.targets.attenuation:
            short = {}
            for card in cards:
                least = card.attenuation_over(band.f_min_hz, band.f_max_hz)
                short[card.id] = 0 if least is None else round((band.attenuation_db - least) * 10)
            bound = round(band.attenuation_db * 10)
            _penalise(model, slot, short, f"targets.attenuation.{band.id}", "security", bound)
        item = slot.crossing
        if slot.function == "vent" and item is not None and item.pressure_drop_max_pa > 0:
            most = item.pressure_drop_max_pa
            over = {c.id: math.ceil((vent_drop_pa(c, item) - most) * 100) for c in cards}
            _penalise(model, slot, over, f"crossings.{item.id}.pressure_drop", "integration", 100)


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


def _thickness(model: Model, spec: EnclosureSpec) -> dict[str, Any]:
    """A face is as thick as skin + seam + shield, or its thickest crossing, if that is more."""
    cp, result = model.cp, {}
    for face in FACES:
        depth = cp.new_int_var(0, 10**6, f"thickness:{face}")
        base: Any = 0
        for slot in model.slots:
            if slot.face != face:
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
        bound = math.floor(spec.budgets.thickness_m[face] * 1e5 + 1e-6)
        cp.add(depth <= bound + model.slack(f"budgets.thickness.{face}", "thickness", 10**6, bound))
        result[face] = depth
    return result


def _service(model: Model, spec: EnclosureSpec) -> Any:
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


def _integration(model: Model, spec: EnclosureSpec) -> Any:
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


def _development(model: Model, catalogue: Catalogue) -> tuple[Any, Any]:
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
