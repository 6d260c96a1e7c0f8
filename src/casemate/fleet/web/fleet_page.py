"""The page of the fleet: is all well now, and what needs a decision."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Select, and_, case, func, select

from casemate.core.progress import FAILED, RUNNING, Look
from casemate.fleet.appraisal.shown import STATES, shown_state
from casemate.fleet.appraisal.verdicts import BEING_APPRAISED
from casemate.fleet.clockface import ago, clock
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS, VERDICTS
from casemate.fleet.web import waiting as waiting_part
from casemate.fleet.web import work_part
from casemate.fleet.web.asked import Asked, Service
from casemate.verify.clocks import TOLERANCE_S

ROWS = 100
_ORDER = ("TAMPERED", "UNKNOWN", "MAINTENANCE", "COMMISSIONING", "ARMED", "RETIRED")
"""Of rows: what may need somebody comes first."""
_E, _V, _I = ENCLOSURES.c, VERDICTS.c, INCIDENTS.c


def why_unknown(row: Any, now_s: int, look: Look | None = None) -> str:
    """Return why a state is UNKNOWN that the last appraisal may have called otherwise."""
    if row.headline is None:
        return "no evidence was brought yet"
    if row.fresh_until_s == BEING_APPRAISED:
        failed = look is not None and look.how == FAILED
        return f"its evidence {work_part.why(failed=failed)}"
    if row.fresh_until_s is not None and row.fresh_until_s < now_s:
        return f"stale: witnesses saw it last at {clock(row.seen_s)}"
    if row.seen_s is not None and row.seen_s > now_s + TOLERANCE_S:
        return f"witnesses saw it at {clock(row.seen_s)}, which is yet to come: see to the clocks"
    return str(row.headline)


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return counts of states, and a page of rows, worst first."""
    now_s, state = service.now_s(), asked.choice("state", STATES)
    page = asked.number("page", 1, 1_000_000, 1)
    needs = asked.choice("needs", ("decision",))
    with service.store.read() as link:
        counts = _counts(link, now_s)
        waiting = link.execute(
            select(func.count()).select_from(INCIDENTS).where(_I.disposed_s.is_(None))
        ).scalar_one()
        named = _named(asked)
        total = counts[state] if state else sum(counts.values())
        if named or needs:
            every = _matching(named, now_s, state, needs).subquery()
            total = link.execute(select(func.count()).select_from(every)).scalar_one()
        rows = _page(link, _matching(named, now_s, state, needs), now_s, page)
        for_you = waiting_part.of(link, asked.person, service.told, now_s) if asked.person else []
    looks = service.intake.under_way.looks()
    shown = [_row(each, now_s, looks.get(each.id)) for each in rows]
    well = counts["ARMED"] + counts["MAINTENANCE"] + counts["RETIRED"]
    return {
        "title": "Fleet",
        "now": clock(now_s),
        "well": not waiting and well == sum(counts.values()),
        "counts": counts,
        "enclosures": sum(counts.values()),
        "waiting": waiting,
        "for_you": for_you,
        "filters": {"state": state, "needs": needs, "q": asked.query.get("q", "")[:100]},
        "rows": shown,
        "appraising": sum(each.how == RUNNING for each in looks.values()),
        **work_part.renews(*(each["work"] for each in shown)),
        "total": total,
        "page": page,
        "pages": max(-(-total // ROWS), 1),
        "links": _links(asked, page, -(-total // ROWS)),
    }


def _counts(link: Connection, now_s: int) -> dict[str, int]:
    shown = shown_state(now_s).label("shown")
    asked = select(shown, func.count()).select_from(ENCLOSURES.outerjoin(VERDICTS)).group_by(shown)
    found: dict[str, int] = {str(row[0]): int(row[1]) for row in link.execute(asked)}
    return {each: found.get(each, 0) for each in STATES}


def _named(asked: Asked) -> str:
    return asked.query.get("q", "")[:100].strip()


def _matching(named: str, now_s: int, state: str, needs: str) -> Select[Any]:
    """Return the ids of enclosures to show; an index and their verdicts say which they are."""
    found = select(_E.id).select_from(ENCLOSURES.outerjoin(VERDICTS))
    if state:
        found = found.where(shown_state(now_s) == state)
    if needs:
        open_ = select(_I.id).where(_I.enclosure_id == _E.id, _I.disposed_s.is_(None))
        found = found.where(open_.exists())
    if named:
        text = func.lower(_E.name + " " + _E.serial + " " + _E.site + " " + _E.kind)
        found = found.where(text.contains(named.lower(), autoescape=True))
    return found


def _page(link: Connection, matching: Select[Any], now_s: int, page: int) -> list[Any]:
    """Return a page of rows, worst first: which they are is found without all that they say."""
    ranks = {each: at for at, each in enumerate(_ORDER)}
    order = (case(ranks, value=shown_state(now_s)), _E.site, _E.name, _E.serial)
    asked = matching.order_by(*order).limit(ROWS).offset((page - 1) * ROWS)
    ids = list(link.execute(asked).scalars())
    open_ = and_(_I.enclosure_id == _E.id, _I.disposed_s.is_(None))
    told = select(
        _E.id, _E.name, _E.serial, _E.kind, _E.site, shown_state(now_s).label("shown"),
        _V.headline, _V.seen_s, _V.since_s, _V.fresh_until_s,
        _I.id.label("incident"), _I.severity, _I.acknowledged_by,
    ).select_from(ENCLOSURES.outerjoin(VERDICTS).outerjoin(INCIDENTS, open_))  # fmt: skip
    found = {each.id: each for each in link.execute(told.where(_E.id.in_(ids)))}
    return [found[each] for each in ids]


def _row(row: Any, now_s: int, look: Look | None) -> dict[str, Any]:
    being = row.fresh_until_s == BEING_APPRAISED
    return {
        "id": row.id,
        "name": row.name,
        "serial": row.serial,
        "kind": row.kind,
        "site": row.site,
        "state": row.shown,
        "why": why_unknown(row, now_s, look) if row.shown == "UNKNOWN" else row.headline,
        "work": work_part.row(look),
        "seen": clock(row.seen_s),
        "seen_ago": work_part.NOT_YET if being else ago(row.seen_s, now_s),
        "since": clock(row.since_s),
        "incident": row.incident,
        "severity": row.severity,
        "acknowledged": row.acknowledged_by is not None,
    }


def _links(asked: Asked, page: int, pages: int) -> dict[str, str]:
    kept = {key: asked.query[key] for key in ("state", "needs", "q") if asked.query.get(key)}
    out = {}
    if page > 1:
        out["before"] = "?" + urlencode({**kept, "page": page - 1})
    if page < pages:
        out["after"] = "?" + urlencode({**kept, "page": page + 1})
    return out
