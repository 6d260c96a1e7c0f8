"""Findings: what is not met, in doubt or missed, each with its rule and its place if it has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from casemate.case.figures import figure, parameters, place, rate
from casemate.case.results import MoveResult, Results, Target, Trial, Verdict
from casemate.case.sensitivity import sensitivity
from casemate.case.verdict import judged, judged_far, judged_move

Level = Literal["error", "warning", "note"]

RULES: dict[str, tuple[Level, str]] = {
    "target.not_met": ("error", "A requirement is not met"),
    "target.in_doubt": ("warning", "A requirement can be neither met nor missed by what is known"),
    "move.missed": ("error", "Trials of a move to go in were not detected"),
    "move.in_doubt": ("warning", "What is known of a move does not show that it is noticed"),
    "move.discredits": ("error", "Noise alone raises an alarm that may not be raised by it"),
    "far.unbounded": ("warning", "A cause of false alarms has no upper bound"),
    "doubt": ("warning", "A claim that nothing backs"),
    "assumption.carries": ("note", "The verdict of the whole rests on this assumption"),
}
"""Rule id: (level unless the finding says otherwise, what it means)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. about: id of the target, move, cause, doubt or assumption. what: which of these.

    place: the trial that shows it best, if it has a place.
    """

    rule: str
    level: Level
    what: Literal["target", "move", "cause", "doubt", "assumption"]
    about: str
    text: str
    verdict: Verdict | None = None
    place: Trial | None = None
    rerun: str = ""


def findings(results: Results) -> tuple[Finding, ...]:
    """Return the findings, doubts first, then by level: error, warning, note."""
    order = ("error", "warning", "note")
    found = [
        *_targets(results),
        *_moves(results),
        *_causes(results),
        *_assumptions(results),
    ]
    return (*_doubts(results), *sorted(found, key=lambda f: order.index(f.level)))


def _doubts(results: Results) -> Iterator[Finding]:
    for doubt in results.doubts:
        of = ", ".join(doubt.targets) or "the whole"
        yield Finding(
            rule="doubt", level="warning", what="doubt", about=doubt.id, text=f"{doubt.text} ({of})"
        )


def _targets(results: Results) -> Iterator[Finding]:
    for target in results.targets:
        found = judged(target)
        if found.verdict == "met":
            continue
        rule = "target.not_met" if found.verdict == "not met" else "target.in_doubt"
        yield Finding(
            rule=rule, level=RULES[rule][0], what="target", about=target.id,
            text=f"{target.text}: {found.verdict}, {_against(target)}", verdict=found.verdict,
            rerun=target.rerun,
        )  # fmt: skip


def _against(target: Target) -> str:
    ask = "at least" if target.sense == "at_least" else "at most"
    asked = f"{ask} {figure(target.required, target.unit)} is asked"
    if target.achieved is None:
        return f"nothing is known; {asked}"
    shown = f"{figure(target.achieved, target.unit)}"
    if target.low != target.high:
        shown += f" ({figure(target.low, target.unit)} to {figure(target.high, target.unit)})"
    return f"{shown}; {asked}"


def _moves(results: Results) -> Iterator[Finding]:
    for move in results.moves:
        found = judged_move(move)
        missed = move.trials - move.detected if move.goal == "intrude" else 0
        if found.verdict == "met" and not missed:
            continue
        level: Level = {"met": "note", "in doubt": "warning", "not met": "error"}[found.verdict]  # type: ignore[assignment]
        rule = (
            "move.in_doubt"
            if found.verdict == "in doubt" and not missed
            else "move.discredits"
            if move.goal == "discredit"
            else "move.missed"
        )
        yield Finding(
            rule=rule, level=level, what="move", about=move.id, text=_told(move, missed, found.why),
            verdict=found.verdict, place=move.weakest, rerun=move.rerun,
        )  # fmt: skip


def _told(move: MoveResult, missed: int, why: str) -> str:
    text = f"{move.name}: {why}"
    if missed:
        text += f"; {missed} of {move.trials} trials went undetected"
    if move.weakest:
        at = move.weakest
        text += f"; weakest on {place(at)}, margin {at.margin:.3g} nats"
        if at.parameters:
            text += f", {parameters(at.parameters)}"
    return text


def _causes(results: Results) -> Iterator[Finding]:
    for far in results.far:
        found = judged_far(far)
        if found.verdict != "met":
            yield Finding(
                rule="far.unbounded", level="warning", what="cause", about=far.cause,
                text=f"False alarms by {far.cause}: {rate(far.per_enclosure_year)}, {found.why}",
                verdict=found.verdict, rerun=far.rerun,
            )  # fmt: skip


def _assumptions(results: Results) -> Iterator[Finding]:
    by_id = {each.id: each for each in results.assumptions}
    for row in sensitivity(results):
        if row.top_flips:
            yield Finding(
                rule="assumption.carries", level="note", what="assumption", about=row.assumption,
                text=f"{by_id[row.assumption].text}: without it the whole goes from "
                f"{row.top_before} to {row.top_after}",
            )  # fmt: skip
