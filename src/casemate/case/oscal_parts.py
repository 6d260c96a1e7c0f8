"""Parts of the OSCAL document that do not depend on what was found: ids, the tool, objectives."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from casemate.case.results import Results
from casemate.core.errors import InputError

NS = "https://casemate.invalid/ns/case"
"""Namespace of property names that OSCAL does not define: a name, not an address (RFC 2606)."""
_SPACE = uuid.UUID("5b0f3a54-7f0f-4c8e-9b0e-4f3f6d2a9c11")
"""Drawn once, at random; the namespace of all version 5 UUIDs of cases."""
CONTROLS = {
    "coverage": "pe-3.5",
    "detection": "sr-9",
    "false alarms": "pe-6.1",
    "reaction": "pe-6.1",
    "independence": "sr-9",
    "shielding": "pe-19",
}
"""Group of targets -> control of NIST SP 800-53 rev. 5 that it speaks to: PE-3(5) tamper
protection, SR-9 tamper resistance and detection, PE-6(1) intrusion alarms, PE-19 information
leakage. The mapping is ours and claims no conformity."""
MOVE_GROUP = {"intrude": "detection", "discredit": "false alarms"}


def uid(results: Results, *name: str) -> str:
    """Return the UUID of a thing of this unit; the same name gives the same UUID in every run."""
    return str(uuid.uuid5(_SPACE, "\0".join((results.enclosure, results.serial, *name))))


def moment(date: str) -> str:
    """Return an ISO 8601 date as OSCAL wants it: with time and zone; UTC if none is given."""
    try:
        found = datetime.fromisoformat(date)
    except ValueError:
        raise InputError(
            "the date of the run is not ISO 8601.",
            remedy="give YYYY-MM-DDTHH:MM:SSZ.",
            key="date",
            value=date,
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found.isoformat().replace("+00:00", "Z")


def token(what: str, id: str) -> str:
    """Return an id of OSCAL's token type; one that it cannot hold gets a suffix of its own."""
    clean = re.sub(r"[^A-Za-z0-9._-]", "-", id)
    suffix = "" if clean == id else f"-{hashlib.sha256(id.encode()).hexdigest()[:8]}"
    return f"{what}.{clean}{suffix}"


def line(text: str) -> str:
    """Return text on one line, never empty: titles and property values."""
    return " ".join(text.split()) or "-"


def prop(name: str, value: str) -> dict[str, str]:
    """Return a property of our namespace."""
    return {"name": name, "ns": NS, "value": line(value)}


def asked(results: Results) -> list[tuple[str, str, str, str]]:
    """Return (objective id, control id, title, claim) of each target, move and cause."""
    rows = [
        (token("target", t.id), CONTROLS[t.group], t.text,
         f"{t.text}: {t.sense.replace('_', ' ')} {t.required:.6g} {t.unit}".strip())
        for t in results.targets
    ]  # fmt: skip
    for m in results.moves:
        pod = "" if m.required is None else f" with a PoD of at least {m.required:.6g}"
        claim = (
            f"{m.name} is noticed{pod}"
            if m.goal == "intrude"
            else f"{m.name} raises no TAMPER by noise alone"
        )
        rows.append((token("move", m.id), CONTROLS[MOVE_GROUP[m.goal]], m.name, claim))
    rows += [
        (token("cause", f.cause), CONTROLS["false alarms"], f"False alarms by {f.cause}",
         f"False alarms by {f.cause} are bounded")
        for f in results.far
    ]  # fmt: skip
    return rows


def objectives(results: Results) -> list[dict[str, Any]]:
    """Return the local objectives, one for all that is asked of a control."""
    by_control: dict[str, list[dict[str, Any]]] = {}
    for id, control, title, claim in asked(results):
        part = {"id": id, "name": "assessment-objective", "title": line(title), "prose": claim}
        by_control.setdefault(control, []).append(part)
    return [{"control-id": control, "parts": parts} for control, parts in by_control.items()]


def reviewed_controls(results: Results) -> dict[str, Any]:
    """Return which controls and objectives were looked at."""
    rows = asked(results)
    controls = list(dict.fromkeys(control for _, control, _, _ in rows))
    found: dict[str, Any] = {
        "description": "Controls that the requirements of the spec speak to; no claim of "
        "conformity to any of them.",
        "control-selections": [
            {"include-controls": [{"control-id": id} for id in controls]}
            if controls
            else {"include-all": {}}
        ],
    }
    if rows:
        found["control-objective-selections"] = [
            {"include-objectives": [{"objective-id": id} for id, _, _, _ in rows]}
        ]
    return found


def local_definitions(results: Results) -> dict[str, Any]:
    """Return the enclosure as the component that was looked at, and the tool that looked."""
    versions = [prop("version-of", f"{k} {v}") for k, v in sorted(results.versions.items())]
    tool: dict[str, Any] = {
        "uuid": uid(results, "tool"),
        "type": "software",
        "title": "casemate",
        "description": "Proofs, computations and trials on the twin of this enclosure.",
        "status": {"state": "operational"},
    }
    if versions:
        tool["props"] = versions
    enclosure = {
        "uuid": uid(results, "enclosure"),
        "type": "hardware",
        "title": line(f"{results.enclosure}, serial {results.serial}"),
        "description": f"Tamper-detecting enclosure of kind {results.kind}.",
        "props": [prop("spec-digest", results.spec_digest)],
        "status": {"state": "under-development"},
    }
    platform = {
        "uuid": uid(results, "platform"),
        "uses-components": [{"component-uuid": uid(results, "tool")}],
    }
    return {
        "components": [enclosure],
        "assessment-assets": {"components": [tool], "assessment-platforms": [platform]},
    }


def back_matter(results: Results, case_digest: str) -> dict[str, Any]:
    """Return the plan that was followed (spec, seed, adversary) and where the case is."""
    plan = {
        "uuid": uid(results, "plan"),
        "title": "Plan of the assessment",
        "description": f"Spec {results.spec_digest}, seed {results.seed}, against: "
        f"{results.adversary}.",
        "props": [prop("spec-digest", results.spec_digest), prop("seed", str(results.seed))],
    }
    case = {
        "uuid": uid(results, "case"),
        "title": "case.json",
        "description": "The whole case: figures, argument, sensitivity, pictures.",
        "props": [prop("digest", case_digest)],
        "rlinks": [{"href": "case.json", "media-type": "application/json"}],
    }
    return {"resources": [plan, case]}
