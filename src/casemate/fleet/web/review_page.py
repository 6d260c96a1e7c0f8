"""The review queue: what nobody has explained yet, alike beside alike, and many at once by policy.

Many at once is for warnings alone, of the same kinds of finding, by somebody who inspects: one
reason then stands for all of them. Each is decided by what the person had before them; if more has
come to one of them meanwhile, none is decided.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from casemate.fleet.access.people import Person
from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.alarms.decisions import Incident
from casemate.fleet.clockface import ago, clock
from casemate.fleet.errors import NotAllowedError, RefusedError
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS, TRIGGERS
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.verify.findings import SEVERITIES

ROWS = 12
"""Of a kind on a page: as many as a form decides at once."""
MOST = 2000
"""Open incidents that are sorted (planning value); the rest comes when these are decided."""
_NUMBER = re.compile("[1-9][0-9]{0,8}")
"""Of an incident, in the one way in which a page writes it: none is named twice."""
TOGETHER = ("warning",)
"""Severities of which one person may decide many at once."""


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return the groups of open incidents, and those of the group that the address names."""
    now_s = service.now_s()
    severity = asked.choice("severity", SEVERITIES[:3])
    chosen = asked.query.get("kinds", "")[:500]
    with service.store.read() as link:
        groups = _groups(link, severity)
        kinds = chosen if chosen in groups else next(iter(groups), "")
        ids = groups.get(kinds, [])
        page = asked.number("page", 1, max(-(-len(ids) // ROWS), 1), 1)
        shown = [_of(link, each, now_s) for each in ids[(page - 1) * ROWS : page * ROWS]]
    level = shown[0]["severity"] if shown else ""
    together = bool(shown) and all(each["severity"] in TOGETHER for each in shown)
    return {
        "title": "Review queue",
        "now": clock(now_s),
        "severity": severity,
        "severities": list(SEVERITIES[:3]),
        "groups": [
            {"kinds": each.split(" "), "words": [incidents.meaning(x) for x in each.split(" ")],
             "key": each, "count": len(held), "open": each == kinds}
            for each, held in groups.items()
        ],
        "kinds": kinds.split(" ") if kinds else [],
        "key": kinds,
        "level": level,
        "rows": shown,
        "page": page,
        "pages": max(-(-len(ids) // ROWS), 1),
        "outcomes": list(incidents.OUTCOMES),
        "together": together and asked.who.role in incidents.INSPECTING,
        "why_not": "" if together else "Alarms and what is not known are decided one by one.",
    }  # fmt: skip


def dispose(service: Service, asked: Asked) -> Reply:
    """Dispose of many warnings of the same kinds with one reason: of all, or of none."""
    now_s, form = service.now_s(), asked.form
    taken = {key[5:]: seen for key, seen in form.items() if key.startswith("take.")}
    if not 0 < len(taken) <= ROWS or not all(_NUMBER.fullmatch(each) for each in taken):
        raise RefusedError("none is chosen, or too many.", remedy=f"choose up to {ROWS}.")
    told = []
    with service.store.write() as link:
        found = [decisions.read(link, int(each)) for each in taken]
        _check_policy(asked.who, found)
        for each, seen in zip(found, taken.values(), strict=True):
            act = incidents.propose(
                asked.who, form.get("outcome", ""), form.get("reason", ""),
                severity=each.severity, triggers=each.triggers, seen=seen, now_s=now_s,
            )  # fmt: skip
            decisions.record(link, each, act)
            told.append(incidents.act_digest(each.id, act))
    return Reply(to="/review", each=tuple(told))


def _check_policy(person: Person, found: Sequence[Incident]) -> None:
    """Raise NotAllowedError unless one reason can stand for all of these incidents."""
    if person.role not in incidents.INSPECTING:
        raise NotAllowedError("many at once is for who inspects.", remedy="ask an inspector.")
    if any(each.severity not in TOGETHER for each in found):
        raise NotAllowedError(
            "alarms and what is not known are decided one by one.", remedy="open each of them."
        )
    if len({_kinds(each) for each in found}) != 1:
        raise NotAllowedError(
            "they are of different kinds: one reason cannot stand for all.",
            remedy="decide those of one kind at a time.",
        )


def _kinds(found: Incident) -> tuple[str, ...]:
    return tuple(sorted({each.finding for each in found.triggers}))


def _groups(link: Connection, severity: str) -> dict[str, list[int]]:
    """Return ids of open incidents by their kinds of finding: the worst group first, then old."""
    here: ColumnElement[bool] = INCIDENTS.c.disposed_s.is_(None)
    if severity:
        here &= INCIDENTS.c.severity == severity
    chosen = select(INCIDENTS.c.id, INCIDENTS.c.severity).where(here)
    rows = link.execute(chosen.order_by(INCIDENTS.c.severity, INCIDENTS.c.id).limit(MOST)).all()
    wanted = select(INCIDENTS.c.id).where(here).order_by(INCIDENTS.c.severity, INCIDENTS.c.id)
    pairs = select(TRIGGERS.c.incident_id, TRIGGERS.c.finding).distinct().where(
        TRIGGERS.c.incident_id.in_(wanted.limit(MOST))
    )  # fmt: skip
    named: dict[int, set[str]] = {}
    for number, finding in link.execute(pairs):
        named.setdefault(int(number), set()).add(str(finding))
    ranked = sorted(rows, key=lambda row: (SEVERITIES.index(row.severity), row.id))
    out: dict[str, list[int]] = {}
    for row in ranked:
        out.setdefault(" ".join(sorted(named.get(row.id, ()))), []).append(int(row.id))
    return out


def _of(link: Connection, incident_id: int, now_s: int) -> dict[str, Any]:
    shown = decisions.shown(link, incident_id, most=1)
    found = shown.incident
    asked = select(ENCLOSURES).where(ENCLOSURES.c.id == found.enclosure_id)
    known = link.execute(asked).one()
    last = next((each for each in reversed(found.acts) if each.act == "propose"), None)
    return {
        "id": found.id, "enclosure": known.id, "name": known.name, "serial": known.serial,
        "site": known.site, "severity": found.severity, "opened": clock(found.opened_s),
        "ago": ago(found.opened_s, now_s), "triggers": shown.count,
        "live": shown.live,
        "acknowledged_by": found.acknowledged_by, "seen": shown.seen,
        "proposed": f"{last.outcome} by {last.person} of {last.party}" if last else "",
    }  # fmt: skip
