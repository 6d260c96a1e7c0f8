"""The list of incidents, the story of one, and what people do with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from casemate.fleet.access import passkeys
from casemate.fleet.access.people import Person
from casemate.fleet.access.roles import may
from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.alarms.incidents import WHOLE, Act, Trigger
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.shown import shown_state
from casemate.fleet.clockface import ago, clock
from casemate.fleet.errors import RefusedError
from casemate.fleet.permits import files, papers
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS, TRIGGERS, VERDICTS
from casemate.fleet.web import incident_why, passkey_page, scene_part
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.verify.findings import SEVERITIES

ROWS = 100
MOST_ACTS = 200
"""Of a person about one incident (planning value): each stays for ever, on its page, too."""
_MEANING = {
    "alarm": "Rely on nothing that it signed since the first trigger. Work that must be verified "
    "leaves this machine; controllers of infrastructure take it out of their pools.",
    "unknown": "What runs there is not verified meanwhile. Payload from before stays proven.",
    "warning": "What is proven stays so; for the time of the trigger it is proven in part or not.",
}
_LATCH = {"TAMPERED": "TAMPERED, until both parties commission it anew"}
_TITLES = {"alarm": "Alarm", "unknown": "How it stands is not known", "warning": "Warning"}
_NEXT = {
    "alarm": ("keep all files, and export the evidence", "tell the other party", "inspect it"),
    "unknown": ("ask the host for evidence that witnesses have seen", "see power and network",
                "if nothing comes, treat it as interference"),
    "warning": ("ask the host for the cause", "compare with permits and the site's records",
                "dispose of it with the reason"),
}  # fmt: skip


def index(service: Service, asked: Asked) -> dict[str, Any]:
    """Return incidents, those that wait for somebody first."""
    page = asked.number("page", 1, 1_000_000, 1)
    shown = asked.choice("show", ("open", "all")) or "open"
    chosen = select(
        INCIDENTS, ENCLOSURES.c.name, ENCLOSURES.c.serial, ENCLOSURES.c.site,
        select(func.count()).where(TRIGGERS.c.incident_id == INCIDENTS.c.id)
        .scalar_subquery().label("triggers"),
    ).join_from(INCIDENTS, ENCLOSURES)  # fmt: skip
    if shown == "open":
        chosen = chosen.where(INCIDENTS.c.disposed_s.is_(None))
    with service.store.read() as link:
        total = link.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
        rows = link.execute(
            chosen.order_by(
                INCIDENTS.c.disposed_s.is_not(None), INCIDENTS.c.severity, INCIDENTS.c.id.desc()
            ).limit(ROWS).offset((page - 1) * ROWS)
        ).all()  # fmt: skip
    return {
        "title": "Incidents",
        "show": shown,
        "total": total,
        "page": page,
        "pages": max(-(-total // ROWS), 1),
        "rows": [
            {
                "id": row.id, "enclosure": row.enclosure_id, "name": row.name,
                "serial": row.serial, "site": row.site, "severity": row.severity,
                "opened": clock(row.opened_s), "last": clock(row.last_s),
                "triggers": row.triggers, "acknowledged_by": row.acknowledged_by,
                "open": row.disposed_s is None, "outcome": row.outcome,
            }
            for row in rows
        ],
    }  # fmt: skip


def story(service: Service, asked: Asked) -> dict[str, Any]:
    """Return the story of an incident: triggers in order, what it means, what comes next."""
    now_s = service.now_s()
    with service.store.read() as link:
        shown = decisions.shown(link, asked.id())
        found = shown.incident
        known = evidence.enclosure(link, found.enclosure_id)
        state = link.execute(
            select(shown_state(now_s)).select_from(VERDICTS)
            .where(VERDICTS.c.enclosure_id == known.id)
        ).scalar_one_or_none()  # fmt: skip
        told = service.told.of(link, known.id)
        design = papers.find(link, known.id, "design")
        why = incident_why.of(link, known, shown, told, asked.who, design, now_s)
        filed = files.of_enclosure(link, known.id, 50)
        proposed = _proposed(found, decisions.standing(link, found.acts), shown.seen)
    said = scene_part.place_events(incident_why.near_events(found, told))
    ordered = sorted(found.triggers, key=_order)
    return {
        "title": f"{_TITLES[found.severity]}: {known.name} {known.serial}",
        "id": found.id,
        "enclosure": known.id, "name": known.name, "serial": known.serial, "site": known.site,
        "level": found.severity,
        "text": incidents.alarm_text(min(ordered, key=_rank).finding),
        "opened": clock(found.opened_s), "open": found.disposed_s is None,
        "outcome": found.outcome,
        "disposed": clock(found.disposed_s),
        "latch": _LATCH.get(state or "", "none: TAMPERED alone latches"),
        "live": {"state": state or "UNKNOWN", "triggers": shown.whole},
        "acknowledged_by": found.acknowledged_by,
        "acknowledged": clock(found.acknowledged_s),
        "triggers": [_trigger(each, now_s) for each in ordered],
        "more": shown.count - len(ordered),
        "meaning": _MEANING[found.severity],
        **why,
        "picture": scene_part.picture(
            asked, design, said, told, filed, state or "UNKNOWN",
            service.series.latest(known.id).values() if service.series else (), now_s,
        ),
        "next": list(_NEXT[found.severity]),
        "two_persons": incidents.needs_two(found.severity),
        "proposed": proposed,
        "acts": [_shown(each) for each in found.acts],
        "seen": shown.seen,
        "outcomes": list(incidents.OUTCOMES),
        "may": _may(asked.who, found),
        "passkey": passkey_page.asks(
            service, asked.who, alarm=incidents.needs_two(found.severity)
        ),
    }  # fmt: skip


def triggers(service: Service, asked: Asked) -> Reply:
    """Return all triggers of an incident, in the order in which they came."""
    now_s = service.now_s()
    with service.store.read() as link:
        found = decisions.read(link, asked.id())
    rows = [_trigger(each, now_s) for each in found.triggers]
    row = {"id": found.id, "seen": incidents.digest(found.triggers), "triggers": rows}
    return Reply(
        body=json.dumps(row, ensure_ascii=False).encode(), name=f"incident-{found.id}.json"
    )


def acknowledge(service: Service, asked: Asked) -> Reply:
    """Say that somebody has seen an incident; nothing else changes."""
    return _act(service, asked, "acknowledge")


def propose(service: Service, asked: Asked) -> Reply:
    """Propose a disposition; where one person is enough, it holds at once."""
    return _act(service, asked, "propose")


def confirm(service: Service, asked: Asked) -> Reply:
    """Agree, as the second person, with the disposition that was proposed."""
    return _act(service, asked, "confirm")


def _act(service: Service, asked: Asked, kind: str) -> Reply:
    now_s, form = service.now_s(), asked.form
    with service.store.write() as link:
        found = decisions.read(link, asked.id())
        if sum(each.person == asked.who.name for each in found.acts) >= MOST_ACTS:
            raise RefusedError(
                "you have said enough about this incident.", remedy="have another person act."
            )
        told: dict[str, Any] = {
            "triggers": found.triggers,
            "seen": form.get("seen", ""),
            "now_s": now_s,
        }
        if kind == "acknowledge":
            act = incidents.acknowledge(asked.who, **told)
        elif kind == "propose":
            act = incidents.propose(
                asked.who, form.get("outcome", ""), form.get("reason", ""),
                severity=found.severity, **told,
            )  # fmt: skip
        else:
            if form.get("agree") != "1":
                raise RefusedError(
                    "you did not say that you have read it and agree.",
                    remedy="read what was found and the reason, then tick the box.",
                )
            act = incidents.confirm(asked.who, decisions.standing(link, found.acts), **told)
        act_id = decisions.record(link, found, act)
        if kind != "acknowledge" and service.passkeys and incidents.needs_two(found.severity):
            words = (kind, str(found.id), act.seen, act.outcome, act.reason.replace("\r\n", "\n"))
            signed = passkeys.sign_act(
                link, service.desk, asked.who, form.get("nonce", ""), form.get("passkey", ""),
                words, now_s,
            )  # fmt: skip
            passkeys.keep_signature(link, act_id, signed)
    return Reply(to=f"/incidents/{found.id}", told=incidents.act_digest(found.id, act))


def _rank(each: Trigger) -> int:
    return SEVERITIES.index(each.severity)


def _order(each: Trigger) -> tuple[int, int, str]:
    at_s = each.at_s if each.at_s is not None else each.first_s
    return at_s, each.token, each.finding


def _trigger(each: Trigger, now_s: int) -> dict[str, Any]:
    return {
        "finding": each.finding,
        "severity": each.severity,
        "text": incidents.alarm_text(each.finding),
        "what": each.what,
        "remedy": each.remedy,
        "place": "the whole" if each.token == WHOLE else f"token {each.token}",
        "at": clock(each.at_s if each.at_s is not None else each.first_s),
        "ago": ago(each.at_s if each.at_s is not None else each.first_s, now_s),
        "times": each.times,
        "live": each.live if each.token == WHOLE else None,
    }


def _shown(each: Act) -> dict[str, Any]:
    return {
        "at": clock(each.at_s), "person": each.person, "role": each.role, "party": each.party,
        "act": each.act, "outcome": each.outcome, "reason": each.reason,
    }  # fmt: skip


def _proposed(found: decisions.Incident, counts: Sequence[Act], seen: str) -> dict[str, Any] | None:
    """Return the last proposal, and whether it stands: it is of the incident as it is now.

    counts: acts of people who are let in by now.
    """
    last = next((each for each in reversed(counts) if each.act == "propose"), None)
    if last is None or found.disposed_s is not None:
        return None
    row = {"person": last.person, "party": last.party, "outcome": last.outcome}
    stands = last.seen == seen
    return {**row, "reason": last.reason, "at": clock(last.at_s), "stands": stands}


def _may(person: Person, found: decisions.Incident) -> dict[str, bool]:
    open_ = found.disposed_s is None
    allowed = {
        each: open_ and may(person.role, each) for each in ("acknowledge", "propose", "confirm")
    }
    alone = not incidents.needs_two(found.severity)
    if alone and person.role not in incidents.INSPECTING:
        allowed["propose"] = False
    return allowed
