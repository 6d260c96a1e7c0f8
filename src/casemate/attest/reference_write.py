"""Reference values as JSON for people or deterministic CBOR to be signed and sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from casemate.attest.parties import Party, Rule
from casemate.attest.reference import FORMAT, Anchor, Digest, Reference, Required, Unit
from casemate.attest.tpm_values import Tpm, tpm_plain
from casemate.core import cbor
from casemate.core.canonical import pretty_json
from casemate.core.suites import PublicKey


def as_json(reference: Reference) -> str:
    """Return the JSON that `load` reads; the same values give the same text."""
    return pretty_json(_document(reference))


def as_cbor(reference: Reference) -> bytes:
    """Return the CBOR that `load` reads."""
    return cbor.encode(_document(reference))


def _document(reference: Reference) -> dict[str, Any]:
    timing = reference.timing
    return {
        "format": FORMAT,
        "id": reference.id,
        "version": reference.version,
        "enclosure": reference.enclosure,
        "units": [_unit(each) for each in reference.units],
        "software": _digests(reference.software),
        "parties": [_party(each) for each in reference.parties],
        "rules": [_rule(each) for each in reference.rules],
        "suites": [_required(each) for each in reference.suites],
        "timing": {
            "heartbeat_ms": timing.heartbeat_ms,
            "late_ms": timing.late_ms,
            "batch_s": timing.batch_s,
            "cosigned_s": timing.cosigned_s,
            "emergency_s": timing.emergency_s,
        },
    }


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        "serial": unit.serial,
        "origin": unit.origin,
        "anchors": [_anchor(each) for each in unit.anchors],
        "enrolments": [
            {
                "sequence": each.sequence,
                "suite": each.suite,
                "keys": _keys(each.keys),
                **_tpm(each.tpm),
            }
            for each in unit.enrolments
        ],
        "modules": [{"name": each.name, **_key(each.key)} for each in unit.modules],
        **({"inventories": _digests(unit.inventories)} if unit.inventories else {}),
    }


def _anchor(anchor: Anchor) -> dict[str, Any]:
    named = {"unwatched": list(anchor.unwatched)} if anchor.unwatched else {}
    return {"name": anchor.name, "digest": anchor.digest.hex(), **named}


def _tpm(tpm: Tpm | None) -> dict[str, Any]:
    return {} if tpm is None else {"tpm": tpm_plain(tpm)}


def _party(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "role": party.role,
        "bloc": party.bloc,
        "suite": party.suite,
        "keys": _keys(party.keys),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    needs = [{"role": each.role, "least": each.least, "blocs": each.blocs} for each in rule.needs]
    return {"action": rule.action, "needs": needs, "blocs": rule.blocs}


def _required(each: Required) -> dict[str, Any]:
    until = None if each.until_s is None else _day(each.until_s)
    return {"suite": each.suite, "since": _day(each.since_s), "until": until}


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _digests(values: tuple[Digest, ...]) -> list[dict[str, str]]:
    return [{"name": each.name, "digest": each.digest.hex()} for each in values]


def _keys(keys: tuple[PublicKey, ...]) -> list[dict[str, str]]:
    return [_key(each) for each in keys]


def _key(key: PublicKey) -> dict[str, str]:
    return {"alg": key.name, "key": key.data.hex()}
