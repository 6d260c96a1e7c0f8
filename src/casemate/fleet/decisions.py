"""Incidents in the store: what an appraisal has changed, and the acts of people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from casemate.fleet import incidents
from casemate.fleet.errors import ConflictError, NotFoundError
from casemate.fleet.incidents import Act, Trigger
from casemate.fleet.outlets import outbox
from casemate.fleet.schema import ACTS, INCIDENTS, TRIGGERS
from casemate.verify.result import Result

_COLUMNS = [TRIGGERS.c[each] for each in Trigger.__slots__]
_KNOWN = (
    select(TRIGGERS.c.incident_id, *_COLUMNS)
    .where(TRIGGERS.c.enclosure_id == bindparam("of"))
    .order_by(TRIGGERS.c.incident_id)
)
_OPEN = select(INCIDENTS.c.id).where(
    INCIDENTS.c.enclosure_id == bindparam("of"), INCIDENTS.c.disposed_s.is_(None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident with all that stands in it. triggers: in the order in which they came here."""

    id: int
    enclosure_id: int
    severity: str
    opened_s: int
    last_s: int
    acknowledged_by: str | None
    acknowledged_s: int | None
    disposed_s: int | None
    outcome: str | None
    triggers: tuple[Trigger, ...]
    acts: tuple[Act, ...]


def read(link: Connection, incident_id: int) -> Incident:
    """Return an incident; NotFoundError if there is none."""
    row = link.execute(select(INCIDENTS).where(INCIDENTS.c.id == incident_id)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such incident.", remedy="choose one of the list.")
    here = (
        select(*_COLUMNS)
        .where(TRIGGERS.c.incident_id == incident_id)
        .order_by(
            TRIGGERS.c.first_s,
            TRIGGERS.c.at_s.nulls_first(),
            TRIGGERS.c.token,
            TRIGGERS.c.finding,
        )
    )
    done = select(*(ACTS.c[each] for each in Act.__slots__)).where(
        ACTS.c.incident_id == incident_id
    )
    return Incident(
        **row._mapping,
        triggers=tuple(Trigger(**each._mapping) for each in link.execute(here)),
        acts=tuple(Act(**each._mapping) for each in link.execute(done.order_by(ACTS.c.id))),
    )


def update_from(
    link: Connection, enclosure_id: int, result: Result, forks: Sequence[int], allowed_s: int
) -> int | None:
    """Bring incidents in line with an appraisal; return the open incident's id, if there is one.

    allowed_s: for which the enclosure may be silent.
    """
    known, places = _known(link, enclosure_id)
    found = incidents.news(incidents.findings_of(result, forks, allowed_s), known, result.now_s)
    for each in found.changed:
        here = _at(places[each.key], each)
        values = {"live": each.live, "last_s": each.last_s, "what": each.what}
        link.execute(update(TRIGGERS).where(here).values(**values))
    current = link.execute(_OPEN, {"of": enclosure_id}).scalar_one_or_none()
    if found.new:
        current = _enter(link, enclosure_id, current, found.new, result.now_s)
    return current


def record(link: Connection, incident: Incident, act: Act) -> int:
    """Write down what a person did; return the act's id.

    ConflictError if the incident is disposed already.
    """
    if incident.disposed_s is not None:
        raise ConflictError("the incident is disposed.", remedy="see what was decided.")
    made = insert(ACTS).values(**asdict(act), incident_id=incident.id).returning(ACTS.c.id)
    number = int(link.execute(made).scalar_one())
    values: dict[str, object] = {}
    if act.act == "acknowledge":
        values = {"acknowledged_by": act.person, "acknowledged_s": act.at_s}
    elif act.act == "confirm" or not incidents.needs_two(incident.severity):
        values = {"disposed_s": act.at_s, "outcome": act.outcome}
    if values:
        link.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(**values))
    disposed = "disposed_s" in values
    if disposed or (act.act == "acknowledge" and incident.acknowledged_by is None):
        outbox.acted(
            link, incident.enclosure_id, incident.id, incident.triggers, incident.severity,
            disposed=disposed, now_s=act.at_s,
        )  # fmt: skip
    return number


def _known(
    link: Connection, enclosure_id: int
) -> tuple[dict[tuple[str, int], Trigger], dict[tuple[str, int], int]]:
    """Return the last trigger of each key, and the incident that it stands in."""
    known: dict[tuple[str, int], Trigger] = {}
    places: dict[tuple[str, int], int] = {}
    for row in link.execute(_KNOWN, {"of": enclosure_id}):
        values = dict(row._mapping)
        place = int(values.pop("incident_id"))
        each = Trigger(**values)
        known[each.key], places[each.key] = each, place
    return known, places


def _enter(
    link: Connection, enclosure_id: int, current: int | None, new: Iterable[Trigger], now_s: int
) -> int:
    """Put triggers into the open incident, or into a new one; return its id."""
    added = tuple(new)
    old: tuple[Trigger, ...] = ()
    acknowledged = False
    if current is None:
        severity = incidents.worst(each.severity for each in added)
        row = {"enclosure_id": enclosure_id, "severity": severity, "opened_s": now_s}
        made = insert(INCIDENTS).values(**row, last_s=now_s).returning(INCIDENTS.c.id)
        current = int(link.execute(made).scalar_one())
    else:
        before = read(link, current)
        old, acknowledged = before.triggers, before.acknowledged_by is not None
    held = {each.key for each in old}
    for each in added:
        if each.key in held:
            values = {"times": each.times, "last_s": now_s, "live": True, "what": each.what}
            link.execute(update(TRIGGERS).where(_at(current, each)).values(**values))
        else:
            row = {**asdict(each), "incident_id": current, "enclosure_id": enclosure_id}
            link.execute(insert(TRIGGERS).values(**row))
    after: dict[str, object] = {
        "last_s": now_s, "severity": incidents.worst(each.severity for each in (*old, *added)),
    }  # fmt: skip
    if incidents.voids_acknowledgement(added, old):
        after |= {"acknowledged_by": None, "acknowledged_s": None}
    link.execute(update(INCIDENTS).where(INCIDENTS.c.id == current).values(**after))
    outbox.opened(link, enclosure_id, current, added, old, acknowledged=acknowledged, now_s=now_s)
    return current


def _at(incident_id: int, each: Trigger) -> ColumnElement[bool]:
    return (
        (TRIGGERS.c.incident_id == incident_id)
        & (TRIGGERS.c.finding == each.finding)
        & (TRIGGERS.c.token == each.token)
    )
