"""The log of one enclosure: plain files under one folder, written by one process.

`append` returns when its entries are durable in `pending/`. `checkpoint` moves them under tiles,
reads these back, and only then signs. The first write or sync that fails closes the log until it
is opened anew: after a failed sync nobody knows what the disk holds.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemate.core.errors import CasemateError
from casemate.core.suites import Signer
from casemate.translog import audit, cosignature, merkle, pending, tiles
from casemate.translog import checkpoint as checkpoints
from casemate.translog import note as notes
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.disk import Appender, Disk, FolderDisk
from casemate.translog.edge import Edge, Reader
from casemate.translog.errors import LogError
from casemate.translog.note import Note, NoteKey
from casemate.translog.open_log import Recovered, recover
from casemate.translog.signers import keys_of
from casemate.translog.tiles import WIDTH, pack_entries

MOST_BATCH_BYTES = 1 << 28
"""Most bytes that one call appends (planning value)."""


@dataclass(slots=True, eq=False)
class _Ticket:
    entries: Sequence[bytes]
    first: int = -1
    error: LogError | None = None


class Log:
    """The one writer of a log. Threads may append at once: a sync serves all that wait.

    folder: the log's folder, made if it is not there. origin: the log's name. signer: one, or one
    for each key that signs checkpoints; an ML-DSA-44 key signs with the time of `clock` (Unix s).
    LogError if the files do not agree or another process writes; FormatError on a malformed file.
    """

    def __init__(
        self,
        folder: Path | Disk,
        origin: str,
        signer: Signer | Sequence[Signer],
        *,
        clock: Callable[[], float] = time.time,
        mark: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        checkpoints.check_origin(origin)
        self.origin = origin
        signers = tuple(signer) if isinstance(signer, Sequence) else (signer,)
        self._signers = keys_of(origin, signers)
        self._clock, self._mark_of = clock, mark
        if isinstance(folder, Path):
            folder.mkdir(parents=True, exist_ok=True)
        self._disk: Disk = FolderDisk(folder) if isinstance(folder, Path) else folder
        self._lock, self._queue_lock = threading.RLock(), threading.Lock()
        self._queue: list[_Ticket] = []
        self._why_closed = ""
        self._segment: Appender | None = None
        self._mark, self._offset = b"", 0
        self._scrubbed = 0
        self._disk.lock()
        try:
            state = recover(self._disk, origin, self.keys)
        except OSError as error:
            self._disk.unlock()
            raise self._latched(error) from error
        except BaseException:
            self._disk.unlock()
            raise
        self.recovered: Recovered = state.recovered
        self._note: Note | None = state.note
        self._signed: Checkpoint = state.signed
        self._edge: Edge = state.edge
        self._frontier: merkle.Frontier = state.frontier
        self._before = state.signed.size
        self._segments: list[str] = list(state.segments)

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The public keys that sign checkpoints."""
        return tuple(key for key, _ in self._signers)

    @property
    def size(self) -> int:
        """Entries under the last checkpoint."""
        return self._signed.size

    @property
    def next_index(self) -> int:
        """Index that the next entry will have."""
        return self._frontier.size

    @property
    def signed(self) -> Checkpoint:
        """The last checkpoint."""
        return self._signed

    def append(self, entries: Sequence[bytes]) -> int:
        """Make entries durable and return the index of the first.

        FormatError where one is longer than 65,535 bytes; LogError if the log is closed.
        """
        size = len(pack_entries(entries))
        if size > MOST_BATCH_BYTES:
            raise LogError(f"a batch of {size} bytes is too large.", remedy="append in parts.")
        ticket = _Ticket(entries=entries)
        with self._queue_lock:
            self._queue.append(ticket)
        with self._lock:
            if ticket.first < 0 and ticket.error is None:
                with self._queue_lock:
                    waiting, self._queue = self._queue, []
                self._write(waiting)
        if ticket.error is not None:
            raise ticket.error
        return ticket.first

    def checkpoint(self) -> bytes:
        """Bring all entries under a new checkpoint and return it, durable, with our signatures.

        Without new entries the last one comes back. LogError if what is read back does not agree.
        """
        with self._lock:
            self._check_open()
            if self._note is not None and self._signed.size == self._frontier.size:
                return self._note.encode()
            try:
                return self._integrate()
            except OSError as error:
                raise self._latched(error) from error

    def add_cosignatures(self, note: Note) -> bytes:
        """Add the lines of witnesses on a checkpoint of this log, checked by the caller.

        note: what `checkpoint` has returned, with more lines; it may be an older one by now. It is
        kept in `witnessed/`, for its times bound the ages of entries, and returned with all lines.
        LogError if it is not of this log's story.
        """
        with self._lock:
            self._check_open()
            stated = checkpoints.parse_text(note.text)
            later = stated.size > self._signed.size or stated.origin != self.origin
            if later or self.reader().root(stated.size) != stated.root:
                raise LogError(
                    "a cosigned checkpoint is not of this log.", remedy="pass one that it signed."
                )
            path = f"witnessed/{pending.segment_name(stated.size)}"
            try:
                self._disk.make_folder("witnessed")
                whole = self._known(path, note).with_lines(note.lines)
                self._replace(path, whole.encode())
                if self._note is not None and self._note.text == note.text:
                    self._replace("checkpoint", whole.encode())
                    self._note = whole
            except OSError as error:
                raise self._latched(error) from error
            return whole.encode()

    def prune_witnessed(self, after: int, before: int) -> int:
        """Remove cosigned checkpoints of sizes between, both left out; return how many.

        For what no token names, and what a later one bounds as well. LogError if the log is closed.
        """
        with self._lock:
            self._check_open()
            low, high = pending.segment_name(after), pending.segment_name(before)
            try:
                gone = [name for name in self._disk.names("witnessed") if low < name < high]
                for name in gone:
                    self._disk.remove(f"witnessed/{name}")
            except OSError as error:
                raise self._latched(error) from error
            return len(gone)

    def _known(self, path: str, note: Note) -> Note:
        """Return the checkpoint at `path` as it is, the last one if it is that, or `note`."""
        if self._note is not None and self._note.text == note.text:
            return self._note
        try:
            return notes.parse(self._disk.read(path))
        except FileNotFoundError:
            return note

    def pending_entries(self) -> list[bytes]:
        """Return the entries past the last checkpoint, as the disk gives them back."""
        with self._lock:
            parts = [
                pending.parse(self._disk.read(f"pending/{name}"), pending.parse_name(name))
                for name in self._segments
            ]
            return list(pending.join(parts, self._signed.size))

    def reader(self) -> Reader:
        """Return the nodes of the tree under the last checkpoint, for proofs."""
        return Reader(lambda tile: audit.read_tile(self._disk, tile), self._signed.size)

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the proof that entry `index` is under the last checkpoint."""
        return merkle.inclusion_proof(self.reader().node, index, self._signed.size)

    def consistency_proof(self, old: int) -> tuple[bytes, ...]:
        """Return the proof from size `old` to the last checkpoint."""
        return merkle.consistency_proof(self.reader().node, old, self._signed.size)

    def fsck(self) -> int:
        """Read and check every file up to the last checkpoint; return the number of entries.

        LogError or FormatError names what does not agree.
        """
        from casemate.translog.fsck import fsck

        with self._lock:
            return fsck(self._disk, self.origin, self.keys).size

    def close(self) -> None:
        """Close the files. Entries stay pending; nothing is signed."""
        with self._lock:
            if self._segment is not None:
                self._segment.close()
                self._segment = None
            self._why_closed = self._why_closed or "it was closed"
            self._disk.unlock()

    def _check_open(self) -> None:
        if self._why_closed:
            raise LogError(
                f"the log is closed: {self._why_closed}.",
                remedy="open it anew; what was acknowledged is checked then.",
            )

    def _latched(self, error: OSError) -> LogError:
        self._why_closed = f"a file operation failed ({error.strerror or error})"
        return LogError(
            f"{self._why_closed}; the log is closed.",
            remedy="mend the disk or free space, then open the log anew.",
        )

    def _write(self, tickets: Sequence[_Ticket]) -> None:
        entries = [entry for ticket in tickets for entry in ticket.entries]
        try:
            self._check_open()
            if entries:
                self._write_frame(entries)
        except OSError as error:
            problem = self._latched(error)
            for ticket in tickets:
                ticket.error = problem
            return
        except LogError as error:
            for ticket in tickets:
                ticket.error = error
            return
        first = self._frontier.size
        for entry in entries:
            leaf = merkle.leaf_hash(entry)
            self._frontier.push(leaf)
            self._edge.push(entry, leaf)
        for ticket in tickets:
            ticket.first = first
            first += len(ticket.entries)

    def _write_frame(self, entries: Sequence[bytes]) -> None:
        if self._segment is None:
            self._begin_segment()
        assert self._segment is not None
        data = pending.frame(self._mark, self._offset, entries)
        self._segment.write(data)
        self._segment.sync()
        self._offset += len(data)

    def _begin_segment(self) -> None:
        name = pending.segment_name(self._frontier.size)
        self._mark = self._mark_of(pending.MARK_BYTES)
        head = pending.header(self._frontier.size, self._mark)
        self._segment = self._disk.appender(f"pending/{name}")
        self._segments.append(name)
        self._segment.write(head)  # durable with the first frame
        self._disk.sync_folder("pending")
        self._offset = len(head)

    def _integrate(self) -> bytes:
        size, root = self._frontier.size, self._frontier.root()
        folders: set[str] = set()
        for tile, data in self._edge.take(self._signed.size):
            folder = tile.path.rpartition("/")[0]
            if folder not in folders:
                self._disk.make_folder(folder)
                folders.add(folder)
            self._disk.put(tile.path, data)
        for folder in sorted(folders):
            self._disk.sync_folder(folder)
        self._read_back(size, root)
        stated = Checkpoint(origin=self.origin, size=size, root=root)
        note = self._sign(stated)
        self._replace("checkpoint", note.encode())
        self._before, before = self._signed.size, self._before
        self._note, self._signed = note, stated
        self._tidy(before)
        return note.encode()

    def _read_back(self, size: int, root: bytes) -> None:
        """Check what was written, and one old bundle in turn, as the disk gives it back."""
        try:
            audit.check_tiles(
                self._disk,
                size=size,
                root=root,
                since=self._signed.size,
                since_root=self._signed.root,
            )
            full = self._signed.size // WIDTH
            if full:
                self._scrubbed = (self._scrubbed + 1) % full
                reader = Reader(lambda tile: audit.read_tile(self._disk, tile), size)
                audit.scrub(self._disk, reader, self._scrubbed)
        except CasemateError as error:
            self._why_closed = f"its files do not agree ({error.message.rstrip('.')})"
            raise

    def _sign(self, stated: Checkpoint) -> Note:
        text, now = stated.text(), max(int(self._clock()), 0)
        lines = tuple(cosignature.sign(key, by, text, now) for key, by in self._signers)
        note = Note(text=text, lines=lines)
        cosignature.require(note, self.keys)  # a fault in signing can give away the key
        return note

    def _replace(self, path: str, data: bytes) -> None:
        self._disk.put(f"{path}.new", data)
        self._disk.move(f"{path}.new", path)
        self._disk.sync_folder(path.rpartition("/")[0])

    def _tidy(self, before: int) -> None:
        """Remove what the checkpoint has made needless: segments, and tiles two sizes back."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        for name in self._segments:
            self._disk.remove(f"pending/{name}")
        self._segments = []
        kept = {*tiles.partial_tiles(self._signed.size), *tiles.partial_tiles(self._before)}
        for tile in tiles.partial_tiles(before):
            if tile not in kept:
                self._disk.remove(tile.path)
                self._disk.remove_folder(tile.path.rpartition("/")[0])
