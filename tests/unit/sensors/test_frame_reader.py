"""The microcontroller reader against an emulator on a pty, well-behaved and not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reader_samples import (
    CHALLENGE,
    CHANNELS,
    HELLO,
    QUICK,
    emulated,
    goes_on,
    pulled,
    quantity,
)

from casemate.core.challenge import chips
from casemate.core.errors import ReaderError
from casemate.core.samples import Health
from casemate.core.watch import Limits, watched
from casemate.sensors.links.frame_reader import FrameReader
from casemate.sensors.links.frames import Kind
from casemate.sensors.links.port import SerialPort
from casemate.testing.emulators.frame_reader import Faults, FrameDevice
from casemate.testing.emulators.pty import Pty

pytestmark = pytest.mark.timeout(20)


def test_reads_drive_times_quantity_from_chip_0_on() -> None:
    with emulated() as (reader, _):
        out = pulled(reader.configure(CHALLENGE), rows=400)
    np.testing.assert_array_equal(out.chip, np.arange(out.chip.size))
    assert not out.health.any()
    drawn = chips(CHALLENGE, 0, out.chip.size)
    ideal = drawn.drive.real[:, None] * np.array([quantity(int(p)) for p in drawn.place])
    assert np.abs(out.values - ideal).max() < 0.06
    assert np.abs(np.diff(out.t_s) - CHALLENGE.chip_s).max() < 1e-5
    assert (np.abs(out.values[drawn.silent]) < 0.06).all() and drawn.silent.any()


def test_the_reader_is_told_no_more_than_a_moment_of_the_future() -> None:
    with emulated(allowance=QUICK) as (reader, pty):
        out = pulled(reader.configure(CHALLENGE), rows=200)
        device = pty.device
    assert isinstance(device, FrameDevice)
    ahead = device.heard[-1].first + device.heard[-1].drive.size - out.chip[-1]
    assert 0 < ahead <= 0.25 / CHALLENGE.chip_s + 8
    told = np.concatenate([each.drive for each in device.heard])
    assert device.heard[0].stream == 1
    np.testing.assert_allclose(told, chips(CHALLENGE, 0, told.size).drive, atol=1e-6)


def test_configured_again_it_answers_the_new_challenge_and_the_old_stream_ends() -> None:
    again = replace(CHALLENGE, epoch=4)
    with emulated() as (reader, _):
        old = reader.configure(CHALLENGE)
        pulled(old, rows=40)
        out = pulled(reader.configure(again), rows=64)
        assert list(old) == []
    drawn = chips(again, 0, out.chip.size)
    np.testing.assert_array_equal(out.chip, np.arange(out.chip.size))
    ideal = drawn.drive.real[:, None] * np.array([quantity(int(p)) for p in drawn.place])
    assert np.nanmax(np.abs(out.values - ideal)) < 0.06


def test_close_ends_the_stream_and_may_be_called_again() -> None:
    with emulated() as (reader, _):
        stream = reader.configure(CHALLENGE)
        next(stream)
        reader.close()
        reader.close()
        assert list(stream) == []


@pytest.mark.parametrize(
    ("faults", "flag"),
    [
        (Faults(stall_after=80), Health.STALLED),
        (Faults(pace=2.0), Health.RATE),
        (Faults(clock=1.5), Health.RATE),
        (Faults(reset_after=80), Health.RESET),
        (Faults(reset_after=80, unit_after_reset="mohm"), Health.UNIT),
        (Faults(corrupt_every=5), Health.MISSING),
        (Faults(drop_every=5), Health.MISSING),
        (Faults(repeat_every=5), Health.OUT_OF_ORDER),
        (Faults(no_number_after=80), Health.NOT_A_NUMBER),
        (Faults(saturate_after=80), Health.CLIPPED),
        (Faults(supply_after=80), Health.CLIPPED),
        (Faults(freeze_after=80), Health.STALLED),
        (Faults(ahead_by=4000), Health.OUT_OF_ORDER),
    ],
    ids=lambda each: (
        "+".join(
            name for name in Faults.__slots__ if getattr(each, name) != getattr(Faults(), name)
        )
        if isinstance(each, Faults)
        else ""
    ),
)
def test_misbehaviour_shows_in_health(faults: Faults, flag: Health) -> None:
    with emulated(faults, allowance=QUICK) as (reader, _):
        stream = watched(
            reader.configure(CHALLENGE), CHANNELS, CHALLENGE, limits=Limits(rate_samples=32)
        )
        out = pulled(stream, rows=500, for_s=1.5)
    flagged = (out.health & int(flag)).any(axis=1)
    assert flagged.any(), f"never {flag.name}: {set(out.health.ravel().tolist())}"
    assert np.isfinite(out.values[out.good]).all() and np.isnan(out.values[~out.good]).all()
    drawn = chips(CHALLENGE, 0, int(out.chip.max()) + 1)
    rows = np.flatnonzero(out.good.all(axis=1))
    number = out.chip[rows]
    assert (np.diff(number) > 0).all()
    ideal = np.array([quantity(int(p)) for p in drawn.place[number]]).reshape(-1, 3)
    ideal = ideal * drawn.drive.real[number][:, None]
    if not faults.freeze_after:
        assert np.abs(out.values[rows] - ideal).max(initial=0.0) < 0.06


def test_after_a_reset_it_goes_on_by_itself_with_the_chips_that_are_due() -> None:
    with emulated(Faults(reset_after=80)) as (reader, _):
        out = pulled(reader.configure(CHALLENGE), rows=500, for_s=12, until=goes_on)
    assert (out.health & int(Health.RESET)).any() and goes_on(out)
    np.testing.assert_array_equal(out.chip, np.arange(out.chip.size))


def test_after_a_changed_reset_it_never_goes_on() -> None:
    with emulated(Faults(reset_after=80, unit_after_reset="mohm"), allowance=QUICK) as (reader, _):
        out = pulled(reader.configure(CHALLENGE), rows=400)
    assert not out.good[120:].any()


def test_a_reader_that_paused_is_brought_back_into_step() -> None:
    with emulated(Faults(stall_after=80, stall_s=0.3), allowance=QUICK) as (reader, _):
        out = pulled(reader.configure(CHALLENGE), rows=1000, for_s=12, until=goes_on)
    old = (out.health & int(Health.OUT_OF_ORDER)).all(axis=1)
    assert old.any()  # what it sent of the past
    assert goes_on(out)
    number = out.chip[out.good.all(axis=1)]
    assert (np.diff(number) > 0).all()


def test_a_reader_that_is_plugged_in_again_goes_on() -> None:
    names = []
    hello = replace(HELLO, boot=2)
    with Pty(FrameDevice(HELLO, quantity, noise=0.01)) as one:
        names.append(one.name)
        reader = FrameReader(
            modality="loop_resistance", channels=CHANNELS,
            open_port=lambda: SerialPort(names[-1]), allowance=QUICK,
        )  # fmt: skip
        stream = reader.configure(CHALLENGE)
        pulled(stream, rows=80)
    assert not pulled(stream, rows=80).good[-8:].any()
    with Pty(FrameDevice(hello, quantity, noise=0.01)) as two:
        names.append(two.name)
        out = pulled(stream, rows=1000, for_s=12, until=goes_on)
        reader.close()
    assert goes_on(out) and (out.health & int(Health.RESET)).any()


@pytest.mark.parametrize(
    "change", [{"serial": 78}, {"channels": tuple(replace(c, scale=2e-4) for c in HELLO.channels)}]
)
def test_another_reader_in_its_place_stays_down(change: dict[str, object]) -> None:
    names = []
    with Pty(FrameDevice(HELLO, quantity)) as one:
        names.append(one.name)
        reader = FrameReader(
            modality="loop_resistance", channels=CHANNELS,
            open_port=lambda: SerialPort(names[-1]), allowance=QUICK,
        )  # fmt: skip
        stream = reader.configure(CHALLENGE)
        pulled(stream, rows=40)
    with Pty(FrameDevice(replace(HELLO, **change), quantity)) as two:  # type: ignore[arg-type]
        names.append(two.name)
        out = pulled(stream, rows=1200, for_s=4)
        reader.close()
    assert not out.good[60:].any() and (out.health[-1] & int(Health.UNIT)).all()


def test_an_unplugged_reader_keeps_yielding_what_is_missing() -> None:
    with emulated(allowance=QUICK) as (reader, pty):
        stream = reader.configure(CHALLENGE)
        pulled(stream, rows=80)
        pty.unplug()
        out = pulled(stream, rows=300, for_s=3.0)
    assert out.chip.size >= 300 and not out.good[-200:].any()
    assert (out.health[-1] & int(Health.MISSING | Health.STALLED)).all()


@pytest.mark.parametrize(
    ("faults", "change", "says"),
    [
        (Faults(mute=True), {}, "nothing on this port says"),
        (Faults(refuse=Kind.CONFIGURE), {}, "refuses CONFIGURE"),
        (Faults(), {"modality": "tdr"}, "measures 'tdr'"),
        (Faults(), {"chip_min_ns": 10**9}, "chips of 1 s or longer"),
        (
            Faults(),
            {"channels": (replace(HELLO.channels[0], unit="mohm"), *HELLO.channels[1:])},
            "'mohm'",
        ),
        (Faults(), {"channels": HELLO.channels[:2]}, "2 instead of 3"),
    ],
)
def test_a_wrong_reader_is_refused_by_name(
    faults: Faults, change: dict[str, object], says: str
) -> None:
    with (
        emulated(faults, hello=replace(HELLO, **change)) as (reader, pty),
        pytest.raises(ReaderError, match=says) as caught,
    ):
        reader.configure(CHALLENGE)
    assert pty.name in str(caught.value) and caught.value.remedy


def test_a_reader_of_another_serial_number_is_refused() -> None:
    from casemate.sensors.loop_resistance.driver import frame_reader

    with (
        Pty(FrameDevice(HELLO, quantity)) as pty,
        pytest.raises(ReaderError, match="reader 77, not 76"),
    ):
        frame_reader(pty.name, CHANNELS, serial=76).configure(CHALLENGE)


def test_a_port_that_is_not_there_is_named() -> None:
    from casemate.sensors.loop_resistance.driver import frame_reader

    with pytest.raises(ReaderError, match="ttyNONE"):
        frame_reader("/dev/ttyNONE", CHANNELS).configure(CHALLENGE)
