"""The right edge of a log's tiles, kept in memory: what the next tiles are made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from casemate.core.errors import FormatError
from casemate.translog import merkle
from casemate.translog.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    pack_entries,
    partial_tiles,
    tiles_of,
    unpack_entries,
    unpack_hashes,
)

Read = Callable[[Tile], bytes]
"""Gives the bytes of a tile; those of a wider one of the same place will do."""


class Edge:
    """The last tile of each level while it is not full, and the last bundle of entries."""

    def __init__(self) -> None:
        self.size = 0
        self._entries: list[bytes] = []
        self._hashes: list[list[bytes]] = [[]]
        self._full: dict[Tile, bytes] = {}

    def push(self, entry: bytes, leaf: bytes) -> None:
        """Add an entry and its leaf hash; tiles that it fills wait for `take`."""
        index = self.size
        self.size += 1
        self._entries.append(entry)
        if len(self._entries) == WIDTH:
            self._full[Tile(level=ENTRIES, index=index // WIDTH)] = pack_entries(self._entries)
            self._entries = []
        level = 0
        while True:
            row = self._hashes[level]
            row.append(leaf)
            if len(row) < WIDTH:
                return
            place = index >> (8 * (level + 1))
            self._full[Tile(level=level, index=place)] = b"".join(row)
            leaf, self._hashes[level] = merkle.root_of(row), []
            level += 1
            if level == len(self._hashes):
                self._hashes.append([])

    def take(self, since: int) -> Iterator[tuple[Tile, bytes]]:
        """Yield the tiles filled since the last call, and the partial ones, each with its bytes.

        Those that a tree of size `since` had already are left out: a file that a checkpoint rests
        on is never written again, for a power cut could tear it.
        """
        full, self._full = self._full, {}
        yield from full.items()
        new = set(tiles_of(self.size, since=since))
        if self._entries:
            tile = Tile(level=ENTRIES, index=self.size // WIDTH, width=len(self._entries))
            if tile in new:
                yield tile, pack_entries(self._entries)
        for level, row in enumerate(self._hashes):
            if row:
                place = self.size >> (8 * (level + 1))
                tile = Tile(level=level, index=place, width=len(row))
                if tile in new:
                    yield tile, b"".join(row)


def load(read: Read, size: int) -> Edge:
    """Return the edge of the tree of `size` from its tiles."""
    edge = Edge()
    edge.size = size
    for tile in partial_tiles(size):
        if tile.level == ENTRIES:
            edge._entries = list(unpack_entries(read(tile), at_least=tile.width)[: tile.width])
            continue
        while len(edge._hashes) <= tile.level:
            edge._hashes.append([])
        edge._hashes[tile.level] = list(
            unpack_hashes(read(tile), at_least=tile.width)[: tile.width]
        )
    while len(edge._hashes) <= _levels(size):
        edge._hashes.append([])
    return edge


class Reader:
    """Nodes of the tree of `size` from its tiles; a tile is read once and kept."""

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self._kept: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def hashes(self, level: int, index: int) -> tuple[bytes, ...]:
        """Return the hashes of a tile, as far as the tree of `size` has them."""
        kept = self._kept.get((level, index))
        if kept is None:
            width = min((self.size >> (8 * level)) - index * WIDTH, WIDTH)
            if width < 1:
                raise FormatError("there is no such tile.", remedy="name one within the tree.")
            tile = Tile(level=level, index=index, width=width)
            kept = unpack_hashes(self._read(tile), at_least=width)[:width]
            self._kept[level, index] = kept
        return kept

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree (level, index)."""
        tile_level, inner = divmod(level, 8)
        first = index << inner
        row = self.hashes(tile_level, first // WIDTH)
        at = first % WIDTH
        part = row[at : at + (1 << inner)]
        if len(part) != 1 << inner:
            raise FormatError("a node lies beyond the tree.", remedy="name one within the tree.")
        return merkle.root_of(part)

    def root(self, size: int | None = None) -> bytes:
        """Return the root at a size up to that of this tree."""
        return merkle.tree_root(self.node, self.size if size is None else size)


def _levels(size: int) -> int:
    return max(size.bit_length() - 1, 0) // 8
