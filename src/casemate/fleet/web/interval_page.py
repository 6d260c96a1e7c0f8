"""An interval of an enclosure's time: what it shows, and the bundle that proves it offline."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from casemate.core.canonical import pretty_json
from casemate.core.progress import Work, failing
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.clockface import clock, length
from casemate.fleet.errors import RefusedError
from casemate.fleet.story import interval, weights
from casemate.fleet.story.export import Source, source
from casemate.fleet.web import timeline, work_part
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.fleet.web.downloads import zipped
from casemate.verify.continuity import Interval, gaps

_DEFAULT_S = 86_400
FORMAT = "casemate-interval-1"


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return what an interval shows, and where its bundle is."""
    now_s = service.now_s()
    from_s, until_s = _asked(asked, now_s)
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        told = service.told.of(link, known.id)
    found = interval.within(service.intake.glance(known.id, now_s).intervals, from_s, until_s)
    downloads = work_part.rows(service.downloads.of(asked.who.name))
    said = sum(each.length_s for each in found)
    return {
        "title": "Interval",
        "downloads": downloads, **work_part.renews(*downloads),
        "evidence": weights.shown(service.weights.of(service.store, known.id)),
        "id": known.id, "name": known.name, "serial": known.serial, "kind": known.kind,
        "site": known.site,
        "from": clock(from_s), "until": clock(until_s), "now": clock(now_s),
        "form": {"from": _local(from_s), "until": _local(until_s)},
        "length": length(until_s - from_s),
        "silent": length(until_s - from_s - said),
        "totals": timeline.totals(found),
        "bars": timeline.draw(found, from_s, until_s),
        "ticks": timeline.ticks(from_s, until_s),
        "gaps": [_shown(each) for each in gaps(found)],
        "events": [
            {"token": each.number, "at": clock(each.at_s), "kind": each.kind, "act": each.act,
             "place": each.place, "text": each.text}
            for each in told if each.at_s is not None and from_s <= each.at_s <= until_s
        ][-200:],
        "link": f"/enclosures/{known.id}/interval.zip?"
        + urlencode({"from": _local(from_s), "until": _local(until_s)}),
    }  # fmt: skip


def export(service: Service, asked: Asked) -> Reply:
    """Return the bundle of an interval, with what it shows, in a ZIP file."""
    now_s = service.now_s()
    from_s, until_s = _asked(asked, now_s)
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
    service.intake.ready(known.id)
    work = service.downloads.work(asked.who.name, f"interval-{known.id}.zip")
    with failing(work):
        return _exported(service, asked, known, (from_s, until_s, now_s), work)


def _exported(
    service: Service, asked: Asked, known: Enclosure, times: tuple[int, int, int], work: Work
) -> Reply:
    """Return the bundle of an interval. times: its beginning, its end, and now."""
    from_s, until_s, now_s = times
    seals = service.intake.seals(known.id)  # what comes meanwhile is not among them
    with service.downloads.place(asked.who.name):
        part = interval.cut(source(service.store, known), seals, until_s, now_s, work)
        evidence_ = part.source.digest(work)
    found = interval.within(service.intake.look(known.id, now_s).intervals, from_s, until_s)
    row = {
        "format": FORMAT,
        "enclosure": known.name,
        "serial": known.serial,
        "from": clock(from_s),
        "until": clock(until_s),
        "entries": part.source.total,
        "whole": part.whole,
        "evidence": evidence_,
        "verify_at": clock(part.now_s),
        "verify": f"casemate verify evidence --trust YOUR-OWN-FOLDER --now {clock(part.now_s)}",
        "continuity": [_shown(each) for each in found],
        "note": "A bundle begins with the log. What this instance says of the interval is said, "
        "not proven: run the command, and compare.",
    }
    extra = {"interval.json": pretty_json(row).encode()}
    return sent(service, asked, part.source, extra, f"interval-{known.id}.zip", work)


def sent(
    service: Service, asked: Asked, held: Source, extra: dict[str, bytes], name: str, work: Work
) -> Reply:  # fmt: skip
    """Return a ZIP file with evidence in the folder evidence/, and other files beside it."""
    files = ((f"evidence/{path}", data) for path, data in held.files())
    weight = weights.of_source(held)
    work.stage("sending", weight.zipped + sum(map(len, extra.values())), "bytes")
    parts = service.downloads.begin(asked.who.name, zipped(chain(files, extra.items())), work)
    return Reply(parts=parts, kind="application/zip", name=name)


def _asked(asked: Asked, now_s: int) -> tuple[int, int]:
    """Return the interval that is asked for: the last day by default."""
    until_s = _time(asked.query.get("until", ""), now_s)
    from_s = _time(asked.query.get("from", ""), until_s - _DEFAULT_S)
    if not 0 <= from_s < until_s <= now_s:
        raise RefusedError(
            "an interval begins before it ends, and has ended.", remedy="correct the times, in UTC."
        )
    return from_s, until_s


def _time(text: str, default: int) -> int:
    if not text:
        return default
    for form in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"):
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
        except (ValueError, OverflowError):
            continue
    raise RefusedError("that is no time.", remedy="write 2026-11-28T13:00, in UTC.")


def _local(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _shown(each: Interval) -> dict[str, Any]:
    return {
        "from": clock(each.start_s), "to": clock(each.end_s), "length": length(each.length_s),
        "kind": each.kind, "cause": each.cause, "covered_by": each.covered_by,
    }  # fmt: skip
