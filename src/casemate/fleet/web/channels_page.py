"""Readings of an enclosure's channels, as they come, and the signed evidence beside them.

Readings are the controller's word: unsigned, in no verdict. The page says so above everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from casemate.fleet.appraisal import evidence
from casemate.fleet.clockface import clock
from casemate.fleet.errors import RefusedError
from casemate.fleet.readings import series
from casemate.fleet.readings.looks import coarser
from casemate.fleet.readings.series import Look
from casemate.fleet.web import (
    channel_beside,
    channel_draw,
    channel_rows,
    enclosure_page,
    work_part,
)
from casemate.fleet.web.asked import Asked, Service
from casemate.fleet.web.series_page import NOTE

WINDOWS = {"10min": 600, "hour": 3600, "day": 86_400, "year": 366 * 86_400}
"""Windows by name, and how long they are, s."""
RENEWS_S = {"10min": 5, "hour": 15, "day": 60, "year": 60}
"""After how many seconds a page that shows now renews itself (planning values)."""
ROWS, MOST_CHOSEN, CHOSEN = 25, 6, 2
"""Channels of a page, most that are drawn large, and how many where nobody has chosen."""
POINTS, TABLE_POINTS = 300, 30
_LATEST_S = 1 << 40


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return channels with what was told last, charts of those chosen, and what is signed."""
    now_s = service.now_s()
    with service.store.read() as link:
        known = evidence.enclosure(link, asked.id())
        forks = evidence.forks(link, known.id)
        events = service.told.of(link, known.id)
        watches = service.watched.of(link, known.id)
        told = enclosure_page.last_said(link, known)
    stood = enclosure_page.stand(service, known, bool(forks), now_s)
    result = stood.result
    window = asked.choice("window", tuple(WINDOWS)) or "10min"
    live = not asked.query.get("at")
    end_s = asked.number("at", WINDOWS[window], _LATEST_S, now_s)
    start_s = end_s - WINDOWS[window]
    cut = told is not None and told["number"] >= service.watched.most
    shown = channel_beside.bands(result.intervals, start_s, end_s)
    row = {
        **enclosure_page.head(known, "Channels"),
        "now": clock(now_s),
        "renews": RENEWS_S[window] if live else 60,
        **work_part.renews(stood.work),
        "work": stood.work,
        "signed": False,
        "note": NOTE,
        "kept": service.series is not None,
        "how": stood.how,
        "headline": stood.headline,
        "seen": clock(result.seen_s),
        "seen_ago": stood.seen_ago(now_s),
        "told": told,
        "windows": list(WINDOWS),
        "window": {"name": window, "start": start_s, "end": end_s, "live": live,
                   "from": clock(start_s), "to": clock(end_s)},
        "bands_list": shown,
        "drawn_bands": channel_beside.drawn(shown, start_s, end_s, channel_draw.WIDTH),
        "marks": channel_beside.marks(events, start_s, end_s),
        "findings": channel_beside.findings(result.findings, start_s, end_s),
        "health": channel_beside.health(watches, start_s, end_s, cut=cut),
    }  # fmt: skip
    return row | _readings(service, asked, row, now_s)


def _readings(
    service: Service, asked: Asked, head: Mapping[str, Any], now_s: int
) -> dict[str, Any]:
    window = head["window"]
    latest = service.series.latest(head["id"]) if service.series else {}
    words = asked.query.get("q", "")[:100].strip()
    fitting = [each for name, each in latest.items() if words.lower() in name.lower()]
    pages = max(-(-len(fitting) // ROWS), 1)
    page = asked.number("page", 1, 1_000_000, 1)
    here = fitting[(page - 1) * ROWS : page * ROWS]
    chosen = _chosen(asked) or [each.channel for each in here[:CHOSEN]]
    names = list(dict.fromkeys([*chosen, *(each.channel for each in here)]))
    looks = (
        service.series.look(head["id"], names, window["start"], window["end"] + 1, POINTS)
        if service.series
        else {}
    )
    rows = [channel_rows.row(each, looks[each.channel], window, now_s) for each in here]
    for each in rows:
        each["chosen"] = each["channel"] in chosen
    kept = {f"show.{at}": name for at, name in enumerate(chosen)} if _chosen(asked) else {}
    listed = {each.channel for each in here}
    return {
        "q": words, "page": page, "pages": pages, "total": len(fitting), "channels": len(latest),
        "rows": rows,
        "most_chosen": MOST_CHOSEN,
        "elsewhere": [each for each in chosen if each not in listed],
        "charts": [_chart(name, looks[name], head) for name in chosen if name in looks],
        "links": _links(kept, words, window, page, pages),
        "silent": sum(each["silent"] for each in rows),
    }  # fmt: skip


def _chosen(asked: Asked) -> list[str]:
    """Return the channels that the address names; RefusedError if they are too many, or none."""
    keys = sorted(each for each in asked.query if each.startswith("show."))
    found = list(dict.fromkeys(asked.query[each] for each in keys[: 10 * MOST_CHOSEN]))
    if len(found) > MOST_CHOSEN:
        raise RefusedError("that is too many charts.", remedy=f"choose {MOST_CHOSEN} at most.")
    if any(not each.isprintable() or len(each.encode()) > series.MOST_TEXT for each in found):
        raise RefusedError("that is no channel.", remedy="choose one of the page.")
    return [each for each in found if each]


def _chart(name: str, look: Look, head: Mapping[str, Any]) -> dict[str, Any]:
    window = head["window"]
    begin_s, end_s = window["start"], window["end"]
    at = channel_draw.frame(look.points, begin_s, end_s)
    few = coarser(look.points, begin_s, (end_s - begin_s) / TABLE_POINTS)
    points = look.points
    columns = channel_draw.columns(points, look.width_s)
    return {
        "channel": name, "unit": look.unit,
        "count": sum(each.count for each in points),
        "low": channel_draw.figure(min((each.least for each in points), default=0.0)),
        "high": channel_draw.figure(max((each.most for each in points), default=0.0)),
        "last": channel_draw.figure(points[-1].mean) if points else "",
        "last_at": clock(int(points[-1].at_s)) if points else "",
        "gaps": sum(each is None for each in columns["mean"]),
        **channel_draw.shapes(points, look.width_s, at),
        "data": {"unit": look.unit, "from": begin_s, "to": end_s, **columns,
                 "bands": [[each["begin"], each["end"], each["kind"], each["label"]]
                           for each in head["bands_list"]],
                 "marks": [[each["at_s"], each["letter"]] for each in head["marks"]]},
        "table": [
            {"at": clock(int(each.at_s)), "count": each.count,
             **{key: channel_draw.figure(getattr(each, key)) for key in ("least", "mean", "most")}}
            for each in few
        ],
    }  # fmt: skip


def _links(
    kept: Mapping[str, str], words: str, window: Mapping[str, Any], page: int, pages: int
) -> dict[str, Any]:
    base = {**kept, **({"q": words} if words else {})}
    now = {} if window["live"] else {"at": window["end"]}
    wide = window["end"] - window["start"]

    def to(**more: Any) -> str:
        return "?" + urlencode({**base, "window": window["name"], **more})

    out: dict[str, Any] = {
        "windows": {
            name: "?" + urlencode({**base, **(now if now.get("at", wide_) >= wide_ else {}),
                                   "window": name})
            for name, wide_ in WINDOWS.items()
        },
        "earlier": to(at=max(window["start"], wide)),
        "later": to(at=window["end"] + wide),
        "live": to(),
    }  # fmt: skip
    if page > 1:
        out["before"] = to(**now, page=page - 1)
    if page < pages:
        out["after"] = to(**now, page=page + 1)
    return out
