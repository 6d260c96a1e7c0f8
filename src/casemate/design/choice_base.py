"""The CP-SAT model of a choice: its variables, requirements with slack, and levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from casemate.design.needs import Slot, quantity
from casemate.modules import Card


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
