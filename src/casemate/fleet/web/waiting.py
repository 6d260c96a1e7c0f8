"""What waits for a person, by role and party: what to do first is seen before anything is read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from casemate.attest import permit as permits
from casemate.core.errors import CasemateError
from casemate.fleet.access.people import Person
from casemate.fleet.access.roles import may
from casemate.fleet.alarms import incidents
from casemate.fleet.appraisal import evidence
from casemate.fleet.permits import files
from casemate.fleet.permits.files import Filed
from casemate.fleet.store.schema import ACTS, INCIDENTS, PERMITS
from casemate.fleet.story.told import Told

MOST_PERMITS, MOST_CHECKED = 200, 20
"""Requests that are read, the newest, and of those that are not over, how many have their
signatures checked (planning values)."""
_OPEN = INCIDENTS.c.disposed_s.is_(None)
_ALARM = INCIDENTS.c.severity == "alarm"


def of(link: Connection, person: Person, told: Told, now_s: int) -> list[dict[str, Any]]:
    """Return rows of what waits for a person: what it is, how many, and where it is done."""
    rows: list[dict[str, Any]] = []
    if may(person.role, "acknowledge"):
        rows.append(_incidents(link, "not acknowledged yet", INCIDENTS.c.acknowledged_by.is_(None)))
    if may(person.role, "confirm"):
        rows.append(_confirm(link, person))
    if person.role in incidents.INSPECTING:
        seen = INCIDENTS.c.acknowledged_by.is_not(None)
        rows.append(_incidents(link, "to be disposed of", seen & ~_proposed()))
    if may(person.role, "permit"):
        rows.append(_permits(link, person, told, now_s))
    return [each for each in rows if each["count"]]


def _incidents(link: Connection, what: str, chosen: Any) -> dict[str, Any]:
    ids = select(INCIDENTS.c.id, func.count().over()).where(_OPEN & chosen)
    first = link.execute(ids.order_by(INCIDENTS.c.severity, INCIDENTS.c.id).limit(1)).first()
    if first is None:
        return {"what": what, "count": 0, "to": ""}
    many = int(first[1])
    return {
        "what": f"incident{'s' if many > 1 else ''} {what}", "count": many,
        "to": f"/incidents/{first[0]}" if many == 1 else "/incidents",
    }  # fmt: skip


def _proposed() -> Any:
    """Return whether somebody has proposed how an incident is disposed of."""
    done = select(ACTS.c.id).where(ACTS.c.incident_id == INCIDENTS.c.id, ACTS.c.act == "propose")
    return done.exists()


def _confirm(link: Connection, person: Person) -> dict[str, Any]:
    """Return the alarms of which another party has proposed last how they are disposed of."""
    older = ACTS.alias()
    last = (
        select(func.max(older.c.id))
        .where(older.c.incident_id == INCIDENTS.c.id, older.c.act == "propose")
        .correlate(INCIDENTS)
        .scalar_subquery()
    )
    theirs = select(ACTS.c.id).where(ACTS.c.id == last, ACTS.c.party != person.party)
    theirs = theirs.correlate(INCIDENTS)
    return _incidents(link, "proposed to you as the second person", _ALARM & theirs.exists())


def _permits(link: Connection, person: Person, told: Told, now_s: int) -> dict[str, Any]:
    """Return the requests that lack the signatures of this person's party."""
    asked = select(PERMITS).where(
        PERMITS.c.withdrawn_s.is_(None), PERMITS.c.asked_s > now_s - permits.LONGEST_S
    )
    rows = link.execute(asked.order_by(PERMITS.c.id.desc()).limit(MOST_PERMITS))
    held = [Filed(**row._mapping) for row in rows]
    held = [each for each in held if not _is_over(each, now_s)]
    mine = [each for each in held[:MOST_CHECKED] if _lacks(link, each, person, told, now_s)]
    many = len(mine)
    return {
        "what": f"permit{'s' if many > 1 else ''} to be signed by your party", "count": many,
        "to": "" if not mine else f"/permits/{mine[0].id}",
    }  # fmt: skip


def _is_over(filed: Filed, now_s: int) -> bool:
    try:
        return permits.decode(filed.payload).not_after_s <= now_s
    except CasemateError:  # the store was changed: nobody is asked to sign that
        return True


def _lacks(link: Connection, filed: Filed, person: Person, told: Told, now_s: int) -> bool:
    known = evidence.enclosure(link, filed.enclosure_id)
    at = files.standing(known, filed, told.of(link, known.id), now_s)
    mine = any(each.rpartition(" (")[0] == person.party for each in at.signers)
    return at.phase in ("requested", "signed in part") and not mine
