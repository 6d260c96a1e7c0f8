"""Heartbeats: packed, chained, and cheap enough for years."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest
from attest_samples import EVIDENCE, beat, heartbeats
from hypothesis import given
from hypothesis import strategies as st

from casemate.attest import beats, token
from casemate.attest.claims import VERDICTS
from casemate.core.errors import FormatError

ANY = st.builds(
    beats.Beat,
    late_ms=st.integers(-32_767, 32_767),
    verdict=st.sampled_from(VERDICTS),
    health=st.integers(0, 65_535),
    centinats=st.integers(0, 65_535),
    information=st.integers(0, 65_535),
)


@given(st.lists(ANY, min_size=1, max_size=50), st.binary(min_size=32, max_size=32))
def test_beats_come_back(made: list[beats.Beat], head: bytes) -> None:
    body = beats.batch(made, first=5, start_ms=9, period_ms=1000, head=head)
    assert list(beats.unpack(body)) == made
    assert len(body.beats) == 9 * len(made)


@given(st.lists(ANY, min_size=2, max_size=20), st.integers(1, 19), st.binary(max_size=9))
def test_a_chain_is_the_same_however_it_is_cut(
    made: list[beats.Beat], cut: int, seed: bytes
) -> None:
    head = beats.start(seed)
    whole = beats.batch(made, first=0, start_ms=0, period_ms=1000, head=head)
    cut = min(cut, len(made) - 1)
    one = beats.batch(made[:cut], first=0, start_ms=0, period_ms=1000, head=head)
    two = beats.batch(made[cut:], first=cut, start_ms=0, period_ms=1000, head=one.head)
    assert two.head == whole.head


def test_the_chain_is_what_the_page_says() -> None:
    made = [beat(late_ms=-2, verdict="TAMPER", health=5, centinats=700, information=9)] * 2
    packed = struct.pack(">hBHHH", -2, 3, 5, 700, 9)
    head = hashlib.sha256(b"casemate heartbeats\n" + b"boot").digest()
    expected = hashlib.sha256(hashlib.sha256(head + packed).digest() + packed).digest()
    found = beats.batch(made, first=0, start_ms=0, period_ms=1000, head=beats.start(b"boot"))
    assert (found.beats, found.head) == (packed * 2, expected)


def test_a_dropped_swapped_or_altered_beat_shows_in_the_head() -> None:
    made = [beat(late_ms=i) for i in range(10)]
    head = beats.start(b"boot")
    whole = beats.chain(head, b"".join(map(beats.pack, made)))
    for other in (made[:-1], made[1:], made[:4] + made[5:], made[1::-1] + made[2:],
                  [*made[:3], beat(late_ms=99), *made[4:]]):  # fmt: skip
        assert beats.chain(head, b"".join(map(beats.pack, other))) != whole
    assert beats.chain(beats.start(b"another boot"), b"".join(map(beats.pack, made))) != whole


@pytest.mark.parametrize(
    "change",
    [{"late_ms": 32_768}, {"late_ms": -32_768}, {"verdict": "GOOD"}, {"health": -1},
     {"centinats": 65_536}, {"information": 1.5}],
)  # fmt: skip
def test_numbers_that_do_not_fit_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        beats.pack(beat(**change))


def test_packed_bytes_that_mean_nothing_are_refused() -> None:
    good = heartbeats(1).body
    for packed in (
        struct.pack(">hBHHH", 0, 4, 0, 0, 0),
        struct.pack(">hBHHH", -32_768, 0, 0, 0, 0),
    ):
        with pytest.raises(FormatError):
            beats.unpack(replace(good, beats=packed))
        with pytest.raises(FormatError):
            token.encode(replace(heartbeats(1), body=replace(good, beats=packed)))


def test_a_quiet_day_costs_less_than_5_mb() -> None:
    """86400 beats in batches of two minutes, signed, with what a tile log adds to an entry."""
    a_batch = len(token.sign(heartbeats(120), EVIDENCE))
    entry = 2 + a_batch + 32  # its length in the bundle, its hash in the tiles (C2SP tlog-tiles)
    day = 720 * entry * 256 / 255  # and the hashes above
    assert day < 5e6
    assert 720 * len(token.sign(heartbeats(120), EVIDENCE[1:])) < day  # not by leaving out a key


def test_the_longest_batch_fits_into_an_entry() -> None:
    assert len(token.sign(heartbeats(beats.MOST_BEATS), EVIDENCE)) < 65_535
