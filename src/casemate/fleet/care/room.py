"""Whether there is room for what comes: the doctor's look at the disk."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from casemate.core.errors import CasemateError
from casemate.fleet.care.checkup import Finding, Patient, bad, warning
from casemate.fleet.service import growth
from casemate.fleet.store.schema import ENCLOSURES, VERDICTS

LEAST_FREE = 2_000_000_000
"""Bytes (planning value): less than an hour of 10,000 enclosures, with a token each six minutes."""
SOON_DAYS, LAST_DAYS = 30.0, 7.0
"""For which the disk lasts at the pace of late, below which it is told (planning values)."""


def disk(patient: Patient) -> Iterator[Finding]:
    """Yield that little is free, or for how few days it lasts."""
    free = patient.free_bytes(patient.place.folder)
    if free < LEAST_FREE:
        yield bad(
            "disk", f"{free / 1e9:.1f} GB are free",
            "free space, or give it a larger disk: with none left nothing is acknowledged",
        )  # fmt: skip
    pace = growth.worst(growth.read(patient.place.folder))
    if pace is None or pace.a_day <= 0:
        return
    days = max(free - LEAST_FREE, 0) / pace.a_day
    if days >= SOON_DAYS:
        return
    say = bad if days < LAST_DAYS else warning
    yield say(
        "disk",
        f"{free / 1e9:.1f} GB are free, enough for {days:.1f} days: {pace.whose} grew by "
        f"{pace.a_day / 1e9:.2f} GB a day in the last {pace.over_s / 3600:.0f} h{_most(patient)}",
        "give it a larger disk, or keep backups elsewhere; if an enclosure brings more than its "
        "timing asks for, ask its host why",
    )  # fmt: skip


def _most(patient: Patient) -> str:
    """Return which enclosure has most tokens, "" if none has, or the store cannot be read."""
    asked = (
        select(ENCLOSURES.c.name, ENCLOSURES.c.serial, VERDICTS.c.tokens)
        .join_from(ENCLOSURES, VERDICTS)
        .order_by(VERDICTS.c.tokens.desc())
        .limit(1)
    )
    try:
        with patient.store.read() as link:
            row = link.execute(asked).one_or_none()
    except CasemateError:
        return ""
    return "" if row is None else f"; most tokens are of {row.name} {row.serial}, {row.tokens}"
