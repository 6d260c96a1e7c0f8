"""Verdicts as the store has them: what the pages show of an appraisal."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from casemate.attest.reference import Reference
from casemate.cli.verify_text import as_json
from casemate.fleet.alarms.incidents import WHOLE
from casemate.fleet.store.schema import TRIGGERS, VERDICTS
from casemate.verify.result import Result

BEING_APPRAISED = -1
"""As `fresh_until_s`: the evidence is being appraised anew, and nothing good holds meanwhile."""
MOST_WRITTEN = 50
"""Findings that a verdict's row tells, beside one of each kind (planning value)."""
_UNTIL = VERDICTS.c.fresh_until_s
_STALE = select(VERDICTS.c.enclosure_id).where(
    or_(
        _UNTIL == BEING_APPRAISED,  # begun and not ended, such as by a power cut
        and_(_UNTIL < bindparam("now_s"), VERDICTS.c.appraised_s <= _UNTIL),
    )
)
_UNTOLD = select(VERDICTS.c.enclosure_id).where(
    VERDICTS.c.state == "UNKNOWN", VERDICTS.c.worst != "alarm",
    VERDICTS.c.appraised_s < bindparam("before_s"),
    ~select(TRIGGERS.c.token)
    .where(TRIGGERS.c.enclosure_id == VERDICTS.c.enclosure_id, TRIGGERS.c.token == WHOLE)
    .where(TRIGGERS.c.live).exists(),
)  # fmt: skip
_OLD = delete(VERDICTS).where(VERDICTS.c.enclosure_id == bindparam("of"))
_NEW = insert(VERDICTS)


def put(link: Connection, enclosure_id: int, made: dict[str, object]) -> None:
    """Write a row in place of the one before."""
    link.execute(_OLD, {"of": enclosure_id})
    link.execute(_NEW, {**made, "enclosure_id": enclosure_id})


def stale(link: Connection, now_s: int) -> list[int]:
    """Return the enclosures whose last appraisal has gone stale since, or was never ended."""
    return [int(each) for each in link.execute(_STALE, {"now_s": now_s}).scalars()]


def untold(link: Connection, before_s: int) -> list[int]:
    """Return the enclosures that were UNKNOWN before a time without anybody having been told."""
    return [int(each) for each in link.execute(_UNTOLD, {"before_s": before_s}).scalars()]


def unsay(link: Connection, enclosure_id: int) -> None:
    """Show nothing good of an enclosure before it is appraised anew; TAMPERED stays."""
    good = (VERDICTS.c.enclosure_id == enclosure_id) & VERDICTS.c.fresh_until_s.is_not(None)
    link.execute(update(VERDICTS).where(good).values(fresh_until_s=BEING_APPRAISED))


def row(result: Result, reference: Reference, forks: list[int]) -> dict[str, object]:
    """Return the row that the pages show of an appraisal."""
    made: dict[str, object] = {
        "state": result.state,
        "worst": result.worst,
        "headline": result.headline,
        "since_s": result.since_s,
        "seen_s": result.seen_s,
        "fresh_until_s": fresh_until_s(result, reference),
        "tokens": result.tokens,
        "proven": result.proven,
        "appraised_s": result.now_s,
        "body": json.dumps(as_json(_short(result)), ensure_ascii=False),
    }
    if forks:
        told = "EVIDENCE DOES NOT HOLD: two signed tokens claim one place in the log"
        made |= {"worst": "alarm", "headline": told}
        if result.state != "TAMPERED":
            made |= {"state": "UNKNOWN", "fresh_until_s": None}
    return made


def _short(result: Result) -> Result:
    """Return a result with its worst findings, and one of each kind: a flood costs no more."""
    found = result.findings
    if len(found) <= MOST_WRITTEN:
        return result
    kinds = {each.id: each for each in reversed(found[MOST_WRITTEN:])}
    told = {each.id for each in found[:MOST_WRITTEN]}
    more = (each for each in found[MOST_WRITTEN:] if kinds[each.id] is each)
    return replace(result, findings=(*found[:MOST_WRITTEN], *(x for x in more if x.id not in told)))


def fresh_until_s(result: Result, reference: Reference) -> int | None:
    """Return the last second at which the state holds without new evidence.

    None where that is no question: TAMPERED stays, and UNKNOWN is not better than stale.
    """
    if result.state not in ("ARMED", "MAINTENANCE") or result.seen_s is None:
        return None
    ends = [each.end_s for each in result.intervals if each.kind in ("proven", "maintenance")]
    timing = reference.timing
    return min(result.seen_s, ends[-1]) + timing.batch_s + timing.cosigned_s
