"""Work under permits in `casemate fleet demo`: what two parties have signed is carried out.

A permit with enough signatures is put into the enclosure's log, used once witnesses have had the
time to see it, and closed. Of one that its enclosure cannot carry out nothing comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casemate.attest import permit as permits
from casemate.fleet.appraisal import evidence
from casemate.fleet.demo.enclosure import BATCH_S, DemoEnclosure
from casemate.fleet.permits import files
from casemate.fleet.store.database import Store

SEEN_S = BATCH_S + 5
"""In which witnesses have seen a permit here (planning value)."""
WORK_S = 30
"""For which an enclosure is open (planning value): long enough to be seen on the pages."""
_LATEST = 20
"""Permits of an enclosure that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A permit that is being carried out. at_s: when it came to this."""

    digest: bytes
    place: str
    from_s: int
    is_open: bool
    at_s: int


class Work:
    """Carries out permits. enclosures: by their numbers in the store."""

    def __init__(self, store: Store, enclosures: Mapping[int, DemoEnclosure]) -> None:
        self._store, self._enclosures = store, dict(enclosures)
        self._jobs: dict[int, _Job] = {}
        self._done: set[str] = set()

    def tick(self, now_s: int) -> None:
        """Begin, go on with, or end what is due. CasemateError if the store cannot be read."""
        for number, made in self._enclosures.items():
            if made.state not in ("ARMED", "MAINTENANCE"):
                self._jobs.pop(number, None)
            elif (job := self._jobs.get(number)) is None:
                self._begin(number, made, now_s)
            else:
                self._go_on(number, made, job, now_s)

    def _begin(self, number: int, made: DemoEnclosure, now_s: int) -> None:
        with self._store.read() as link:
            filed = files.of_enclosure(link, number, _LATEST)
            waiting = [x for x in filed if x.signed is not None and x.digest not in self._done]
            if not waiting:
                return
            known = evidence.enclosure(link, number)
        for each in reversed(waiting):
            if files.standing(known, each, (), now_s).phase != "signed":
                continue
            self._done.add(each.digest)
            asked = permits.decode(each.payload)
            if "open" not in asked.actions:
                continue
            digest, places = bytes.fromhex(each.digest), (*asked.modules, *asked.faces)
            assert each.signed is not None
            made.log_permit(digest, each.signed)
            self._jobs[number] = _Job(
                digest=digest, place=places[0], from_s=asked.not_before_s, is_open=False, at_s=now_s
            )
            return

    def _go_on(self, number: int, made: DemoEnclosure, job: _Job, now_s: int) -> None:
        if job.is_open and now_s >= job.at_s + WORK_S:
            made.close_up()
            del self._jobs[number]
        elif not job.is_open and now_s >= max(job.at_s + SEEN_S, job.from_s):
            made.open_up(job.digest, job.place)
            self._jobs[number] = _Job(
                digest=job.digest, place=job.place, from_s=job.from_s, is_open=True, at_s=now_s
            )
