"""Do the files of a log agree: entries with hashes, hashes with roots. Reads, never writes."""

from __future__ import annotations

from casemate.core.errors import FormatError
from casemate.translog import merkle
from casemate.translog.disk import Disk, Readable
from casemate.translog.edge import Reader
from casemate.translog.errors import LogError
from casemate.translog.tiles import ENTRIES, WIDTH, Tile, tiles_of, unpack_entries


def read_tile(disk: Readable, tile: Tile) -> bytes:
    """Return the bytes of a tile, or of a wider one of the same place. FormatError if none is."""
    try:
        return disk.read(tile.path)
    except FileNotFoundError:
        pass
    full = Tile(level=tile.level, index=tile.index)
    for name in reversed(sorted(disk.names(full.path + ".p"), key=lambda each: (len(each), each))):
        if name.isascii() and name.isdigit() and int(name) >= tile.width:
            return disk.read(f"{full.path}.p/{name}")
    try:
        return disk.read(full.path)
    except FileNotFoundError:
        raise FormatError(
            f"{tile.path} is missing.", remedy="restore the file from a copy of the log."
        ) from None


def check_tiles(disk: Disk, *, size: int, root: bytes, since: int, since_root: bytes) -> None:
    """Read every tile that a tree of `size` has beyond one of `since`, and check it to the roots.

    LogError if an entry does not hash to its leaf, a tile to its parent, or a tree to its root.
    """
    reader = Reader(lambda tile: read_tile(disk, tile), size)
    for tile in tiles_of(size, since=since):
        if tile.level == ENTRIES:
            check_bundle(disk, reader, tile)
        elif tile.level > 0:
            _check_children(reader, tile, since)
    if reader.root(since) != since_root:
        raise _apart(f"the tiles do not give the root at size {since}")
    if reader.root() != root:
        raise _apart(f"the tiles do not give the root at size {size}")


def check_bundle(disk: Disk, reader: Reader, tile: Tile) -> None:
    """Check that each entry of a bundle hashes to its leaf."""
    entries = unpack_entries(read_tile(disk, tile), at_least=tile.width)[: tile.width]
    leaves = reader.hashes(0, tile.index)
    for place, (entry, leaf) in enumerate(zip(entries, leaves, strict=False)):
        if merkle.leaf_hash(entry) != leaf:
            raise _apart(f"entry {tile.index * WIDTH + place} does not hash to its leaf")


def _check_children(reader: Reader, tile: Tile, since: int) -> None:
    oldest = since >> (8 * tile.level)
    for place, stated in enumerate(reader.hashes(tile.level, tile.index)):
        child = tile.index * WIDTH + place
        if child >= oldest and merkle.root_of(reader.hashes(tile.level - 1, child)) != stated:
            raise _apart(f"{tile.path} does not match the tile below it")


def _apart(what: str) -> LogError:
    return LogError(
        f"{what}.",
        remedy="sign nothing more with this log; restore its files from a copy and run fsck.",
    )


def scrub(disk: Disk, reader: Reader, index: int) -> None:
    """Check the full bundle `index` and its tile of leaves to the tile above."""
    check_bundle(disk, reader, Tile(level=ENTRIES, index=index))
    if merkle.root_of(reader.hashes(0, index)) != reader.hashes(1, index // WIDTH)[index % WIDTH]:
        raise _apart(f"the leaves of bundle {index} do not match the tile above")
