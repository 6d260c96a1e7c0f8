"""Evidence from the store as a folder that `casemate verify` accepts."""

from __future__ import annotations

from pathlib import Path

from casemate.translog import bundle as bundles
from casemate.translog import pending, tiles
from casemate.translog.bundle import Bundle

_MARK = bytes(pending.MARK_BYTES)
"""Of the one segment of entries past the checkpoint: nothing is appended to it any more."""


def write_bundle(held: Bundle, folder: Path) -> None:
    """Write entries and checkpoints into a new folder; tiles of hashes follow from the entries."""
    folder.mkdir(parents=True)
    bundles.write_manifest(folder, enclosure=held.enclosure, serial=held.serial, origin=held.origin)
    if held.checkpoint:
        (folder / "checkpoint").write_bytes(held.checkpoint)
    for number, data in enumerate(held.witnessed):
        path = folder / "witnessed" / f"{number:020d}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    for tile in tiles.tiles_of(len(held.entries)):
        if tile.level == tiles.ENTRIES:
            begin = tile.index * tiles.WIDTH
            path = folder / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tiles.pack_entries(held.entries[begin : begin + tile.width]))
    if held.pending:
        first = len(held.entries)
        head = pending.header(first, _MARK)
        path = folder / "pending" / pending.segment_name(first)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(head + pending.frame(_MARK, len(head), held.pending))
