"""docs/formats/state-machine.md says what the code does."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from whole_world import LATE, World

from casemate.control.states import Limits, State

PAGE = Path(__file__).parents[3] / "docs" / "formats" / "state-machine.md"
BY_BOTH = ("commission", "re-anchor", "unseal", "recommission", "retire")


def rows(world: World) -> str:
    """The table of transitions."""
    found: dict[tuple[State, State], set[str]] = defaultdict(set)
    names = {number: m.state for m, number in world.number.items()}
    for before, ways in world.ways.items():
        for after, name in ways:
            if names[before] is not names[after] and not name.endswith(LATE):
                found[names[before], names[after]].add(
                    f"{name} by both" if name in BY_BOTH else name
                )
    lines = ["| from | to | by |", "|---|---|---|"]
    order = list(State)
    for before, after in sorted(found, key=lambda pair: [order.index(each) for each in pair]):
        lines.append(f"| {before} | {after} | {'; '.join(sorted(found[before, after]))} |")
    return "\n".join(lines)


def test_the_table_is_that_of_the_code(world: World) -> None:
    """Word for word."""
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split("anew -->\n", 1)
    _, tail = rest.split("<!-- end -->", 1)
    made = f"{head}anew -->\n{rows(world)}\n<!-- end -->{tail}"
    if os.environ.get("CASEMATE_WRITE_TABLES") == "1":
        PAGE.write_text(made, encoding="utf-8")
        text = made
    assert text == made, "run with CASEMATE_WRITE_TABLES=1"


def test_the_times_are_those_of_the_code() -> None:
    """Each limit with its figure."""
    text = PAGE.read_text(encoding="utf-8")
    limits = Limits()
    for name, figure in (
        ("stale_s", f"{limits.stale_s:g}"),
        ("grace_s", f"{limits.grace_s:g}"),
        ("margin_s", f"{limits.margin_s:g}"),
        ("alert_s", f"{limits.alert_s:g}"),
        ("tries", f"{limits.tries} wrong tokens"),
        ("longest_s", f"{limits.longest_s / 86_400:g} days"),
    ):
        assert f"| `{name}` | {figure} |" in text
