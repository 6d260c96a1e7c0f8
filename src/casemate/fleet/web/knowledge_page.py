"""Continuity of knowledge of the fleet: what is proven of each enclosure's time, and all gaps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select

from casemate.fleet.appraisal.verdicts import BEING_APPRAISED
from casemate.fleet.clockface import clock, length
from casemate.fleet.store.schema import ENCLOSURES, VERDICTS
from casemate.fleet.web import timeline
from casemate.fleet.web.asked import Asked, Service
from casemate.verify.continuity import Interval

ROWS = 50
MOST_GAPS = 500
"""Rows of the ledger on a page, the newest (planning value)."""
_E, _V = ENCLOSURES.c, VERDICTS.c


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return a page of enclosures with the shares of their time, and the ledger of their gaps."""
    now_s = service.now_s()
    page = asked.number("page", 1, 1_000_000, 1)
    show = asked.choice("show", ("all", "uncovered")) or "all"
    words = asked.query.get("q", "")[:100].strip()
    chosen = select(
        _E.id, _E.name, _E.serial, _E.site, _E.kind, _E.added_s, _V.body, _V.appraised_s,
        _V.fresh_until_s,
    ).select_from(ENCLOSURES.outerjoin(VERDICTS))  # fmt: skip
    if words:
        text = func.lower(_E.name + " " + _E.serial + " " + _E.site + " " + _E.kind)
        chosen = chosen.where(text.contains(words.lower(), autoescape=True))
    with service.store.read() as link:
        total = link.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
        held = link.execute(
            chosen.order_by(_E.site, _E.name, _E.serial).limit(ROWS).offset((page - 1) * ROWS)
        ).all()
    read = [(each, known(each, now_s)) for each in held]
    ledger = [(row, each) for row, found in read for each in found if _is_gap(each, show)]
    ledger.sort(key=lambda pair: (bool(pair[1].covered_by), -pair[1].start_s))
    whole = [each for _, found in read for each in found]
    pages = max(-(-total // ROWS), 1)
    return {
        "title": "Continuity of the fleet",
        "now": clock(now_s),
        "total": total,
        "page": page,
        "pages": pages,
        "show": show,
        "q": words,
        "rows": [_row(row, found, now_s) for row, found in read],
        "totals": timeline.totals(whole),
        "ledger": [_gap(row, each) for row, each in ledger[:MOST_GAPS]],
        "left_off": max(len(ledger) - MOST_GAPS, 0),
        "uncovered": sum(_is_gap(each, "uncovered") for each in whole),
        "links": _links(words, show, page, pages),
    }


def known(row: Any, now_s: int) -> list[Interval]:
    """Return the intervals of the last appraisal, and what came after it: nothing is proven of it.

    An enclosure that has brought nothing is unknown since it was entered; so is one whose evidence
    is being appraised anew.
    """
    if row.body is None:
        return [_unknown(row.added_s, now_s, "no evidence was brought yet", "")]
    if row.fresh_until_s == BEING_APPRAISED:
        return [_unknown(row.added_s, now_s, "its evidence is being appraised", "")]
    found = [
        Interval(
            start_s=timeline.unix_s(each["from"]), end_s=timeline.unix_s(each["to"]),
            kind=each["kind"], cause=each["cause"], covered_by=each["covered_by"],
        )
        for each in json.loads(row.body)["continuity"]
    ]  # fmt: skip
    fresh = row.fresh_until_s is not None and now_s <= row.fresh_until_s
    if now_s > row.appraised_s:
        covered = "it may be silent so long" if fresh else ""
        found.append(_unknown(row.appraised_s, now_s, "nothing has come since", covered))
    return found


def _unknown(start_s: int, end_s: int, cause: str, covered_by: str) -> Interval:
    return Interval(
        start_s=start_s, end_s=end_s, kind="unknown", cause=cause, covered_by=covered_by
    )


def _is_gap(each: Interval, show: str) -> bool:
    gap = each.kind in ("interfered", "unknown") and each.length_s > 0
    return gap and (show == "all" or not each.covered_by)


def _row(row: Any, found: Sequence[Interval], now_s: int) -> dict[str, Any]:
    totals = timeline.totals(found)
    bare = [each for each in found if _is_gap(each, "uncovered")]
    start_s = found[0].start_s if found else now_s
    return {
        "id": row.id, "name": row.name, "serial": row.serial, "site": row.site, "kind": row.kind,
        "since": clock(start_s),
        "proven": totals["proven"]["share"],
        "maintenance": totals["maintenance"]["share"],
        "gaps": sum(_is_gap(each, "all") for each in found),
        "uncovered": len(bare),
        "longest": length(max((each.length_s for each in bare), default=0)),
        "bars": timeline.draw(found, start_s, now_s),
    }  # fmt: skip


def _gap(row: Any, each: Interval) -> dict[str, Any]:
    return {
        "id": row.id, "name": row.name, "serial": row.serial, "site": row.site,
        "start_s": each.start_s, "from": clock(each.start_s), "to": clock(each.end_s),
        "length": length(each.length_s), "kind": each.kind, "cause": each.cause,
        "covered_by": each.covered_by,
    }  # fmt: skip


def _links(words: str, show: str, page: int, pages: int) -> dict[str, str]:
    kept = {key: value for key, value in (("q", words), ("show", show)) if value}
    out = {}
    if page > 1:
        out["before"] = "?" + urlencode({**kept, "page": page - 1})
    if page < pages:
        out["after"] = "?" + urlencode({**kept, "page": page + 1})
    return out
