"""How an enclosure stands, in Redfish's words: sensor, state, health. Pure but for `read`.

UNKNOWN and stale are no value of the intrusion sensor: it is null then, and health is Critical.
Normal is shown for one thing alone: ARMED by fresh evidence, no alarm open, nothing latched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, func, select

from casemate.attest import token as tokens
from casemate.attest.claims import Boot
from casemate.attest.token import Judgement, SensorHealth, Token
from casemate.core.errors import FormatError
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.shown import shown_state
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS, REDFISH_LATCHES, VERDICTS

NORMAL, OPENED, TAMPERING = "Normal", "HardwareIntrusion", "TamperingDetected"
LIVE = {
    "ARMED": NORMAL, "MAINTENANCE": OPENED, "TAMPERED": TAMPERING, "UNKNOWN": None,
    "COMMISSIONING": None, "RETIRED": None,
}  # fmt: skip
"""What the sensor says in each state, if nothing else stands."""
_STATES = {
    "ARMED": "Enabled", "MAINTENANCE": "InTest", "TAMPERED": "Enabled",
    "UNKNOWN": "UnavailableOffline", "COMMISSIONING": "Starting", "RETIRED": "Disabled",
}  # fmt: skip
_HEALTH = {"ARMED": "OK", "MAINTENANCE": "Warning", "COMMISSIONING": "Warning",
           "RETIRED": "Warning", "TAMPERED": "Critical", "UNKNOWN": "Critical"}  # fmt: skip
_RECENT = 16
"""Tokens in which health is looked for (planning value)."""
_WORSE = ("OK", "Warning", "Critical")
_E, _V, _I, _L = ENCLOSURES.c, VERDICTS.c, INCIDENTS.c, REDFISH_LATCHES.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an enclosure stands at `now_s`. stale: it is UNKNOWN for nothing but time.

    incident: that is open, None if none is; severity: of that. latch: what the sensor says until it
    is re-armed, "" for nothing; latched_s, entry: when, by time and by log. told: the verdict.
    """

    id: int
    name: str
    serial: str
    kind: str
    site: str
    state: str
    stale: bool
    now_s: int
    since_s: int | None
    seen_s: int | None
    fresh_until_s: int | None
    entries: int
    proven: int
    incident: int | None
    severity: str
    acknowledged: bool
    latch: str
    latched_s: int
    entry: int
    told: dict[str, Any]

    @property
    def live(self) -> str | None:
        """Return what the sensor would say if nothing were latched."""
        if self.severity == "alarm" and self.state not in ("UNKNOWN", "TAMPERED"):
            return TAMPERING  # no honest party makes an alarm, whatever came after it
        return LIVE[self.state]

    @property
    def sensor(self) -> str | None:
        """Return what the intrusion sensor says: the worse of what holds and what is latched."""
        if TAMPERING in (self.live, self.latch):
            return TAMPERING
        if self.live is None:
            return None
        return self.latch or self.live

    @property
    def health(self) -> str:
        """Return Redfish's health: the worst of state, sensor and open incident."""
        by_sensor = {NORMAL: "OK", OPENED: "Warning", TAMPERING: "Critical", None: "OK"}
        by_incident = {"": "OK", "note": "OK", "warning": "Warning"}.get(self.severity, "Critical")
        return max(_HEALTH[self.state], by_sensor[self.sensor], by_incident, key=_WORSE.index)

    @property
    def status_state(self) -> str:
        """Return Redfish's state."""
        return _STATES[self.state]


def chosen(now_s: int) -> Select[Any]:
    """Return the selection of enclosures with all that a `Standing` is made of but its verdict."""
    open_ = and_(_I.enclosure_id == _E.id, _I.disposed_s.is_(None))
    shown = shown_state(now_s).label("shown")
    return select(
        _E.id, _E.name, _E.serial, _E.kind, _E.site, shown, _V.state, _V.since_s, _V.seen_s,
        _V.fresh_until_s, _V.tokens, _V.proven, _I.id.label("incident"), _I.severity,
        _I.acknowledged_by, _L.latch, _L.latched_s, _L.entry,
    ).select_from(
        ENCLOSURES.outerjoin(VERDICTS).outerjoin(INCIDENTS, open_)
        .outerjoin(REDFISH_LATCHES, _L.enclosure_id == _E.id)
    )  # fmt: skip


def of_row(row: Any, now_s: int, told: dict[str, Any] | None = None) -> Standing:
    """Return the standing in a row of `chosen`."""
    return Standing(
        id=row.id, name=row.name, serial=row.serial, kind=row.kind, site=row.site,
        state=row.shown, stale=row.shown == "UNKNOWN" and row.state not in (None, "UNKNOWN"),
        now_s=now_s, since_s=row.since_s, seen_s=row.seen_s, fresh_until_s=row.fresh_until_s,
        entries=row.tokens or 0, proven=row.proven or 0, incident=row.incident,
        severity=row.severity or "", acknowledged=row.acknowledged_by is not None,
        latch=row.latch or "", latched_s=row.latched_s or 0, entry=row.entry or 0,
        told=told or {},
    )  # fmt: skip


_NOW: Any = bindparam("now_s", type_=BigInteger)
_ONE = chosen(_NOW).where(_E.id == bindparam("of"))
_BODY = select(_V.body).where(_V.enclosure_id == bindparam("of"))
"""Made once: an expansion reads hundreds."""


def read(link: Connection, enclosure_id: int, now_s: int) -> Standing:
    """Return how an enclosure stands; RedfishError if there is none."""
    here = {"of": enclosure_id}
    row = link.execute(_ONE, {**here, "now_s": now_s}).one_or_none()
    if row is None:
        raise RedfishError("ResourceNotFound")
    body = link.execute(_BODY, here).scalar_one_or_none()
    return of_row(row, now_s, json.loads(body) if body else {})


def every(link: Connection, now_s: int) -> Iterator[Standing]:
    """Yield how each enclosure stands, in the order of their ids, without its verdict."""
    for row in link.execute(chosen(now_s).order_by(_E.id)):
        yield of_row(row, now_s)


def ids(link: Connection, skip: int, top: int) -> tuple[list[int], int]:
    """Return a page of the ids of enclosures, and how many there are."""
    total = link.execute(select(func.count()).select_from(ENCLOSURES)).scalar_one()
    asked = select(_E.id).order_by(_E.id).offset(skip).limit(top)
    return [int(each) for each in link.execute(asked).scalars()], int(total)


def counts(link: Connection, now_s: int) -> dict[str, int]:
    """Return how many enclosures are in each state."""
    shown = shown_state(now_s).label("shown")
    asked = select(shown, func.count()).select_from(ENCLOSURES.outerjoin(VERDICTS)).group_by(shown)
    found = {str(row[0]): int(row[1]) for row in link.execute(asked)}
    return {each: found.get(each, 0) for each in LIVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an enclosure said last: its last token, and the last verdict and health since a start.

    It is told, not appraised: it is shown only beside a state that is known.
    """

    last: Token | None = None
    verdict: Judgement | None = None
    health: SensorHealth | None = None


def said(link: Connection, enclosure_id: int) -> Said:
    """Return what an enclosure said last, as it came; nothing older than its last few tokens."""
    count = evidence.next_number(link, enclosure_id)
    found = evidence.entries(link, enclosure_id, max(count - _RECENT, 0), _RECENT)
    last, verdict, health = None, None, None
    for data in reversed(found):
        try:
            token = tokens.peek(data)[1]
        except FormatError:
            break
        last = last or token
        verdict, health = verdict or token.verdict, health or token.health
        if isinstance(token.body, Boot) or (verdict and health):
            break
    return Said(last=last, verdict=verdict, health=health)
