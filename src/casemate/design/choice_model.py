"""The CP-SAT model of the choice of modules: variables, requirements with slack, levels.

Integer scales: thickness 10 um, cost cents, power mW, hold-up energy J, time s, unavailability
s a year, attenuation 0.1 dB, hole um. Every requirement of the spec is soft with a slack, so that
an infeasible spec still gets its nearest design; pins and structure are hard.
"""

from __future__ import annotations

import math
from typing import Any

from casemate.design import choice_rules as rules
from casemate.design.choice_base import Model
from casemate.design.needs import (
    Slot,
    candidates,
    pitch_and_trace_m,
    slots_of,
)
from casemate.design.totals import (
    card_doubt_weight,
)
from casemate.modules import Card, Catalogue
from casemate.spec.model import EnclosureSpec

ORDER_SPAN = 10**5
"""Development cost and, within a dollar of it, catalogue order share one level."""
FAMILIES = ("security", "thickness", "integration", "cost")
DIFFERENT_MODULE_S = 300
"""What one more kind of module counts: five minutes of stock, drawings and training a unit."""


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
    rules.detection(model, spec)
    rules.fields(model, spec)
    rules.leaks(model, spec)
    thickness = rules.thickness(model, spec)
    service = rules.service(model, spec)
    install = rules.integration(model, spec)
    cost = model.summed(lambda _, card: card.unit_cost_usd, 100)
    bound = round(spec.budgets.unit_cost_usd * 100)
    cp.add(cost <= bound + model.slack("budgets.unit_cost", "cost", 10**10, bound))
    doubts = sum(
        (x[slot.key, card.id] * card_doubt_weight(card, spec, catalogue))
        for slot in slots
        for card in options[slot.key]
    )
    developed, different = rules.development(model, catalogue)
    order = sum(variable * (index % 97) for index, variable in enumerate(x.values()))
    model.levels = (
        *((f"unmet {family}", model.unmet(family)) for family in FAMILIES),
        ("doubts", doubts),
        ("space", sum(thickness.values())),
        ("integration", install + service + different * DIFFERENT_MODULE_S),
        ("cost", cost),
        ("development", developed * ORDER_SPAN + order),
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
