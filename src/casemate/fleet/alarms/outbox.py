"""The outbox: what is to be told outside, written in the transaction of what it tells of.

So an alarm that is in the store is in the outbox, whatever stops in between. Each outlet remembers
the last notice that its receiver has taken: at least once, in order, and none is ever dropped.

How much gets in is bounded: an incident is told of when it opens, when it gets worse, when another
kind of finding comes, and when an alarm comes after somebody has acknowledged it. Of one finding at
one site people are called once a window; what comes meanwhile is told without a call, counted, and
called for together at the end of the window. No call waits longer than that. So it is with all
sites together once a few of them have called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from casemate.fleet.alarms.incidents import Trigger, worst
from casemate.fleet.alarms.notice import (
    ACKNOWLEDGED,
    DISPOSED,
    GROWN,
    MANY,
    RAISED,
    Notice,
    decode,
    encode,
    spoken,
)
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ENCLOSURES, FLOODS, INCIDENTS, OUTBOX, OUTLETS
from casemate.verify.findings import SEVERITIES

WINDOW_S = {"alarm": 60, "unknown": 600, "warning": 600, "note": 600}
"""In which people are called once for one finding at one site (EEMUA 191: one alarm in 10 min). An
alarm waits a minute at most: a second one must not ride along for long (planning value)."""
MOST_SITES = 3
"""That call for one finding in a window; what comes at further ones is counted for all sites: three
calls, their three counts and one for all are fewer than ten in 10 min (EEMUA 191)."""
ELSEWHERE = "\n"
"""Stands for all sites in `floods`."""
KEPT_S = 90 * 86_400
"""For which notices are kept that all outlets have told and whose incident is disposed."""


def opened(
    link: Connection, enclosure_id: int, incident_id: int, new: Sequence[Trigger],
    told: Collection[str], before: str, *, acknowledged: bool, now_s: int,
) -> None:  # fmt: skip
    """Tell of what has come into an incident, if it is news to those outside.

    acknowledged: somebody had acknowledged it before this came. told: which of these kinds stood in
    it. before: its severity, "" if it is new.
    """
    rank = SEVERITIES.index(before) if before else len(SEVERITIES)
    fresh = [
        each
        for each in new
        if each.finding not in told
        or SEVERITIES.index(each.severity) < rank
        or (acknowledged and each.severity == "alarm")
    ]
    if not fresh:
        return
    bad = worst(each.severity for each in fresh)
    finding = next(each.finding for each in fresh if each.severity == bad)
    what = GROWN if before else RAISED
    _put(link, enclosure_id, incident_id, what, bad, finding, now_s)


def acted(
    link: Connection, enclosure_id: int, incident_id: int, triggers: Iterable[Trigger],
    severity: str, *, disposed: bool, now_s: int,
) -> None:  # fmt: skip
    """Tell that people have acknowledged or disposed of an incident."""
    finding = next((each.finding for each in triggers if each.severity == severity), "")
    what = DISPOSED if disposed else ACKNOWLEDGED
    _put(link, enclosure_id, incident_id, what, severity, finding, now_s)


def _put(
    link: Connection, enclosure_id: int, incident_id: int, what: str, severity: str, finding: str,
    now_s: int,
) -> None:  # fmt: skip
    row = link.execute(select(ENCLOSURES).where(ENCLOSURES.c.id == enclosure_id)).one()
    notice = Notice(
        id=0, enclosure=enclosure_id, name=spoken(row.name, enclosure_id),
        serial=spoken(row.serial, enclosure_id, "serial"),
        site=spoken(row.site, enclosure_id, "site-of"), kind=spoken(row.kind, enclosure_id, "kind"),
        incident=incident_id, what=what, severity=severity, finding=finding, at_s=now_s,
        calls=False,
    )  # fmt: skip
    if what in (RAISED, GROWN):
        calls, more, flood = _calls(link, row.site, notice)
        number = _write(link, replace(notice, calls=calls, more=more))
        if not calls:
            here = and_(FLOODS.c.site == flood, FLOODS.c.finding == finding)
            counted = {"more": FLOODS.c.more + 1, "last_id": number}
            link.execute(update(FLOODS).where(here).values(**counted))
    else:
        _write(link, notice)


def _calls(link: Connection, site: str, notice: Notice) -> tuple[bool, int, str]:
    """Return whether people are called now, how many came since they last were, and which flood
    counts it: that of the site, or of all sites if enough of them have called."""
    window_s = WINDOW_S[notice.severity]
    held = {
        row.site: row
        for row in link.execute(select(FLOODS).where(FLOODS.c.finding == notice.finding))
    }
    running = {each for each, row in held.items() if 0 <= notice.at_s - row.led_s < window_s}
    if site in running:
        return False, 0, site
    crowded = len(running - {ELSEWHERE}) >= MOST_SITES
    if crowded and ELSEWHERE in running:
        return False, 0, ELSEWHERE
    flood = ELSEWHERE if crowded else site
    if flood not in held:
        row = {"site": flood, "finding": notice.finding, "led_s": notice.at_s, "more": 0}
        link.execute(insert(FLOODS).values(**row))
        return True, 0, flood
    here = and_(FLOODS.c.site == flood, FLOODS.c.finding == notice.finding)
    link.execute(update(FLOODS).where(here).values(led_s=notice.at_s, more=0, last_id=None))
    return True, held[flood].more, flood


def _write(link: Connection, notice: Notice) -> int:
    values = {
        "enclosure_id": notice.enclosure, "incident_id": notice.incident, "at_s": notice.at_s,
        "body": encode(notice),
    }  # fmt: skip
    made = link.execute(insert(OUTBOX).values(**values).returning(OUTBOX.c.id)).scalar_one()
    return int(made)


def gather(store: Store, now_s: int) -> int:
    """Call people for what came since they were last called; return for how many floods.

    Called once a second. A clock that was set back ends a window at once.
    """
    asked = select(FLOODS).where(FLOODS.c.more > 0)
    with store.read() as link:
        if link.execute(asked.limit(1)).first() is None:
            return 0
    with store.write() as link:
        return gather_in(link, now_s)


def gather_in(link: Connection, now_s: int) -> int:
    """Call people as `gather` does, within a transaction."""
    called = 0
    for row in link.execute(select(FLOODS).where(FLOODS.c.more > 0)).all():
        body = link.execute(select(OUTBOX.c.body).where(OUTBOX.c.id == row.last_id)).scalar_one()
        last = decode(row.last_id, body)
        if 0 <= now_s - row.led_s < WINDOW_S[last.severity]:
            continue
        site = "all sites" if row.site == ELSEWHERE else last.site
        many = replace(last, id=0, what=MANY, site=site, at_s=now_s, calls=True, more=row.more)
        _write(link, many)
        here = and_(FLOODS.c.site == row.site, FLOODS.c.finding == row.finding)
        link.execute(update(FLOODS).where(here).values(led_s=now_s, more=0, last_id=None))
        called += 1
    return called


def after(link: Connection, number: int, most: int) -> list[Notice]:
    """Return the notices after one, in order, at most `most`."""
    asked = select(OUTBOX.c.id, OUTBOX.c.body).where(OUTBOX.c.id > number)
    rows = link.execute(asked.order_by(OUTBOX.c.id).limit(most))
    return [decode(row.id, row.body) for row in rows]


def begin(link: Connection, outlet: str) -> tuple[int, int]:
    """Return the last notice that an outlet has told, and how often it has begun, this included.

    One that is new here begins with the first notice of an incident that is still open.
    """
    row = link.execute(select(OUTLETS).where(OUTLETS.c.name == outlet)).one_or_none()
    if row is not None:
        here = OUTLETS.c.name == outlet
        link.execute(update(OUTLETS).where(here).values(boots=row.boots + 1))
        return int(row.sent_id), int(row.boots) + 1
    standing = select(func.min(OUTBOX.c.id)).select_from(OUTBOX.join(INCIDENTS))
    first = link.execute(standing.where(INCIDENTS.c.disposed_s.is_(None))).scalar_one()
    last = link.execute(select(func.max(OUTBOX.c.id))).scalar_one()
    sent = (first - 1) if first is not None else (last or 0)
    link.execute(insert(OUTLETS).values(name=outlet, sent_id=sent, sent_s=None, boots=1))
    return int(sent), 1


def again(store: Store, outlet: str) -> int:
    """Return how often an outlet has begun, counting one more: numbers that no restart repeats."""
    here = OUTLETS.c.name == outlet
    counted = update(OUTLETS).where(here).values(boots=OUTLETS.c.boots + 1)
    with store.write() as link:
        return int(link.execute(counted.returning(OUTLETS.c.boots)).scalar_one())


def advance(link: Connection, outlet: str, number: int, now_s: int) -> None:
    """Remember that an outlet's receiver has taken all notices up to one."""
    here = OUTLETS.c.name == outlet
    link.execute(update(OUTLETS).where(here).values(sent_id=number, sent_s=now_s))


def waiting(link: Connection, outlet: str) -> tuple[int, int | None]:
    """Return how many notices wait for an outlet, and since when the oldest does."""
    sent = select(OUTLETS.c.sent_id).where(OUTLETS.c.name == outlet).scalar_subquery()
    asked = select(func.count(), func.min(OUTBOX.c.at_s)).where(OUTBOX.c.id > sent)
    count, oldest = link.execute(asked).one()
    return int(count), oldest


def prune(link: Connection, outlets: Sequence[str], now_s: int) -> int:
    """Drop what all these outlets have told long ago and people have disposed of; return how many.

    Without outlets nothing was told to anybody, but nobody asked for it either.
    """
    told = select(func.min(OUTLETS.c.sent_id)).where(OUTLETS.c.name.in_(outlets))
    least = link.execute(told).scalar_one() if outlets else (1 << 31) - 1
    disposed = select(INCIDENTS.c.id).where(INCIDENTS.c.disposed_s < now_s - KEPT_S)
    counted = select(FLOODS.c.last_id).where(FLOODS.c.last_id.is_not(None))
    gone = delete(OUTBOX).where(
        OUTBOX.c.id <= (least or 0), OUTBOX.c.incident_id.in_(disposed),
        OUTBOX.c.id.not_in(counted),
    )  # fmt: skip
    return int(link.execute(gone).rowcount)
