"""Solves a model of the choice: one level after the other, each fixed before the next.

One worker and a fixed seed make the result a function of its input.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from casemate.design.choice_base import Model
from casemate.design.choice_model import FAMILIES
from casemate.design.needs import Slot, quantity
from casemate.modules import Card

TIME_LIMIT_S = 20.0
"""Deterministic-time limit of one solve; far above what a catalogue of hundreds needs."""
SEED = 1
UNMET = tuple(f"unmet {family}" for family in FAMILIES)
"""The levels that say by how much a design misses the spec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """One solved model. levels: value of each level, in order."""

    chosen: dict[str, tuple[Slot, Card, float]]
    levels: dict[str, int]
    unmet: tuple[str, ...] = field(default=())


def solve(
    model: Model,
    *,
    order: tuple[str, ...] = (),
    forbid: tuple[str, str] | None = None,
    force: tuple[str, str] | None = None,
) -> Solution | None:
    """Minimise the levels one after the other; None if structure and pins leave no design.

    order: names of levels, if other than the model's own (UNMET: only find what is not met).
    forbid, force: (slot key, card id) that must not or must be chosen. The model is copied, so it
    can be solved again.
    """
    cp = model.cp.clone()
    if forbid is not None:
        cp.add(model.x[forbid] == 0)
    if force is not None:
        cp.add(model.x[force] == 1)
    for literal in model.pins.values():
        cp.add(literal == 1)
    expressions = dict(model.levels)
    names = order or tuple(expressions)
    slack = sum((model.unmet(family) for family in FAMILIES), 0)
    solver = _run(cp, slack)
    if solver is None:
        return None
    met = round(solver.objective_value) == 0
    if order == ("unmet",) or (met and order == UNMET):  # nothing is missed: no level can be less
        return _solution(model, solver)
    if met and not order:  # everything can be met: four levels at one stroke
        cp.add(slack == 0)
        names = tuple(name for name in names if not name.startswith("unmet"))
    for aim in _merged(names, expressions):
        if isinstance(aim, int):
            continue
        found = _run(cp, aim)
        if found is None:
            break
        solver = found
        cp.add(aim <= round(solver.objective_value))
    return _solution(model, solver)


def _merged(names: tuple[str, ...], expressions: dict[str, Any]) -> list[Any]:
    """Return the expressions to minimise in turn; two levels become one where a span allows it.

    The first of a pair is multiplied by more than the second can ever be, which is the same order.
    """
    aims: list[Any] = []
    rest = list(names)
    while rest:
        name = rest.pop(0)
        span = _SPAN.get((name, rest[0])) if rest else None
        if span is None:
            aims.append(expressions[name])
        else:
            aims.append(expressions[name] * span + expressions[rest.pop(0)])
    return aims


_SPAN = {("doubts", "space"): 10**7, ("integration", "cost"): 10**10}
"""Six faces of at most 10 m in 10 um are below 10^7; 100 MUSD in cents are 10^10."""


def feasible(model: Model, enforced: frozenset[str], pins: frozenset[str]) -> bool:
    """Return whether a design meets all requirements in `enforced` and all `pins`."""
    cp = model.cp.clone()
    for id in sorted(enforced):
        for variable, _ in model.requirements[id].slacks:
            cp.add(variable == 0)
    for key in sorted(pins):
        cp.add(model.pins[key] == 1)
    return _run(cp, None) is not None


def _run(cp: Any, objective: Any) -> Any:
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = SEED
    solver.parameters.max_deterministic_time = TIME_LIMIT_S
    solver.parameters.cp_model_probing_level = 0  # tiny models: presolve costs more than search
    solver.parameters.symmetry_level = 0
    solver.parameters.linearization_level = 0
    if objective is None or isinstance(objective, int):
        cp.clear_objective()
    else:
        cp.minimize(objective)
    status = solver.solve(cp)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return solver
    return None


def _solution(model: Model, solver: Any) -> Solution:
    chosen = {}
    for slot in model.slots:
        for card in model.options[slot.key]:
            key = (slot.key, card.id)
            if solver.boolean_value(model.x[key]):
                pieces = model.pieces.get(key)
                amount = float(solver.value(pieces)) if pieces is not None else quantity(slot, card)
                chosen[slot.key] = (slot, card, amount)
    unmet = tuple(
        id
        for id, row in sorted(model.requirements.items())
        if any(solver.value(variable) > 0 for variable, _ in row.slacks)
    )
    levels = {
        name: expression if isinstance(expression, int) else round(solver.value(expression))
        for name, expression in model.levels
    }
    return Solution(chosen=chosen, levels=levels, unmet=unmet)
