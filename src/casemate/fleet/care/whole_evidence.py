"""The doctor's deep check: all evidence anew, against what was shown of it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.appraisal.verdicts import BEING_APPRAISED, fresh_until_s
from casemate.fleet.care.checkup import Finding, Patient, bad
from casemate.fleet.clockface import clock
from casemate.fleet.store.schema import ENCLOSURES, VERDICTS
from casemate.translog import merkle
from casemate.verify import appraise


def check(patient: Patient) -> Iterator[Finding]:
    """Appraise everything whole: what pages show has to be what the evidence says."""
    with patient.store.read() as link:
        numbers = list(link.execute(select(ENCLOSURES.c.id)).scalars())
    for at, number in enumerate(numbers, start=1):
        with patient.store.read() as link:
            known = evidence.enclosure(link, number)
            held = evidence.bundle(link, known)
            forks = evidence.forks(link, number)
            shown = link.execute(
                select(VERDICTS).where(VERDICTS.c.enclosure_id == number)
            ).one_or_none()
        if held.checkpoint:
            stated = read_note(held.checkpoint).stated
            if merkle.root_of(map(merkle.leaf_hash, held.entries)) != stated.root:
                yield bad(
                    "evidence", f"entries of {known.name} {known.serial} were changed",
                    "restore a backup; its controller brings the rest again",
                )  # fmt: skip
                continue
        if shown is None or shown.fresh_until_s == BEING_APPRAISED:
            continue
        name = f"evidence of {known.name} {known.serial}, {at} of {len(numbers)}"
        patient.work.stage(f"{name}: checkpoints", counted=False)
        found = appraise(
            held, known.reference, known.policy, now_s=int(shown.appraised_s),
            step=patient.work.later(name, len(held.entries) + len(held.pending), "tokens"),
        )  # fmt: skip
        state = "UNKNOWN" if forks and found.state != "TAMPERED" else found.state
        until_s = None if forks else fresh_until_s(found, known.reference)
        if state != shown.state or until_s != shown.fresh_until_s:
            yield bad(
                "evidence",
                f"{known.name} {known.serial} is {state} until {clock(until_s)}, and was shown as "
                f"{shown.state} until {clock(shown.fresh_until_s)}",
                "start the service anew; ask who has written to the database",
            )  # fmt: skip
