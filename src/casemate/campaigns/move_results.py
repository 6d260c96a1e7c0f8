"""Trials of a move as a result that a case is argued from: exact intervals, places, parameters."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np

from casemate.attacks.move import Parameter
from casemate.attacks.potential_rules import of_parameters
from casemate.campaigns.assumptions import CATALOGUE, CAVITY, PLACES, TWIN
from casemate.campaigns.campaign import Trials3, weakest
from casemate.campaigns.engines.table import Row
from casemate.campaigns.rarity.intervals import clopper_pearson
from casemate.campaigns.scope import asked
from casemate.case.results import MoveResult, Part, Trial

BINS = 4
"""Parts of a parameter's range, in its own scale."""
SAMPLE = 60
"""Trials that the case shows beside its figures."""


def move_result(
    trials: Trials3, *, tool_m: float, pod: float, confidence: float, rerun: str
) -> MoveResult:
    """Return a move's result. pod: asked of moves to go in within the spec, at `confidence`."""
    move, rows = trials.move, trials.counted
    detected = sum(row.detected for row in rows)
    low, high = _interval(detected, len(rows), confidence)
    delays = np.array([row.delay_s for row in rows if row.detected])
    worst = weakest(trials.all if trials.move.goal == "intrude" else rows)
    potential = of_parameters(move, move.defaults())
    return MoveResult(
        id=move.id,
        name=move.name,
        goal=move.goal,
        trials=len(rows),
        detected=detected,
        pod=detected / max(len(rows), 1),
        pod_low=low,
        pod_high=high,
        confidence=confidence,
        delay_s_p50=float(np.quantile(delays, 0.5)) if delays.size else math.nan,
        delay_s_p99=float(np.quantile(delays, 0.99)) if delays.size else math.nan,
        weakest=trial_of(worst) if worst is not None else None,
        seen_by=_seen_by(rows),
        tamper=sum(row.statistics["tamper"] > 0.0 for row in rows),
        interference=sum(row.interference for row in rows),
        denied=sum(row.denied for row in rows),
        level=max((row.level for row in rows), default=0),
        points=potential.points,
        potential_level=potential.level,
        cost_usd=potential.cost_usd,
        persons=potential.persons,
        by_tile=_by_tile(rows, confidence),
        by_parameter=_by_parameter(trials, confidence),
        sample=tuple(trial_of(row) for row in rows[:SAMPLE]),
        adaptive=trials.found.loss if trials.found is not None else math.nan,
        budget=trials.found.trials if trials.found is not None else 0,
        required=pod if asked(move, tool_m) else None,
        rests_on=(TWIN, CATALOGUE, PLACES, *((CAVITY,) if "rf_cavity" in _seen_by(rows) else ())),
        rerun=rerun,
    )


def trial_of(row: Row) -> Trial:
    """Return a row as the case shows it."""
    return Trial(
        tile=row.tile,
        x_m=row.x_m,
        y_m=row.y_m,
        parameters=json.loads(row.parameters),
        margin=row.margin,
        detected=row.detected,
        delay_s=row.delay_s,
    )


def _interval(detected: int, trials: int, confidence: float) -> tuple[float, float]:
    """Return the one-sided bounds of a probability, each at `confidence`."""
    if not trials:
        return 0.0, 1.0
    low = clopper_pearson(detected, trials, confidence, side="low")[0]
    return low, clopper_pearson(detected, trials, confidence, side="high")[1]


def _seen_by(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Return the modalities that noticed in half of the trials or more."""
    counted = Counter(name for row in rows for name in row.seen_by)
    return tuple(name for name, count in counted.items() if 2 * count >= max(len(rows), 1))


def _by_tile(rows: tuple[Row, ...], confidence: float) -> tuple[Part, ...]:
    parts = []
    for tile in sorted({row.tile for row in rows}):
        mine = tuple(row for row in rows if row.tile == tile)
        parts.append(_part(f"tile {tile}", math.nan, math.nan, "", mine, confidence))
    return tuple(parts)


def _by_parameter(trials: Trials3, confidence: float) -> tuple[Part, ...]:
    """Return variants by ranges of each parameter: those drawn from all ranges."""
    parts = []
    values = [(row, json.loads(row.parameters)) for row in trials.vary]
    for rule in trials.move.parameters if values else ():
        edges = _edges(rule)
        for low, high in zip(edges, edges[1:], strict=False):
            last = high == edges[-1]
            mine = tuple(
                row
                for row, given in values
                if low <= given[rule.name] and (given[rule.name] < high or last)
            )
            if mine:
                parts.append(_part(rule.name, low, high, rule.unit, mine, confidence))
    return tuple(parts)


def _edges(rule: Parameter) -> list[float]:
    if rule.scale == "log":
        return [float(v) for v in np.geomspace(rule.low, rule.high, BINS + 1)]
    if rule.scale == "whole":
        count = round(rule.high - rule.low) + 1
        if count <= BINS:
            return [rule.low + k for k in range(count + 1)]
    return [float(v) for v in np.linspace(rule.low, rule.high, BINS + 1)]


def _part(
    what: str, low: float, high: float, unit: str, rows: tuple[Row, ...], confidence: float
) -> Part:
    detected = sum(row.detected for row in rows)
    pod_low, pod_high = _interval(detected, len(rows), confidence)
    return Part(
        what=what, low=low, high=high, unit=unit, trials=len(rows), detected=detected,
        pod_low=pod_low, pod_high=pod_high,
    )  # fmt: skip
