"""Every machine that can be reached, with every event: closed, and no rule is broken.

enclosure_table.pml of spin and the table of docs/formats/state-machine.md are made from it, here
since the search takes ten seconds; `CASEMATE_WRITE_TABLES=1` writes them anew.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from machine_faults import plant
from machines import START, explored
from promela import text
from rules import RULES
from whole_world import LATE, World

from casemate.control.states import Keys, State

MODELS = Path(__file__).parents[3] / "models"
PAGE = Path(__file__).parents[3] / "docs" / "formats" / "state-machine.md"


def test_it_is_closed_and_whole(world: World) -> None:
    """Every machine that a step leads to was itself tried with every event, in all six states."""
    assert set(world.ways) == set(world.number.values())
    assert {m.state for m in world.number} == set(State)
    assert len(world.number) > 1000
    print(len(world.number), "machines,", world.steps, "steps")


@pytest.mark.parametrize("rule", RULES)
def test_rule(world: World, rule: str) -> None:
    """No step breaks it."""
    assert not world.broken[rule], sorted(set(world.broken[rule]))[:12]


BOTH = ("commission", "re-anchor", "unseal", "recommission", "retire")


def _where(world: World, state: State, keys: Keys | None = None) -> set[int]:
    return {
        number for m, number in world.number.items() if m.state is state and keys in (None, m.keys)
    }


def test_no_way_from_tampered_to_armed_without_both_parties(world: World) -> None:
    """Not with any other event, nor any number of them, nor by starting the controller anew."""
    for without in (("recommission",), ("commission",)):
        reached = world.reach(_where(world, State.TAMPERED), without)
        assert not reached & _where(world, State.ARMED)
        assert not reached & _where(world, State.MAINTENANCE)
    both = world.reach(_where(world, State.TAMPERED))
    assert both & _where(world, State.ARMED), "a rule that nothing can meet proves nothing"


def test_sealed_keys_live_again_by_both_parties_alone(world: World) -> None:
    """And what has no keys at all lives again by commissioning alone."""
    live = {number for m, number in world.number.items() if m.keys is Keys.LIVE}
    sealed = _where(world, State.UNKNOWN, Keys.SEALED)
    assert world.reach(sealed, ("unseal", "recommission")).isdisjoint(live)
    assert world.reach(sealed, ("recommission",)) & live
    for keys in (Keys.NONE, Keys.GONE):
        assert world.reach(_where(world, State.UNKNOWN, keys), ("recommission",)).isdisjoint(live)


def test_a_lost_memory_is_commissioned_anew(world: World) -> None:
    """Since it may have been TAMPERED."""
    lost = {number for m, number in world.number.items() if m.forgot}
    assert lost
    assert world.reach(lost, ("recommission",)).isdisjoint(_where(world, State.ARMED))


def test_no_dead_end(world: World) -> None:
    """From everywhere but RETIRED, both parties can get back to ARMED."""
    back: dict[int, set[int]] = defaultdict(set)
    for before, ways in world.ways.items():
        for after, _ in ways:
            back[after].add(before)
    seen = set(_where(world, State.ARMED))
    todo = list(seen)
    while todo:
        for before in back[todo.pop()] - seen:
            seen.add(before)
            todo.append(before)
    assert set(world.number.values()) - seen <= _where(world, State.RETIRED)


def test_silence_ends_with_sealed_keys(world: World) -> None:
    """If nothing but time passes, no machine but one in commissioning keeps live keys."""
    ticks = {b: next(a for a, name in ways if name == "tick" and a != b) if any(
        name == "tick" and a != b for a, name in ways) else b
        for b, ways in world.ways.items()}  # fmt: skip
    names = {number: m for m, number in world.number.items()}
    for first in world.number.values():
        at = first
        for _ in range(12):
            at = ticks[at]
        m = names[at]
        assert m.state is State.COMMISSIONING or m.keys is not Keys.LIVE
        assert m.state is not State.ARMED


@pytest.mark.parametrize("rule", RULES)
def test_a_planted_fault_breaks_the_rule(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule finds the fault that it is there for, near an armed machine under a permit."""
    from armed import armed_machine, permitted_machine, working_machine

    sealed = replace(armed_machine(), state=State.TAMPERED, keys=Keys.SEALED)
    near = [armed_machine(), permitted_machine(), working_machine(), sealed]
    plant(monkeypatch, rule)
    wrong = [RULES[rule](edge) for first in near for edge in islice(explored(10**6, first), 400)]
    assert any(wrong)


def test_start_is_where_it_begins() -> None:
    """A new enclosure is in commissioning, without keys."""
    assert START.state is State.COMMISSIONING
    assert START.keys is Keys.NONE
    assert not START.signs_payload


def test_the_table_is_that_of_the_code(world: World) -> None:
    """enclosure_table.pml says what the code does."""
    made = text(world.table)
    path = MODELS / "enclosure_table.pml"
    if os.environ.get("CASEMATE_WRITE_TABLES") == "1":
        path.write_text(made)
    assert path.read_text() == made, "run with CASEMATE_WRITE_TABLES=1"


def rows(world: World) -> str:
    """The table of transitions."""
    found: dict[tuple[State, State], set[str]] = defaultdict(set)
    names = {number: m.state for m, number in world.number.items()}
    for before, ways in world.ways.items():
        for after, name in ways:
            if names[before] is not names[after] and not name.endswith(LATE):
                found[names[before], names[after]].add(f"{name} by both" if name in BOTH else name)
    lines = ["| from | to | by |", "|---|---|---|"]
    order = list(State)
    for before, after in sorted(found, key=lambda pair: [order.index(each) for each in pair]):
        lines.append(f"| {before} | {after} | {'; '.join(sorted(found[before, after]))} |")
    return "\n".join(lines)


def test_the_page_says_every_way(world: World) -> None:
    """Word for word."""
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split("anew -->\n", 1)
    _, tail = rest.split("<!-- end -->", 1)
    made = f"{head}anew -->\n{rows(world)}\n<!-- end -->{tail}"
    if os.environ.get("CASEMATE_WRITE_TABLES") == "1":
        PAGE.write_text(made, encoding="utf-8")
        page = made
    assert page == made, "run with CASEMATE_WRITE_TABLES=1"
