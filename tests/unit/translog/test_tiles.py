"""Paths and packing of tiles: examples of the format, the edge against brute force, fuzz."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import entry

from casemate.core.errors import CasemateError, FormatError
from casemate.translog import edge, merkle, tiles
from casemate.translog.tiles import ENTRIES, WIDTH, Tile


def test_the_example_of_the_format():
    """C2SP tlog-tiles: a tree of 70,000, and the path of index 1,234,067."""
    found = list(tiles.tiles_of(70_000))
    count = {level: [each for each in found if each.level == level] for level in range(-1, 4)}
    assert [len(count[level]) for level in range(-1, 4)] == [274, 274, 2, 1, 0]
    assert [count[level][-1].width for level in range(3)] == [112, 17, 1]
    assert Tile(level=0, index=1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(level=ENTRIES, index=7, width=5).path == "tile/entries/007.p/5"
    at_256 = [(each.level, each.width) for each in tiles.tiles_of(256)]
    assert at_256 == [(ENTRIES, 256), (0, 256), (1, 1)]


@given(st.integers(0, 1 << 40), st.integers(0, 63), st.integers(1, WIDTH))
def test_paths_are_read_back(index, level, width):
    tile = Tile(level=level, index=index, width=width)
    assert tiles.parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/00/001",
        "tile/64/001",
        "tile/0/001.p/256",
        "tile/0/001.p/0",
        "tile/0/001.p/05",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/-1/001",
        "/tile/0/001",
        "tile/0/../001",
        "tile/entries/x001",
        "tile/0/001\n",
        "tile/0/٠٠١",
    ],
)
def test_other_paths_are_refused(path):
    with pytest.raises(FormatError):
        tiles.parse_path(path)


@given(st.integers(0, 70_000), st.integers(0, 600))
def test_new_tiles_are_those_that_the_old_tree_had_not(since, more):
    size = since + more
    before = set(tiles.tiles_of(since))
    new = set(tiles.tiles_of(size, since=since))
    assert new == set(tiles.tiles_of(size)) - before


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_are_read_back(entries):
    assert list(tiles.unpack_entries(tiles.pack_entries(entries))) == entries


def test_too_long_an_entry_is_refused():
    tiles.pack_entries([b"a" * 65_535])
    with pytest.raises(FormatError, match="65535"):
        tiles.pack_entries([b"a" * 65_536])


@given(st.binary(max_size=200), st.integers(0, 5))
def test_only_our_errors_come_out_of_tiles(data, least):
    for unpack in (tiles.unpack_entries, tiles.unpack_hashes):
        try:
            found = unpack(data, at_least=least)
        except CasemateError:
            continue
        assert len(found) >= least
    if len(data) < 200:
        with pytest.raises(FormatError):
            tiles.unpack_entries(data + (1000).to_bytes(2, "big") + b"short")


def test_a_bundle_of_too_many_entries_is_refused():
    tiles.unpack_entries(b"\0\0" * 256)
    with pytest.raises(FormatError):
        tiles.unpack_entries(b"\0\0" * 257)
    with pytest.raises(FormatError):
        tiles.unpack_hashes(b"\0" * 32 * 257)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600, 65_800])
def test_the_edge_makes_the_tiles_that_the_format_defines(size):
    entries = [entry(each) for each in range(size)]
    leaves = [merkle.leaf_hash(each) for each in entries]
    grown = edge.Edge()
    files: dict[str, bytes] = {}
    for each, leaf in zip(entries, leaves, strict=True):
        grown.push(each, leaf)
        if grown.size in (size // 2, size - 1):
            since = min(int(key) for key in files.pop("size", b"0").split()) if files else 0
            files |= {tile.path: data for tile, data in grown.take(since)}
            files["size"] = str(grown.size).encode()
    since = int(files.pop("size", b"0"))
    files |= {tile.path: data for tile, data in grown.take(since)}
    for tile in tiles.tiles_of(size):
        span = WIDTH * tile.index
        if tile.level == ENTRIES:
            expected = tiles.pack_entries(entries[span : span + tile.width])
        else:
            unit = WIDTH**tile.level
            starts = range(span * unit, (span + tile.width) * unit, unit)
            expected = b"".join(merkle.root_of(leaves[at : at + unit]) for at in starts)
        assert files[tile.path] == expected
    reader = edge.Reader(lambda tile: files[tile.path], size)
    assert reader.root() == merkle.root_of(leaves)
    assert reader.root(size - 1) == merkle.root_of(leaves[:-1])
    again = edge.load(lambda tile: files[tile.path], size)
    assert (again._entries, again._hashes) == (grown._entries, grown._hashes)
