"""Evidence from the store as a folder that `casemate verify` accepts, part by part.

An enclosure's evidence of a year is gigabytes. So it is read, packed and sent in parts of 256
entries: what lies in memory is one part, and which checkpoints there are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from casemate.core.progress import Work
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.appraisal.notes import read_note, whole
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import NOTES
from casemate.translog import bundle as bundles
from casemate.translog import merkle, pending, tiles

_MARK = bytes(pending.MARK_BYTES)
"""Of segments of entries past the checkpoint: nothing is appended to them any more."""
Part = tuple[str, bytes]
"""Path and bytes of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All evidence of an enclosure, as it stood when this was made; nothing of it ever changes.

    total: of entries. checkpoint: the newest, b"" if there is none. notes: size and digest of each
    that is stored, by size.
    """

    store: Store
    known: Enclosure
    total: int
    checkpoint: bytes
    notes: tuple[tuple[int, str], ...]

    @property
    def sealed(self) -> int:
        """Return how many entries are under the checkpoint."""
        return read_note(self.checkpoint).stated.size if self.checkpoint else 0

    def until(self, size: int) -> Source:
        """Return the part of it up to a checkpoint of a size, which is there."""
        notes = tuple(each for each in self.notes if each[0] <= size)
        return replace(self, total=size, checkpoint=self._newest(notes), notes=notes)

    def _newest(self, notes: Sequence[tuple[int, str]]) -> bytes:
        return self._of_sizes([each for each in notes if each[0] == notes[-1][0]])[-1]

    def entries(self, first: int, end: int) -> Iterator[list[bytes]]:
        """Yield entries in parts, each of one bundle of the log."""
        for at in range(first, end, tiles.WIDTH):
            with self.store.read() as link:
                yield evidence.entries(link, self.known.id, at, min(tiles.WIDTH, end - at))

    def checkpoints(self) -> Iterator[bytes]:
        """Yield the notes that are not part of another, in the order of `whole`."""
        at = 0
        while at < len(self.notes):
            end = min(at + tiles.WIDTH, len(self.notes))
            while end < len(self.notes) and self.notes[end][0] == self.notes[end - 1][0]:
                end += 1
            yield from self._of_sizes(self.notes[at:end])
            at = end

    def _of_sizes(self, notes: Sequence[tuple[int, str]]) -> tuple[bytes, ...]:
        """Return notes, all of some sizes."""
        wanted = {digest for _, digest in notes}
        here = NOTES.c.size.between(notes[0][0], notes[-1][0])
        asked = select(NOTES.c.digest, NOTES.c.data).where(
            NOTES.c.enclosure_id == self.known.id, here
        )
        with self.store.read() as link:
            rows = link.execute(asked).all()
        return whole([bytes(each.data) for each in rows if each.digest in wanted])

    def digest(self, work: Work | None = None) -> str:
        """Return the digest of this evidence, as `evidence.digest` has it."""
        work = work or Work("digest")
        work.stage("reading it for its digest", self.total, "tokens")
        edge = merkle.Frontier()
        found = [] if self.notes else [(b"", b"", _sha256(b""))]
        for part in self.entries(0, self.total):
            for each in part:
                edge.push(merkle.leaf_hash(each))
            work.step(len(part))
        for size, group in self._grouped():
            several = len(group) > 1  # notes of one size stand in the order of their bytes
            found += [(f"{size}\n".encode(), x if several else b"", _sha256(x)) for x in group]
        whole_ = hashlib.sha256(evidence.SET)
        whole_.update(self.known.reference.unit(self.known.serial).origin.encode() + b"\n")
        whole_.update(edge.root() + self.total.to_bytes(8, "big"))
        for _, _, each in sorted(found):
            whole_.update(each)
        return whole_.hexdigest()

    def _grouped(self) -> Iterator[tuple[int, list[bytes]]]:
        held: list[bytes] = []
        size = -1
        for each in self.checkpoints():
            at = read_note(each).stated.size
            if at != size and held:
                yield size, held
                held = []
            size = at
            held.append(each)
        if held:
            yield size, held

    def files(self) -> Iterator[Part]:
        """Yield the files of a bundle; tiles of hashes follow from the entries."""
        known, sealed = self.known, self.sealed
        origin = known.reference.unit(known.serial).origin
        row = {"format": bundles.FORMAT, "enclosure": known.name, "serial": known.serial,
               "origin": origin}  # fmt: skip
        yield "bundle.json", (json.dumps(row, indent=2) + "\n").encode()
        if self.checkpoint:
            yield "checkpoint", self.checkpoint
        packed = (each for each in tiles.tiles_of(sealed) if each.level == tiles.ENTRIES)
        for tile, part in zip(packed, self.entries(0, sealed), strict=True):
            yield tile.path, tiles.pack_entries(part)
        first = sealed
        for part in self.entries(sealed, self.total):
            head = pending.header(first, _MARK)
            data = head + pending.frame(_MARK, len(head), part)
            yield f"pending/{pending.segment_name(first)}", data
            first += len(part)
        number = 0
        for each in self.checkpoints():
            if each != self.checkpoint:
                yield f"witnessed/{number:020d}", each
                number += 1


def source(store: Store, known: Enclosure) -> Source:
    """Return all evidence that there is now of an enclosure."""
    asked = select(NOTES.c.size, NOTES.c.digest).where(NOTES.c.enclosure_id == known.id)
    with store.read() as link:
        total = evidence.next_number(link, known.id)
        rows = link.execute(asked.order_by(NOTES.c.size, NOTES.c.digest)).all()
    found = Source(store=store, known=known, total=total, checkpoint=b"",
                   notes=tuple((int(each.size), str(each.digest)) for each in rows))  # fmt: skip
    return replace(found, checkpoint=found._newest(found.notes)) if found.notes else found


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
