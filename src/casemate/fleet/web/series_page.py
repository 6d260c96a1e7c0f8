"""Readings at the door, and as pages ask for them: unsigned, and told so."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from casemate.core.canonical import canonical_bytes
from casemate.fleet.appraisal import evidence
from casemate.fleet.errors import NotFoundError
from casemate.fleet.readings import series
from casemate.fleet.readings.series import Series
from casemate.fleet.web.asked import Asked, Reply, Service

NOTE = "told by the host's controller, not signed: nothing is proven by it"
DAY_S = 86_400


def bring(service: Service, asked: Asked) -> Reply:
    """Take readings of the enclosure whose controller brings them."""
    assert asked.enclosure_id is not None
    blocks = series.decode(asked.body, service.now_s())
    return Reply(body=canonical_bytes({"taken": _kept(service).write(asked.enclosure_id, blocks)}))


def view(service: Service, asked: Asked) -> Reply:
    """Return a channel's readings in a time of at most 31 days; without one, the channels."""
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
    held, channel = _kept(service), asked.query.get("channel", "")[: series.MOST_TEXT]
    row: dict[str, Any] = {"signed": False, "note": NOTE}
    if not channel:
        return Reply(body=canonical_bytes({**row, "channels": list(held.channels(known.id))}))
    to_s = asked.number("to", 1, 1 << 40, service.now_s())
    from_s = asked.number("from", max(to_s - 31 * DAY_S, 0), to_s - 1, max(to_s - DAY_S, 0))
    unit, points = held.read(known.id, channel, from_s, to_s)
    shown = [asdict(each) for each in points]
    row |= {"channel": channel, "unit": unit, "from": from_s, "to": to_s, "points": shown}
    return Reply(body=canonical_bytes(row))


def _kept(service: Service) -> Series:
    if service.series is None:
        raise NotFoundError("no readings are kept here.", remedy="run it by casemate fleet serve.")
    return service.series
