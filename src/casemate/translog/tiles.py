"""Where the hashes and entries of a log lie, and how they are packed. Pure.

A tile holds up to 256 hashes of one level in 8; a bundle of entries holds up to 256 entries, each
after its length in two bytes. Reference: C2SP tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casemate.core.errors import FormatError
from casemate.translog.merkle import HASH_BYTES

WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""

MOST_ENTRY_BYTES = 65_535
"""Longest entry: its length is written in two bytes."""

ENTRIES = -1
"""The level that stands for bundles of entries."""

_REMEDY = "get the file again from its source, or check the log with `casemate witness fsck`."
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Tile:
    """A tile's place: level (ENTRIES for entries), index in it, and width (1 to 256)."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path under the log's folder or address."""
        part = f".p/{self.width}" if self.width < WIDTH else ""
        return f"{self.folder}/{_digits(self.index)}{part}"

    @property
    def folder(self) -> str:
        """The folder of the level."""
        return "tile/entries" if self.level == ENTRIES else f"tile/{self.level}"


def parse_path(path: str) -> Tile:
    """Return the tile at `path`. FormatError unless it is written as it must be."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise FormatError("a tile's path is malformed.", remedy=_REMEDY)
    level = ENTRIES if found[1] == "entries" else int(found[1])
    tile = Tile(
        level=level,
        index=int(found[2].replace("x", "").replace("/", "")),
        width=int(found[3]) if found[3] else WIDTH,
    )
    if tile.path != path or level > 63:
        raise FormatError("a tile's path is malformed.", remedy=_REMEDY)
    return tile


def tiles_of(size: int, *, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles and bundles of a tree of `size` that one of `since` had not, or narrower."""
    for level in (ENTRIES, *range(64)):
        shift = 8 * max(level, 0)
        count, before = size >> shift, since >> shift
        if not count:
            continue
        for index in range(before // WIDTH, (count + WIDTH - 1) // WIDTH):
            width = min(count - index * WIDTH, WIDTH)
            if width > max(before - index * WIDTH, 0):
                yield Tile(level=level, index=index, width=width)


def partial_tiles(size: int) -> Iterator[Tile]:
    """Yield the tiles and the bundle of a tree of `size` that are not full."""
    for level in (ENTRIES, *range(64)):
        index, width = divmod(size >> (8 * max(level, 0)), WIDTH)
        if width:
            yield Tile(level=level, index=index, width=width)


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Return a bundle of 1 to 256 entries. FormatError where one is too long."""
    if any(len(entry) > MOST_ENTRY_BYTES for entry in entries):
        raise FormatError(
            f"an entry is longer than {MOST_ENTRY_BYTES} bytes.",
            remedy="log its digest, and keep the bytes beside the log.",
        )
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack_entries(data: bytes, *, at_least: int = 0) -> tuple[bytes, ...]:
    """Return the entries of a bundle, at least so many. FormatError where it ends in between."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data) or len(entries) == WIDTH:
            raise FormatError("a bundle of entries is torn or too long.", remedy=_REMEDY)
        entries.append(data[at + 2 : end])
        at = end
    if len(entries) < at_least:
        raise FormatError(f"a bundle lacks entries: {len(entries)}.", remedy=_REMEDY)
    return tuple(entries)


def unpack_hashes(data: bytes, *, at_least: int = 0) -> tuple[bytes, ...]:
    """Return the hashes of a tile, at least so many. FormatError on any other length."""
    count, rest = divmod(len(data), HASH_BYTES)
    if rest or not 1 <= count <= WIDTH or count < at_least:
        raise FormatError("a tile has a wrong length.", remedy=_REMEDY)
    return tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))


def _digits(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))
