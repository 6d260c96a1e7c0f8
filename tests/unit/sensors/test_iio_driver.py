"""Linux IIO devices as readers, against an iiod that speaks libiio's text protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reader_samples import pulled

from casemate.core.challenge import Challenge, chips
from casemate.core.errors import InputError, ReaderError
from casemate.core.samples import Channel, Health
from casemate.core.watch import Limits, watched
from casemate.sensors.environment.driver import iio_reader as room_reader
from casemate.sensors.links.iio_context import (
    Format,
    decode,
    ends,
    parse_context,
    parse_format,
)
from casemate.sensors.links.iio_stream import IioStream
from casemate.sensors.links.iiod import Iiod
from casemate.sensors.links.polled import PolledReader
from casemate.sensors.loop_resistance.driver import Source
from casemate.sensors.loop_resistance.driver import iio_reader as loop_reader
from casemate.testing.emulators.iiod import (
    EmulatedChannel,
    EmulatedDevice,
    IioFaults,
    IioServer,
    stamp,
)
from casemate.testing.emulators.tcp import TcpServer

pytestmark = pytest.mark.timeout(20)

REST = Challenge(key=bytes(32), modality="environment", epoch=0, chip_s=0.01)
ROOM = (
    Channel(id="room/t", modality="environment", unit="K", low=200.0, high=400.0, excited=False),
    Channel(id="room/p", modality="environment", unit="Pa", low=3e4, high=2e5, excited=False),
)
INPUTS = {"room/t": "temp", "room/p": "pressure"}
LOOPS = tuple(
    Channel(id=f"loop/{k}", modality="loop_resistance", unit="ohm", low=0.0, high=200.0)
    for k in range(2)
)
KEYED = Challenge(key=bytes(range(32)), modality="loop_resistance", epoch=0, chip_s=0.01)
SOURCE = Source(device="ad5686", output="voltage0", rest_code=32_768, step_codes=10_000,
                current_a=1e-3)  # fmt: skip


def barometer() -> EmulatedDevice:
    return EmulatedDevice(
        id="iio:device0",
        name="bmp280",
        attributes={"sampling_frequency": "50"},
        channels=[
            EmulatedChannel(
                id="temp", index=1, format="le:s12/16>>4",
                raw=lambda t: -20 + 10 * np.sin(7 * t) + 40 * t,
                attributes={"scale": "62.5", "offset": "400", "raw": "0"},
            ),
            EmulatedChannel(
                id="pressure", index=0, format="be:u24/32>>8", raw=lambda t: 1_013_250 + 9999 * t,
                attributes={"scale": "0.0001"},
            ),
            EmulatedChannel(id="timestamp", index=2, format="le:s64/64>>0", raw=stamp),
        ],
    )  # fmt: skip


@contextmanager
def room(
    faults: IioFaults | None = None, served: EmulatedDevice | None = None, **kw: object
) -> Iterator[tuple[IioStream, IioServer, TcpServer]]:
    iiod = IioServer([served or barometer()], faults=faults)
    with TcpServer(iiod.talk) as server:
        given = {"inputs": INPUTS, "device": "bmp280", "timeout_s": 0.5, **kw}
        reader = room_reader("127.0.0.1", ROOM, port=server.port, **given)  # type: ignore[arg-type]
        try:
            yield reader, iiod, server
        finally:
            reader.close()


@contextmanager
def loops(
    faults: IioFaults | None = None, *, source: Source = SOURCE
) -> Iterator[tuple[PolledReader, IioServer]]:
    """Two loops of 50 and 100 ohm behind a 16-bit converter of 0.05 mV a code."""
    dac = EmulatedChannel(id="voltage0", output=True, attributes={"raw": "32768", "scale": "1"})

    def seen(ohm: float) -> float:
        amps = (float(dac.attributes["raw"]) - 32_768) / 10_000 * 1e-3
        return amps * ohm / 0.05e-3

    adc = EmulatedDevice(
        id="iio:device0", name="ad7124",
        channels=[
            EmulatedChannel(
                id=f"voltage{k}", index=k, format="le:s16/16>>0",
                raw=lambda t, ohm=ohm: seen(ohm),
                attributes={"raw": "0", "scale": "0.05"},
            )
            for k, ohm in enumerate((50.0, 100.0))
        ],
    )  # fmt: skip
    iiod = IioServer(
        [adc, EmulatedDevice(id="iio:device1", name="ad5686", channels=[dac])], faults=faults
    )
    with TcpServer(iiod.talk) as server:
        reader = loop_reader(
            "127.0.0.1", LOOPS, inputs={"loop/0": "voltage0", "loop/1": "voltage1"},
            device="ad7124", source=source, port=server.port, timeout_s=0.5,
        )  # fmt: skip
        try:
            yield reader, iiod
        finally:
            reader.close()


def test_a_buffer_is_read_in_si_with_scale_offset_and_format() -> None:
    with room() as (reader, iiod, _):
        out = pulled(reader.configure(REST), rows=60)
    assert not out.health.any() and (out.chip == -1).all()
    t = np.arange(out.t_s.size) * 0.01
    raw = np.rint(-20 + 10 * np.sin(7 * t) + 40 * t)
    np.testing.assert_allclose(out.values[:, 0], (raw + 400) * 62.5e-3 + 273.15)
    np.testing.assert_allclose(out.values[:, 1], np.rint(1_013_250 + 9999 * t) * 0.1)
    np.testing.assert_allclose(np.diff(out.t_s), 0.01, atol=1e-4)
    assert iiod.written[0] == "iio:device0 sampling_frequency 100"


def test_a_server_that_samples_at_another_pace_is_found_out() -> None:
    device = barometer()
    del device.channels[2]  # no time stamps: only the arrival tells
    with room(IioFaults(pace=3.0), device) as (reader, _, _):
        stream = watched(
            reader.configure(REST), ROOM, REST, limits=Limits(rate_samples=16, stalled_samples=0)
        )
        out = pulled(stream, rows=100)
    assert (out.health & int(Health.RATE)).any()


@pytest.mark.parametrize(
    "faults",
    [
        IioFaults(hang_up_after=9),
        IioFaults(hang_after=9),
        IioFaults(nonsense_after=9),
        IioFaults(errno_after=9),
    ],
)
def test_a_server_that_fails_yields_missing_rows_at_pace(faults: IioFaults) -> None:
    with room(faults) as (reader, _, _):
        out = pulled(reader.configure(REST), rows=150, for_s=4)
    assert out.good[:5].all() and not out.good[-20:].any()
    assert (out.health[-1] & int(Health.MISSING)).all()
    assert (np.diff(out.t_s) > 0).all()


def test_a_server_that_comes_back_is_read_again() -> None:
    iiod = IioServer([barometer()])
    with TcpServer(iiod.talk) as server:
        reader = room_reader(
            "127.0.0.1", ROOM, inputs=INPUTS, device="bmp280", port=server.port, timeout_s=0.5
        )
        stream = reader.configure(REST)
        pulled(stream, rows=10)
        iiod.faults = IioFaults(hang_up_after=1)
        assert not pulled(stream, rows=30).good[-5:].any()
        iiod.faults = IioFaults()
        out = pulled(stream, rows=400, for_s=6)
        reader.close()
    assert out.good[-20:].all()


def test_a_server_that_comes_back_with_another_scale_stays_away() -> None:
    iiod = IioServer([barometer()])
    with TcpServer(iiod.talk) as server:
        reader = room_reader(
            "127.0.0.1", ROOM, inputs=INPUTS, device="bmp280", port=server.port, timeout_s=0.5
        )
        stream = reader.configure(REST)
        pulled(stream, rows=10)
        iiod.faults = IioFaults(hang_up_after=1)
        pulled(stream, rows=30)
        iiod.devices["iio:device0"].channels[0].attributes["scale"] = "62.4"
        iiod.faults = IioFaults()
        out = pulled(stream, rows=300, for_s=4)
        reader.close()
    assert not out.good.any() and (out.health[-1] & int(Health.UNIT)).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"device": "bmp999"}, "bmp280"),
        ({"inputs": {"room/t": "pressure", "room/p": "temp"}}, "in Pa, room/t in K"),
        ({"inputs": {"room/t": "temp7", "room/p": "pressure"}}, "no input 'temp7'"),
    ],
)
def test_a_wrong_device_or_unit_is_refused(change: dict[str, object], says: str) -> None:
    with room(**change) as (reader, _, _), pytest.raises(ReaderError, match=says):
        reader.configure(REST)


def test_a_rate_that_the_device_does_not_have_is_refused() -> None:
    device = barometer()
    device.rates_hz = (50.0, 200.0)
    with room(served=device) as (reader, _, _), pytest.raises(ReaderError, match="asked for"):
        reader.configure(REST)


def test_a_scale_that_is_no_number_is_refused() -> None:
    device = barometer()
    device.channels[0].attributes["scale"] = "nan"
    with room(served=device) as (reader, _, _), pytest.raises(ReaderError, match="scale nan"):
        reader.configure(REST)


def test_the_end_of_a_converters_range_is_clipped() -> None:
    device = barometer()
    device.channels[0].raw = lambda t: 2047
    with room(served=device) as (reader, _, _):
        out = pulled(reader.configure(REST), rows=10)
    assert (out.health[:, 0] == Health.CLIPPED).all() and not out.health[:, 1].any()


def test_loops_are_driven_by_the_key_and_read_in_ohm() -> None:
    with loops() as (reader, iiod):
        out = pulled(reader.configure(KEYED), rows=60)
    drawn = chips(KEYED, 0, out.chip.size)
    ideal = drawn.drive.real[:, None] * np.array([50.0, 100.0])
    assert not out.health.any()
    np.testing.assert_array_equal(out.chip, np.arange(out.chip.size))
    assert np.abs(out.values - ideal).max() < 0.05
    assert not out.values[drawn.silent].any() and drawn.silent.any()
    assert iiod.written[-1].endswith(" 32768")  # at rest in the end


@pytest.mark.parametrize(
    "change",
    [
        {"constellation": "phase"},
        {"order": 2},
        {"constellation": "amplitude", "symbols": 64},
    ],
)
def test_a_source_refuses_what_it_cannot_drive(change: dict[str, object]) -> None:
    steep = replace(SOURCE, step_codes=30_000)
    with loops(source=steep) as (reader, _), pytest.raises(InputError):
        reader.configure(replace(KEYED, **change))  # type: ignore[arg-type]


def test_loops_whose_server_fails_are_missing() -> None:
    with loops(IioFaults(hang_up_after=40)) as (reader, _):
        out = pulled(reader.configure(KEYED), rows=60)
    assert out.good[:10].all() and not out.good[-10:].any()


HOSTILE = (
    b'<?xml version="1.0"?><!DOCTYPE context [<!ENTITY a "b">]><context name="&a;"/>',
    b'<!DOCTYPE context [<!ENTITY a SYSTEM "file:///etc/passwd">]><context>&a;</context>',
    b'<!DOCTYPE context SYSTEM "http://192.0.2.1/x.dtd"><context>&a;</context>',
    b"<context><device id='iio:device0 x\n'/></context>",
    b"<context><device id='a'><channel id='v' type='input'><scan-element index='0' "
    b"format='le:s40/32&gt;&gt;0'/></channel></device></context>",
    b"<context>",
    b"<html/>",
    b"",
)


@pytest.mark.parametrize("xml", HOSTILE)
def test_hostile_descriptions_are_refused(xml: bytes) -> None:
    with pytest.raises(ReaderError, match="cannot be used"):
        parse_context(xml)
    if xml:
        with room(IioFaults(xml=xml)) as (reader, _, _), pytest.raises(ReaderError):
            reader.configure(REST)


def test_the_inline_document_type_of_libiio_is_no_threat() -> None:
    devices = parse_context(IioServer([barometer()]).xml())
    assert [(c.id, c.index) for c in devices[0].channels] == [
        ("temp", 1), ("pressure", 0), ("timestamp", 2),
    ]  # fmt: skip


@given(st.booleans(), st.booleans(), st.sampled_from([8, 16, 32, 64]), st.data())
def test_formats_decode_what_they_encode(
    big: bool, signed: bool, storage: int, data: st.DataObject
) -> None:
    bits = data.draw(st.integers(1, storage))
    shift = data.draw(st.integers(0, storage - bits))
    order, sign = "be" if big else "le", "s" if signed else "u"
    format = parse_format(f"{order}:{sign}{bits}/{storage}>>{shift}")
    assert format == Format(
        big=big, signed=signed, bits=bits, storage=storage, repeat=1, shift=shift
    )
    low, high = ends(format)
    number = data.draw(st.integers(low, min(high, 2**63 - 1)))
    dirt = data.draw(st.integers(0, 2**shift - 1))
    word = ((number & (2**bits - 1)) << shift) | dirt
    raw = np.frombuffer(word.to_bytes(storage // 8, "big" if big else "little"), dtype=np.uint8)
    assert decode(raw[None, :], format)[0] == number


@given(st.text(max_size=20))
def test_any_text_is_a_format_or_one_error(text: str) -> None:
    with suppress(ReaderError):
        parse_format(text)


def test_nobody_at_the_address_is_a_named_error() -> None:
    with pytest.raises(ReaderError, match=r"127\.0\.0\.1:9"):
        Iiod("127.0.0.1", port=9, timeout_s=0.3)


def test_the_client_speaks_the_text_protocol() -> None:
    iiod = IioServer([barometer()])
    with TcpServer(iiod.talk) as server:
        link = Iiod("127.0.0.1", port=server.port, timeout_s=0.5)
        assert link.version().startswith("0.25")
        assert link.read("iio:device0", "sampling_frequency") == "50"
        assert link.read_number("iio:device0", "scale", channel="temp") == 62.5
        with pytest.raises(ReaderError, match="No such file"):
            link.read("iio:device0", "nothing")
        with pytest.raises(ReaderError, match="Bad file"):
            link.read_buffer("iio:device0", 64, 3)
        link.open("iio:device0", 4, 0b11, 3)
        assert len(link.read_buffer("iio:device0", 64, 3)) == 64
        link.shut("iio:device0")
        link.close()
        link.close()
