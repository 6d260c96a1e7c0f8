"""Attack plans as TOML: docs/formats/attack-plan.md. Those that are shipped lie in `named/`."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casemate.attacks.catalogue import move as find_move
from casemate.attacks.move import Move, Parameter
from casemate.attacks.places import Near
from casemate.attacks.plans import ANYWHERE, AttackPlan, PlaceChoice, Step
from casemate.core.errors import InputError
from casemate.core.units import QuantityError, parse_quantity
from casemate.spec.problems import closest, spec_error
from casemate.spec.quantity import Quantity

NAMED = Path(__file__).parent / "named"
"""The folder of shipped plans."""
PLAN_BYTES_MAX = 1 << 18
"""A plan is a page of text."""
MAX_ITEMS = 64
"""Steps, places, and values of a step."""

LARGEST = 1e300
"""A TOML integer may be larger than any float."""
ROUNDING = 1e-12
"""A quantity this near to an end of its range is that end: conversion of units rounds."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["jam-then-drill"])]
Length = Annotated[float, Quantity("m", 0, 5.0, "20 mm")]
Time = Annotated[float, Quantity("s", 0, 1e9, "30 s")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class PlaceTable(_Table):
    """A place by its own name; drawn at random where it is not given."""

    id: Name = Field(description="Name that steps use.")
    tile: Annotated[str, Field(max_length=80, examples=["front-1-1"])] | None = Field(
        default=None, description="Board; left out, any."
    )
    x: Length | None = Field(default=None, description="In the board's plane, from its left.")
    y: Length | None = Field(default=None, description="In the board's plane, from below.")
    near: Near = Field(default="anywhere", description="Where it is drawn.")


class StepTable(_Table):
    """A move at a place and time."""

    move: Annotated[str, Field(max_length=80, examples=["drill"])] = Field(description="Its id.")
    at: Name | None = Field(default=None, description="A place; left out, one drawn for all.")
    start: Time = Field(default=0.0, description="When it begins.")
    after: bool = Field(default=False, description="Whether start counts from the step before.")
    values: Annotated[dict[str, Any], Field(max_length=MAX_ITEMS)] = Field(
        default={}, description="Parameters of the move; defaults for the others."
    )


class PlanFile(_Table):
    """The whole file."""

    format: Literal[1] = Field(description="Version of the format.", examples=[1])
    name: Name = Field(description="Name of the plan.")
    about: Annotated[str, Field(max_length=400, examples=["jam, then drill"])] = Field(
        description="What it does, in a sentence."
    )
    places: Annotated[list[PlaceTable], Field(max_length=MAX_ITEMS)] = []
    steps: Annotated[list[StepTable], Field(min_length=1, max_length=MAX_ITEMS)]


def load_plan(path: Path) -> AttackPlan:
    """Return the plan in the file at `path`; InputError for whatever is wrong with it."""
    file = str(path)
    remedy = "name a plan file, see docs/formats/attack-plan.md."
    try:
        with path.open("rb") as stream:
            content = stream.read(PLAN_BYTES_MAX + 1)
        if len(content) > PLAN_BYTES_MAX:
            raise InputError("the file is larger than 256 KiB.", remedy=remedy, file=file)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:  # a folder, no permission, no UTF-8, a null in the name
        raise InputError(
            f"the file cannot be read: {getattr(error, 'strerror', None) or error}.",
            remedy=remedy,
            file=file,
        ) from None
    return load_plan_text(text, file)


def load_plan_text(text: str, file: str = "plan.toml") -> AttackPlan:
    """Return the plan in `text`; `file` names it in errors."""
    try:
        table = PlanFile.model_validate(_parsed(text, file))
    except ValidationError as problem:
        said = spec_error(problem, file=file, model=PlanFile)
        raise InputError(
            said.message, remedy=said.remedy, file=file, key=said.key, value=said.value
        ) from None
    try:
        return AttackPlan(
            id=table.name,
            about=table.about,
            places=tuple(_place(row, number) for number, row in enumerate(table.places)),
            steps=tuple(_step(row, number) for number, row in enumerate(table.steps)),
        )
    except InputError as error:
        raise InputError(
            error.message, remedy=error.remedy, file=file, key=error.key, value=error.value
        ) from None


def named_plans() -> tuple[str, ...]:
    """Return the names of the shipped plans."""
    return tuple(sorted(path.stem for path in NAMED.glob("*.toml")))


def named_plan(name: str) -> AttackPlan:
    """Return a shipped plan; InputError, with the nearest, if there is none."""
    if name not in named_plans():
        raise InputError(
            f"there is no plan {name!r}.",
            remedy=f"{closest(name, named_plans())}plans: {', '.join(named_plans())}.",
            key="--plan",
        )
    return load_plan(NAMED / f"{name}.toml")


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        why = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(
            f"the file is not TOML: {why}.",
            remedy='correct the place named; quantities need quotes, as in start = "30 s".',
            file=file,
        ) from None


def _place(row: PlaceTable, number: int) -> PlaceChoice:
    key = f"places[{number}]"
    if (row.x is None) != (row.y is None):
        raise InputError("x and y belong together.", remedy="give both or neither.", key=key)
    if row.x is None or row.y is None:
        return PlaceChoice(id=row.id, tile=row.tile, near=row.near)
    if row.tile is None or row.near != "anywhere":
        raise InputError(
            "a place with x and y is on a tile, and not drawn.",
            remedy="add its tile and leave out near.",
            key=f"{key}.tile" if row.tile is None else f"{key}.near",
        )
    return PlaceChoice(id=row.id, tile=row.tile, at=(row.x, row.y))


def _step(row: StepTable, number: int) -> Step:
    key = f"steps[{number}]"
    try:
        move = find_move(row.move)
    except InputError as error:
        raise InputError(error.message, remedy=error.remedy, key=f"{key}.move") from None
    values = {
        name: value_of(move, name, given, f"{key}.values.{name}")
        for name, given in row.values.items()
    }
    try:
        move.checked(values)
    except InputError as error:
        raise InputError(
            error.message, remedy=error.remedy, key=f"{key}.values.{error.key}", value=error.value
        ) from None
    return Step(
        move=move, values=values, place=row.at or ANYWHERE, start_s=row.start, after=row.after
    )


def value_of(move: Move, name: str, given: object, key: str) -> float:
    """Return a value in the parameter's own unit: a number, a quantity, or a word of a choice."""
    rule = next((each for each in move.parameters if each.name == name), None)
    if rule is None:
        known = [each.name for each in move.parameters]
        raise InputError(
            f"the move {move.id} has no such parameter.",
            remedy=f"{closest(name, known)}parameters: {', '.join(known)}.",
            key=key,
        )
    if isinstance(given, str):
        return _read(rule, given, key)
    if isinstance(given, int | float) and not isinstance(given, bool) and abs(given) <= LARGEST:
        return float(given)
    raise InputError("expected a quantity or a number.", remedy=_wanted(rule), key=key, value=given)


def _read(rule: Parameter, text: str, key: str) -> float:
    if rule.words:
        if text in rule.words:
            return rule.low + rule.words.index(text)
        raise InputError(
            "not one of the known values.",
            remedy=f"{closest(text, rule.words)}use {', '.join(rule.words)}.",
            key=key,
            value=text,
        )
    try:
        value = parse_quantity(text, rule.unit)
    except QuantityError as error:
        raise InputError(f"{error}.", remedy=_wanted(rule), key=key, value=text) from None
    near = [end for end in (rule.low, rule.high) if math.isclose(value, end, rel_tol=ROUNDING)]
    return near[0] if near else float(f"{value:.15g}")


def _wanted(rule: Parameter) -> str:
    if rule.words:
        return f"use {', '.join(rule.words)}."
    example = f"{rule.default:g} {rule.unit}".strip()
    return f'write "{example}", or the number alone.'
