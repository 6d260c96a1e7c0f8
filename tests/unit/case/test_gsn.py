"""The argument: its shape, its rules by planted faults, and that it agrees with the verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from case_samples import far, full, move, noise, small, target
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.case.argument import argument
from casemate.case.gsn import Evidence, Link, Node, Structure, well_formed
from casemate.case.results import Results
from casemate.case.verdict import overall
from casemate.core.errors import InputError

SHOWN = Evidence(kind="proof", figure="1", interval="exact", date="2026-01-01", rerun="casemate x")
SOUND = Structure(
    root="G1",
    nodes=(
        Node(id="G1", kind="Goal", text="top"),
        Node(id="S1", kind="Strategy", text="by part"),
        Node(id="G2", kind="Goal", text="part"),
        Node(id="G3", kind="Goal", text="open", undeveloped=True),
        Node(id="Sn1", kind="Solution", text="proof", evidence=SHOWN),
        Node(id="A1", kind="Assumption", text="given"),
        Node(id="CG1", kind="CounterGoal", text="but"),
    ),
    links=(
        Link(kind="SupportedBy", source="G1", target="S1"),
        Link(kind="SupportedBy", source="S1", target="G2"),
        Link(kind="SupportedBy", source="S1", target="G3"),
        Link(kind="SupportedBy", source="G2", target="Sn1"),
        Link(kind="InContextOf", source="G2", target="A1"),
        Link(kind="Challenges", source="CG1", target="G2"),
    ),
)


def linked(kind: str, source: str, target: str) -> Structure:
    return replace(
        SOUND, links=(*SOUND.links, Link(kind=kind, source=source, target=target))  # type: ignore
    )  # fmt: skip


def changed(id: str, **changes: object) -> Structure:
    nodes = tuple(replace(n, **changes) if n.id == id else n for n in SOUND.nodes)  # type: ignore
    return replace(SOUND, nodes=nodes)


def cut(source: str, target: str) -> Structure:
    links = tuple(x for x in SOUND.links if (x.source, x.target) != (source, target))
    return replace(SOUND, links=links)


FAULTS: dict[str, tuple[Callable[[], Structure], str]] = {
    "cycle": (lambda: linked("SupportedBy", "G2", "S1"), "in a cycle"),
    "itself": (lambda: linked("SupportedBy", "G2", "G2"), "in a cycle"),
    "unsupported": (lambda: cut("G2", "Sn1"), "ends in no solution"),
    "strategy without goals": (
        lambda: replace(SOUND, links=tuple(x for x in SOUND.links if x.source != "S1")),
        "S1 ends in no solution",
    ),
    "no rerun": (lambda: changed("Sn1", evidence=replace(SHOWN, rerun=" ")), "run again"),
    "no date": (lambda: changed("Sn1", evidence=replace(SHOWN, date="")), "run again"),
    "no evidence": (lambda: changed("Sn1", evidence=None), "run again"),
    "twice": (lambda: replace(SOUND, nodes=(*SOUND.nodes, SOUND.nodes[2])), "G2 is there twice"),
    "dangling": (lambda: linked("SupportedBy", "G2", "Sn9"), "not there"),
    "solution supports": (lambda: linked("SupportedBy", "Sn1", "G2"), "may not be"),
    "context of solution": (lambda: linked("InContextOf", "Sn1", "A1"), "may not be"),
    "assumption supports": (lambda: linked("SupportedBy", "G2", "A1"), "may not be"),
    "undeveloped but supported": (lambda: changed("G2", undeveloped=True), "marked undeveloped"),
    "apart": (
        lambda: replace(
            SOUND, nodes=(*SOUND.nodes, Node(id="G9", kind="Goal", text="x", undeveloped=True))
        ),
        "not reached",
    ),
    "idle doubt": (lambda: cut("CG1", "G2"), "challenges nothing"),
    "root": (lambda: replace(SOUND, root="S1"), "no goal"),
}


def test_a_sound_structure_passes() -> None:
    assert well_formed(SOUND) is SOUND


@pytest.mark.parametrize("name", FAULTS)
def test_each_broken_rule_is_found(name: str) -> None:
    make, words = FAULTS[name]
    with pytest.raises(InputError, match=words):
        well_formed(make())


def test_every_part_of_the_results_is_argued() -> None:
    results, found = full(), argument(full())
    goals = {n.about for n in found.nodes if n.kind == "Goal"}
    assert goals >= {t.id for t in results.targets} | {m.id for m in results.moves}
    assert goals >= {f.cause for f in results.far}
    assert {n.about for n in found.nodes if n.kind == "Assumption"} == {
        a.id for a in results.assumptions
    }
    assert [n.about for n in found.nodes if n.kind == "Strategy"] == [
        "coverage", "detection", "false alarms", "reaction", "independence", "shielding",
    ]  # fmt: skip
    blank = next(n for n in found.nodes if n.about == "pod.slow")
    assert blank.undeveloped and blank.verdict == "in doubt"
    doubts = [n for n in found.nodes if n.kind == "CounterGoal"]
    assert {n.about for n in doubts} == {"hardware", "catalogue"}
    pod = next(n.id for n in found.nodes if n.about == "pod" and n.kind == "Goal")
    assert [n.about for n in found.challenged_by(pod)] == ["hardware"]
    assert [n.about for n in found.challenged_by(found.root)] == ["catalogue"]


def test_each_solution_states_kind_figure_interval_date_and_command() -> None:
    for node in argument(full()).nodes:
        if node.kind == "Solution":
            assert node.evidence is not None and node.evidence.date == "2026-03-04T05:06:07Z"
            assert node.evidence.kind and node.evidence.figure and node.evidence.rerun


def test_evidence_without_a_command_is_refused() -> None:
    with pytest.raises(InputError, match="run again"):
        argument(small(targets=(target(rerun=""),)))


TARGETS = [
    target("t"),
    target("t", achieved=None, low=None, high=None),
    target("t", achieved=0.5, low=0.4, high=0.6),
    target("t", achieved=0.95, low=0.9, high=0.97),
]
MOVES = [
    move("m"), move("m", detected=300), move("m", adaptive=-1.0), noise("m"),
    noise("m", tamper=1), replace(move("m"), trials=0, detected=0, tamper=0),
]  # fmt: skip
FARS = [far("f"), far("f", upper=math.inf)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(TARGETS), max_size=3),
    st.lists(st.sampled_from(MOVES), max_size=3),
    st.lists(st.sampled_from(FARS), max_size=2),
)
def test_the_top_goal_has_the_overall_verdict(targets: list, moves: list, causes: list) -> None:
    """Two ways to the same verdict: up the tree, and over the flat lists."""
    results: Results = small(
        targets=tuple(replace(t, id=f"t{k}") for k, t in enumerate(targets)),
        moves=tuple(replace(m, id=f"m{k}") for k, m in enumerate(moves)),
        far=tuple(replace(f, cause=f"f{k}") for k, f in enumerate(causes)),
    )
    found = argument(results)
    assert found.node(found.root).verdict == overall(results)
