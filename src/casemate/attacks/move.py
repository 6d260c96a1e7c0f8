"""What a move is: parameters with ranges, its potential, and the effects that it has in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from casemate.attacks.potential import Potential
from casemate.core.errors import InputError
from casemate.core.geometry import Point, Point3
from casemate.design.enclosure import TileDesign
from casemate.twin.effects import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number that the adversary chooses. `scale` says how it is drawn between low and high.

    unit: as in plan files, "" for none. words: what the whole numbers from `low` up are called.
    """

    name: str
    low: float
    high: float
    default: float
    unit: str
    about: str
    scale: Literal["linear", "log", "whole"] = "linear"
    words: tuple[str, ...] = ()

    def word(self, value: float) -> str:
        """Return what a whole value is called."""
        return self.words[round(value - self.low)]


def choice(name: str, words: tuple[str, ...], about: str, default: int = 0) -> Parameter:
    """Return a parameter that picks one of `words`."""
    return Parameter(
        name=name, low=0, high=len(words) - 1, default=default, unit="", about=about,
        scale="whole", words=words,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the adversary knows: the design, not the keys, and where it has chosen to work.

    size_m: the box. tile: the board that it works on, `place` in that board's plane. doors: faces
    that open. modalities: what is fitted, outermost first. cavity_m: a place on the wall of the
    protected volume behind `place`; wall_m: how far behind the board's outer surface that is.
    """

    size_m: Point3
    tile: TileDesign
    place: Point
    tiles: tuple[TileDesign, ...]
    doors: tuple[str, ...]
    modalities: tuple[str, ...]
    cavity_m: Point3
    wall_m: float = 0.0


Values = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move. goal: to go in, or to make alarms worthless.

    effects: from the plan and the values of all parameters to a scene that starts at 0.
    """

    id: str
    name: str
    goal: Literal["intrude", "discredit"]
    about: str
    parameters: tuple[Parameter, ...]
    potential: Potential
    effects: Callable[[Plan, Values], Scene]
    source: str

    def defaults(self) -> dict[str, float]:
        """Return the default of every parameter."""
        return {each.name: each.default for each in self.parameters}

    def checked(self, given: Values) -> dict[str, float]:
        """Return all values, defaults filled in; InputError for an unknown name or out of range."""
        known = {each.name: each for each in self.parameters}
        for name, value in given.items():
            if name not in known:
                raise InputError(
                    f"the move {self.id} has no parameter {name!r}.",
                    remedy=f"parameters: {', '.join(known) or 'none'}.",
                    key=name,
                )
            rule = known[name]
            whole = rule.scale != "whole" or value == round(value, 0)
            if not (rule.low <= value <= rule.high and whole):
                number = "a whole number from " if rule.scale == "whole" else ""
                raise InputError(
                    f"the parameter {name} of {self.id} is out of range.",
                    remedy=f"give {number}{rule.low:g} to {rule.high:g} {rule.unit}".rstrip() + ".",
                    key=name,
                    value=value,
                )
        return {**self.defaults(), **given}

    def drawn(self, generator: np.random.Generator) -> dict[str, float]:
        """Return values drawn from all ranges."""
        return {each.name: _draw(each, generator) for each in self.parameters}

    def scene(self, plan: Plan, given: Values) -> Scene:
        """Return the effects for checked values, in the order in which they start."""
        return tuple(sorted(self.effects(plan, self.checked(given)), key=lambda row: row.start_s))


def _draw(parameter: Parameter, generator: np.random.Generator) -> float:
    if parameter.scale == "log":
        low, high = np.log(parameter.low), np.log(parameter.high)
        return float(np.clip(np.exp(generator.uniform(low, high)), parameter.low, parameter.high))
    if parameter.scale == "whole":
        return float(generator.integers(int(parameter.low), int(parameter.high) + 1))
    return float(generator.uniform(parameter.low, parameter.high))
