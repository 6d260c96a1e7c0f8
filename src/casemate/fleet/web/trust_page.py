"""Reference values at the door: a new version is brought, and versions are told."""

from __future__ import annotations

from dataclasses import asdict

from casemate.core.canonical import canonical_bytes
from casemate.fleet.appraisal import trust
from casemate.fleet.web.asked import Asked, Reply, Service


def bring(service: Service, asked: Asked) -> Reply:
    """Take a new version, signed by both parties, of the enclosure whose controller brings it."""
    assert asked.enclosure_id is not None
    with service.store.write() as link:
        taken = trust.take(link, asked.enclosure_id, asked.body, service.now_s())
    service.intake.renew(asked.enclosure_id)
    return Reply(body=canonical_bytes(_shown(taken)), told=f"version {taken.version}")


def versions(service: Service, asked: Asked) -> Reply:
    """Tell which versions were in force, since when, and who signed them."""
    with service.store.read() as link:
        found = trust.versions(link, asked.id())
    return Reply(body=canonical_bytes([_shown(each) for each in found]))


def _shown(each: trust.Version) -> dict[str, object]:
    return {**asdict(each), "signed_by": list(each.signed_by)}
