"""The pages of one enclosure: how it stands, what is proven of its time, and its evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from casemate.attest import token as tokens
from casemate.cli.verify_text import as_json
from casemate.core.canonical import canonical_bytes, digest
from casemate.core.errors import FormatError
from casemate.core.progress import FAILED, failing
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.clockface import ago, clock, length
from casemate.fleet.errors import AppraisingError
from casemate.fleet.permits import files, papers
from casemate.fleet.store.schema import INCIDENTS, VERDICTS
from casemate.fleet.story import weights
from casemate.fleet.story.export import source
from casemate.fleet.story.told import last_watch
from casemate.fleet.web import channel_rows, scene_part, timeline, timeline_part, work_part
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.fleet.web.interval_page import sent
from casemate.verify.continuity import Interval
from casemate.verify.result import Result

MOST_SHOWN = 100
"""Findings on the page, the worst; verdict.json has all."""
_LATEST_S = 1 << 40


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return how an enclosure stands now, and a timeline."""
    now_s = service.now_s()
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        told = last_said(link, known)
        incidents = _incidents(link, known.id)
        forks = evidence.forks(link, known.id)
        design = papers.find(link, known.id, "design")
        has = papers.there(link, known.id)
        events = service.told.of(link, known.id)
        filed = files.of_enclosure(link, known.id, 50)
    stood = stand(service, known, bool(forks), now_s)
    how, result = stood.how, stood.result
    line = timeline_part.of(asked, result.intervals, events, now_s)
    downloads = work_part.rows(service.downloads.of(asked.who.name))
    said = scene_part.place_events(events)
    latest = service.series.latest(known.id) if service.series else {}
    return {
        **head(known, "Enclosure"),
        "now": clock(now_s),
        "how": how,
        "picture": scene_part.picture(
            asked, design, said, events, filed, how, latest.values(), now_s
        ),
        "papers": list(has),
        "headline": stood.headline,
        "work": stood.work,
        "downloads": downloads,
        "evidence": weights.shown(service.weights.of(service.store, known.id)),
        "since": clock(result.since_s),
        "seen": clock(result.seen_s),
        "seen_ago": stood.seen_ago(now_s),
        "tokens": result.tokens,
        "proven_tokens": result.proven,
        "told": told,
        "findings": as_json(replace(result, findings=result.findings[:MOST_SHOWN]))["findings"],
        "more_findings": max(len(result.findings) - MOST_SHOWN, 0),
        "forks": forks,
        "incidents": incidents,
        "few": channel_rows.few(service, known.id, now_s),
        **work_part.renews(stood.work, *downloads),
        **line,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How an enclosure stands now. work: how far its appraisal is; None: `result` is all of it."""

    how: str
    headline: str
    result: Result
    work: dict[str, Any] | None = None

    def seen_ago(self, now_s: int) -> str:
        """Return how long ago witnesses saw its log."""
        return work_part.NOT_YET if self.work is not None else ago(self.result.seen_s, now_s)


def stand(service: Service, known: Enclosure, forked: bool, now_s: int) -> Stand:
    """Return state and headline to show now, and the appraisal. forked: two tokens at one place.

    While its evidence is being appraised nothing is known but what is bad: TAMPERED stays.
    """
    asked = select(VERDICTS.c.state, VERDICTS.c.headline)
    with service.store.read() as link:
        held = link.execute(asked.where(VERDICTS.c.enclosure_id == known.id)).one_or_none()
        count = evidence.next_number(link, known.id)
    try:
        result = service.intake.glance(known.id, now_s)
    except AppraisingError as error:
        failed = error.look.how == FAILED
        headline = f"UNKNOWN: its evidence {work_part.why(failed=failed)}"
        unit = known.reference
        nothing = Result(
            enclosure=known.name, serial=known.serial, reference=unit.id, now_s=now_s,
            headline=headline, state="UNKNOWN", since_s=None, seen_s=None, tokens=count, proven=0,
            intervals=(), findings=(),
        )  # fmt: skip
        work = work_part.row(error.look)
        if held is not None and (forked or held.state == "TAMPERED"):
            return Stand(how=held.state, headline=held.headline, result=nothing, work=work)
        return Stand(how="UNKNOWN", headline=headline, result=nothing, work=work)
    if forked and held is not None:
        return Stand(how=held.state, headline=held.headline, result=result)
    return Stand(how=result.state, headline=result.headline, result=result)


def continuity(service: Service, asked: Asked) -> dict[str, Any]:
    """Return what is proven of an enclosure's time, and its ledger of gaps."""
    now_s = service.now_s()
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
    result = service.intake.glance(known.id, now_s)
    found = result.intervals
    start_s = found[0].start_s if found else now_s
    return {
        **head(known, "Continuity of knowledge"),
        "now": clock(now_s),
        "headline": result.headline,
        "reference": result.reference,
        "from": clock(start_s),
        "totals": timeline.totals(found),
        "intervals": [_interval(each) for each in found],
        "gaps": [_interval(each) for each in result.gaps],
        "uncovered": sum(not each.covered_by for each in result.gaps),
        "bars": timeline.draw(found, start_s, now_s),
        "ticks": timeline.ticks(start_s, now_s),
    }


def verdict(service: Service, asked: Asked) -> Reply:
    """Return the appraisal at a time, with digests: two instances compare them.

    Equal digests of evidence, reference and policy, and an equal time, have an equal result.
    """
    at_s = asked.number("at", 0, _LATEST_S, service.now_s())
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
    service.intake.ready(known.id)
    with service.downloads.place(asked.who.name):
        evidence_ = source(service.store, known).digest()
        shown = as_json(service.intake.look(known.id, at_s))
    row = {
        "evidence": evidence_,
        "reference": f"{known.reference.id}, version {known.reference.version}",
        "at": at_s,
        "result": digest(shown),
        "verdict": shown,
    }
    return Reply(body=canonical_bytes(row))


def export(service: Service, asked: Asked) -> Reply:
    """Return all evidence as a bundle that `casemate verify` accepts, in a ZIP file."""
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
    held = source(service.store, known)
    work = service.downloads.work(asked.who.name, f"evidence-{known.id}.zip")
    with failing(work):
        return sent(service, asked, held, {}, f"evidence-{known.id}.zip", work)


def head(known: Enclosure, title: str) -> dict[str, Any]:
    return {
        "title": f"{title}: {known.name} {known.serial}",
        "id": known.id, "name": known.name, "serial": known.serial,
        "kind": known.kind, "site": known.site,
    }  # fmt: skip


def _interval(each: Interval) -> dict[str, Any]:
    return {
        "from": clock(each.start_s), "to": clock(each.end_s), "length": length(each.length_s),
        "kind": each.kind, "cause": each.cause, "covered_by": each.covered_by,
    }  # fmt: skip


def _incidents(link: Connection, enclosure_id: int) -> list[dict[str, Any]]:
    asked = (
        select(INCIDENTS).where(INCIDENTS.c.enclosure_id == enclosure_id)
        .order_by(INCIDENTS.c.id.desc()).limit(20)
    )  # fmt: skip
    return [
        {
            "id": row.id, "severity": row.severity, "opened": clock(row.opened_s),
            "acknowledged_by": row.acknowledged_by, "outcome": row.outcome,
            "open": row.disposed_s is None,
        }
        for row in link.execute(asked)
    ]  # fmt: skip


def last_said(link: Connection, known: Enclosure) -> dict[str, Any] | None:
    """Return what the last token says of the enclosure's health. It is told, not appraised."""
    count = evidence.next_number(link, known.id)
    found = evidence.entries(link, known.id, max(count - 1, 0), 1)
    if not found:
        return None
    try:
        _, token = tokens.peek(found[0])
    except FormatError:
        return None
    row: dict[str, Any] = {
        "number": count - 1, "kind": token.kind, "state": token.state,
        "uptime": length(token.uptime_s), "boots": token.boot, "time": clock(token.time_s),
        "channels": None, "healthy": None, "watch": None, "verdict": None, "information_nats": None,
    }  # fmt: skip
    watch = last_watch(link, known.id)
    if watch is not None:
        number, token = watch
        assert token.health is not None and token.verdict is not None
        row |= {
            "channels": token.health.channels, "healthy": token.health.healthy, "watch": number,
            "verdict": token.verdict.verdict,
            "information_nats": token.verdict.information_millinats / 1000,
        }  # fmt: skip
    return row
