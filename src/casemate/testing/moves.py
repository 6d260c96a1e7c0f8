"""Conformance kit of attack moves: what each registered move must keep, whoever wrote it.

    from casemate.testing.moves import CHECKS
    for name, check in CHECKS.items():
        check(MY_MOVE, enclosure)     # AssertionError says what is wrong

It needs a design only, no meshes.
"""

from __future__ import annotations

import importlib
import math
import re
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from casemate.attacks.catalogue import MOVES
from casemate.attacks.catalogue import move as find
from casemate.attacks.move import Move, Parameter, Plan
from casemate.attacks.places import NEAR, plan_drawn
from casemate.core.errors import InputError
from casemate.core.units import QuantityError, parse_quantity
from casemate.design.enclosure import Enclosure
from casemate.testing.scenes import flaws
from casemate.twin.effects import (
    Ambient,
    Conducted,
    Fans,
    Force,
    Gas,
    HeatSpot,
    Light,
    Load,
    Magnetic,
    Radiated,
    Shaken,
    Sound,
)

DRAWS = 50
MOST_POINTS = 57
"""Of the scale: more than six months, several experts, critical, difficult and bespoke."""
HARMLESS = (
    Ambient, Conducted, Fans, Force, Gas, HeatSpot, Light, Load, Magnetic, Radiated, Shaken, Sound
)  # fmt: skip
"""Effects that reach nothing by themselves; whoever goes in has at least one other, or heats."""
Check = Callable[[Move, Enclosure], None]


def generator_of(move: Move) -> np.random.Generator:
    """Return the generator that the kit draws a move's values and places with."""
    return np.random.default_rng(zlib.crc32(move.id.encode()))


def plans(enclosure: Enclosure, generator: np.random.Generator) -> Iterator[Plan]:
    """Yield places of every kind that the design has, one after the other, without end."""
    kinds = []
    for near in NEAR:
        try:
            plan_drawn(enclosure, generator, near=near)
        except InputError:
            continue
        kinds.append(near)
    while True:
        for near in kinds:
            yield plan_drawn(enclosure, generator, near=near)


def check_described(move: Move, enclosure: Enclosure) -> None:
    """The move is registered, in the file of its name, with a docstring and a source."""
    assert find(move.id) is move
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", move.id), "id: lower-case words and hyphens"
    room = importlib.import_module(f"casemate.attacks.{move.id.replace('-', '_')}")
    assert (room.__doc__ or "").strip().endswith("."), "the file says what the move is"
    assert getattr(room, move.id.replace("-", "_").upper()) is move
    assert move.name.strip() and move.about.strip() and len(move.source) > 10
    assert sum(each.id == move.id or each.name == move.name for each in MOVES) == 1


def check_parameters(move: Move, enclosure: Enclosure) -> None:
    """Parameters have names of their own, sound ranges, readable units, defaults within."""
    names = [each.name for each in move.parameters]
    assert names and len(set(names)) == len(names)
    for each in move.parameters:
        assert each.low <= each.default <= each.high, each.name
        assert math.isfinite(each.low) and math.isfinite(each.high), each.name
        assert each.about.strip(), each.name
        assert each.scale != "log" or each.low > 0.0, each.name
        assert _unit_reads(each), f"{each.name}: {each.unit}"
        if each.scale == "whole":
            assert {each.low % 1, each.high % 1, each.default % 1} == {0}, each.name
        if each.words:
            assert each.scale == "whole" and len(each.words) == each.high - each.low + 1, each.name
    assert move.checked({}) == move.defaults()
    drawn = move.drawn(generator_of(move))
    assert move.checked(drawn) == drawn


def _unit_reads(parameter: Parameter) -> bool:
    try:
        return parse_quantity(f"1 {parameter.unit}", parameter.unit) == 1.0
    except QuantityError:
        return False


def check_refusals(move: Move, enclosure: Enclosure) -> None:
    """Unknown parameters and values out of range raise InputError with a remedy."""
    _refused(move, "no_such_parameter", 1.0)
    for each in move.parameters:
        step = max(1.0, abs(each.high))
        for value in (each.low - step, each.high + step, math.nan, math.inf, -math.inf):
            _refused(move, each.name, value)
        if each.scale == "whole":
            _refused(move, each.name, each.low + 0.5)


def _refused(move: Move, name: str, value: float) -> None:
    try:
        move.checked({name: value})
    except InputError as error:
        assert error.key == name and error.remedy.strip()
        return
    raise AssertionError(f"{name} = {value} is taken")


def check_potential(move: Move, enclosure: Enclosure) -> None:
    """Potential has points on the scale and figures that make sense."""
    has = move.potential
    assert 0 <= has.points <= MOST_POINTS
    assert has.level
    assert has.persons >= 1 and has.cost_usd >= 0.0
    assert has.elapsed_s > 0.0 and has.on_site_s >= 0.0


def check_scenes(move: Move, enclosure: Enclosure) -> None:
    """Scenes of defaults, of all-low and all-high values and of DRAWS drawn ones are sound."""
    generator = generator_of(move)
    places = plans(enclosure, generator)
    lows = {each.name: each.low for each in move.parameters}
    highs = {each.name: each.high for each in move.parameters}
    drawn = [move.drawn(generator) for _ in range(DRAWS)]
    for given in (move.defaults(), lows, highs, *drawn):
        found = flaws(move.scene(next(places), given), enclosure)
        assert not found, f"{found[:3]} with {given}"


def check_deterministic(move: Move, enclosure: Enclosure) -> None:
    """The same place and values give the same scene, and so does the same seed."""
    scenes = []
    for _ in range(2):
        generator = generator_of(move)
        plan = next(plans(enclosure, generator))
        given = move.drawn(generator)
        scenes += [move.scene(plan, given), move.scene(plan, given)]
    assert all(scene == scenes[0] for scene in scenes)


def check_goal(move: Move, enclosure: Enclosure) -> None:
    """Who discredits leaves nothing behind; who goes in does more than disturb from outside."""
    generator = generator_of(move)
    plan = next(plans(enclosure, generator))
    for given in (move.defaults(), move.drawn(generator)):
        scene = move.scene(plan, given)
        if move.goal == "discredit":
            lasting = [row for row in scene if not math.isfinite(row.stop_s)]
            assert not lasting, f"{lasting[0].effect} stays"
        else:
            heats = [row for row in scene if isinstance(row.effect, HeatSpot)]
            reaches = [row for row in scene if not isinstance(row.effect, HARMLESS)]
            assert reaches or heats, "nothing is reached"


CHECKS: dict[str, Check] = {
    "described": check_described,
    "parameters": check_parameters,
    "refusals": check_refusals,
    "potential": check_potential,
    "scenes": check_scenes,
    "deterministic": check_deterministic,
    "goal": check_goal,
}
"""All checks by name; each raises AssertionError that says what is wrong."""
