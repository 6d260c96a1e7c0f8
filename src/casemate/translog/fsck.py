"""The check of a whole log, from its files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.translog import audit, cosignature, merkle, pending
from casemate.translog import checkpoint as checkpoints
from casemate.translog.disk import Disk
from casemate.translog.edge import Reader
from casemate.translog.errors import LogError
from casemate.translog.note import NoteKey
from casemate.translog.open_log import TORN, read_checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Fsck:
    """What was checked: entries under the checkpoint, pending ones, earlier checkpoints."""

    size: int
    root: bytes
    pending_entries: int
    witnessed: int
    torn_files: tuple[str, ...]


def fsck(disk: Disk, origin: str, keys: Sequence[NoteKey] = ()) -> Fsck:
    """Check every entry, hash, checkpoint and pending segment of the log on `disk`.

    keys: those that must have signed the checkpoint (none: signatures are not looked at).
    LogError, FormatError or SignatureError names the first thing that does not agree.
    """
    note, signed = read_checkpoint(disk, origin, keys)
    if keys and note is not None:
        cosignature.require(note, keys)
    audit.check_tiles(
        disk, size=signed.size, root=signed.root, since=0, since_root=merkle.EMPTY_ROOT
    )
    reader = Reader(lambda tile: audit.read_tile(disk, tile), signed.size)
    witnessed = [name for name in disk.names("witnessed") if not name.endswith(".new")]
    for name in witnessed:
        _check_earlier(reader, disk.read(f"witnessed/{name}"), origin, name)
    return Fsck(
        size=signed.size,
        root=signed.root,
        pending_entries=_count_pending(disk, reader),
        witnessed=len(witnessed),
        torn_files=tuple(disk.names(TORN)),
    )


def _check_earlier(reader: Reader, data: bytes, origin: str, name: str) -> None:
    earlier, _ = checkpoints.parse(data)
    fits = earlier.origin == origin and earlier.size == pending.parse_name(name)
    if not fits or earlier.size > reader.size or reader.root(earlier.size) != earlier.root:
        raise LogError(
            f"the log does not continue its witnessed checkpoint at size {earlier.size}.",
            remedy="the log was rolled back or forked: keep both, and tell the parties.",
        )


def _count_pending(disk: Disk, reader: Reader) -> int:
    count = 0
    for name in disk.names("pending"):
        if name.endswith(".new"):
            continue
        part = pending.parse(disk.read(f"pending/{name}"), pending.parse_name(name))
        for index, entry in enumerate(part.entries, start=part.first):
            if index < reader.size and merkle.leaf_hash(entry) != reader.node(0, index):
                raise LogError(
                    f"pending entry {index} is not the one under the checkpoint.",
                    remedy="keep both files; restore the log from a copy.",
                )
            count += index >= reader.size
    return count
