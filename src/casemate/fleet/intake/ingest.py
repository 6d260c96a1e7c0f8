"""Intake: what a controller brings is checked, stored, appraised and only then acknowledged.

Nothing gets into an enclosure's evidence but what its log or its keys have signed. What does not
fit is refused whole. A second signed token for a place that is taken is kept as what it is: the
proof that the enclosure's keys or its state were copied.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, select

from casemate.core.progress import Work
from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.alarms.incidents import Seen
from casemate.fleet.appraisal import evidence, verdicts, walk_data, walks
from casemate.fleet.appraisal.appraiser import Appraiser
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.errors import AppraisingError, ConflictError, RefusedError
from casemate.fleet.intake import place as place_of
from casemate.fleet.intake.place import Place
from casemate.fleet.intake.shares import Shares
from casemate.fleet.intake.submission import Submission as Submission
from casemate.fleet.intake.submission import Taken as Taken
from casemate.fleet.intake.submission import decode as decode
from casemate.fleet.intake.submission import encode as encode
from casemate.fleet.intake.under_way import LONG, WHAT, UnderWay
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import TRUSTS
from casemate.verify import tokens
from casemate.verify.findings import Notebook
from casemate.verify.identity import Identity
from casemate.verify.log import Seal
from casemate.verify.result import Result

TRUST_SEEN_S = 600
"""For which a change of reference values is looked for: longer than a tick takes at worst."""
LOCK_S = 5.0
"""For which a look waits for a push of the same enclosure (planning value): a browser waits 10."""
SHOWN_S = 30.0
"""For which the latest result is shown of what takes long each time (planning value)."""
KEPT = 12_288
"""Enclosures whose appraisal is kept in memory, 0.3 MB each; others go on from what is written."""
BEGUN_S, LOOKS_S = 600, 60
"""After which one is looked at again that is UNKNOWN and of which nobody was told: it may have
begun, and fallen silent since. How often such are looked for (planning values)."""


class Intake:
    """Takes evidence in. Threads may do so at once: of one enclosure one after the other.

    Signatures are checked before the store is locked: an enclosure whose evidence takes long to
    check holds nobody else up.
    """

    def __init__(
        self, store: Store, clock: Callable[[], float], *, kept: int = KEPT, key: bytes = b"",
        shares: Shares | None = None,
    ) -> None:  # fmt: skip
        self._shares = shares or Shares()
        self._store, self._clock, self._kept, self._key = store, clock, kept, key
        self._lock = threading.Lock()
        self.under_way = UnderWay()
        self._places: dict[int, Place] = {}
        self._awake: OrderedDict[int, Place] = OrderedDict()
        """Those whose appraisal is kept, the one asked for longest ago first."""
        self._trusts: set[tuple[int, int]] = set()
        self._looked_s = 0

    def take(self, enclosure_id: int, brought: Submission) -> Taken:
        """Check, store and appraise; what is returned is durable.

        RefusedError or ConflictError if it cannot be taken; of that a fork alone is stored.
        TooManyError if it may have no more processor time now.
        """
        with self._shares.taking(enclosure_id):
            return self._take(enclosure_id, brought)

    def _take(self, enclosure_id: int, brought: Submission) -> Taken:
        now_s = int(self._clock())
        with self._place(enclosure_id) as (known, appraiser, place):
            fresh = self._fresh(known, appraiser, brought, now_s)
            with self._store.read() as link:
                new = evidence.unknown(link, enclosure_id, brought.notes)
                evidence.check_room(link, enclosure_id, new)
            why = appraiser.refusal(fresh, [place_of.note(each) for each in new], now_s)
            if why:
                raise RefusedError(f"{why}.", remedy="send evidence as the enclosure's log has it.")
            first, place.last = appraiser.size, None
            try:
                place.adding = Submission(first=first, entries=fresh, notes=new)
                with self._working(enclosure_id, len(fresh) + appraiser.ahead) as appraiser.work:
                    needless = appraiser.grow(fresh, new)
                    result = appraiser.result(now_s)
                with self._store.write() as link:
                    self._still(link, enclosure_id, first)
                    evidence.put(link, enclosure_id, first, fresh, new)
                    evidence.drop(link, enclosure_id, needless)
                    self._save(link, enclosure_id, place, appraiser, new)
                    seen = self._enter(link, enclosure_id, place, appraiser, result)
                place.seen = seen
            except BaseException:
                self.forget(enclosure_id)  # the store has not what it has
                raise
            finally:
                place.adding = Submission(first=0, entries=(), notes=())
            return Taken(next_number=appraiser.size, state=result.state, headline=result.headline)

    def look(self, enclosure_id: int, now_s: int | None = None) -> Result:
        """Appraise what is there at a time, now by default; nothing is stored of it."""
        at_s = int(self._clock()) if now_s is None else now_s
        with (
            self._place(enclosure_id) as (_, appraiser, _place),
            self._working(enclosure_id, appraiser.ahead) as appraiser.work,
        ):
            return appraiser.result(at_s)

    def glance(self, enclosure_id: int, now_s: int | None = None) -> Result:
        """Appraise as `look` does, if that is quickly done; AppraisingError says how far it is.

        What takes long goes on by itself. If it takes long each time, the result is of a while ago.
        """
        place, count = self._ahead(enclosure_id)
        if count <= LONG:
            return self.look(enclosure_id, now_s)
        if place.last is not None and self._clock() <= place.last[1]:
            return place.last[0]
        return self.under_way.wait(enclosure_id, partial(self._by_itself, enclosure_id))

    def ready(self, enclosure_id: int) -> None:
        """Return once evidence was walked through; AppraisingError says how far that is."""
        place, count = self._ahead(enclosure_id)
        if count > LONG and place.appraiser is None:
            self.under_way.wait(enclosure_id, partial(self._by_itself, enclosure_id))

    def renew(self, enclosure_id: int) -> None:
        """Appraise by what is trusted now: at once, or by itself where that takes long."""
        self.under_way.cancel(enclosure_id, "other reference values are in force")
        self.forget(enclosure_id)
        self._now_or_by_itself(enclosure_id, int(self._clock()), unsaid=True)

    def _now_or_by_itself(self, enclosure_id: int, now_s: int, *, unsaid: bool = False) -> None:
        """Appraise, or have it done. unsaid: what is shown of it does not hold."""
        try:
            _, count = self._ahead(enclosure_id)
        except AppraisingError:
            return
        if count <= LONG:
            self.appraise(enclosure_id, now_s)
            return
        if unsaid:
            with self._store.write() as link:
                verdicts.unsay(link, enclosure_id)
        self.under_way.begin(enclosure_id, partial(self._by_itself, enclosure_id))

    def _by_itself(self, enclosure_id: int) -> Result:
        return self.appraise(enclosure_id, int(self._clock()))

    def _ahead(self, enclosure_id: int) -> tuple[Place, int]:
        """Return how many entries a look would walk through. AppraisingError if one is walking."""
        with self._lock:
            place = self._places.setdefault(enclosure_id, Place())
        patience_s = LOCK_S if self.under_way.look(enclosure_id) is None else 0.0
        if not place.lock.acquire(timeout=patience_s):
            raise AppraisingError(self.under_way.told(enclosure_id))
        try:
            with self._store.read() as link:
                held = place.appraiser
                if held is not None and evidence.next_number(link, enclosure_id) == held.size:
                    return place, held.ahead
                known = evidence.enclosure(link, enclosure_id)
                trust = walks.trust_of(*known.files)
                return place, walks.ahead(link, enclosure_id, trust, self._key)
        finally:
            place.lock.release()

    @contextmanager
    def _working(self, enclosure_id: int, count: int) -> Iterator[Work]:
        """Yield the work of an appraisal of so many entries. A long one is told of.

        Nothing good is shown until it has ended.
        """
        if count <= LONG:
            yield Work(WHAT)
            return
        with self.under_way.of(enclosure_id) as work:
            with self._store.write() as link:
                verdicts.unsay(link, enclosure_id)
            yield work

    def seals(self, enclosure_id: int) -> tuple[Seal, ...] | None:
        """Return what a quorum has seen of a log, and when; None where something is odd."""
        with self._place(enclosure_id) as (_, appraiser, _place):
            return appraiser.seals

    def tick(self) -> int:
        """Appraise anew what has gone stale meanwhile; return how many enclosures that were.

        So is what got other reference values, by a command beside the service, and what is UNKNOWN
        without anybody having been told: it gets no grace for ever by saying nothing.
        """
        now_s = int(self._clock())
        self._retrust()
        with self._store.read() as link:
            stale = verdicts.stale(link, now_s)
            if not 0 <= now_s - self._looked_s < LOOKS_S:
                self._looked_s = now_s
                stale += verdicts.untold(link, now_s - BEGUN_S)
        self._all(stale, lambda each: self._now_or_by_itself(each, now_s))
        return len(stale)

    def _all(self, numbers: Iterable[int], do: Callable[[int], None]) -> None:
        """Do it of enclosures: one of which it fails keeps no other waiting. Raise what failed."""
        failed: Exception | None = None
        for each in numbers:
            try:
                do(each)
            except Exception as error:  # whatever it is, the rest must not go stale unsaid
                failed = failed or error
        if failed is not None:
            raise failed

    def _retrust(self) -> None:
        asked = select(TRUSTS.c.enclosure_id, TRUSTS.c.version).where(
            TRUSTS.c.since_s >= int(self._clock()) - TRUST_SEEN_S
        )
        with self._store.read() as link:
            found = {(int(each[0]), int(each[1])) for each in link.execute(asked)}
        self._all(sorted({each[0] for each in found - self._trusts}), self.renew)
        self._trusts = found

    def appraise(self, enclosure_id: int, now_s: int) -> Result:
        """Appraise what is there, and store the verdict."""
        with self._place(enclosure_id) as (known, appraiser, place):
            with self._working(enclosure_id, appraiser.ahead) as appraiser.work:
                result = appraiser.result(now_s)
            if appraiser.ahead > LONG:
                fresh_s = verdicts.fresh_until_s(result, known.reference)
                until_s = self._clock() + SHOWN_S
                place.last = result, until_s if fresh_s is None else min(until_s, fresh_s)
            with self._store.write() as link:
                self._still(link, enclosure_id, appraiser.size)
                seen = self._enter(link, enclosure_id, place, appraiser, result)
            place.seen = seen
            return result

    def _still(self, link: Connection, enclosure_id: int, size: int) -> None:
        """Raise ConflictError if another process has taken evidence since it was looked at."""
        here = evidence.next_number(link, enclosure_id)
        if here != size:
            self.forget(enclosure_id)
            raise ConflictError(
                "another process has taken evidence of it meanwhile.",
                remedy=f"send entries from {here} on.", next_number=here,
            )  # fmt: skip

    def forget(self, enclosure_id: int) -> None:
        """Walk anew through an enclosure's evidence when it is next asked for."""
        with self._lock:
            held = self._places.get(enclosure_id)
        if held is not None:
            with held.lock:
                held.appraiser = None

    @contextmanager
    def _place(self, enclosure_id: int) -> Iterator[tuple[Enclosure, Appraiser, Place]]:
        with self._lock:
            place = self._places.setdefault(enclosure_id, Place())
            self._awake[enclosure_id] = place
            self._awake.move_to_end(enclosure_id)
            while len(self._awake) > self._kept:
                self._awake.popitem(last=False)[1].appraiser = None  # who has it goes on with it
        with place.lock:
            appraiser = place.appraiser
            if appraiser is not None and not place.adding.entries:
                with self._store.read() as link:  # another process may have taken some
                    if evidence.next_number(link, enclosure_id) != appraiser.size:
                        appraiser = None
            if appraiser is None:
                place.appraiser = appraiser = self._begun(enclosure_id, place)
            assert place.known is not None
            yield place.known, appraiser, place

    def _begun(self, enclosure_id: int, place: Place) -> Appraiser:
        """Return an appraiser that goes on from the walk that is written, if there is a sound one.

        What is stored is read all at one moment.
        """
        with self._store.read() as link:
            known = evidence.enclosure(link, enclosure_id)
            place.trust, found = walks.trust_of(*known.files), None
            if self._key:
                found = walks.read(link, enclosure_id, place.trust, self._key)
            count = evidence.next_number(link, enclosure_id)
        place.known = known = replace(known, files=(b"", b""))  # they are large, and read by now
        place.seen = place.last = None
        saved, place.saved = found if found is not None else (None, 0)
        count -= place.saved - (len(saved.waiting) if saved is not None else 0)
        with self._working(enclosure_id, count) as work:
            return Appraiser(
                known.reference, known.policy, known.serial,
                partial(place_of.load, self._store, known, place), saved,
                partial(place_of.entry, self._store, enclosure_id), work,
                partial(place_of.written, self._store, self._key, known, place),
                self._shares.walking,
            )  # fmt: skip

    def _save(
        self, link: Connection, enclosure_id: int, place: Place, held: Appraiser,
        new: Sequence[bytes],
    ) -> None:  # fmt: skip
        """Write the walk if it is time to, or if the one that is written lacks a note."""
        lacks = any(read_note(each).stated.size <= place.saved for each in new)
        if not self._key or not (lacks or walks.is_due(held.size, place.saved)):
            return
        if held.irregular:
            walks.drop(link, enclosure_id)
            place.saved = 0
            return
        settled, data = walk_data.settled(held), walk_data.write(held)
        walks.put(link, enclosure_id, place.trust, self._key, held.size, settled, data)
        place.saved = held.size

    def _fresh(
        self, known: Enclosure, appraiser: Appraiser, brought: Submission, now_s: int
    ) -> tuple[bytes, ...]:
        """Return the entries that are new. ConflictError if they do not follow, or differ."""
        here = appraiser.size
        if brought.first > here:
            raise ConflictError(
                f"entries from {brought.first} on leave a gap: {here} comes next.",
                remedy=f"send entries from {here} on.", next_number=here,
            )  # fmt: skip
        told = min(here - brought.first, len(brought.entries))
        held: list[bytes] = []
        if told:
            with self._store.read() as link:
                held = evidence.entries(link, known.id, brought.first, told)
        for at, (ours, theirs) in enumerate(zip(held, brought.entries, strict=False)):
            if ours != theirs:
                self._differs(known, brought.first + at, theirs, now_s)
        return brought.entries[told:]

    def _differs(self, known: Enclosure, number: int, data: bytes, now_s: int) -> None:
        entry = tokens.read([data])[0]
        unit = known.reference.unit(known.serial)
        signed = Identity(known.reference, unit, Notebook()).check(entry, now_s)
        if signed is not None and signed[0].sequence == number:
            with self._store.write() as link:
                evidence.put_fork(link, known.id, number, data, now_s)
            self.appraise(known.id, now_s)
        with self._place(known.id) as (_, appraiser, _place):
            raise ConflictError(
                f"entry {number} is another one than was brought before.",
                remedy="have the enclosure inspected: its log has told two stories.",
                next_number=appraiser.size,
            )

    def _enter(
        self, link: Connection, enclosure_id: int, place: Place, appraiser: Appraiser,
        result: Result,
    ) -> Seen:  # fmt: skip
        """Write down an appraisal; return what it found, which holds once that is durable."""
        forks = evidence.forks(link, enclosure_id)
        verdicts.put(link, enclosure_id, verdicts.row(result, appraiser.reference, forks))
        timing = appraiser.reference.timing
        allowed_s = timing.batch_s + timing.cosigned_s
        seen = incidents.seen_of(result, forks, allowed_s)
        only = incidents.touched(seen, place.seen) if place.seen is not None else None
        decisions.update_from(link, enclosure_id, result, forks, allowed_s, only)
        return seen
