"""Segments of pending entries: read back, torn anywhere, damaged anywhere, fuzz."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.core.errors import CasemateError, FormatError
from casemate.translog import pending
from casemate.translog.pending import Segment

MARK = bytes(range(16))
BATCHES = [[b"first", b""], [b"x" * 700], [b"a", b"b", b"c"]]


def whole() -> tuple[bytes, list[int]]:
    """A segment of three frames, and the offsets of its frames and its end."""
    data = pending.header(7, MARK)
    ends = [len(data)]
    for batch in BATCHES:
        data += pending.frame(MARK, len(data), batch)
        ends.append(len(data))
    return data, ends


def test_a_segment_is_read_back():
    data, _ = whole()
    found = pending.parse(data, 7)
    assert list(found.entries) == [each for batch in BATCHES for each in batch]
    assert (found.good_bytes, found.torn) == (len(data), b"")


def test_cut_anywhere_the_whole_frames_before_stand():
    data, ends = whole()
    for cut in range(len(data) + 1):
        found = pending.parse(data[:cut], 7)
        frames = sum(end <= cut for end in ends[1:])
        assert len(found.entries) == sum(len(batch) for batch in BATCHES[:frames])
        assert data[: found.good_bytes] + found.torn == data[:cut]


def test_a_flipped_bit_is_a_torn_tail_in_the_last_frame_and_corruption_before():
    data, ends = whole()
    for bit in random.Random(1).sample(range(8 * len(data)), 400):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << (bit % 8)
        if ends[0] <= bit // 8 < ends[2]:
            with pytest.raises(FormatError, match="acknowledged"):
                pending.parse(bytes(bad), 7)
        elif bit // 8 >= ends[2]:
            found = pending.parse(bytes(bad), 7)
            assert len(found.entries) == 3 and found.torn
        else:
            assert pending.parse(bytes(bad), 7).entries == ()


def test_frames_of_another_segment_or_place_do_not_count():
    data, _ = whole()
    other = pending.frame(bytes(16), len(data), [b"of another"])
    moved = pending.frame(MARK, len(data) + 1, [b"of another place"])
    for tail in (other, moved):
        found = pending.parse(data + tail, 7)
        assert len(found.entries) == 6 and found.torn == tail


def test_a_segment_under_another_name_is_refused():
    with pytest.raises(FormatError, match="another index"):
        pending.parse(whole()[0], 8)
    for name in ("1", "0" * 19 + "x", "٠" * 20, ""):
        with pytest.raises(FormatError):
            pending.parse_name(name)


def test_many_beginnings_of_frames_do_not_cost_a_hash_each():
    """Each names its own place and a length up to the end: a search of them all is quadratic."""
    data = bytearray(whole()[0])
    for _ in range(20_000):
        rest = 32 * 20_000
        data += pending.FRAME + len(data).to_bytes(8, "big") + bytes(4) + rest.to_bytes(4, "big")
    began = time.process_time()
    with pytest.raises(FormatError, match="beginnings"):
        pending.parse(bytes(data) + bytes(32 * 20_000), 7)
    assert time.process_time() - began < 2


def part(first: int, *entries: bytes) -> Segment:
    return Segment(first=first, entries=entries, good_bytes=0, torn=b"")


def test_segments_are_joined_and_gaps_and_contradictions_found():
    parts = [part(2, b"c", b"d"), part(4, b"e"), part(4, b"e", b"f")]
    assert pending.join(parts, 3) == (b"d", b"e", b"f")
    assert pending.join(parts, 6) == ()
    with pytest.raises(FormatError, match="missing"):
        pending.join([part(2, b"c"), part(4, b"e")], 2)
    with pytest.raises(FormatError, match="missing"):
        pending.join([part(4, b"e")], 3)
    with pytest.raises(FormatError, match="disagree"):
        pending.join([part(2, b"c", b"d"), part(3, b"x")], 2)


@given(st.binary(max_size=300))
def test_only_our_errors_come_out(data):
    for bytes_ in (data, pending.header(0, MARK) + data, whole()[0] + data):
        try:
            found = pending.parse(bytes_, 0)
        except CasemateError:
            continue
        assert bytes_[: found.good_bytes] + found.torn == bytes_
