"""Evidence as a bundle: the folder of a log, read as it is at one moment. Reads files, no more.

bundle.json   {"format", "enclosure", "serial", "origin"}
checkpoint    the last checkpoint, with its cosignatures
witnessed/    the checkpoints that were cosigned, by size
tile/…        hashes and entries
pending/      entries past the last checkpoint
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from casemate.core.errors import FormatError, InputError
from casemate.translog import audit, pending, plain_json
from casemate.translog import checkpoint as checkpoints
from casemate.translog.disk import FolderDisk, Readable
from casemate.translog.foreign import ForeignFolder
from casemate.translog.tiles import ENTRIES, tiles_of, unpack_entries

FORMAT = "casemate-evidence-1"
_TRIES = 8
"""Readings of a log that goes on while it is read (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A log's folder as read. `entries` are those under `checkpoint`, `pending` those after.

    checkpoint: b"" where none was signed yet. witnessed: earlier cosigned checkpoints, by size.
    torn_bytes: bytes in pending/ that are no entries; of a log that goes on they may be a write
    under way. Nothing is verified here.
    """

    enclosure: str
    serial: str
    origin: str
    checkpoint: bytes
    witnessed: tuple[bytes, ...]
    entries: tuple[bytes, ...]
    pending: tuple[bytes, ...]
    torn_bytes: int


def write_manifest(folder: Path, *, enclosure: str, serial: str, origin: str) -> None:
    """Write `bundle.json`, whole and durable."""
    row = {"format": FORMAT, "enclosure": enclosure, "serial": serial, "origin": origin}
    disk = FolderDisk(folder)
    folder.mkdir(parents=True, exist_ok=True)
    disk.put("bundle.json.new", (json.dumps(row, indent=2) + "\n").encode())
    disk.move("bundle.json.new", "bundle.json")
    disk.sync_folder("")


def read_bundle(folder: Path) -> Bundle:
    """Return the bundle in `folder`, also while its log is being written.

    InputError if there is none; FormatError on a malformed or missing file.
    """
    manifest = read_manifest(folder)
    gone = ""
    for _ in range(_TRIES):
        disk = ForeignFolder(folder)
        before = _optional(disk, "checkpoint")
        try:
            found = _read(disk, manifest, before)
        except FileNotFoundError as error:  # a segment that its checkpoint has made needless
            gone = str(error.filename or "a file")
            continue
        except FormatError:
            if _optional(disk, "checkpoint") == before:
                raise
            continue
        if _optional(disk, "checkpoint") == before:
            return found
    raise FormatError(
        f"{gone or 'the checkpoint'} changes faster than the log can be read.",
        remedy="copy the folder, or try again.",
    )


def _read(disk: Readable, manifest: dict[str, str], note: bytes) -> Bundle:
    size = checkpoints.parse(note)[0].size if note else 0
    entries: list[bytes] = []
    for tile in tiles_of(size):
        if tile.level == ENTRIES:
            data = audit.read_tile(disk, tile)
            entries.extend(unpack_entries(data, at_least=tile.width)[: tile.width])
    after, torn = _pending(disk, size)
    names = [each for each in disk.names("witnessed") if not each.endswith(".new")]
    return Bundle(
        enclosure=manifest["enclosure"],
        serial=manifest["serial"],
        origin=manifest["origin"],
        checkpoint=note,
        witnessed=tuple(disk.read(f"witnessed/{name}") for name in names),
        entries=tuple(entries),
        pending=after,
        torn_bytes=torn,
    )


def _pending(disk: Readable, size: int) -> tuple[tuple[bytes, ...], int]:
    parts = [
        pending.parse(disk.read(f"pending/{name}"), pending.parse_name(name))
        for name in disk.names("pending")
        if not name.endswith(".new")
    ]
    return pending.join(parts, size), sum(len(part.torn) for part in parts)


def read_manifest(folder: Path) -> dict[str, str]:
    """Return what `bundle.json` says. InputError if there is none; FormatError if malformed."""
    path = folder / "bundle.json"
    try:
        data = ForeignFolder(folder).read(path.name)
    except OSError as error:
        raise InputError(
            f"there is no bundle: {error.strerror}.",
            remedy="name the evidence folder of an enclosure.",
            file=str(path),
        ) from None
    row = plain_json.loads(data, str(path))
    if set(row) != {"format", "enclosure", "serial", "origin"}:
        raise _malformed(path)
    if not all(isinstance(each, str) for each in row.values()):
        raise _malformed(path)
    if row["format"] != FORMAT:
        raise FormatError(
            f"{path} is of format {row['format']!r}, not {FORMAT}.",
            remedy="use the release of casemate that wrote it.",
        )
    return {str(key): str(value) for key, value in row.items()}


def _malformed(path: Path) -> FormatError:
    return FormatError(f"{path} is malformed.", remedy="get the bundle again from its source.")


def _optional(disk: Readable, path: str) -> bytes:
    try:
        return disk.read(path)
    except FileNotFoundError:
        return b""
