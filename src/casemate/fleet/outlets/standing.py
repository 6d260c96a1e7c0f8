"""How each enclosure stands now, as interfaces show it: one query, names safe to say outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from casemate.fleet.alarms.notice import spoken
from casemate.fleet.appraisal.shown import STATES, shown_state
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS, VERDICTS

ALARMING = ("UNKNOWN", "TAMPERED")
"""States that are alarms by themselves, whatever people decided."""
_E, _V, _I = ENCLOSURES.c, VERDICTS.c, INCIDENTS.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an enclosure stands. state: UNKNOWN if nothing fresh says otherwise.

    severity: of the open incident, "" if there is none. seen_s: when witnesses saw it last.
    """

    id: int
    name: str
    serial: str
    kind: str
    site: str
    state: str
    severity: str
    incident: int
    acknowledged: bool
    seen_s: int | None
    fresh_until_s: int | None

    @property
    def alarming(self) -> bool:
        """Return whether it has to be shown as an alarm."""
        return self.state in ALARMING or self.severity in ("alarm", "unknown")


def standings(link: Connection, now_s: int) -> Iterator[Standing]:
    """Yield how each enclosure stands, by number."""
    open_ = and_(_I.enclosure_id == _E.id, _I.disposed_s.is_(None))
    asked = select(
        _E.id, _E.name, _E.serial, _E.kind, _E.site, shown_state(now_s).label("state"),
        _V.seen_s, _V.fresh_until_s, _I.id.label("incident"), _I.severity, _I.acknowledged_by,
    ).select_from(ENCLOSURES.outerjoin(VERDICTS).outerjoin(INCIDENTS, open_))  # fmt: skip
    for row in link.execute(asked.order_by(_E.id)):
        yield Standing(
            id=row.id,
            name=spoken(row.name, row.id),
            serial=spoken(row.serial, row.id, "serial"),
            kind=spoken(row.kind, row.id, "kind"),
            site=spoken(row.site, row.id, "site-of"),
            state=row.state if row.state in STATES else "UNKNOWN",
            severity=row.severity or "",
            incident=row.incident or 0,
            acknowledged=row.acknowledged_by is not None,
            seen_s=row.seen_s,
            fresh_until_s=row.fresh_until_s,
        )
