"""Incidents in the store: what an appraisal has changed, and the acts of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, insert, select, update

from casemate.fleet.access import people
from casemate.fleet.alarms import incidents, outbox
from casemate.fleet.alarms.incidents import WHOLE, Act, Trigger
from casemate.fleet.errors import ConflictError, NotFoundError
from casemate.fleet.store.schema import ACTS, INCIDENTS, TRIGGERS
from casemate.verify.findings import SEVERITIES
from casemate.verify.result import Result

_COLUMNS = [TRIGGERS.c[each] for each in Trigger.__slots__]
_KNOWN = select(TRIGGERS.c.incident_id, *_COLUMNS).order_by(TRIGGERS.c.incident_id)
_MANY = 200
"""Keys that are asked for one by one (planning value); of more all are read."""
MOST_SHOWN = 100
"""Triggers of an incident on a page, beside one of each kind; its JSON has all."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An incident as a page shows it, with its worst triggers and one of each kind.

    count: of all its triggers. live: of those that hold now; whole: of those that are about the
    whole and hold now. seen: digest of all.
    """

    incident: Incident
    count: int
    live: int
    whole: int
    seen: str


def read(link: Connection, incident_id: int) -> Incident:
    """Return an incident with all of its triggers; NotFoundError if there is none."""
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
    return _incident(link, incident_id, [Trigger(**x._mapping) for x in link.execute(here)])


def shown(link: Connection, incident_id: int, most: int = MOST_SHOWN) -> Shown:
    """Return an incident with its worst triggers, `most` and one of each kind at most.

    NotFoundError if there is none.
    """
    of = TRIGGERS.c.incident_id == incident_id
    ranks = {each: at for at, each in enumerate(SEVERITIES)}
    worst = case(ranks, value=TRIGGERS.c.severity, else_=0)
    when = func.coalesce(TRIGGERS.c.at_s, TRIGGERS.c.first_s)
    asked = select(*_COLUMNS).where(of).order_by(
        worst, when, TRIGGERS.c.token, TRIGGERS.c.finding
    )  # fmt: skip
    held = [Trigger(**each._mapping) for each in link.execute(asked.limit(most))]
    counted = select(TRIGGERS.c.finding, func.count()).where(of).group_by(TRIGGERS.c.finding)
    kinds = {str(row[0]): int(row[1]) for row in link.execute(counted)}
    for kind in sorted(kinds.keys() - {each.finding for each in held}):
        one = link.execute(asked.where(TRIGGERS.c.finding == kind).limit(1)).one()
        held.append(Trigger(**one._mapping))
    lives = select(func.count()).where(of, TRIGGERS.c.live)
    whole = lives.where(TRIGGERS.c.token == WHOLE)
    return Shown(
        incident=_incident(link, incident_id, held), count=sum(kinds.values()),
        live=int(link.execute(lives).scalar_one()), whole=int(link.execute(whole).scalar_one()),
        seen=seen(link, incident_id),
    )  # fmt: skip


def seen(link: Connection, incident_id: int) -> str:
    """Return the digest of all triggers of an incident: who decides names it."""
    asked = select(TRIGGERS.c.finding, TRIGGERS.c.token, TRIGGERS.c.times)
    rows = link.execute(asked.where(TRIGGERS.c.incident_id == incident_id))
    return incidents.digest_of((str(row[0]), int(row[1]), int(row[2])) for row in rows)


def standing(link: Connection, acts: Sequence[Act]) -> list[Act]:
    """Return the acts of people who are let in by now: who was removed has no say any more."""
    names = people.let_in(link, (each.person for each in acts))
    return [each for each in acts if each.person in names]


def _incident(link: Connection, incident_id: int, triggers: Sequence[Trigger]) -> Incident:
    row = link.execute(select(INCIDENTS).where(INCIDENTS.c.id == incident_id)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such incident.", remedy="choose one of the list.")
    done = select(*(ACTS.c[each] for each in Act.__slots__)).where(
        ACTS.c.incident_id == incident_id
    )
    return Incident(
        **row._mapping,
        triggers=tuple(triggers),
        acts=tuple(Act(**each._mapping) for each in link.execute(done.order_by(ACTS.c.id))),
    )


def update_from(
    link: Connection, enclosure_id: int, result: Result, forks: Sequence[int], allowed_s: int,
    only: set[tuple[str, int]] | None = None,
) -> int | None:  # fmt: skip
    """Bring incidents in line with an appraisal; return the open incident's id, if there is one.

    allowed_s: for which the enclosure may be silent. only: keys of triggers to look at, if all
    others are in line already (`incidents.touched`).
    """
    if only is not None and len(only) > _MANY:
        only = None
    known, places = _known(link, enclosure_id, only)
    held = incidents.findings_of(result, forks, allowed_s, only)
    found = incidents.news(held, known, result.now_s)
    for each in found.changed:
        here = _at(places[each.key], each)
        values = {
            "live": each.live, "last_s": each.last_s, "what": each.what, "times": each.times,
        }  # fmt: skip
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
    link: Connection, enclosure_id: int, only: set[tuple[str, int]] | None
) -> tuple[dict[tuple[str, int], Trigger], dict[tuple[str, int], int]]:
    """Return the last trigger of each key, or of these keys, and the incident it stands in."""
    known: dict[tuple[str, int], Trigger] = {}
    places: dict[tuple[str, int], int] = {}
    asked = _KNOWN
    if only is None:
        asked = asked.where(TRIGGERS.c.enclosure_id == enclosure_id)
    else:
        of = select(INCIDENTS.c.id).where(INCIDENTS.c.enclosure_id == enclosure_id)
        asked = asked.where(
            TRIGGERS.c.incident_id.in_(list(link.execute(of).scalars())),
            TRIGGERS.c.finding.in_(sorted({each[0] for each in only})),
            TRIGGERS.c.token.in_(sorted({each[1] for each in only})),
        )
    for row in link.execute(asked):
        values = dict(row._mapping)
        place = int(values.pop("incident_id"))
        each = Trigger(**values)
        if only is None or each.key in only:
            known[each.key], places[each.key] = each, place
    return known, places


def _enter(
    link: Connection, enclosure_id: int, current: int | None, new: Sequence[Trigger], now_s: int
) -> int:
    """Put triggers into the open incident, or into a new one; return its id."""
    severity = incidents.worst(each.severity for each in new)
    kinds, held = set[str](), set[tuple[str, int]]()
    before, acknowledged = "", False
    if current is None:
        row = {"enclosure_id": enclosure_id, "severity": severity, "opened_s": now_s}
        made = insert(INCIDENTS).values(**row, last_s=now_s).returning(INCIDENTS.c.id)
        current = int(link.execute(made).scalar_one())
    else:
        stood = link.execute(select(INCIDENTS).where(INCIDENTS.c.id == current)).one()
        before, acknowledged = str(stood.severity), stood.acknowledged_by is not None
        kinds = {each for each in {x.finding for x in new} if _has_kind(link, current, each)}
        held = {each.key for each in new if _stands(link, current, each)}
    rows = []
    for each in new:
        if each.key in held:
            values = {"times": each.times, "last_s": now_s, "live": True, "what": each.what}
            link.execute(update(TRIGGERS).where(_at(current, each)).values(**values))
        else:
            rows.append({**asdict(each), "incident_id": current, "enclosure_id": enclosure_id})
    if rows:
        link.execute(insert(TRIGGERS), rows)
    after: dict[str, object] = {
        "last_s": now_s, "severity": incidents.worst([severity, *([before] if before else [])]),
    }  # fmt: skip
    if incidents.voids_acknowledgement(new, kinds):
        after |= {"acknowledged_by": None, "acknowledged_s": None}
    link.execute(update(INCIDENTS).where(INCIDENTS.c.id == current).values(**after))
    outbox.opened(
        link, enclosure_id, current, new, kinds, before, acknowledged=acknowledged, now_s=now_s
    )
    return current


def _stands(link: Connection, incident_id: int, each: Trigger) -> bool:
    asked = select(TRIGGERS.c.token).where(_at(incident_id, each))
    return link.execute(asked).first() is not None


def _has_kind(link: Connection, incident_id: int, finding: str) -> bool:
    here = (TRIGGERS.c.incident_id == incident_id) & (TRIGGERS.c.finding == finding)
    return link.execute(select(TRIGGERS.c.token).where(here).limit(1)).first() is not None


def _at(incident_id: int, each: Trigger) -> ColumnElement[bool]:
    return (
        (TRIGGERS.c.incident_id == incident_id)
        & (TRIGGERS.c.finding == each.finding)
        & (TRIGGERS.c.token == each.token)
    )
