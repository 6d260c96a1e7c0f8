"""Frames come back as they were sent, however the line cuts or spoils them."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from casemate.sensors.links.frames import (
    FRAME_BYTES_MAX,
    Decoder,
    Drive,
    FrameChannel,
    FrameError,
    Hello,
    Kind,
    Samples,
    Status,
    encode,
    pack_drive,
    pack_hello,
    pack_samples,
    unpack_ack,
    unpack_drive,
    unpack_hello,
    unpack_pair,
    unpack_samples,
)

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
CODE = st.integers(-(2**31), 2**31 - 1)
CHANNELS = st.builds(
    FrameChannel, id=TEXT, unit=TEXT,
    scale=st.floats(1e-12, 1e12), offset=st.floats(-1e9, 1e9), code_low=CODE, code_high=CODE,
)  # fmt: skip
HELLOS = st.builds(
    Hello, serial=st.integers(0, 2**32 - 1), boot=st.integers(0, 65_535),
    chip_min_ns=st.integers(0, 2**32 - 1), depth=st.integers(1, 2**32 - 1), modality=TEXT,
    firmware=TEXT, channels=st.lists(CHANNELS, max_size=4).map(tuple),
)  # fmt: skip
FRAMES = st.tuples(st.sampled_from(Kind), st.integers(0, 65_535), st.binary(max_size=600))


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(0, 4000), max_size=6))
def test_any_cut_of_the_line_gives_the_same_frames(
    sent: list[tuple[Kind, int, bytes]], cuts: list[int]
) -> None:
    line = b"".join(encode(*each) for each in sent)
    decoder, got, at = Decoder(), [], 0
    for cut in [*sorted(cuts), len(line)]:
        got += decoder.feed(line[at:cut])
        at = max(at, cut)
    assert [(f.kind, f.sequence, f.payload) for f in got] == sent and decoder.bad == 0


@given(FRAMES, FRAMES, st.integers(0, 10**6), st.integers(1, 255))
def test_a_spoilt_byte_loses_at_most_the_frames_that_it_touches(
    one: tuple[Kind, int, bytes], two: tuple[Kind, int, bytes], place: int, change: int
) -> None:
    line = bytearray(encode(*one))
    line[place % len(line)] ^= change
    got = Decoder().feed(b"\0" + bytes(line) + b"\0" + encode(*two))
    kept = [(f.kind, f.sequence, f.payload) for f in got]
    assert kept[-1] == two and all(each == two for each in kept)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_noise_is_no_frame_and_keeps_no_memory(noise: list[bytes]) -> None:
    decoder = Decoder()
    for data in noise:
        decoder.feed(data)
    decoder.feed(b"\1" * (FRAME_BYTES_MAX + 1))
    assert len(decoder._rest) <= FRAME_BYTES_MAX
    assert [f.payload for f in decoder.feed(b"\0" + encode(Kind.STOP, 1, b"x"))] == [b"x"]


@given(HELLOS)
def test_hello_comes_back(hello: Hello) -> None:
    assert unpack_hello(pack_hello(hello)) == hello


@given(hnp.arrays(np.int32, st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_samples_come_back(codes: np.ndarray) -> None:
    sent = Samples(stream=3, first=2**40, device_us=2**50, status=Status.OVERRUN, codes=codes)
    got = unpack_samples(pack_samples(sent))
    assert (got.stream, got.first, got.device_us, got.status) == (3, 2**40, 2**50, Status.OVERRUN)
    np.testing.assert_array_equal(got.codes, codes)


@given(hnp.arrays(np.float32, 7, elements=st.floats(-8, 8, width=32)))
def test_drive_comes_back(real: np.ndarray) -> None:
    sent = Drive(stream=1, first=9, drive=real * (1 - 0.5j), place=np.arange(7))
    got = unpack_drive(pack_drive(sent))
    np.testing.assert_allclose(got.drive, sent.drive, rtol=1e-6)
    np.testing.assert_array_equal(got.place, sent.place)


@given(st.binary(max_size=200))
def test_any_payload_is_read_or_refused_by_one_error(payload: bytes) -> None:
    for read in (unpack_hello, unpack_samples, unpack_drive, unpack_ack, unpack_pair):
        with suppress(FrameError):
            read(payload)


def test_a_hello_without_a_scale_is_refused() -> None:
    channel = FrameChannel(id="a", unit="ohm", scale=0.0, offset=0.0, code_low=0, code_high=1)
    hello = Hello(
        serial=1, boot=1, chip_min_ns=1, depth=1, modality="m", firmware="f", channels=(channel,)
    )
    with pytest.raises(FrameError):
        unpack_hello(pack_hello(hello))
