"""The case as OSCAL assessment results (NIST, model 1.1.2).

What was asked becomes objectives, what was found becomes findings on them, evidence becomes
observations, and what is not met or in doubt becomes risks. UUIDs are of version 5: a thing keeps
its UUID from run to run, the document's changes with its content.
"""

from __future__ import annotations

from typing import Any

from casemate.case.argument import argument
from casemate.case.as_json import case_document
from casemate.case.findings import Finding, findings
from casemate.case.gsn import Node
from casemate.case.oscal_parts import (
    NS,
    asked,
    back_matter,
    line,
    local_definitions,
    moment,
    objectives,
    prop,
    reviewed_controls,
    token,
    uid,
)
from casemate.case.results import Results, Verdict
from casemate.case.verdict import far_verdicts, move_verdicts, overall, verdicts

OSCAL_VERSION = "1.1.2"
_STATUS: dict[Verdict, dict[str, str]] = {
    "met": {"state": "satisfied", "reason": "pass"},
    "not met": {"state": "not-satisfied", "reason": "fail"},
    "in doubt": {"state": "not-satisfied", "reason": "other"},
}
_TESTS = ("simulated", "measured")
"""Kinds of evidence that OSCAL calls TEST; the others are EXAMINE."""


def oscal_document(results: Results) -> dict[str, Any]:
    """Return `{"assessment-results": ...}`. InputError if the results cannot be argued from."""
    case_digest = case_document(results)["digest"]
    when = moment(results.date)
    document: dict[str, Any] = {
        "uuid": uid(results, "document", case_digest),
        "metadata": {
            "title": line(f"Security case of {results.enclosure}, serial {results.serial}"),
            "last-modified": when,
            "version": line(results.date),
            "oscal-version": OSCAL_VERSION,
            "props": [prop("verdict", overall(results))],
        },
        "import-ap": {"href": f"#{uid(results, 'plan')}"},
    }
    if asked(results):
        document["local-definitions"] = {"objectives-and-methods": objectives(results)}
    document["results"] = [_result(results, when)]
    document["back-matter"] = back_matter(results, case_digest)
    return {"assessment-results": document}


def _result(results: Results, when: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "uuid": uid(results, "result", results.date),
        "title": line(f"Proofs and campaign of {results.date}"),
        "description": f"Verdict: {overall(results)}. Adversary: {results.adversary}.",
        "start": when,
        "local-definitions": local_definitions(results),
        "reviewed-controls": reviewed_controls(results),
    }
    seen = _observations(results, when)
    parts = {
        "observations": [row for rows in seen.values() for row in rows],
        "risks": [_risk(results, each, seen) for each in findings(results)],
        "findings": _findings(results, seen),
    }
    return {**result, **{key: rows for key, rows in parts.items() if rows}}


Seen = dict[tuple[str, str], list[dict[str, Any]]]
"""Observations by what they are of: (target, move, cause or doubt; its id)."""


def _observations(results: Results, when: str) -> Seen:
    seen: Seen = {}
    for node in argument(results).nodes:
        if node.kind == "Solution":
            rows = seen.setdefault((node.what, node.about), [])
            rows.append(_observation(results, node, len(rows), when))
    for doubt in results.doubts:
        seen["doubt", doubt.id] = [
            {
                "uuid": uid(results, "observation", "doubt", doubt.id),
                "title": line(f"Doubt: {doubt.id}"),
                "description": doubt.text,
                "methods": ["EXAMINE"],
                "types": ["finding"],
                "origins": _origins(results),
                "subjects": _subjects(results),
                "collected": when,
            }
        ]
    return seen


def _observation(results: Results, node: Node, number: int, when: str) -> dict[str, Any]:
    shown = node.evidence
    if shown is None:
        raise ValueError(f"{node.id} is a solution without evidence")
    return {
        "uuid": uid(results, "observation", node.what, node.about, str(number)),
        "title": line(f"{node.about}: {shown.kind}"),
        "description": f"{node.text}: {shown.figure} ({shown.interval}).",
        "props": [
            prop("kind", shown.kind),
            prop("figure", shown.figure),
            prop("interval", shown.interval),
            prop("rerun", shown.rerun),
        ],
        "methods": ["TEST" if shown.kind in _TESTS else "EXAMINE"],
        "types": ["control-objective"],
        "origins": _origins(results),
        "subjects": _subjects(results),
        "relevant-evidence": [
            {
                "href": f"#{uid(results, 'case')}",
                "description": f"case.json, {node.what} {node.about}. Again: {shown.rerun}",
            }
        ],
        "collected": moment(shown.date) if shown.date else when,
    }


def _risk(results: Results, finding: Finding, seen: Seen) -> dict[str, Any]:
    risk: dict[str, Any] = {
        "uuid": uid(results, "risk", finding.rule, finding.what, finding.about),
        "title": line(f"{finding.rule}: {finding.about}"),
        "description": finding.text,
        "statement": _covered(results, finding),
        "props": [prop("rule", finding.rule), prop("level", finding.level)],
        "status": "open",
        "origins": _origins(results),
    }
    potential = next((m for m in results.moves if m.id == finding.about), None)
    if finding.what == "move" and potential is not None:
        facets = {
            "attack-potential-points": str(potential.points),
            "attack-potential-level": potential.potential_level,
            "persons": str(potential.persons),
            "cost-usd": f"{potential.cost_usd:.0f}",
        }
        risk["characterizations"] = [
            {
                "origin": _origins(results)[0],
                "facets": [
                    {"name": name, "system": NS, "value": line(value)}
                    for name, value in facets.items()
                ],
            }
        ]
    related = seen.get((finding.what, finding.about), [])
    if related:
        risk["related-observations"] = [{"observation-uuid": row["uuid"]} for row in related]
    return risk


def _covered(results: Results, finding: Finding) -> str:
    """Return what answers if the claim fails: of the assumption itself, or of those it rests on."""
    rests: dict[tuple[str, str], tuple[str, ...]] = {
        **{("target", t.id): t.rests_on for t in results.targets},
        **{("move", m.id): m.rests_on for m in results.moves},
        **{("cause", f.cause): f.rests_on for f in results.far},
        **{("assumption", a.id): (a.id,) for a in results.assumptions},
    }
    named = rests.get((finding.what, finding.about), ())
    covers = [f"{a.text}: covered by {a.covers}" for a in results.assumptions if a.id in named]
    return ". ".join(covers) or "No assumption is recorded for it."


def _findings(results: Results, seen: Seen) -> list[dict[str, Any]]:
    judged: dict[tuple[str, str], Verdict] = {
        **{("target", id): v for id, v in verdicts(results).items()},
        **{("move", id): v for id, v in move_verdicts(results).items()},
        **{("cause", id): v for id, v in far_verdicts(results).items()},
    }
    risks: dict[tuple[str, str], list[str]] = {}
    for each in findings(results):
        id = uid(results, "risk", each.rule, each.what, each.about)
        risks.setdefault((each.what, each.about), []).append(id)
    claims = {id: (title, claim) for id, _, title, claim in asked(results)}
    rows = []
    for key, verdict in judged.items():
        objective = token(*key)
        title, claim = claims[objective]
        row: dict[str, Any] = {
            "uuid": uid(results, "finding", *key),
            "title": line(f"{title}: {verdict}"),
            "description": claim,
            "props": [prop("verdict", verdict)],
            "origins": _origins(results),
            "target": {
                "type": "objective-id",
                "target-id": objective,
                "status": _STATUS[verdict],
            },
        }
        if seen.get(key):
            row["related-observations"] = [{"observation-uuid": o["uuid"]} for o in seen[key]]
        if risks.get(key):
            row["related-risks"] = [{"risk-uuid": id} for id in risks[key]]
        rows.append(row)
    return rows


def _subjects(results: Results) -> list[dict[str, str]]:
    return [{"subject-uuid": uid(results, "enclosure"), "type": "component"}]


def _origins(results: Results) -> list[dict[str, Any]]:
    return [{"actors": [{"type": "tool", "actor-uuid": uid(results, "tool")}]}]
