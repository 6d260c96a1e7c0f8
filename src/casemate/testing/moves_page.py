"""docs/moves.md from the catalogue: `python -m casemate.testing.moves_page docs/moves.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from casemate.attacks.catalogue import MOVES
from casemate.attacks.move import Move, Parameter
from casemate.attacks.plan_file import named_plan, named_plans
from casemate.attacks.potential import DAY_S

HEAD = """# Moves

What an adversary can do to an enclosure in simulation. Made by
`python -m casemate.testing.moves_page docs/moves.md`; do not edit.

A move acts through [physical effects](../src/casemate/twin/effects.py) alone: copper that is gone,
a wire, a field. What a reader makes of them is the twin's business. Each move is one file of
[attacks](../src/casemate/attacks); moves combine into [plans](formats/attack-plan.md).

Points are those of the Common Criteria (elapsed time, expertise, knowledge, window, equipment). The
scale ends below a state, so persons and money stand beside it. **All potentials are planning
values**; where figures of parameters come from, each move says. Values are in SI; *log* and
*linear* say how a value is drawn.
"""
GOALS = {
    "intrude": "to go in, or to prepare it",
    "discredit": "to cause alarms until the enclosure is switched off",
}


def page() -> str:
    """Return the whole page; it ends with a line feed."""
    return "\n".join([HEAD, *_overview(), *_details(), *_plans()]) + "\n"


def _overview() -> Iterator[str]:
    for goal, meaning in GOALS.items():
        yield f"## {goal.capitalize()}: {meaning}\n"
        yield "| move | what it does | points | level | persons | USD | prepared | on site |"
        yield "|---|---|---|---|---|---|---|---|"
        for each in MOVES:
            if each.goal == goal:
                yield _row(each)
        yield ""


def _row(move: Move) -> str:
    has = move.potential
    return (
        f"| [`{move.id}`](#{move.id}) | {move.about} | {has.points} | {has.level} | {has.persons} "
        f"| {has.cost_usd:,.0f} | {has.elapsed_s / DAY_S:g} d | {has.on_site_s / 60.0:g} min |"
    )


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
