"""Our OEM parts of a chassis: zones, permit, evidence, coverage, interference.

Schemas of them lie in `schemas/`; texts here are names of reference values and words of our own,
never reasons that evidence gives.
"""

from __future__ import annotations

from casemate.attest.token import Token
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.redfish import odata
from casemate.fleet.redfish.odata import Row
from casemate.fleet.redfish.standing import Said, Standing

TYPE = "#CasemateChassis.v1_0_0.Chassis"
MOST_ZONES = 256
"""Zones that are listed (planning value)."""


def chassis(now: Standing, known: Enclosure, said: Said) -> Row:
    """Return the OEM object of a chassis."""
    return {
        "@odata.type": TYPE,
        **brief(now),
        "Zones": zones(known, said.last),
        "Permit": permit(now, said.last),
        "Evidence": evidence(now, known),
        "Coverage": coverage(now, said),
        "Interference": interference(now, said),
    }


def brief(now: Standing) -> Row:
    """Return what of it comes from how the enclosure stands alone."""
    return {
        "State": now.state,
        "Stale": now.stale,
        "Latched": bool(now.latch),
        "LatchedTime": odata.when(now.latched_s) if now.latch else None,
        "OpenIncident": now.incident,
        "IncidentAcknowledged": now.acknowledged,
    }


def zones(known: Enclosure, token: Token | None) -> list[Row]:
    """Return places: modules with keys of their own, and what the anchor says nobody watches."""
    unit = known.reference.unit(known.serial)
    anchor = token.anchor if token is not None else b""
    blind = {place for each in unit.anchors if each.digest == anchor for place in each.unwatched}
    names = sorted({*(each.name for each in unit.modules), *blind})
    return [
        {"Name": each, "Watched": each not in blind if anchor else None}
        for each in names[:MOST_ZONES]
    ]


def permit(now: Standing, token: Token | None) -> Row:
    """Return the permit in use, as the last token names it."""
    named = token.permit.hex() if token is not None and token.permit else None
    return {"InForce": now.state == "MAINTENANCE", "Digest": named}


def evidence(now: Standing, known: Enclosure) -> Row:
    """Return what the state stands on, and where it is to be had whole."""
    reference = known.reference
    return {
        "Entries": now.entries,
        "WitnessedEntries": now.proven,
        "WitnessedTime": odata.when(now.seen_s),
        "FreshUntil": odata.when(now.fresh_until_s),
        "ProvenSince": odata.when(now.since_s) if now.state in ("ARMED", "MAINTENANCE") else None,
        "ReferenceValues": f"{reference.id}, version {reference.version}",
        "BundleURI": f"/enclosures/{now.id}/evidence.zip",
        "VerdictURI": f"/enclosures/{now.id}/verdict.json",
    }


def coverage(now: Standing, said: Said) -> Row:
    """Return how much of its time is proven, and how many channels say so now."""
    spans: dict[str, int] = {}
    for each in now.told.get("continuity", []):
        spans[each["kind"]] = spans.get(each["kind"], 0) + int(each["seconds"])
    gaps = [each for each in now.told.get("gaps", []) if not each.get("covered_by")]
    health = said.health if now.state in ("ARMED", "MAINTENANCE") else None
    return {
        "ProvenSeconds": spans.get("proven", 0) + spans.get("maintenance", 0),
        "UnprovenSeconds": spans.get("unknown", 0) + spans.get("interfered", 0),
        "UncoveredGaps": len(gaps),
        "Channels": health.channels if health else None,
        "HealthyChannels": health.healthy if health else None,
    }


def interference(now: Standing, said: Said) -> Row:
    """Return what detection says, while the state is known: its verdict and level of response."""
    known = said.verdict if now.state in ("ARMED", "MAINTENANCE") else None
    return {"Verdict": known.verdict if known else None, "Level": known.level if known else None}
