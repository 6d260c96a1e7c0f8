"""All that a campaign and a proof give, as the results that a security case is argued from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from casemate import __version__
from casemate.campaigns.assumptions import (
    ASSUMPTIONS,
    BOUNDS,
    CARDS,
    COPPER,
    KEY,
    NORMAL,
    PLACES,
    RATES,
    READERS,
    TWIN,
)
from casemate.campaigns.campaign import Trials3
from casemate.campaigns.move_results import move_result, trial_of
from casemate.campaigns.rarity.intervals import clopper_pearson, quantile_interval
from casemate.campaigns.red_team import Figures
from casemate.campaigns.trial import PAIR, SECOND_S
from casemate.case.results import (
    Doubt,
    FarResult,
    Plot,
    Results,
    Series,
    Target,
    TileMap,
)
from casemate.design.enclosure import Enclosure
from casemate.design.enclosure import Target as DesignTarget
from casemate.detect.response import SEAL
from casemate.spec.model import EnclosureSpec

NOT_SECURITY = ("thickness", "install", "service", "unavailability", "unit_cost", "own_power")
"""Targets of the design that the case does not argue: the report has them."""
MAPS = 12
"""Boards that are shown with their trials, those with most of them."""
SEVERE = ("error", "critical", "high")
"""Doubts of the design that the case repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found of one enclosure. proof: proof.json. reaction_s: delays of cut nets.

    weakened: weaknesses that were put in on purpose.
    """

    spec: EnclosureSpec
    enclosure: Enclosure
    proof: dict[str, Any]
    trials: tuple[Trials3, ...]
    far: tuple[FarResult, ...]
    reaction_s: tuple[float, ...]
    red_team: Figures
    seed: int
    date: str
    weakened: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reruns:
    """Commands that give figures again. `move` has a {} for the move."""

    build: str
    move: str
    far: str
    reaction: str
    red_team: str


def case_results(found: Found, reruns: Reruns) -> Results:
    """Return the results; every figure carries the command that gives it again."""
    spec, targets = found.spec, found.spec.targets
    drill = next((each for each in found.trials if each.move.id == "drill"), None)
    rows = [
        *(_of_design(each, reruns.build) for each in found.enclosure.targets
          if not each.id.startswith(NOT_SECURITY)),
        *([_tool(found, drill, reruns), _dual(found, drill, reruns)] if drill is not None else []),
        _far(found, reruns),
        _noise(found, reruns),
        _reaction(found, reruns),
        *(_patience(modality, hid, reruns) for modality, hid in found.red_team.patience),
    ]  # fmt: skip
    return Results(
        enclosure=found.enclosure.name,
        kind=spec.protected.kind,
        serial=found.enclosure.serial,
        spec_digest=found.enclosure.spec_digest,
        seed=found.seed,
        date=found.date,
        adversary=_adversary(spec),
        versions={"casemate": __version__, "numpy": np.__version__},
        targets=tuple(rows),
        moves=tuple(
            move_result(
                each, tool_m=targets.tool_m, pod=targets.pod, confidence=targets.pod_confidence,
                rerun=reruns.move.format(each.move.id),
            )
            for each in found.trials
        ),
        far=found.far,
        assumptions=ASSUMPTIONS,
        doubts=_doubts(found),
        plots=(*found.red_team.plots, *_convergence(found.trials, reruns)),
        atlas=found.red_team.atlas,
        maps=_maps(found.enclosure, drill),
    )  # fmt: skip


def _adversary(spec: EnclosureSpec) -> str:
    who = spec.adversary
    years = who.duration_s / 31_557_600.0
    return f"{who.profile}: {who.people:g} people, {who.budget_usd:.3g} USD, {years:.2g} years"


def _of_design(target: DesignTarget, rerun: str) -> Target:
    proved = target.evidence.startswith("proof")
    shield = target.id.startswith("attenuation")
    return Target(
        id=f"design.{target.id}",
        text=f"{target.id.replace('_', ' ').replace('.', ': ')} ({target.evidence})",
        group="shielding" if shield else "coverage",
        required=target.required,
        achieved=target.achieved,
        low=target.achieved,
        high=target.achieved,
        confidence=1.0,
        unit=target.unit,
        sense="at_most" if target.sense == "max" else "at_least",
        kind="proof" if proved else "computed",
        evidence=target.evidence,
        rests_on=(COPPER,) if proved else (CARDS,),
        rerun=rerun,
    )


def _tool(found: Found, drill: Trials3, reruns: Reruns) -> Target:
    """The spec's probability of detection, of drilling with its least tool or a larger one."""
    targets, rows = found.spec.targets, drill.counted
    detected = sum(row.detected for row in rows)
    return _drilled(
        found, detected, len(rows), reruns,
        id="detection.tool",
        text=f"a drill of {targets.tool_m * 1e3:g} mm or more, anywhere, is noticed",
        group="detection",
        required=targets.pod,
        evidence=f"{detected} of {len(rows)} drilled places on the twin",
        rests_on=(TWIN, PLACES, READERS, NORMAL),
    )  # fmt: skip


def _dual(found: Found, drill: Trials3, reruns: Reruns) -> Target:
    targets, rows = found.spec.targets, drill.counted
    both = sum(row.statistics["seen"] >= PAIR for row in rows)
    return _drilled(
        found, both, len(rows), reruns,
        id="independence.drill",
        text=f"the same drill is noticed by two modalities, each by itself, the second at most "
        f"{SECOND_S:g} s after keys are sealed",
        group="independence",
        required=targets.pod if targets.dual_detection else 0.0,
        evidence=f"{both} of {len(rows)} drilled places",
        rests_on=(TWIN, PLACES, READERS),
    )  # fmt: skip


def _drilled(found: Found, seen: int, places: int, reruns: Reruns, **told: Any) -> Target:
    """Return the target that a share of drilled places is seen, with its exact interval."""
    confidence = found.spec.targets.pod_confidence
    return Target(
        achieved=seen / max(places, 1),
        low=clopper_pearson(seen, places, confidence, side="low")[0],
        high=clopper_pearson(seen, places, confidence, side="high")[1],
        confidence=confidence,
        unit="1",
        sense="at_least",
        kind="simulated",
        rerun=reruns.move.format("drill"),
        **told,
    )


def _far(found: Found, reruns: Reruns) -> Target:
    """False TAMPER verdicts a year: bounds and computed rates add, under any dependence."""
    parts = [row for row in found.far if row.level == 2 and row.kind in ("theorem", "computed")]
    leaked = "leaked-challenge" in found.weakened or "adaptive-baseline" in found.weakened
    total = sum(row.upper for row in parts)
    return Target(
        id="false-alarms.tamper",
        text="false verdicts TAMPER, whatever is injected",
        group="false alarms",
        required=found.spec.targets.far_per_year,
        achieved=None if leaked else total,
        low=None if leaked else 0.0,
        high=None if leaked else total,
        confidence=1.0,
        unit="1/year",
        sense="at_most",
        kind="theorem",
        evidence="sum of the bound of keyed evidence and of surroundings beyond their bounds"
        if not leaked
        else "nothing: the theorem's assumption was broken on purpose",
        rests_on=(KEY, BOUNDS, RATES),
        rerun=reruns.far,
    )


def _noise(found: Found, reruns: Reruns) -> Target:
    """The level of response that injection alone reached: beyond sealing it must never come."""
    tried = found.red_team
    known = tried.injected > 0
    return Target(
        id="false-alarms.noise",
        text="level of response that injected noise alone reaches, in searches for the most",
        group="false alarms",
        required=float(SEAL),
        achieved=float(tried.highest) if known else None,
        low=float(tried.highest) if known else None,
        high=float(tried.highest) if known else None,
        confidence=1.0,
        unit="level",
        sense="at_most",
        kind="simulated",
        evidence=f"{tried.injected} attacks that displace nothing; {tried.convicted} called TAMPER",
        rests_on=(KEY, TWIN, NORMAL),
        rerun=reruns.red_team,
    )


def _reaction(found: Found, reruns: Reruns) -> Target:
    delays = np.array(found.reaction_s)
    known = delays.size > 0
    p99 = float(np.quantile(delays, 0.99)) if known else None
    low, high = quantile_interval(delays, 0.99, 0.95) if known else (None, None)
    return Target(
        id="reaction.cut",
        text="time from a cut net to the verdict TAMPER, 99 % of cuts",
        group="reaction",
        required=found.spec.targets.reaction_s,
        achieved=p99,
        low=low,
        high=high,
        confidence=0.95,
        unit="s",
        sense="at_most",
        kind="simulated",
        evidence=f"{delays.size} cuts, chip by chip",
        rests_on=(KEY, TWIN, READERS),
        rerun=reruns.reaction,
    )


HIDDEN_MOST = 2.5
"""Of U_env, that patience may hide in one feature (planning value): twice it where two features
share a common mode, which follows half of what one of them does; noise; the search's grid."""


def _patience(modality: str, hid: float, reruns: Reruns) -> Target:
    """What a patient adversary, slower than any noise, gets past the anchor in one feature."""
    return Target(
        id=f"patience.{modality}",
        text=f"largest change of one feature ({modality.replace('_', ' ')}) that patience of a "
        "second to ten years hides, over what surroundings may do (U_env)",
        group="detection",
        required=HIDDEN_MOST,
        achieved=hid,
        low=hid,
        high=hid,
        confidence=1.0,
        unit="1",
        sense="at_most",
        kind="simulated",
        evidence="even ramps on one board of median size",
        rests_on=(BOUNDS, TWIN, NORMAL),
        rerun=reruns.red_team,
    )


def _doubts(found: Found) -> tuple[Doubt, ...]:
    rows = [
        Doubt(
            id="simulated",
            text="probabilities of detection and delays are of a simulated unit: no enclosure was "
            "attacked",
            targets=("detection.tool", "independence.drill", "reaction.cut"),
        ),
        Doubt(
            id="common-mode",
            text="who changes all features of a board alike, slower than its common mode may move, "
            "hides up to the common mode's own bound; pairs of features hide twice theirs",
            targets=("detection.tool",),
        ),
        Doubt(
            id="bounds",
            text="what surroundings and ageing do to a feature is set by planning values; if they "
            "do more, keys are sealed by weather",
            targets=("false-alarms.tamper",),
        ),
        *(
            Doubt(
                id=f"missed.{each.move.id}",
                text=f"{each.move.name}: {sum(not r.detected for r in each.counted)} of "
                f"{len(each.counted)} trials went unnoticed",
                targets=(),
            )
            for each in found.trials
            if each.move.goal == "intrude" and not all(row.detected for row in each.counted)
        ),
        *(
            Doubt(
                id=f"corner.{each.goal}.{k}",
                text=f"a search won ({each.what}): {each.reason or 'see the curves'}",
                targets=(),
            )
            for k, each in enumerate(found.red_team.corners)
            if each.won
        ),
        *(
            Doubt(id=f"weakened.{name}", text=f"weakened on purpose: {name}", targets=())
            for name in found.weakened
        ),
        *(
            Doubt(id=f"design.{each.id}", text=f"{each.claim}: {each.why}", targets=())
            for each in found.enclosure.doubts
            if each.severity in SEVERE
        ),
    ]
    return tuple(rows)


def _convergence(trials: Sequence[Trials3], reruns: Reruns) -> tuple[Plot, ...]:
    from casemate.campaigns.search.as_results import convergence

    series: list[Series] = [
        convergence(each.found, each.move.id) for each in trials if each.found is not None
    ]
    if not series:
        return ()
    return (
        Plot(
            id="convergence",
            title="The least detectable variant that a search found",
            x="trials",
            y="margin, nats",
            x_log=False,
            y_log=False,
            series=tuple(series),
            about="CMA-ES over parameters and places within the spec; below 0 it got past",
            rerun=reruns.move.format("drill"),
        ),
    )


def _maps(enclosure: Enclosure, drill: Trials3 | None) -> tuple[TileMap, ...]:
    if drill is None:
        return ()
    by_tile: dict[str, list[Any]] = {}
    for row in drill.counted:
        by_tile.setdefault(row.tile, []).append(trial_of(row))
    boards = {tile.id: tile for tile in enclosure.tiles}
    most = sorted(by_tile, key=lambda name: (-len(by_tile[name]), name))[:MAPS]
    return tuple(
        TileMap(
            tile=name,
            face=boards[name].face,
            outline=tuple((float(x), float(y)) for x, y in boards[name].outline.exterior),
            holes=tuple(
                tuple((float(x), float(y)) for x, y in hole) for hole in boards[name].outline.holes
            ),
            trials=tuple(by_tile[name][:300]),
        )
        for name in most
    )
