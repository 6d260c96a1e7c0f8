"""case.json: the whole case as data, the same bytes for the same results."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from casemate.case.argument import argument
from casemate.case.checks import checked
from casemate.case.gsn import Node, Structure
from casemate.case.results import (
    FarResult,
    MoveResult,
    Part,
    Plot,
    Results,
    Target,
    TileMap,
    Trial,
)
from casemate.case.sensitivity import Withdrawn, sensitivity, simulated_only
from casemate.case.verdict import judged, judged_far, judged_move, overall
from casemate.core.canonical import digest

FORMAT = "casemate/case/1"


def case_document(results: Results) -> dict[str, Any]:
    """Return case.json as JSON values; what is not a number there is null.

    `digest` is the SHA-256 of the canonical bytes of all the rest. InputError if the results
    cannot be argued from.
    """
    checked(results)
    structure = argument(results)
    rows = {row.assumption: row for row in sensitivity(results)}
    document = {
        "format": FORMAT,
        "enclosure": results.enclosure,
        "kind": results.kind,
        "serial": results.serial,
        "spec_digest": results.spec_digest,
        "seed": str(results.seed),
        "date": results.date,
        "adversary": results.adversary,
        "versions": dict(sorted(results.versions.items())),
        "verdict": overall(results),
        "doubts": [asdict(doubt) for doubt in results.doubts],
        "simulated_only": list(simulated_only(results)),
        "assumptions": [
            {**asdict(a), "carries": _carries(rows[a.id])} for a in results.assumptions
        ],
        "sensitivity": list(rows),
        "targets": [_target(target) for target in results.targets],
        "moves": [_move(move) for move in results.moves],
        "far": [_far(far) for far in results.far],
        "gsn": _gsn(structure),
        "plots": [_plot(plot) for plot in results.plots],
        "atlas": asdict(results.atlas) if results.atlas else None,
        "maps": [_map(each) for each in results.maps],
    }
    plain: dict[str, Any] = _plain(document)
    return {**plain, "digest": digest(plain)}


def case_schema() -> dict[str, Any]:
    """Return the JSON Schema of case.json (draft 2020-12)."""
    text = (files("casemate.case") / "case.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _plain(value: Any) -> Any:
    """Return JSON values: tuples as lists, scalars of numpy as plain ones, not finite as null."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | bool):
        return value
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _interval(low: float | None, high: float | None) -> list[float] | None:
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return None
    return [low, high]


def _target(target: Target) -> dict[str, Any]:
    found = judged(target)
    return {
        "id": target.id,
        "text": target.text,
        "group": target.group,
        "required": target.required,
        "sense": target.sense,
        "achieved": target.achieved,
        "interval": _interval(target.low, target.high),
        "confidence": target.confidence,
        "unit": target.unit,
        "kind": target.kind,
        "verdict": found.verdict,
        "why": found.why,
        "evidence": target.evidence,
        "rests_on": list(target.rests_on),
        "rerun": target.rerun,
    }


def move_document(move: MoveResult) -> dict[str, Any]:
    """Return a move's entry of case.json."""
    plain: dict[str, Any] = _plain(_move(move))
    return plain


def _move(move: MoveResult) -> dict[str, Any]:
    found = judged_move(move)
    return {
        "id": move.id,
        "name": move.name,
        "goal": move.goal,
        "required": move.required,
        "verdict": found.verdict,
        "why": found.why,
        "trials": move.trials,
        "detected": move.detected,
        "pod": move.pod,
        "pod_low": move.pod_low,
        "pod_high": move.pod_high,
        "confidence": move.confidence,
        "delay_s_p50": move.delay_s_p50,
        "delay_s_p99": move.delay_s_p99,
        "weakest": _trial(move.weakest) if move.weakest else None,
        "seen_by": list(move.seen_by),
        "ends": {
            "tamper": move.tamper,
            "interference": move.interference,
            "denied": move.denied,
            "level": move.level,
        },
        "potential": {
            "points": move.points,
            "level": move.potential_level,
            "cost_usd": move.cost_usd,
            "persons": move.persons,
        },
        "search": None
        if math.isnan(move.adaptive)
        else {"margin": move.adaptive, "budget": move.budget},
        "by_tile": [_part(part) for part in move.by_tile],
        "by_parameter": [_part(part) for part in move.by_parameter],
        "kind": "simulated",
        "rests_on": list(move.rests_on),
        "rerun": move.rerun,
    }


def _part(part: Part) -> dict[str, Any]:
    return asdict(part)


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "tile": trial.tile,
        "x_m": trial.x_m,
        "y_m": trial.y_m,
        "parameters": dict(sorted(trial.parameters.items())),
        "margin": trial.margin,
        "detected": trial.detected,
        "delay_s": trial.delay_s,
    }


def _far(far: FarResult) -> dict[str, Any]:
    return {
        "cause": far.cause,
        "about": far.about,
        "per_enclosure_year": far.per_enclosure_year,
        "lower": far.lower,
        "upper": far.upper,
        "kind": far.kind,
        "level": far.level,
        "verdict": judged_far(far).verdict,
        "rests_on": list(far.rests_on),
        "rerun": far.rerun,
    }


def _carries(row: Withdrawn) -> dict[str, Any]:
    return {
        "resting": list(row.resting),
        "flips": [asdict(flip) for flip in row.flips],
        "top": {"before": row.top_before, "after": row.top_after, "flips": row.top_flips},
    }


def _gsn(structure: Structure) -> dict[str, Any]:
    return {
        "root": structure.root,
        "nodes": [_node(node) for node in structure.nodes],
        "links": [asdict(link) for link in structure.links],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "text": node.text,
        "what": node.what,
        "about": node.about,
        "undeveloped": node.undeveloped,
        "verdict": node.verdict,
        "evidence": asdict(node.evidence) if node.evidence else None,
    }


def _plot(plot: Plot) -> dict[str, Any]:
    return asdict(plot)


def _map(each: TileMap) -> dict[str, Any]:
    return {
        "tile": each.tile,
        "face": each.face,
        "outline": each.outline,
        "holes": each.holes,
        "trials": [
            {
                "x_m": t.x_m,
                "y_m": t.y_m,
                "margin": t.margin,
                "detected": t.detected,
                "delay_s": t.delay_s,
            }
            for t in each.trials
        ],
    }
