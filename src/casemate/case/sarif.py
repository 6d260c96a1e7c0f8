"""Findings as a SARIF 2.1.0 log (OASIS), for tools that collect findings of many kinds."""

from __future__ import annotations

import hashlib
import math
from typing import Any

from casemate.case.checks import checked
from casemate.case.findings import RULES, Finding, findings
from casemate.case.results import Results, Trial

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif_document(results: Results) -> dict[str, Any]:
    """Return the log: one run, one result a finding, no place in any file.

    Places are logical locations: enclosure, tile, point in the tile's plane. A finding keeps its
    fingerprint from run to run as long as its rule and subject stay. InputError as `checked`.
    """
    checked(results)
    rules = list(RULES)
    driver = {
        "name": "casemate",
        "version": results.versions.get("casemate", "unknown"),
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": about},
                "defaultConfiguration": {"level": level},
            }
            for rule, (level, about) in RULES.items()
        ],
    }
    commands = sorted({f.rerun for f in findings(results) if f.rerun})
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"case/{results.enclosure}/{results.serial}/"},
        "properties": {
            "date": results.date,
            "specDigest": results.spec_digest,
            "seed": str(results.seed),
            "commands": commands,
        },
        "results": [
            _result(results, finding, rules.index(finding.rule)) for finding in findings(results)
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(results: Results, finding: Finding, index: int) -> dict[str, Any]:
    key = "\0".join((results.enclosure, finding.rule, finding.what, finding.about))
    properties: dict[str, Any] = {"about": finding.about, "what": finding.what}
    if finding.verdict:
        properties["verdict"] = finding.verdict
    if finding.rerun:
        properties["rerun"] = finding.rerun
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": finding.text},
        "locations": [{"logicalLocations": [_location(results, finding)]}],
        "partialFingerprints": {"subject/v1": hashlib.sha256(key.encode()).hexdigest()},
        "properties": properties,
    }


def _location(results: Results, finding: Finding) -> dict[str, Any]:
    place = finding.place
    if place is None or not place.tile:
        return {
            "name": finding.about,
            "fullyQualifiedName": f"{results.enclosure}/{finding.what}/{finding.about}",
            "kind": finding.what,
        }
    at = ""
    if math.isfinite(place.x_m) and math.isfinite(place.y_m):
        at = f"/x={place.x_m * 1e3:.3f}mm,y={place.y_m * 1e3:.3f}mm"
    return {
        "name": place.tile,
        "fullyQualifiedName": f"{results.enclosure}/{place.tile}{at}",
        "kind": "tile",
        "properties": _point(place),
    }


def _point(place: Trial) -> dict[str, Any]:
    figures = {
        "x_m": place.x_m,
        "y_m": place.y_m,
        "margin": place.margin,
        **{f"parameter.{name}": value for name, value in sorted(place.parameters.items())},
    }
    return {name: value for name, value in figures.items() if math.isfinite(value)}
