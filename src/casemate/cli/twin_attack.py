"""What `casemate twin` was asked to do: a move, a named plan, or a plan's file, as one plan."""

from __future__ import annotations

import argparse
import difflib
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.attacks.move import Move, Plan
    from casemate.attacks.plans import AttackPlan, PlaceChoice

HERE = "here"
"""The place of a single move."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say what is done and where."""
    parser.add_argument(
        "--attack", metavar="MOVE|PLAN", help="a move, a named plan, or a plan's .toml; see --moves"
    )
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], dest="values",
        help="a parameter of the move, with its unit (diameter_m='0.2 mm'); may be repeated",
    )  # fmt: skip
    parser.add_argument("--tile", metavar="TILE", help="board to work on (default: drawn by area)")
    parser.add_argument("--at", metavar="X,Y", help="place on the board, '20 mm,30 mm'")
    parser.add_argument(
        "--near", default="anywhere", help="where a place is drawn: anywhere, rim, terminals, "
        "opening, lap or edge",
    )  # fmt: skip
    parser.add_argument("--moves", action="store_true", help="list moves and plans, and stop")


def asked(args: argparse.Namespace) -> AttackPlan | None:
    """Return the attack that the arguments ask for, None for none; InputError if it cannot be.

    Nothing is designed for this, so mistakes are told at once.
    """
    if args.values and not args.attack:
        raise InputError("--set needs an attack.", remedy="name one with --attack.", key="--set")
    if args.at and not args.tile:
        raise InputError("--at needs a board.", remedy="name one with --tile.", key="--at")
    if not args.attack:
        return None
    from casemate.attacks.catalogue import MOVES
    from casemate.attacks.plan_file import load_plan, named_plan, named_plans

    file = Path(args.attack)
    if file.suffix == ".toml" or args.attack in named_plans():
        if args.values or args.tile:
            raise InputError(
                "a plan has its own values and places.", remedy="write them in the plan.",
                key="--set" if args.values else "--tile",
            )  # fmt: skip
        return load_plan(file) if file.suffix == ".toml" else named_plan(args.attack)
    known = {each.id: each for each in MOVES}
    if args.attack not in known:
        near = difflib.get_close_matches(args.attack, [*known, *named_plans()], n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"there is no move or plan {args.attack!r}.",
            remedy=f"{hint}`casemate twin --moves` lists them.", key="--attack",
        )  # fmt: skip
    return _single(known[args.attack], args)


def _single(move: Move, args: argparse.Namespace) -> AttackPlan:
    """Return one move at one place as a plan."""
    from casemate.attacks.plans import AttackPlan, Step

    values = move.checked(_values(args.values, move))
    return AttackPlan(
        id=move.id,
        about=move.about,
        steps=(Step(move=move, values=values, place=HERE),),
        places=(_place(args),),
    )


def _values(given: list[str], move: Move) -> dict[str, float]:
    from casemate.attacks.plan_file import value_of

    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(
                "a value needs a name.", remedy="write NAME=VALUE.", key="--set", value=text
            )
        number: object = value.strip()
        with suppress(ValueError):
            number = float(value)
        found[name.strip()] = value_of(move, name.strip(), number, f"--set {name.strip()}")
    return found


def _place(args: argparse.Namespace) -> PlaceChoice:
    from casemate.attacks.places import NEAR
    from casemate.attacks.plans import PlaceChoice
    from casemate.core.units import QuantityError, parse_quantity

    if args.near not in NEAR:
        raise InputError(
            f"places are not drawn {args.near!r}.", remedy=f"write one of {', '.join(NEAR)}.",
            key="--near",
        )  # fmt: skip
    if args.at is None:
        return PlaceChoice(id=HERE, tile=args.tile, near=args.near)
    try:
        x_m, y_m = (parse_quantity(part.strip(), "m") for part in args.at.split(","))
    except (QuantityError, ValueError) as error:
        raise InputError(
            f"the place cannot be read: {error}.", remedy="write --at '20 mm,30 mm'.", key="--at",
            value=args.at,
        ) from None  # fmt: skip
    return PlaceChoice(id=HERE, tile=args.tile, at=(x_m, y_m))


def in_words(attack: AttackPlan, where: dict[str, Plan]) -> tuple[str, ...]:
    """Return what is done, with which values, and where, a line each."""
    lines = [f"{attack.id}: {attack.about}"]
    for step in attack.steps:
        values = {**step.move.defaults(), **step.values}
        shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        plan = where[step.place]
        x, y = (1e3 * value for value in plan.place)
        lines.append(f"{step.move.id} on board {plan.tile.id} at {x:.3f}, {y:.3f} mm: {shown}")
    return tuple(lines)


def print_moves(*, as_json: bool) -> None:
    """Print all moves and named plans."""
    from casemate.attacks.catalogue import MOVES
    from casemate.attacks.plan_file import named_plan, named_plans

    plans = {name: named_plan(name) for name in named_plans()}
    if as_json:
        from casemate.core.canonical import pretty_json

        rows = [
            {"id": each.id, "goal": each.goal, "about": each.about,
             "attack_potential": each.potential.points,
             "parameters": {p.name: [p.low, p.default, p.high, p.unit] for p in each.parameters}}
            for each in MOVES
        ]  # fmt: skip
        plan_rows = [{"id": name, "about": plan.about} for name, plan in plans.items()]
        sys.stdout.write(pretty_json({"moves": rows, "plans": plan_rows}))
        return
    for goal in ("intrude", "discredit"):
        print(f"moves to {goal}:")
        for each in MOVES:
            if each.goal == goal:
                print(f"  {each.id:20} {each.about}")
    print("plans:")
    for name, plan in plans.items():
        print(f"  {name:20} {plan.about}")
