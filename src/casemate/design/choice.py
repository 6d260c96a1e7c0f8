"""Chooses a module for every function and face, in the lexicographic order of PRODUCT.md.

Security, then space, then integration, then cost: see choice_solve.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casemate.core.errors import DesignError
from casemate.design.choice_model import build
from casemate.design.choice_solve import solve
from casemate.design.doubts import doubts_of
from casemate.design.enclosure import Alternative, Doubt, ModuleChoice, Target
from casemate.design.needs import pitch_and_trace_m
from casemate.design.totals import bill, face_thickness_m, targets_of, totals_of
from casemate.modules import Card, Catalogue
from casemate.spec.model import EnclosureSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The chosen modules and why.

    slots: slot key ("mesh_skin/front", "vent/ID of the crossing", "reader") -> card; an optional
    slot that stays empty is absent. amounts: same keys, in the card's `per`. conflict: if any
    requirement is unmet, an irreducible set of requirements that no design meets together.
    """

    slots: dict[str, Card]
    amounts: dict[str, float]
    modules: tuple[ModuleChoice, ...]
    doubts: tuple[Doubt, ...]
    alternatives: tuple[Alternative, ...]
    targets: tuple[Target, ...]
    totals: dict[str, float]
    thickness_m: dict[str, float]
    net_length_max_m: float
    pitch_m: dict[str, float]
    trace_m: dict[str, float]
    bom: tuple[dict[str, Any], ...]
    conflict: tuple[str, ...] = ()

    def card(self, key: str) -> Card:
        """Return the card of a slot; KeyError if the slot is empty."""
        return self.slots[key]


def choose(spec: EnclosureSpec, catalogue: Catalogue, *, alternatives: bool = True) -> Choice:
    """Return the best choice of modules for a spec.

    A spec whose targets or budgets cannot all be met gets the nearest design, with the rows of
    `targets` not met and `conflict` saying why. Raises DesignError with the smallest set found
    if pins or empty slots leave no design at all. `alternatives=False` skips the re-solves.
    """
    from casemate.design import explain

    model = build(spec, catalogue)
    best = solve(model)
    if best is None:
        conflict = explain.hard_conflict(model)
        raise DesignError(
            f"no design exists: {', '.join(conflict)} contradict each other.",
            remedy="drop or change one of them, or add a module card that serves the slot.",
            conflict=conflict,
        )
    chosen = best.chosen
    conflict = explain.soft_conflict(model) if best.unmet else ()
    others = explain.alternatives(spec, catalogue, best, conflict) if alternatives else ()
    reasons = explain.reasons(model, best) if alternatives else {}
    skins = {slot.face: card for slot, card, _ in chosen.values() if slot.function == "mesh_skin"}
    drawn = {face: pitch_and_trace_m(card, spec) for face, card in skins.items()}
    reach = [
        float(card.parameters["net_length_max_m"])
        for slot, card, _ in chosen.values()
        if slot.function == "skin_sensing"
    ]
    return Choice(
        slots={key: card for key, (_, card, _) in chosen.items()},
        amounts={key: amount for key, (_, _, amount) in chosen.items()},
        modules=explain.rows(chosen, reasons),
        doubts=doubts_of(chosen, spec, catalogue),
        alternatives=others,
        targets=targets_of(chosen, spec),
        totals=totals_of(chosen, spec),
        thickness_m=face_thickness_m(chosen),
        net_length_max_m=min(reach, default=0.0),
        pitch_m={face: pitch for face, (pitch, _) in drawn.items()},
        trace_m={face: trace for face, (_, trace) in drawn.items()},
        bom=bill(chosen),
        conflict=conflict,
    )
