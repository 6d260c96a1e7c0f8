"""docs/moves.md from the catalogue: `python -m casemate.testing.moves_page docs/moves.md`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

from casemate.attacks.catalogue import MOVES
from casemate.attacks.move import Move, Parameter
from casemate.attacks.plan_file import named_plan, named_plans
from casemate.attacks.potential import DAY_S
from casemate.attacks.potential_rules import rules

HEAD = """# Moves

What an adversary can do to an enclosure in simulation. Made by
`python -m casemate.testing.moves_page docs/moves.md`; do not edit.

A move acts through [physical effects](../src/casemate/twin/effects.py) alone: copper that is gone,
a wire, a field. What a reader makes of them is the twin's business. Each move is one file of
[attacks](../src/casemate/attacks); moves combine into [plans](formats/attack-plan.md).

Points are those of the Common Criteria (elapsed time, expertise, knowledge, window, equipment),
with their level. *JIL* is the sum of identification and exploitation as for smartcards; most of its
points are from general knowledge and not yet checked against the document. Both scales end below a
state: *beyond* counts persons, money, suppliers, concealment and repeats by a logarithm of our own.
The tables are [data](../src/casemate/attacks/potentials) with their sources. **All potentials are
planning values**, for the defaults of parameters; where figures of parameters come from, each move
says. Values are in SI; *log* and *linear* say how a value is drawn.
"""
GOALS = {
    "intrude": "to go in, or to prepare it",
    "discredit": "to cause alarms until the enclosure is switched off",
}


def page() -> str:
    """Return the whole page; it ends with a line feed."""
    return "\n".join([HEAD, *_overview(), *_rules(), *_details(), *_plans()]) + "\n"


def _overview() -> Iterator[str]:
    for goal, meaning in GOALS.items():
        yield f"## {goal.capitalize()}: {meaning}\n"
        yield (
            "| move | what it does | points | level | JIL | beyond | persons | USD | prepared "
            "| on site |"
        )
        yield "|---|---|---|---|---|---|---|---|---|---|"
        for each in MOVES:
            if each.goal == goal:
                yield _row(each)
        yield ""


def _row(move: Move) -> str:
    has = move.potential
    return (
        f"| [`{move.id}`](#{move.id}) | {move.about} | {has.points} | {has.level} "
        f"| {sum(has.jil)} | {has.beyond:.1f} | {has.persons} | {has.cost_usd:,.0f} "
        f"| {has.elapsed_s / DAY_S:g} d | {has.on_site_s / 60.0:g} min |"
    )


def _rules() -> Iterator[str]:
    yield "## What values ask for\n"
    yield "Beyond the defaults some values raise a potential; all limits are planning values.\n"
    yield "| moves | value | asks for | why |"
    yield "|---|---|---|---|"
    for need in rules().needs:
        moves = ", ".join(f"`{each}`" for each in need.moves)
        limit = f"> {need.above:g}" if math.isfinite(need.above) else f"< {need.below:g}"
        asks = ", ".join(
            f"{name} {value if isinstance(value, str) else format(value, ',.0f')}"
            for name, value in need.raises.items()
        )
        yield f"| {moves} | `{need.parameter}` {limit} | {asks} | {need.why} |"
    for time in rules().times:
        terms = " + ".join(" x ".join(f"`{name}`" for name in term) for term in time.terms)
        yield f"| `{time.move}` | {terms} over the default | {time.field} as much longer | |"
    for stay in rules().windows:
        yield f"| those | {stay.above / 3600:g} h on site | window {stay.window} | {stay.why} |"
    yield ""


def _details() -> Iterator[str]:
    yield "## Parameters\n"
    for each in MOVES:
        yield f"### {each.id}\n"
        yield f"{each.name.capitalize()}. Goal: {each.goal}. Figures: {each.source}.\n"
        yield "| parameter | range | default | drawn | meaning |"
        yield "|---|---|---|---|---|"
        for parameter in each.parameters:
            yield _parameter(parameter)
        yield ""


def _parameter(each: Parameter) -> str:
    unit = f" {each.unit}" if each.unit else ""
    span, default = f"{each.low:g} to {each.high:g}{unit}", f"{each.default:g}{unit}"
    if each.words:
        span = ", ".join(f"`{word}`" for word in each.words)
        default = f"`{each.word(each.default)}`"
    scale = "whole" if each.scale == "whole" else each.scale
    return f"| `{each.name}` | {span} | {default} | {scale} | {each.about} |"


def _plans() -> Iterator[str]:
    yield "## Named plans\n"
    yield "| plan | what it does | moves | goal | points | level |"
    yield "|---|---|---|---|---|---|"
    for name in named_plans():
        plan = named_plan(name)
        moves = ", ".join(dict.fromkeys(f"`{step.move.id}`" for step in plan.steps))
        has = plan.potential
        yield (f"| `{name}` | {plan.about} | {moves} | {plan.goal} | {has.points} | {has.level} |")


def main(arguments: list[str]) -> int:
    """Write the page to the file named, or to standard output."""
    if arguments:
        Path(arguments[0]).write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
