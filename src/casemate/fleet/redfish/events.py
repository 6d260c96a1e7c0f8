"""Events: what changed about enclosures is written down once, in order, and never changed.

Of each enclosure the latest are kept, alarms apart from the rest: whoever makes many harmless ones
washes no alarm out, and fills no disk. What they were made of, evidence and incidents, all stays.

`scan` compares what is shown with what was told last. It runs once a second; a service of which it
does not run says so in its health.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from casemate.fleet.alarms import incidents
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.shown import shown_state
from casemate.fleet.redfish import messages, odata, standing
from casemate.fleet.redfish.odata import Row
from casemate.fleet.redfish.standing import NORMAL, OPENED, TAMPERING, Standing
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import (
    ENCLOSURES,
    INCIDENTS,
    REDFISH_EVENTS,
    REDFISH_LATCHES,
    TRIGGERS,
    VERDICTS,
)

MOST_AT_ONCE = 500
"""Enclosures that one scan tells of (planning value); the next goes on."""
TOGETHER = 10
"""Enclosures of which one transaction tells: each waits for the disk (planning value)."""
KEPT = 1000
"""Alarms of an enclosure that are kept, and as many others (planning value)."""
_E, _I, _L, _R = ENCLOSURES.c, INCIDENTS.c, REDFISH_LATCHES.c, REDFISH_EVENTS.c
_ALARMS = tuple(key for key, each in messages.OWN.items() if each.severity == "Critical")
_V = VERDICTS.c
_CLEARED = (
    select(_R.enclosure_id.label("enclosure_id"), func.max(_R.id).label("last"))
    .where(_R.message == "ChassisIntrusionCleared").group_by(_R.enclosure_id).subquery()
)  # fmt: skip
"""The last event of each enclosure that says that nothing stands any more."""
RESOLVED = or_(
    _R.message.in_([key for key, each in messages.OWN.items() if each.severity == "OK"]),
    _R.id < func.coalesce(_CLEARED.c.last, 0),
)
"""What `resolved` says, in SQL, where `page` chooses."""
_NOT_IN_USE = {"COMMISSIONING": "it is being commissioned", "RETIRED": "it is out of service"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event. enclosure_id: None for what is about the service. message: key in the registry."""

    id: int
    enclosure_id: int | None
    at_s: int
    message: str
    args: tuple[str, ...]

    @property
    def severity(self) -> str:
        """Return OK, Warning or Critical."""
        return messages.OWN[self.message].severity

    @property
    def origin(self) -> str:
        """Return the path of what it is about."""
        if self.enclosure_id is None:
            return f"{odata.ROOT}/EventService"
        return f"{odata.ROOT}/Chassis/{self.enclosure_id}"


def tell(
    link: Connection, enclosure_id: int | None, at_s: int, message: str, *args: object
) -> int:  # fmt: skip
    """Write an event down; return its number."""
    given = json.dumps([str(each) for each in args])
    row = {"enclosure_id": enclosure_id, "at_s": at_s, "message": message, "args": given}
    made = link.execute(insert(REDFISH_EVENTS).values(**row).returning(_R.id)).scalar_one()
    _make_room(link, enclosure_id, messages.OWN[message].severity == "Critical")
    return int(made)


def _make_room(link: Connection, enclosure_id: int | None, alarms: bool) -> None:
    """Drop the oldest of an enclosure's alarms, or of its other events, beyond those kept."""
    of = _R.enclosure_id == enclosure_id if enclosure_id is not None else _R.enclosure_id.is_(None)
    alike = and_(of, _R.message.in_(_ALARMS) if alarms else _R.message.not_in(_ALARMS))
    last = select(_R.id).where(alike).order_by(_R.id.desc()).offset(KEPT).limit(1)
    first_gone = link.execute(last).scalar_one_or_none()
    if first_gone is not None:
        link.execute(delete(REDFISH_EVENTS).where(alike, _R.id <= first_gone))


def latest(link: Connection) -> int:
    """Return the number of the last event, 0 if there is none."""
    return int(link.execute(select(func.max(_R.id))).scalar_one() or 0)


def after(link: Connection, number: int, count: int) -> list[Event]:
    """Return events that came after a number, at most `count`, oldest first."""
    asked = select(REDFISH_EVENTS).where(_R.id > number).order_by(_R.id).limit(count)
    return [_event(row) for row in link.execute(asked)]


def page(
    link: Connection, enclosure_id: int | None, skip: int, top: int,
    chosen: ColumnElement[bool] | None = None,
) -> tuple[list[Event], int]:  # fmt: skip
    """Return a page of events, newest first, of an enclosure or of all; and how many there are.

    chosen: which of them, by columns of events and `RESOLVED`.
    """
    here = [] if enclosure_id is None else [_R.enclosure_id == enclosure_id]
    of: Any = REDFISH_EVENTS
    if chosen is not None:
        here.append(chosen)
        of = of.outerjoin(_CLEARED, _CLEARED.c.enclosure_id == _R.enclosure_id)
    total = link.execute(select(func.count()).select_from(of).where(*here)).scalar_one()
    asked = select(REDFISH_EVENTS).select_from(of).where(*here)
    rows = link.execute(asked.order_by(_R.id.desc()).offset(skip).limit(top))
    return [_event(row) for row in rows], int(total)


def resolved(link: Connection, found: Sequence[Event]) -> set[int]:
    """Return the numbers of those events after which their enclosure was told to be well again."""
    of = {each.enclosure_id for each in found} - {None}
    asked = (
        select(_R.enclosure_id, func.max(_R.id).label("last")).group_by(_R.enclosure_id)
        .where(_R.enclosure_id.in_(of), _R.message == "ChassisIntrusionCleared")
    )  # fmt: skip
    last = {int(row.enclosure_id): int(row.last) for row in link.execute(asked)}
    return {
        each.id for each in found
        if each.severity == "OK" or each.id < last.get(each.enclosure_id or 0, 0)
    }  # fmt: skip


def one(link: Connection, number: int) -> Event | None:
    """Return an event, None if there is none."""
    row = link.execute(select(REDFISH_EVENTS).where(_R.id == number)).one_or_none()
    return None if row is None else _event(row)


def _event(row: Any) -> Event:
    return Event(
        id=row.id, enclosure_id=row.enclosure_id, at_s=row.at_s, message=row.message,
        args=tuple(json.loads(row.args)),
    )  # fmt: skip


def payload(found: Sequence[Event], context: str) -> Row:
    """Return events as the body that is sent of them."""
    return {
        "@odata.type": odata.type_of("Event"), "Id": str(found[-1].id), "Name": "Casemate events",
        "Context": context, "Events": [record(each, at) for at, each in enumerate(found)],
    }  # fmt: skip


def record(event: Event, at: int = 0) -> Row:
    """Return an event as a record of such a body."""
    return {
        "MemberId": str(at), "EventId": str(event.id), "EventType": "Alert",
        "EventTimestamp": odata.when(event.at_s), "Severity": event.severity,
        "MessageSeverity": event.severity, "MessageId": messages.message_id(event.message),
        "Message": messages.rendered(event.message, event.args), "MessageArgs": list(event.args),
        "OriginOfCondition": odata.link(event.origin),
        "Resolution": messages.OWN[event.message].resolution,
    }  # fmt: skip


def scan(store: Store, now_s: int) -> int:
    """Tell of all that changed since it was last told; return how many events that made.

    What fails of one enclosure is raised once all others were told of.
    """
    changed = _of_whom(store, now_s)
    if len(changed) > TOGETHER and _begin_well(store, now_s):
        changed = _of_whom(store, now_s)
    made, failed = 0, None
    for at in range(0, len(changed), TOGETHER):
        some = changed[at : at + TOGETHER]
        try:
            made += _tell_of(store, some, now_s)
        except Exception:  # whatever it is of one, the others are told of
            for each in some:
                try:
                    made += _tell_of(store, [each], now_s)
                except Exception as error:
                    failed = failed or error
    if failed is not None:
        raise failed
    return made


def _of_whom(store: Store, now_s: int) -> list[int]:
    with store.read() as link:
        found = {int(x) for asked in _changed(now_s) for x in link.execute(asked).scalars()}
    return sorted(found)[:MOST_AT_ONCE]


def _begin_well(store: Store, now_s: int) -> int:
    """Note at once which enclosures are seen for the first time and are well; return how many.

    Nothing is told of them; one by one, a fleet that is new would keep the store busy for minutes.
    """
    well = and_(_L.enclosure_id.is_(None), shown_state(now_s) == "ARMED", _I.id.is_(None))
    nothing = (literal("ARMED"), literal(""), literal(""), literal(0), literal(0))
    new = select(_E.id, *nothing).select_from(_joined()).where(well)
    names = ("enclosure_id", "shown", "trouble", "latch", "latched_s", "entry")
    with store.write() as link:
        return int(link.execute(insert(REDFISH_LATCHES).from_select(names, new)).rowcount)


def _tell_of(store: Store, some: Sequence[int], now_s: int) -> int:
    with store.write() as link:
        return sum(_catch_up(link, standing.read(link, each, now_s)) for each in some)


def _trouble() -> Any:
    """Return, as SQL, what marks an open incident and its severity; "" without one.

    How much stands in it is left out: more of the same severity is told by the incident's page.
    """
    mark = cast(_I.id, Text).concat(":").concat(_I.severity).concat(":")
    return case((_I.id.is_(None), literal("")), else_=mark)


def _joined() -> Any:
    open_ = and_(_I.enclosure_id == _E.id, _I.disposed_s.is_(None))
    return (
        ENCLOSURES.outerjoin(VERDICTS).outerjoin(INCIDENTS, open_)
        .outerjoin(REDFISH_LATCHES, _L.enclosure_id == _E.id)
    )  # fmt: skip


def _changed(now_s: int) -> tuple[Any, ...]:
    """Return selections of enclosures that differ from what was told of them.

    It runs once a second: each reason looks at as few tables as it can.
    """
    told = REDFISH_LATCHES.outerjoin(VERDICTS, _V.enclosure_id == _L.enclosure_id)
    of = INCIDENTS.outerjoin(REDFISH_LATCHES, _L.enclosure_id == _I.enclosure_id)  # few are open
    open_ = and_(_I.enclosure_id == _L.enclosure_id, _I.disposed_s.is_(None))
    new = select(_E.id).where(_E.id.not_in(select(_L.enclosure_id)))
    state = select(_L.enclosure_id).select_from(told).where(_L.shown != shown_state(now_s))
    trouble = select(_I.enclosure_id).select_from(of).where(
        _I.disposed_s.is_(None), _L.trouble != _trouble()
    )  # fmt: skip
    over = select(_L.enclosure_id).where(_L.trouble != "", ~exists().where(open_))
    return tuple(each.limit(MOST_AT_ONCE) for each in (new, state, trouble, over))


def _catch_up(link: Connection, now: Standing) -> int:
    """Tell what is new of an enclosure, latch its sensor, and note what was told."""
    row = link.execute(select(REDFISH_LATCHES).where(_L.enclosure_id == now.id)).one_or_none()
    mark = str(
        link.execute(select(_trouble()).select_from(_joined()).where(_E.id == now.id)).scalar_one()
    )
    made = latch(link, now, row)
    if row is None or row.shown != now.state:
        made += _state(link, now, row)
    if mark and (row is None or row.trouble != mark):
        made += _findings(link, now, row)
    values = {"shown": now.state, "trouble": mark}
    link.execute(update(REDFISH_LATCHES).where(_L.enclosure_id == now.id).values(**values))
    return made + end_if_well(link, standing.read(link, now.id, now.now_s), row)


def latch(link: Connection, now: Standing, row: Any) -> int:
    """Latch what the sensor says, if it is worse than before. It makes no event by itself."""
    if row is None:
        first = {"enclosure_id": now.id, "shown": "", "trouble": "", "latch": "", "latched_s": 0}
        link.execute(insert(REDFISH_LATCHES).values(**first, entry=0))
    held = "" if row is None else str(row.latch)
    if now.live in (None, NORMAL) or held in (TAMPERING, now.live):
        return 0
    entry = evidence.next_number(link, now.id)
    values = {"latch": now.live, "latched_s": now.now_s, "entry": entry}
    link.execute(update(REDFISH_LATCHES).where(_L.enclosure_id == now.id).values(**values))
    return 0


def _state(link: Connection, now: Standing, row: Any) -> int:
    if now.state == "ARMED":
        well = now.health == "OK" and not (row and row.latch)
        if not well and row is not None:
            tell(link, now.id, now.now_s, "ChassisArmed", now.id)
            return 1
        return 0
    if now.state in _NOT_IN_USE:
        tell(link, now.id, now.now_s, "ChassisNotInUse", now.id, _NOT_IN_USE[now.state])
        return 1
    stale = "ChassisIntrusionStale" if now.stale else "ChassisIntrusionUnknown"
    keys = {"TAMPERED": "ChassisIntrusionTampering", "MAINTENANCE": "ChassisIntrusionOpened"}
    tell(link, now.id, now.now_s, keys.get(now.state, stale), now.id)
    return 1


def _findings(link: Connection, now: Standing, row: Any) -> int:
    """Tell the worst finding of the open incident: one event, however many there are."""
    severity, before = now.severity, str(row.trouble) if row is not None else ""
    if before.startswith(f"{now.incident}:{severity}:"):
        return 0
    here = (TRIGGERS.c.incident_id == now.incident) & (TRIGGERS.c.severity == severity)
    asked = select(func.min(TRIGGERS.c.finding)).where(here)
    finding = link.execute(asked).scalar_one_or_none()
    if finding is None:
        return 0
    key = "ChassisIntrusionWarning" if severity == "warning" else "ChassisIntrusionFinding"
    tell(link, now.id, now.now_s, key, now.id, incidents.alarm_text(finding), now.incident)
    return 1


def end_if_well(link: Connection, now: Standing, row: Any) -> int:
    """Tell that all is over, once: armed, re-armed, no incident open. row: what was told before."""
    well = now.state == "ARMED" and now.sensor == NORMAL and now.incident is None
    before = row is not None and (row.shown != "ARMED" or row.trouble != "" or row.latch != "")
    if not (well and before):
        return 0
    tell(link, now.id, now.now_s, "ChassisIntrusionCleared", now.id)
    return 1


__all__ = ["NORMAL", "OPENED", "TAMPERING", "Event", "scan", "tell"]
