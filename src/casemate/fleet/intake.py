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
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection, bindparam, delete, insert, select

from casemate.core import cbor
from casemate.core.errors import FormatError
from casemate.fleet import decisions, evidence, incidents, verdicts, walk_data, walks
from casemate.fleet.appraiser import Appraiser
from casemate.fleet.errors import ConflictError, RefusedError
from casemate.fleet.evidence import Enclosure
from casemate.fleet.incidents import Seen
from casemate.fleet.notes import Held, read_note
from casemate.fleet.schema import TRUSTS, VERDICTS
from casemate.fleet.shares import Shares
from casemate.fleet.store import Store
from casemate.fleet.walk_data import Saved
from casemate.translog.bundle import Bundle
from casemate.translog.tiles import MOST_ENTRY_BYTES
from casemate.verify import tokens
from casemate.verify.findings import Notebook
from casemate.verify.identity import Identity
from casemate.verify.log import Seal
from casemate.verify.result import Result

MOST_BYTES = 8_000_000
"""Longest submission read (planning value): 2,000 tokens of two signatures."""
MOST_ENTRIES, MOST_NOTES = 4096, 64
"""Of a submission (planning values)."""
TRUST_SEEN_S = 600
"""For which a change of reference values is looked for: longer than a tick takes at worst."""
KEPT = 12_288
"""Enclosures whose appraisal is kept in memory, 0.3 MB each; others go on from what is written."""
_OLD_VERDICT = delete(VERDICTS).where(VERDICTS.c.enclosure_id == bindparam("of"))
_NEW_VERDICT = insert(VERDICTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a controller brings: entries from number `first` on, and checkpoints."""

    first: int
    entries: tuple[bytes, ...]
    notes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was acknowledged: the number that comes next, and how the enclosure stands."""

    next_number: int
    state: str
    headline: str


def encode(brought: Submission) -> bytes:
    """Return a submission as CBOR."""
    return cbor.encode([brought.first, list(brought.entries), list(brought.notes)])


def decode(data: bytes) -> Submission:
    """Return the submission in CBOR bytes; RefusedError if it is none."""
    try:
        rows = cbor.decode(data, most=MOST_BYTES, depth=3)
    except FormatError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None
    if not (
        isinstance(rows, list)
        and len(rows) == 3
        and type(rows[0]) is int
        and 0 <= rows[0] < 1 << 53
        and _are_bytes(rows[1], MOST_ENTRIES, MOST_ENTRY_BYTES)
        and _are_bytes(rows[2], MOST_NOTES, 1_000_000)
    ):
        raise RefusedError(
            "this is no submission of evidence.",
            remedy="send [first, [entries], [checkpoints]] in CBOR, docs/formats/fleet.md.",
        )
    return Submission(first=rows[0], entries=tuple(rows[1]), notes=tuple(rows[2]))


def _are_bytes(value: object, count: int, most: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= count
        and all(type(each) is bytes and len(each) <= most for each in value)
    )


class _Place:
    """An enclosure that is being appraised. lock: of its evidence."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.known: Enclosure | None = None
        self.appraiser: Appraiser | None = None
        self.adding = Submission(first=0, entries=(), notes=())
        self.seen: Seen | None = None
        """What the last appraisal found, with which incidents are in line; None: not known."""
        self.trust, self.saved = "", 0
        """Of the walk that is written, and how many entries it has; 0 if there is none."""


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
        self._places: dict[int, _Place] = {}
        self._awake: OrderedDict[int, _Place] = OrderedDict()
        """Those whose appraisal is kept, the one asked for longest ago first."""
        self._trusts: set[tuple[int, int]] = set()

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
            why = appraiser.refusal(fresh, [_held(each) for each in new], now_s)
            if why:
                raise RefusedError(f"{why}.", remedy="send evidence as the enclosure's log has it.")
            first = appraiser.size
            try:
                place.adding = Submission(first=first, entries=fresh, notes=new)
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
        with self._place(enclosure_id) as (_, appraiser, _place):
            return appraiser.result(int(self._clock()) if now_s is None else now_s)

    def seals(self, enclosure_id: int) -> tuple[Seal, ...] | None:
        """Return what a quorum has seen of a log, and when; None where something is odd."""
        with self._place(enclosure_id) as (_, appraiser, _place):
            return appraiser.seals

    def tick(self) -> int:
        """Appraise anew what has gone stale meanwhile; return how many enclosures that were.

        So is what got other reference values, by a command beside the service.
        """
        now_s = int(self._clock())
        self._retrust(now_s)
        asked = select(VERDICTS.c.enclosure_id).where(
            VERDICTS.c.fresh_until_s < now_s, VERDICTS.c.appraised_s <= VERDICTS.c.fresh_until_s
        )
        with self._store.read() as link:
            stale = list(link.execute(asked).scalars())
        self._all(stale, now_s)
        return len(stale)

    def _all(self, numbers: Iterable[int], now_s: int) -> None:
        """Appraise enclosures: one of which it fails keeps no other waiting. Raise what failed."""
        failed: Exception | None = None
        for each in numbers:
            try:
                self.appraise(each, now_s)
            except Exception as error:  # whatever it is, the rest must not go stale unsaid
                failed = failed or error
        if failed is not None:
            raise failed

    def _retrust(self, now_s: int) -> None:
        asked = select(TRUSTS.c.enclosure_id, TRUSTS.c.version).where(
            TRUSTS.c.since_s >= now_s - TRUST_SEEN_S
        )
        with self._store.read() as link:
            found = {(int(each[0]), int(each[1])) for each in link.execute(asked)}
        numbers = sorted({each[0] for each in found - self._trusts})
        for each in numbers:
            self.forget(each)
        self._all(numbers, now_s)
        self._trusts = found

    def appraise(self, enclosure_id: int, now_s: int) -> Result:
        """Appraise what is there, and store the verdict."""
        with self._place(enclosure_id) as (_, appraiser, place):
            result = appraiser.result(now_s)
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
    def _place(self, enclosure_id: int) -> Iterator[tuple[Enclosure, Appraiser, _Place]]:
        with self._lock:
            place = self._places.setdefault(enclosure_id, _Place())
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

    def _begun(self, enclosure_id: int, place: _Place) -> Appraiser:
        """Return an appraiser that goes on from the walk that is written, if there is a sound one.

        What is stored is read all at one moment.
        """
        with self._store.read() as link:
            known = evidence.enclosure(link, enclosure_id)
            place.trust, found = walks.trust_of(*known.files), None
            if self._key:
                found = walks.read(link, enclosure_id, place.trust, self._key)
        place.known = known = replace(known, files=(b"", b""))  # they are large, and read by now
        place.seen = None
        saved, place.saved = found if found is not None else (None, 0)
        return Appraiser(
            known.reference, known.policy, known.serial, partial(self._load, known, place), saved,
            partial(self._entry, enclosure_id), partial(self._written, enclosure_id, place),
            self._shares.walking,
        )  # fmt: skip

    def _written(self, enclosure_id: int, place: _Place) -> Saved | None:
        """Return the walk that is written, with all that came since and is about to be stored."""
        if not self._key or not place.saved:
            return None
        with self._store.read() as link:
            found = walks.read(link, enclosure_id, place.trust, self._key)
        if found is None:
            return None
        saved, new = found[0], place.adding
        return replace(
            saved, entries=(*saved.entries, *new.entries), notes=(*saved.notes, *new.notes)
        )

    def _save(
        self, link: Connection, enclosure_id: int, place: _Place, held: Appraiser,
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

    def _load(self, known: Enclosure, place: _Place) -> Bundle:
        """Return all evidence: what is stored, and what is about to be."""
        with self._store.read() as link:
            return evidence.bundle(link, known, place.adding.entries, place.adding.notes)

    def _entry(self, enclosure_id: int, index: int) -> bytes:
        with self._store.read() as link:
            return evidence.entries(link, enclosure_id, index, 1)[0]

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
        self, link: Connection, enclosure_id: int, place: _Place, appraiser: Appraiser,
        result: Result,
    ) -> Seen:  # fmt: skip
        """Write down an appraisal; return what it found, which holds once that is durable."""
        forks = evidence.forks(link, enclosure_id)
        link.execute(_OLD_VERDICT, {"of": enclosure_id})
        row = {**verdicts.row(result, appraiser.reference, forks), "enclosure_id": enclosure_id}
        link.execute(_NEW_VERDICT, row)
        timing = appraiser.reference.timing
        allowed_s = timing.batch_s + timing.cosigned_s
        seen = incidents.seen_of(result, forks, allowed_s)
        only = incidents.touched(seen, place.seen) if place.seen is not None else None
        decisions.update_from(link, enclosure_id, result, forks, allowed_s, only)
        return seen


def _held(data: bytes) -> Held:
    try:
        return read_note(data)
    except FormatError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None
