"""The argument as a goal structure, in the words of the GSN Community Standard, version 3 (2021).

Goals are supported by strategies, goals and solutions; context, assumptions and justifications
stand beside them. A doubt is a counter goal that challenges a goal (dialectic extension).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from casemate.case.results import Verdict
from casemate.core.errors import InputError

NodeKind = Literal[
    "Goal", "Strategy", "Solution", "Context", "Assumption", "Justification", "CounterGoal"
]
LinkKind = Literal["SupportedBy", "InContextOf", "Challenges"]

_ALLOWED: dict[LinkKind, frozenset[tuple[NodeKind, NodeKind]]] = {
    "SupportedBy": frozenset(
        {("Goal", "Goal"), ("Goal", "Strategy"), ("Goal", "Solution"), ("Strategy", "Goal"),
         ("CounterGoal", "Solution")}
    ),
    "InContextOf": frozenset(
        (a, b)
        for a in ("Goal", "Strategy")
        for b in ("Context", "Assumption", "Justification")
    ),  # type: ignore[arg-type]
    "Challenges": frozenset({("CounterGoal", "Goal")}),
}  # fmt: skip
"""Which kinds a link may join, from source to target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a solution shows. date: ISO 8601. rerun: the command that gives it again."""

    kind: str
    figure: str
    interval: str
    date: str
    rerun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One element. what, about: target, move, cause, assumption, doubt or group, and its id.

    undeveloped: a goal that nothing supports, and that says so. verdict: of goals and strategies.
    """

    id: str
    kind: NodeKind
    text: str
    what: str = ""
    about: str = ""
    undeveloped: bool = False
    verdict: Verdict | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One relation, from `source` to `target`."""

    kind: LinkKind
    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The whole argument; `root` is the id of its top goal."""

    root: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    def node(self, id: str) -> Node:
        """Return the element of that id; KeyError if there is none."""
        for node in self.nodes:
            if node.id == id:
                return node
        raise KeyError(id)

    def joined(self, id: str, kind: LinkKind) -> tuple[Node, ...]:
        """Return what `id` is joined to by links of a kind, in order."""
        by_id = {node.id: node for node in self.nodes}
        return tuple(by_id[x.target] for x in self.links if x.source == id and x.kind == kind)

    def challenged_by(self, id: str) -> tuple[Node, ...]:
        """Return the counter goals that challenge `id`."""
        by_id = {node.id: node for node in self.nodes}
        return tuple(
            by_id[x.source] for x in self.links if x.target == id and x.kind == "Challenges"
        )


def well_formed(structure: Structure) -> Structure:
    """Return `structure`, or raise InputError that lists every rule that it breaks.

    Rules: unique ids; links between kinds that may be joined; one top goal; no cycle; every goal
    and strategy ends in solutions, or is a goal that says it is undeveloped; a solution has
    evidence with a rerun command and supports nothing; nothing stands apart.
    """
    ids = [node.id for node in structure.nodes]
    faults = [f"{id} is there twice" for id in sorted({id for id in ids if ids.count(id) > 1})]
    by_id = {node.id: node for node in structure.nodes}
    faults += _links(structure, by_id)
    if not faults:
        faults += [*_cycle(structure, by_id), *_support(structure), *_apart(structure, by_id)]
    if faults:
        raise InputError(
            f"the argument is not well formed: {'; '.join(faults)}.",
            remedy="mark what has no evidence as undeveloped; give each solution its command.",
        )
    return structure


def _links(structure: Structure, by_id: dict[str, Node]) -> list[str]:
    faults = []
    for link in structure.links:
        ends = (by_id.get(link.source), by_id.get(link.target))
        if ends[0] is None or ends[1] is None:
            faults.append(f"{link.source} - {link.target} joins what is not there")
        elif (ends[0].kind, ends[1].kind) not in _ALLOWED[link.kind]:
            faults.append(
                f"{link.source} ({ends[0].kind}) may not be {link.kind} {link.target} "
                f"({ends[1].kind})"
            )
    if structure.root not in by_id or by_id[structure.root].kind != "Goal":
        faults.append(f"the root {structure.root} is no goal")
    return faults


def _support(structure: Structure) -> list[str]:
    faults = []
    supporting = {x.source for x in structure.links if x.kind == "SupportedBy"}
    challenging = {x.source for x in structure.links if x.kind == "Challenges"}
    for node in structure.nodes:
        if node.kind in ("Goal", "Strategy") and node.id not in supporting and not node.undeveloped:
            faults.append(f"{node.id} ends in no solution and is not marked undeveloped")
        if node.undeveloped and (node.kind != "Goal" or node.id in supporting):
            faults.append(f"{node.id} is marked undeveloped and is supported, or is no goal")
        if node.kind == "CounterGoal" and node.id not in challenging:
            faults.append(f"{node.id} challenges nothing")
        if node.kind == "Solution" and (
            node.evidence is None or not node.evidence.rerun.strip() or not node.evidence.date
        ):
            faults.append(f"{node.id} is a solution without date or command to run again")
    return faults


def _cycle(structure: Structure, by_id: dict[str, Node]) -> list[str]:
    """Return what is left after taking away, again and again, all that supports on nothing left."""
    below: dict[str, set[str]] = {id: set() for id in by_id}
    for link in structure.links:
        if link.kind == "SupportedBy":
            below[link.source].add(link.target)
    left = set(by_id)
    while done := {id for id in left if not below[id] & left}:
        left -= done
    return [f"{', '.join(sorted(left))}: supported in a cycle"] if left else []


def _apart(structure: Structure, by_id: dict[str, Node]) -> list[str]:
    reached, front = {structure.root}, [structure.root]
    while front:
        here = front.pop()
        for link in structure.links:
            there = link.target if link.source == here else ""
            if link.kind == "Challenges" and link.target == here:
                there = link.source
            if there and there not in reached:
                reached.add(there)
                front.append(there)
    apart = sorted(set(by_id) - reached)
    return [f"{', '.join(apart)}: not reached from the root"] if apart else []
