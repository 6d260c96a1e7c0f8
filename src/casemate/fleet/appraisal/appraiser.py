"""Appraisal of one enclosure's evidence as it grows: each signature is checked once.

The result is the one that `verify.appraise` gives of all evidence together, whatever the order in
which it came. What cannot change any more (entries that a quorum has seen) is walked through once
and kept; the rest is walked through anew each time, on a copy. What is odd about checkpoints is
told beside the walk (`oddities`). Where what is settled would have been walked otherwise, all is
walked anew; what does not fit even then is left to `verify.appraise` itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from casemate.attest.reference import Reference
from casemate.core.errors import FormatError
from casemate.core.progress import Work
from casemate.fleet.appraisal import walk_data
from casemate.fleet.appraisal.notes import Held, is_part, read_note, taken_apart
from casemate.fleet.appraisal.oddities import Awaiting, Oddities, Seals, rows_of
from casemate.fleet.appraisal.places import Places
from casemate.fleet.appraisal.stretches import joined
from casemate.fleet.appraisal.walk_data import Saved
from casemate.translog import merkle
from casemate.translog.bundle import Bundle
from casemate.translog.policy import Policy
from casemate.verify import appraise, tokens
from casemate.verify import log as logs
from casemate.verify.appraise import Walk
from casemate.verify.findings import Notebook
from casemate.verify.headline import conclude
from casemate.verify.log import Ledger, LogView, Seal
from casemate.verify.result import Result
from casemate.verify.tokens import Entry

RECENT, RECENT_NOTES = 64, 4
"""Sizes, from the last one back, of which the root is kept, and the notes: 14 kB each (planning
values). One that comes later with more lines has all walked anew."""


READING, SEALS, WALKING = "reading tokens", "checking checkpoints", "appraising tokens"
WHOLE = "appraising all tokens of a log that is odd"
"""Stages of an appraisal, in their order; the last one is of logs that are not plain alone."""


class _AllSizes:
    """Every size: the root is wanted at each."""

    def __contains__(self, size: object) -> bool:
        return True


class Appraiser:
    """One enclosure. `load` gives all of its evidence that is stored.

    Nothing is taken that the caller has not checked to be of this log. Not for several threads.
    saved: where to go on from, as this service wrote it. entry: gives the entry that is stored at
    an index; out of all evidence without it. work: is told how far it is; one who is not told to
    the end by it has not been appraised. written: gives what was saved last, with all that came
    since. walking: is entered for a walk through so many entries anew; what it raises ends it.
    """

    def __init__(
        self, reference: Reference, policy: Policy, serial: str, load: Callable[[], Bundle],
        saved: Saved | None = None, entry: Callable[[int], bytes] | None = None,
        work: Work | None = None, written: Callable[[], Saved | None] = lambda: None,
        walking: Callable[[int], AbstractContextManager[None]] = lambda _count: nullcontext(),
    ) -> None:  # fmt: skip
        self.reference, self.policy, self.unit = reference, policy, reference.unit(serial)
        self._load, self._entry = load, entry or self._of_all
        self._written, self._walking = written, walking
        self.work = work or Work("appraisal")
        self.walked = 0
        """Entries whose signatures were checked, counted each time."""
        if saved is None or not self._resumes(saved):
            self._whole()

    @property
    def size(self) -> int:
        """Return how many entries there are."""
        return self.ledger.frontier.size

    @property
    def ahead(self) -> int:
        """Return how many entries `result` walks through each time."""
        return self.size if self.irregular else len(self._waiting)

    @property
    def seals(self) -> tuple[Seal, ...] | None:
        """Return what a quorum has seen, and by when; None where something about it is odd."""
        odd = self.irregular or self._odd or self._sealed.out_of_order
        return None if odd else tuple(self._seals)

    def grow(self, entries: Sequence[bytes], notes: Sequence[bytes]) -> tuple[bytes, ...]:
        """Go on by entries at the end and by notes, all of which `load` gives by now.

        Return notes that need not be kept: parts of others, or a larger one stands and no quorum
        signed them.
        """
        if self.irregular:
            self.ledger.take(entries, ())
            for each in (read_note(data) for data in notes):
                self._take_newest(each)
        elif not self._grow(entries, notes):
            self._again()
        dropped = tuple(self._dropped)
        self._dropped.clear()
        return dropped

    def refusal(self, entries: Sequence[bytes], notes: Sequence[Held], now_s: int) -> str:
        """Return why entries at the end, and notes, cannot be taken; "" if they can.

        Notes are signed by the log, and entries are under one that states them, or are tokens that
        the enclosure has signed: nobody else can put anything into its evidence.
        """
        edge = merkle.Frontier()
        edge.peaks, edge.size = list(self.ledger.frontier.peaks), self.ledger.frontier.size
        roots, signed = {edge.size: edge.root()}, self.size
        for each in entries:
            edge.push(merkle.leaf_hash(each))
            roots[edge.size] = edge.root()
        for held in notes:
            if held.stated.origin != self.unit.origin or not self.ledger.is_signed(held.note):
                return "a checkpoint is not signed by the keys of this enclosure's log"
            if held.stated.size > edge.size:
                return f"a checkpoint is of {held.stated.size} entries, and {edge.size} are here"
            if roots.get(held.stated.size) == held.stated.root:
                signed = max(signed, held.stated.size)
        read = self.numbered(entries, self.size)
        newest = self._newest.stated.size if self._newest is not None else 0
        newest = max((newest, *(each.stated.size for each in notes)))
        if any(named.size > newest for named in tokens.named(read)):
            return "a token names a checkpoint that is not here"
        walk = self._all_walked(now_s) if edge.size > signed else None
        for entry in read if walk is not None else ():
            assert walk is not None
            walk.take(entry)
            if entry.index >= signed and (walk.last is None or walk.last.index != entry.index):
                return f"entry {entry.index} is no token that this enclosure has signed"
        return ""

    def result(self, now_s: int, *, stale_s: int | None = None) -> Result:
        """Return what all evidence proves at a time, as `verify.appraise` has it."""
        bundle = self._load() if self.irregular else None
        if bundle is not None:
            self.work.stage(SEALS, counted=False)
            self.walked += (count := len(bundle.entries) + len(bundle.pending))
            step = self.work.later(WHOLE, self.size, "tokens")
            with self._walking(count):
                return appraise(
                    bundle, self.reference, self.policy, now_s=now_s, stale_s=stale_s, step=step
                )
        walk = self.fork(now_s)
        self.work.stage(WALKING, len(self._waiting), "tokens")
        for each in self.work.each(self._waiting):
            walk.take(each)
            self.walked += 1
        self._tell(walk.book)
        timing = self.reference.timing
        allowed_s = timing.batch_s + timing.cosigned_s
        return conclude(walk, self._bare(), stale_s=allowed_s if stale_s is None else stale_s)

    def _tell(self, book: Notebook) -> None:
        """Add what the verifier says of the log, in its order: before anything about a token."""
        log = Notebook()
        if self._newest is None:
            log.add("log.absent")
        log._found.update(self._odd.found(self._newest))
        if waiting := self._awaiting.told(self._newest):
            log.add("log.awaiting" if self._seals else "log.cosignatures", waiting)
        self._sealed.tell(log)
        for key, each in log._found.items():
            walked = book._found.pop(key, None)
            again, last = (walked.times, walked.last_token) if walked is not None else (0, None)
            book._found[key] = replace(each, times=each.times + again, last_token=last)
            is_alarm = each.severity == "alarm" and each.id != "state.tampered"
            book.alarms += each.times if is_alarm else 0
        book.place(None)

    def fork(self, now_s: int) -> Walk:
        """Return a copy of the walk through what is settled, to go on from at `now_s`."""
        held, keep = self._walk, [self.reference, self.unit, self._view, self._walk.last]
        memo: dict[int, object] = {id(each): each for each in keep if each is not None}
        memo[id(held.stretches)] = list(held.stretches)
        memo[id(held.book._found)] = dict(held.book._found)  # thousands are shared, none changes
        walk = copy.deepcopy(held, memo)
        walk.now_s = now_s
        return walk

    def _all_walked(self, now_s: int) -> Walk:
        """Return a walk through all entries."""
        if not self.irregular:
            walk = self.fork(now_s)
            for each in self._waiting:
                walk.take(each)
            return walk
        bundle, book = self._load(), Notebook()
        read = tokens.read([*bundle.entries, *bundle.pending])
        view = logs.view(bundle, self.unit, self.policy, list(tokens.named(read)), (), book)
        walk = Walk(self.reference, self.unit, view, book, now_s)
        for each in read:
            walk.take(each)
        return walk

    def _again(self) -> None:
        """Walk anew from the walk that is written, if what has come lies behind that; else all."""
        saved = self._written()
        if saved is None or not self._resumes(saved):
            self._whole()

    def _whole(self) -> None:
        """Begin anew with all that is stored."""
        self._begin()
        self.work.stage(READING, counted=False)
        found = self._load()
        notes = [*found.witnessed, *([found.checkpoint] if found.checkpoint else ())]
        entries = (*found.entries, *found.pending)
        with self._walking(len(entries)):
            self.irregular = not self._grow(entries, notes)

    def _resumes(self, saved: Saved) -> bool:
        """Go on from a walk that was written down. Return False if that does not do."""
        self._begin()
        try:
            walk_data.resume(self, saved)
        except FormatError:
            return False
        return self._grow(saved.entries, saved.notes)

    @staticmethod
    def numbered(entries: Iterable[bytes], first: int) -> list[Entry]:
        """Return entries, taken apart, that stand in the log from number `first` on."""
        return [replace(taken_apart(x), index=first + at) for at, x in enumerate(entries)]

    def _begin(self) -> None:
        self.irregular = False
        self.ledger = Ledger(self.unit, self.policy, Notebook())
        self._odd, self._sealed, self._awaiting = Oddities(), Seals(), Awaiting()
        self._seals = self._sealed.held
        self._view = LogView(seals=self._seals, roots=self.ledger.roots, echoes=self.ledger.echoes)
        self._walk = Walk(self.reference, self.unit, self._view, Notebook(), 0)
        self._places = self._walk._chain._places = Places(self._entry)
        self._waiting: list[Entry] = []
        self._newest: Held | None = None
        self._unheard: set[tuple[int, bytes]] = set()
        self._notes: dict[int, list[Held]] = {}
        self._kept: list[int] = []
        self._dropped: list[bytes] = []
        self._forgotten = 0
        """The largest size of which the notes are forgotten."""

    def _grow(self, entries: Sequence[bytes], notes: Sequence[bytes]) -> bool:
        """Go on. Return False if it is not plain that all is as it has to be."""
        self._places.pack(self.size)
        self.work.stage(READING, len(entries), "tokens")
        read = self.numbered(self.work.each(entries), self.size)
        self.ledger.take(entries, _AllSizes())
        self._waiting += read
        named = list(tokens.named(read))
        self.ledger.name(named)
        new = [read_note(each) for each in notes]
        for each in new:
            self._take_newest(each)
        late = {each.size for each in named if each.note and self._is_unheard(each.size, each.note)}
        if not self._take_notes(new, late):
            return False
        newest = self._newest.stated.size if self._newest is not None else 0
        if any(each.size > newest or each.size not in self.ledger.roots for each in named):
            return False
        self._kept = [*self._kept, *(each.size for each in named)][-4:]
        self._settle()
        if gone := self._awaiting.needless(self._newest, self._odd):
            self._dropped += gone
            for size, at in self._notes.items():
                self._notes[size] = [each for each in at if each.data not in gone]
        self._forget()
        return True

    def _is_unheard(self, size: int, digest: bytes) -> bool:
        """Return whether a named note is one that is held, with fewer lines than by now."""
        return (size, digest) not in self.ledger.echoes and size in self._notes

    def _take_notes(self, new: Sequence[Held], late: set[int]) -> bool:
        """Take notes, and look again at sizes of which a token names a part.

        Return False if it is not plain that all is as it has to be.
        """
        for each in sorted(new, key=lambda x: x.stated.size):
            size = each.stated.size
            at = self._notes.get(size, [])
            if each.data in (held.data for held in at):
                continue
            if any(is_part(each.data, held.data) for held in at):
                self._dropped.append(each.data)
                continue
            if self._seals and size < self._seals[-1].size:
                return False
            if not at and size <= self._forgotten:
                return False
            for held in (held for held in at if is_part(held.data, each.data)):
                self._odd.drop(held.data)
                self._awaiting.drop(held.data)
                self._dropped.append(held.data)  # else it would be there once the longer one goes
            self._notes[size] = [*(x for x in at if not is_part(x.data, each.data)), each]
            late.add(each.stated.size)
        self.work.stage(SEALS, len(late), "states of the log")
        return all(self._weigh(size) for size in self.work.each(sorted(late)))

    def _take_newest(self, each: Held) -> None:
        if self._newest is None or self._rank(each) > self._rank(self._newest):
            self._newest = each

    def _weigh(self, size: int) -> bool:
        """Find what the notes of a size prove. Return False if anything is odd or was otherwise."""
        if size not in self.ledger.roots:
            return False
        before = dict(self.ledger.echoes)
        for key in [key for key in before if key[0] == size]:
            del self.ledger.echoes[key]
        found: list[Seal] = []
        for each in self._notes[size]:
            found += self._weighed(each)
            self._awaiting.put(each, self.ledger.waiting)
        if any(before.get(key, held) != held for key, held in self.ledger.echoes.items()):
            return False
        if self._unheard & self.ledger.echoes.keys():
            return False
        return self._sealed.add(found, walk_data.settled(self))

    def _weighed(self, each: Held) -> list[Seal]:
        """Return the seals that a note is, and take what is found about it, whichever it is."""
        self.ledger.waiting, self.ledger.book = "", Notebook()
        found = self.ledger.weigh(each.stated, each.note, newest=False)
        if other := rows_of(self.ledger.book):
            waiting, self.ledger.book = self.ledger.waiting, Notebook()
            self.ledger.weigh(each.stated, each.note, newest=True)
            self._odd.put(each.data, rows_of(self.ledger.book), other)
            self.ledger.waiting = waiting
        else:
            self._odd.drop(each.data)
        return found

    def _settle(self) -> None:
        """Walk through what a quorum has seen, for good."""
        proven, done = self._seals[-1].size if self._seals else 0, 0
        self.work.stage(WALKING, sum(each.index < proven for each in self._waiting), "tokens")
        for each in self._waiting:
            if each.index >= proven:
                break
            known = each.token.checkpoint if each.token is not None else None
            named = (known.size, known.note) if known is not None else (0, b"")
            if named[1] and named not in self.ledger.echoes:
                self._unheard.add(named)  # if that note ever comes, all is walked anew
            self._walk.take(each)
            self.work.step()
            self.walked += 1
            done += 1
        del self._waiting[:done]
        self._walk.stretches = joined(self._walk.stretches)

    def _of_all(self, index: int) -> bytes:
        bundle = self._load()
        return (*bundle.entries, *bundle.pending)[index]

    def _forget(self) -> None:
        """Forget what is long settled: roots, notes, and what was told of them.

        Who asks for them has all walked anew: a token that names a size without a root.
        """
        keep = {*sorted(self._notes)[-RECENT_NOTES:], *self._kept}
        for size in [each for each in self._notes if each not in keep]:
            for each in self._notes.pop(size):
                self._odd.fold(each)
                self._awaiting.fold(each)
            self._forgotten = max(self._forgotten, size)
        least, ledger = self.size - RECENT, self.ledger
        for size in [each for each in ledger.roots if 0 < each < least and each not in keep]:
            del ledger.roots[size]
        sealed = min(least, self._seals[-1].size if self._seals else 0)
        for size in [each for each in ledger._named if each < sealed and each not in keep]:
            del ledger._named[size]
        for key in [each for each in ledger.echoes if each[0] < sealed and each[0] not in keep]:
            del ledger.echoes[key]
        self._sealed.forget(RECENT_NOTES)

    def _bare(self) -> Bundle:
        """Return what the conclusion asks of a bundle: its names, and how many entries."""
        checkpoint = self._newest.data if self._newest is not None else b""
        return Bundle(
            enclosure=self.reference.enclosure, serial=self.unit.serial, origin=self.unit.origin,
            checkpoint=checkpoint, witnessed=(), entries=(b"",) * self.size, pending=(),
            torn_bytes=0,
        )  # fmt: skip

    @staticmethod
    def _rank(held: Held) -> tuple[int, int, bytes]:
        return held.stated.size, len(held.data), held.data
