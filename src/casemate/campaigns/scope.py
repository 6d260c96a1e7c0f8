"""What a campaign asks of each move: within the spec's targets, and with which boards it has to do.

The spec says the smallest tool that must be noticed. A move whose tool can be that large is asked
for with tools from there on; one whose tool cannot is played all the same, and nothing is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from casemate.attacks.move import Move, Plan
from casemate.twin.effects import Scene

TOOL = {
    "drill": "diameter_m",
    "jam-drill": "diameter_m",
    "pocket": "hole_m",
    "laser": "diameter_m",
    "etch": "hole_m",
    "jumper": "hole_m",
    "slow-walk": "hole_m",
    "edge": "tool_m",
    "needle": "diameter_m",
    "fibre": "diameter_m",
}
"""The parameter that says how large a hole a move makes, or needs."""
DOUBLED = 3.0
"""Tools are drawn between the least and this many times it: larger ones are met more surely."""


def least_tool(move: Move, tool_m: float) -> tuple[str, float, float] | None:
    """Return (name, low, high) of a move's tools within the spec, None if it has no tool."""
    name = TOOL.get(move.id)
    if name is None:
        return None
    high = next(each.high for each in move.parameters if each.name == name)
    return name, tool_m, min(high, DOUBLED * tool_m)


def asked(move: Move, tool_m: float) -> bool:
    """Return whether the spec asks that this move be noticed: its tool is large enough, if any."""
    rule = least_tool(move, tool_m)
    return move.goal == "intrude" and (rule is None or rule[2] >= rule[1])


def values_for(
    move: Move, how: str, tool_m: float, generator: np.random.Generator
) -> dict[str, float]:
    """Return a move's values. how: "claim" (defaults, tools from the spec's least up), "default",

    or "drawn" from all ranges.
    """
    if how == "drawn":
        return move.drawn(generator)
    values = move.defaults()
    rule = least_tool(move, tool_m)
    if how == "claim" and rule is not None and rule[2] >= rule[1]:
        name, low, high = rule
        values[name] = float(np.exp(generator.uniform(math.log(low), math.log(high))))
        values[name] = min(max(values[name], low), high)
    return values


def boards_of(scene: Scene, plan: Plan) -> tuple[str, ...]:
    """Return the boards that a scene works on, the plan's first of all."""
    names = {plan.tile.id}
    for row in scene:
        for field in ("at", "to"):
            name = getattr(getattr(row.effect, field, None), "tile", "")
            if name:
                names.add(name)
        name = getattr(row.effect, "tile", "")
        if name:
            names.add(name)
    return tuple(sorted(names))


def plain(values: Mapping[str, float]) -> dict[str, float]:
    """Return values as floats, for files."""
    return {name: float(value) for name, value in values.items()}
