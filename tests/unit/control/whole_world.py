"""All machines, all ways between them, and every broken rule, found in one search."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache

from machines import Edge, canonical, explored
from promela import Table, add_way
from rules import RULES

from casemate.control.states import Machine

MOST = 6000
LATE = ", after a wait"


@dataclass
class World:
    """Machines by number, ways between them, broken rules."""

    number: dict[Machine, int] = field(default_factory=dict)
    ways: dict[int, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))
    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    table: Table = field(default_factory=lambda: defaultdict(set))
    steps: int = 0

    def add(self, edge: Edge) -> None:
        """Judge a step and remember the way."""
        self.steps += 1
        for name, rule in RULES.items():
            wrong = rule(edge)
            if wrong:
                self.broken[name].append(f"{edge.before.state}: {edge.name}: {wrong}")
        still = edge.after is edge.before
        after = edge.before if still else canonical(edge.after)
        ends = [self.number.setdefault(m, len(self.number)) for m in (edge.before, after)]
        late = edge.dt_s > 0.0 and edge.name != "tick"
        self.ways[ends[0]].add((ends[1], edge.name + LATE * late))
        add_way(self.table, edge)

    def reach(self, starts: set[int], without: tuple[str, ...] = ()) -> set[int]:
        """Return what can be reached without events of these names."""
        seen, todo = set(starts), list(starts)
        while todo:
            for after, name in self.ways[todo.pop()]:
                if after not in seen and name.removesuffix(LATE) not in without:
                    seen.add(after)
                    todo.append(after)
        return seen


@cache
def whole_world() -> World:
    """Search once a session."""
    found = World()
    for edge in explored(MOST):
        found.add(edge)
    return found
