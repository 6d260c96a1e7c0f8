"""Opening a log: what a crash has left is checked, made durable again, and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.errors import FormatError
from casemate.translog import audit, cosignature, merkle, pending
from casemate.translog import checkpoint as checkpoints
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.disk import Disk
from casemate.translog.edge import Edge, Reader, load
from casemate.translog.errors import LogError
from casemate.translog.note import Note, NoteKey

TORN = "torn"
"""Folder of the bytes of torn tails, kept as they were found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What opening found: entries pending again, and torn bytes sealed away (names in `torn/`)."""

    pending_entries: int
    torn_bytes: int
    torn_files: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class State:
    """What a log holds when it is opened."""

    note: Note | None
    signed: Checkpoint
    edge: Edge
    frontier: merkle.Frontier
    segments: tuple[str, ...]
    recovered: Recovered


def recover(disk: Disk, origin: str, keys: Sequence[NoteKey]) -> State:
    """Return the state of the log on `disk`, all of it durable.

    LogError where checkpoint, tiles and pending entries do not agree; FormatError where a file is
    malformed. Nothing is removed that was acknowledged; torn bytes move to `torn/`.
    """
    disk.make_folder("pending")
    note, signed = read_checkpoint(disk, origin, keys)
    reader = Reader(lambda tile: audit.read_tile(disk, tile), signed.size)
    if reader.root() != signed.root:
        raise LogError(
            f"the tiles do not give the root of the checkpoint at size {signed.size}.",
            remedy="restore the log's files from a copy; sign nothing more before.",
        )
    edge = load(lambda tile: audit.read_tile(disk, tile), signed.size)
    frontier = merkle.Frontier.of(reader.node, signed.size)
    entries, torn, old = _read_pending(disk, signed.size, reader)
    if note is not None:
        disk.put("checkpoint.new", note.encode())
        disk.move("checkpoint.new", "checkpoint")
        disk.sync_folder("")
    torn_files = _seal(disk, torn)
    segments = _rewrite(disk, signed.size, entries, old)
    for entry in entries:
        leaf = merkle.leaf_hash(entry)
        frontier.push(leaf)
        edge.push(entry, leaf)
    return State(
        note=note,
        signed=signed,
        edge=edge,
        frontier=frontier,
        segments=segments,
        recovered=Recovered(
            pending_entries=len(entries),
            torn_bytes=sum(len(data) for _, data in torn),
            torn_files=torn_files,
        ),
    )


def read_checkpoint(
    disk: Disk, origin: str, keys: Sequence[NoteKey]
) -> tuple[Note | None, Checkpoint]:
    """Return the checkpoint on `disk`, or that of the empty tree where there is none.

    LogError if it is of another log, or bears a signature of `keys` that does not fit.
    """
    try:
        data = disk.read("checkpoint")
    except FileNotFoundError:
        if disk.names("tile/0") and disk.names("witnessed"):
            raise LogError(
                "the log has tiles and no checkpoint.", remedy="restore the checkpoint."
            ) from None
        return None, Checkpoint(origin=origin, size=0, root=merkle.EMPTY_ROOT)
    signed, note = checkpoints.parse(data)
    if signed.origin != origin:
        raise LogError(
            f"the folder holds the log {signed.origin!r}, not {origin!r}.",
            remedy="name another folder.",
        )
    _, bad = cosignature.check(note, keys)
    if bad:
        raise LogError(
            f"a signature on the checkpoint does not fit: {bad[0].why}",
            remedy="restore the checkpoint from a copy.",
        )
    return note, signed


def _read_pending(
    disk: Disk, size: int, reader: Reader
) -> tuple[list[bytes], list[tuple[str, bytes]], list[str]]:
    """Return pending entries from `size` on, torn bytes by segment, and the segments' names."""
    parts: list[pending.Segment] = []
    names = [each for each in disk.names("pending") if not each.endswith(".new")]
    for name in names:
        part = pending.parse(disk.read(f"pending/{name}"), pending.parse_name(name))
        parts.append(part)
        for place, entry in enumerate(part.entries[: max(size - part.first, 0)], part.first):
            if reader.node(0, place) != merkle.leaf_hash(entry):
                raise LogError(
                    f"pending entry {place} is not the one under the checkpoint.",
                    remedy="keep both files; restore the log from a copy.",
                )
    torn = [(name, part.torn) for name, part in zip(names, parts, strict=True) if part.torn]
    return list(pending.join(parts, size)), torn, names


def _seal(disk: Disk, torn: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    if not torn:
        return ()
    disk.make_folder(TORN)
    kept = {name: disk.read(f"{TORN}/{name}") for name in disk.names(TORN)}
    sealed: list[str] = []
    for segment, data in torn:
        same = next((name for name, old in kept.items() if old == data), None)
        name = same or f"{segment}-{len(kept):04d}"
        disk.put(f"{TORN}/.new", data)
        disk.move(f"{TORN}/.new", f"{TORN}/{name}")
        kept[name] = data
        sealed.append(name)
    disk.sync_folder(TORN)
    return tuple(sealed)


def _rewrite(
    disk: Disk, size: int, entries: Sequence[bytes], old: Sequence[str]
) -> tuple[str, ...]:
    """Write the pending entries anew in one segment: what was read may not have been durable."""
    name = pending.segment_name(size)
    if entries:
        mark = merkle.leaf_hash(b"".join(entries))[: pending.MARK_BYTES]
        head = pending.header(size, mark)
        disk.put(f"pending/{name}.new", head + pending.frame(mark, len(head), entries))
        disk.move(f"pending/{name}.new", f"pending/{name}")
        disk.sync_folder("pending")
    for each in old:
        if not entries or each != name:
            disk.remove(f"pending/{each}")
    for each in disk.names("pending"):
        if each.endswith(".new"):
            disk.remove(f"pending/{each}")
    disk.sync_folder("pending")
    return (name,) if entries else ()


__all__ = ["FormatError", "Recovered", "State", "read_checkpoint", "recover"]
