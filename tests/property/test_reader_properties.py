"""Whatever comes out of a line, drivers neither raise in a stream nor let it pass for sound."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from casemate.core.challenge import Challenge, chips
from casemate.core.errors import ReaderError
from casemate.core.samples import Block, Channel
from casemate.core.watch import Limits, Watcher
from casemate.sensors.environment.driver import iio_reader
from casemate.sensors.links.frame_session import Allowance, Session
from casemate.sensors.links.frames import FrameChannel, Hello, Samples, Status
from casemate.sensors.links.iio_context import parse_context
from casemate.testing.emulators.tcp import TcpServer

pytestmark = pytest.mark.timeout(120)

CHALLENGE = Challenge(key=bytes(32), modality="m", epoch=0, chip_s=0.01)
CHANNELS = tuple(
    Channel(id=name, modality="m", unit="ohm", low=0.0, high=50.0) for name in ("a", "b")
)
HELLO = Hello(
    serial=1, boot=1, chip_min_ns=1, depth=200, modality="m", firmware="f",
    channels=tuple(
        FrameChannel(id=c.id, unit="ohm", scale=1e-3, offset=0.0, code_low=-(2**24),
                     code_high=2**24)
        for c in CHANNELS
    ),
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(
        st.just("take"),
        st.integers(0, 1),
        st.one_of(st.integers(0, 60), st.integers(0, 2**62)),
        st.one_of(st.integers(0, 10**7), st.integers(0, 2**64 - 1)),
        hnp.arrays(np.int32, st.tuples(st.integers(0, 5), st.integers(1, 3))),
    ),
    st.tuples(st.just("overdue")),
    st.tuples(st.just("owed")),
    st.tuples(st.just("begin")),
)


@given(st.lists(st.tuples(st.floats(0.0, 3.0), STEPS), max_size=25))
def test_a_session_survives_any_order_of_events(steps: list[tuple[float, tuple]]) -> None:
    session = Session(
        hello=HELLO, channels=CHANNELS, challenge=CHALLENGE, stream=0, allowance=Allowance()
    )
    watcher = Watcher(CHANNELS, CHALLENGE, Limits())
    now_s, good = 100.0, []
    session.begin(now_s)
    for pause_s, (event, *given_) in steps:
        now_s += pause_s
        block: Block | None = None
        if event == "take":
            stream, first, device_us, codes = given_
            block = session.take(
                Samples(
                    stream=stream, first=first, device_us=device_us, status=Status.GOOD,
                    codes=codes,
                ),
                now_s,
            )  # fmt: skip
        elif event == "overdue":
            block = session.overdue(now_s)
        elif event == "begin":
            session.begin(now_s)
        else:
            for drive in session.owed():
                drawn = chips(CHALLENGE, drive.first, drive.drive.size)
                np.testing.assert_array_equal(drive.drive, drawn.drive)
        if block is not None:
            assert block.values.shape == (block.t_s.size, 2) and block.t_s.size <= 4096 + 5
            out = watcher.check(block)
            assert np.isfinite(out.values[out.good]).all()
            good += out.chip[out.good.any(axis=1)].tolist()
    assert good == sorted(set(good))


@given(st.integers(0, 400), st.lists(st.integers(0, 30), max_size=30))
def test_the_reader_is_never_told_more_than_its_table_holds(
    begin: int, answered: list[int]
) -> None:
    session = Session(
        hello=HELLO, channels=CHANNELS, challenge=CHALLENGE, stream=0,
        allowance=Allowance(ahead_s=1e9),
    )  # fmt: skip
    session.begin(0.0)
    told = done = 0
    for count in answered:
        for drive in session.owed():
            assert drive.first == told
            told += drive.drive.size
        assert told - done <= HELLO.depth
        take = min(count, told - done)
        if take:
            codes = np.zeros((take, 2), dtype=np.int32)
            device_us = round(done * 1e4)
            session.take(
                Samples(stream=0, first=done, device_us=device_us, status=Status.GOOD, codes=codes),
                (done + take) * 0.01,
            )
            done += take


class Babble:
    """Answers every line with the same bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def answer(self, line: str, payload: Callable[[int], bytes]) -> bytes | None:
        return self._data


@settings(max_examples=25)
@given(st.one_of(
    st.binary(max_size=60),
    st.from_regex(rb"-?[0-9]{1,12}\n[ -~]{0,40}\n?", fullmatch=True),
))  # fmt: skip
def test_a_babbling_server_is_refused_in_time(data: bytes) -> None:
    channel = Channel(id="t", modality="environment", unit="K", excited=False)
    with TcpServer(lambda: Babble(data)) as server:
        reader = iio_reader(
            "127.0.0.1", (channel,), inputs={}, device="x", port=server.port, timeout_s=0.1
        )
        begin_s = time.monotonic()
        with pytest.raises(ReaderError):
            reader.configure(CHALLENGE)
        assert time.monotonic() - begin_s < 3.0
        reader.close()


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_xml_is_a_context_or_one_error(xml: bytes) -> None:
    with suppress(ReaderError):
        assert isinstance(parse_context(xml), tuple)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["device", "channel", "scan-element", "attribute", "x"]),
            st.sampled_from(["id", "name", "index", "format", "type"]),
            st.text(st.characters(codec="ascii", min_codepoint=32), max_size=12),
        ),
        max_size=8,
    )
)
def test_any_nesting_of_elements_is_a_context_or_one_error(
    nested: list[tuple[str, str, str]],
) -> None:
    from xml.sax.saxutils import quoteattr

    opened = "".join(f"<{tag} {name}={quoteattr(value)}>" for tag, name, value in nested)
    closed = "".join(f"</{tag}>" for tag, _, _ in reversed(nested))
    with suppress(ReaderError):
        parse_context(f"<context>{opened}{closed}</context>".encode())
