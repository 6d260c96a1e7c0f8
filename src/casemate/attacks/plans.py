"""Moves in combination: steps with their places and times, joined into one scene.

Steps may share a place. A place that is not given is drawn, so one plan stands for many attacks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from casemate.attacks.move import Move, Plan, Values
from casemate.attacks.places import Near, plan_at, plan_drawn
from casemate.attacks.potential import Potential, hardest, together
from casemate.attacks.potential_rules import of_parameters
from casemate.attacks.shifting import joined, last_s, shifted
from casemate.core.errors import InputError
from casemate.core.geometry import Point
from casemate.design.enclosure import Enclosure
from casemate.twin.effects import Scene

ANYWHERE = ""
"""The place of steps that name none: one for all of them, drawn over all boards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChoice:
    """A place that steps name. `at` in the plane of `tile`, or drawn from `near` on it or any."""

    id: str
    tile: str | None = None
    at: Point | None = None
    near: Near = "anywhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A move with its values (defaults for the others) at a place, shifted by `start_s`.

    after: `start_s` counts from the end of the step before, not from the plan's start. A move has a
    second of quiet of its own before it acts.
    """

    move: Move
    values: Values = field(default_factory=dict)
    place: str = ANYWHERE
    start_s: float = 0.0
    after: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackPlan:
    """Steps that make one attack. InputError for a place that is declared twice, or not at all."""

    id: str
    about: str
    steps: tuple[Step, ...]
    places: tuple[PlaceChoice, ...] = ()

    def __post_init__(self) -> None:
        known = [each.id for each in self.places]
        if not self.steps:
            raise _wrong("a plan needs a step.", "add [[steps]] with a move.", "steps", None)
        if len(set(known)) != len(known):
            raise _wrong("two places have one id.", "rename one of them.", "places", known)
        for number, step in enumerate(self.steps):
            if step.place not in (ANYWHERE, *known):
                raise _wrong(
                    "there is no such place.",
                    f"declare it in places; there are: {', '.join(known) or 'none'}.",
                    f"steps[{number}].at",
                    step.place,
                )
            if not (math.isfinite(step.start_s) and step.start_s >= 0.0):
                raise _wrong(
                    "a step starts at 0 s or later.",
                    "correct its start.",
                    f"steps[{number}].start",
                    step.start_s,
                )

    @property
    def goal(self) -> Literal["intrude", "discredit"]:
        """Return the goal: to go in if any step does."""
        goes_in = any(step.move.goal == "intrude" for step in self.steps)
        return "intrude" if goes_in else "discredit"

    @property
    def potential(self) -> Potential:
        """Return what the plan takes with the values of its steps.

        Each move is prepared once, as hard as its hardest step, and carried out at each step.

        Persons are the most that a step needs; steps at the same time may need more.
        """
        done: dict[str, list[Potential]] = {}
        for step in self.steps:
            done.setdefault(step.move.id, []).append(of_parameters(step.move, step.values))
        once = together(tuple(hardest(tuple(each)) for each in done.values()))
        on_site_s = sum(part.on_site_s for each in done.values() for part in each)
        return replace(once, on_site_s=on_site_s)

    def placed(self, enclosure: Enclosure, generator: np.random.Generator) -> dict[str, Plan]:
        """Return where the plan works on a design: places given, and those drawn, by id."""
        chosen = {each.id: each for each in (PlaceChoice(id=ANYWHERE), *self.places)}
        return {id: _placed(each, enclosure, generator) for id, each in chosen.items()}

    def scene(self, where: Mapping[str, Plan]) -> Scene:
        """Return all steps in time at places found by `placed`."""
        scenes: list[Scene] = []
        end_s = 0.0
        for step in self.steps:
            own = step.move.scene(where[step.place], step.values)
            scenes.append(shifted(own, step.start_s + (end_s if step.after else 0.0)))
            end_s = last_s(scenes[-1])
        return joined(scenes)


def _placed(each: PlaceChoice, enclosure: Enclosure, generator: np.random.Generator) -> Plan:
    if each.tile is not None and each.at is not None:
        return plan_at(enclosure, each.tile, each.at)
    return plan_drawn(enclosure, generator, near=each.near, tile=each.tile)


def _wrong(message: str, remedy: str, key: str, value: object) -> InputError:
    return InputError(message, remedy=remedy, key=key, value=value)
