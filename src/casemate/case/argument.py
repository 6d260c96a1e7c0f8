"""The goal structure of results: from the enclosure against its adversary down to each figure."""

from __future__ import annotations

import math
from dataclasses import replace

from casemate.case.figures import figure, interval, rate
from casemate.case.gsn import Evidence, Link, LinkKind, Node, NodeKind, Structure, well_formed
from casemate.case.results import Doubt, FarResult, MoveResult, Results, Target, Verdict
from casemate.case.verdict import judged, judged_far, judged_move, worst

GROUPS = {
    "coverage": "Argue that the skin leaves no way for a tool, from what is drawn",
    "detection": "Argue that moves to go in are noticed, move by move",
    "false alarms": "Argue that alarms stay rare, cause by cause and against moves to discredit",
    "reaction": "Argue that the verdict comes in time",
    "independence": "Argue that detections do not fail together",
    "shielding": "Argue that signals stay inside",
}
"""Groups of targets in the order of the argument, with the strategy that argues each."""

_PREFIX: dict[NodeKind, str] = {
    "Goal": "G", "Strategy": "S", "Solution": "Sn", "Context": "C", "Assumption": "A",
    "Justification": "J", "CounterGoal": "CG",
}  # fmt: skip


class _Draft:
    """Owns the elements while they are collected; ids count up by kind."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self._counts: dict[NodeKind, int] = {}

    def add(self, node: Node, under: str = "", kind: LinkKind = "SupportedBy") -> str:
        """Add `node` under another element; return the id that it gets."""
        count = self._counts[node.kind] = self._counts.get(node.kind, 0) + 1
        id = f"{_PREFIX[node.kind]}{count}"
        self.nodes.append(replace(node, id=id))
        if under:
            self.link(under, id, kind)
        return id

    def link(self, source: str, target: str, kind: LinkKind) -> None:
        self.links.append(Link(kind=kind, source=source, target=target))


def argument(results: Results) -> Structure:
    """Return the goal structure of checked results, well formed, with the verdict of each goal."""
    draft = _Draft()
    root = draft.add(_node("Goal", _top(results)))
    _contexts(draft, root, results)
    stated = {
        a.id: draft.add(
            _node("Assumption", a.text, what="assumption", about=a.id), root, "InContextOf"
        )
        for a in results.assumptions
    }
    goals: dict[str, str] = {}
    if not results.targets:
        draft.add(_node("Goal", "The spec's requirements are met", undeveloped=True), root)
    for group, text in GROUPS.items():
        _group(draft, root, group, text, results, stated, goals)
    for doubt in results.doubts:
        _doubt(draft, root, doubt, goals)
    structure = Structure(root=root, nodes=tuple(draft.nodes), links=tuple(draft.links))
    return well_formed(_judged(structure))


def _node(kind: NodeKind, text: str, **rest: object) -> Node:
    return Node(id="", kind=kind, text=text, **rest)  # type: ignore[arg-type]


def _top(results: Results) -> str:
    return (
        f"The enclosure {results.enclosure} ({results.serial}) notices this adversary within its "
        "targets, and its alarms can be believed"
    )


def _contexts(draft: _Draft, root: str, results: Results) -> None:
    versions = ", ".join(f"{k} {v}" for k, v in sorted(results.versions.items()))
    for about, text in (
        ("enclosure", f"{results.kind}, serial {results.serial}, spec {results.spec_digest[:16]}"),
        ("adversary", results.adversary),
        ("run", f"run of {results.date}, seed {results.seed}; {versions}"),
    ):
        draft.add(_node("Context", text, about=about), root, "InContextOf")
    draft.add(
        _node("Justification", "Each group is what an adversary has to break, or what lets its "
              "owner down; moves are those of the catalogue, others are not argued"),
        root, "InContextOf",
    )  # fmt: skip


def _group(
    draft: _Draft,
    root: str,
    group: str,
    text: str,
    results: Results,
    stated: dict[str, str],
    goals: dict[str, str],
) -> None:
    targets = [t for t in results.targets if t.group == group]
    goal = {"detection": "intrude", "false alarms": "discredit"}.get(group)
    moves = [m for m in results.moves if m.goal == goal]
    causes = results.far if group == "false alarms" else ()
    untried = group == "detection" and not moves
    if not (targets or moves or causes or untried):
        return
    strategy = draft.add(_node("Strategy", text, what="group", about=group), root)
    for target in targets:
        goals[target.id] = _target(draft, strategy, target, results.date, stated)
    for move in moves:
        _move(draft, strategy, move, results.date, stated)
    for far in causes:
        _far(draft, strategy, far, results.date, stated)
    if untried:
        draft.add(_node("Goal", "Moves to go in are noticed", undeveloped=True), strategy)


def _target(
    draft: _Draft, under: str, target: Target, date: str, stated: dict[str, str]
) -> str:  # fmt: skip
    ask = "at least" if target.sense == "at_least" else "at most"
    goal = draft.add(
        _node("Goal", f"{target.text}: {ask} {figure(target.required, target.unit)}",
              what="target", about=target.id, undeveloped=target.achieved is None,
              verdict=judged(target).verdict),
        under,
    )  # fmt: skip
    _rests(draft, goal, target.rests_on, stated)
    if target.achieved is not None:
        shown = Evidence(
            kind=target.kind,
            figure=figure(target.achieved, target.unit),
            interval=_at(interval(target.low, target.high, target.unit), target.confidence),
            date=date,
            rerun=target.rerun,
        )
        draft.add(
            _node("Solution", target.evidence, what="target", about=target.id, evidence=shown), goal
        )
    return goal


def _at(text: str, confidence: float) -> str:
    return text if text in ("exact", "-") else f"{text} at {figure(confidence, 'share')}"


def _move(draft: _Draft, under: str, move: MoveResult, date: str, stated: dict[str, str]) -> None:
    asked = "unknown" if move.required is None else figure(move.required, "share")
    claim = (
        f"{move.name} is noticed: PoD at least {asked}"
        if move.goal == "intrude"
        else f"{move.name} does not raise TAMPER by noise alone"
    )
    goal = draft.add(
        _node("Goal", claim, what="move", about=move.id, undeveloped=move.trials == 0,
              verdict=judged_move(move).verdict),
        under,
    )  # fmt: skip
    _rests(draft, goal, move.rests_on, stated)
    if move.trials:
        draft.add(
            _node("Solution", f"{move.trials} trials on the twin", what="move", about=move.id,
                  evidence=_campaign(move, date)), goal,
        )  # fmt: skip
        if not math.isnan(move.adaptive):
            draft.add(
                _node("Solution", f"search of {move.budget} trials for the least margin",
                      what="move", about=move.id, evidence=_search(move, date)), goal,
            )  # fmt: skip


def _campaign(move: MoveResult, date: str) -> Evidence:
    if move.goal == "discredit":
        shown = f"{move.tamper} of {move.trials} ended in TAMPER, response level {move.level}"
        return Evidence(kind="simulated", figure=shown, interval="-", date=date, rerun=move.rerun)
    return Evidence(
        kind="simulated",
        figure=f"PoD {figure(move.pod, 'share')}",
        interval=_at(interval(move.pod_low, move.pod_high, "share"), move.confidence),
        date=date,
        rerun=move.rerun,
    )


def _search(move: MoveResult, date: str) -> Evidence:
    return Evidence(
        kind="simulated",
        figure=f"least margin {move.adaptive:.3g} nats over the alarm",
        interval="-",
        date=date,
        rerun=move.rerun,
    )


def _far(draft: _Draft, under: str, far: FarResult, date: str, stated: dict[str, str]) -> None:
    bounded = math.isfinite(far.upper)
    bound = f"at most {rate(far.upper)}" if bounded else "bounded"
    goal = draft.add(
        _node("Goal", f"False alarms by {far.cause} are {bound}", what="cause", about=far.cause,
              verdict=judged_far(far).verdict), under,
    )  # fmt: skip
    _rests(draft, goal, far.rests_on, stated)
    shown = Evidence(
        kind=far.kind,
        figure=rate(far.per_enclosure_year),
        interval=f"{rate(far.lower)} to {rate(far.upper)}",
        date=date,
        rerun=far.rerun,
    )
    draft.add(_node("Solution", far.about, what="cause", about=far.cause, evidence=shown), goal)


def _rests(draft: _Draft, goal: str, ids: tuple[str, ...], stated: dict[str, str]) -> None:
    for id in ids:
        draft.link(goal, stated[id], "InContextOf")


def _doubt(draft: _Draft, root: str, doubt: Doubt, goals: dict[str, str]) -> None:
    counter = draft.add(_node("CounterGoal", doubt.text, what="doubt", about=doubt.id))
    for id in doubt.targets or ("",):
        draft.link(counter, goals.get(id, root), "Challenges")


def _judged(structure: Structure) -> Structure:
    """Return the structure with the worst verdict of what supports it at each goal and strategy."""
    by_id = {node.id: node for node in structure.nodes}
    found: dict[str, Verdict] = {}

    def of(id: str) -> Verdict:
        if id not in found:
            below = [n.id for n in structure.joined(id, "SupportedBy") if n.kind != "Solution"]
            own = by_id[id].verdict
            found[id] = worst([*([own] if own else []), *(of(each) for each in below)])
        return found[id]

    nodes = tuple(
        replace(node, verdict=of(node.id)) if node.kind in ("Goal", "Strategy") else node
        for node in structure.nodes
    )
    return replace(structure, nodes=nodes)
