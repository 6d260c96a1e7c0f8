"""Analysers as readers of a cavity, against emulators that speak their protocols."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reader_samples import pulled

from casemate.core.challenge import Challenge, Chips, chips
from casemate.core.errors import InputError, ReaderError
from casemate.core.samples import Channel, Health
from casemate.core.watch import Limits, watched
from casemate.sensors.links.polled import PolledReader
from casemate.sensors.rf_cavity.driver import nanovna, scpi_vna
from casemate.testing.emulators.nanovna import NanoDevice, NanoFaults
from casemate.testing.emulators.pty import Pty
from casemate.testing.emulators.scpi_vna import VnaDevice, VnaFaults
from casemate.testing.emulators.tcp import TcpServer

pytestmark = pytest.mark.timeout(30)

TONES = (1.0e9, 1.1e9, 1.25e9, 1.7e9)
KEYED = Challenge(
    key=bytes(range(32)), modality="rf_cavity", epoch=0, chip_s=0.02,
    constellation="amplitude", symbols=4, order=4,
)  # fmt: skip
ORDERED = replace(KEYED, constellation="sign", symbols=2, silent=0.0)
S21 = Channel(id="rf/s21", modality="rf_cavity", unit="1", low=-1.0, high=1.0)
S11 = Channel(id="rf/s11", modality="rf_cavity", unit="1", low=-1.0, high=1.0)


def ratio(hz: float) -> complex:
    return 0.3 / (1.0 + 8j * (hz / 1.2e9 - 1.0))


def ideal(drawn: Chips) -> np.ndarray:
    return drawn.drive * np.array([ratio(TONES[p]) for p in drawn.place])


@contextmanager
def analyser(
    faults: VnaFaults | None = None, *, noise: float = 1e-6, **kw: object
) -> Iterator[tuple[PolledReader, VnaDevice, TcpServer]]:
    device = VnaDevice(ratio, faults=faults, noise=noise)
    with TcpServer(lambda: device) as server:
        reader = scpi_vna(
            f"TCPIP::127.0.0.1::{server.port}::SOCKET", S21, tones_hz=TONES, timeout_s=0.5, **kw
        )  # type: ignore[arg-type]
        try:
            yield reader, device, server
        finally:
            reader.close()


@contextmanager
def handheld(
    faults: NanoFaults | None = None,
) -> Iterator[tuple[PolledReader, NanoDevice, Pty]]:
    device = NanoDevice(lambda hz: (0.5 * ratio(hz), ratio(hz)), faults=faults, noise=1e-5)
    with Pty(device) as pty:
        reader = nanovna(pty.name, (S11, S21), tones_hz=TONES, timeout_s=0.4)
        try:
            yield reader, device, pty
        finally:
            reader.close()


def test_an_analyser_answers_each_chip_at_its_tone_and_level() -> None:
    with analyser() as (reader, device, _):
        out = pulled(reader.configure(KEYED), rows=60, for_s=15)
    drawn = chips(KEYED, 0, out.chip.size)
    np.testing.assert_array_equal(out.chip, np.arange(out.chip.size))
    assert not out.health.any()
    driven = ~drawn.silent
    assert np.abs(out.values[driven, 0] - ideal(drawn)[driven]).max() < 1e-4
    assert np.abs(out.values[~driven, 0]).max() < 1e-4 and drawn.silent.any()
    asked = [float(line.split()[1]) for line in device.log if line.startswith("SENS1:FREQ:CW")]
    wanted = [TONES[p] for p in drawn.place]
    assert asked[len(TONES) :][: len(wanted)] == wanted


def test_a_silent_chip_switches_the_source_off_and_hears_interference() -> None:
    with analyser(VnaFaults(interference=1e-3)) as (reader, device, _):
        out = pulled(reader.configure(replace(KEYED, silent=0.5)), rows=16, for_s=15)
    drawn = chips(replace(KEYED, silent=0.5), 0, out.chip.size)
    heard = np.abs(out.values[drawn.silent, 0])
    assert "OUTP OFF" in device.log
    # 1e-3 of a 0 dBm wave, against the wave of -10 dBm that a drive of 1 sends out
    assert heard == pytest.approx(1e-3 * 10 ** (10 / 20), rel=0.02)


def test_a_level_that_does_not_follow_the_key_is_out_of_order() -> None:
    with analyser(VnaFaults(unlevelled_after=20)) as (reader, _, _):
        out = pulled(reader.configure(KEYED), rows=40, for_s=15)
    drawn = chips(KEYED, 0, out.chip.size)
    late = (np.arange(out.chip.size) >= 20) & ~drawn.silent
    assert late.any() and (out.health[late, 0] & int(Health.OUT_OF_ORDER)).all()


def test_an_overload_is_clipped() -> None:
    with analyser(VnaFaults(overload_after=10)) as (reader, _, _):
        out = pulled(reader.configure(KEYED), rows=20, for_s=15)
    assert (out.health[10:, 0] & int(Health.CLIPPED)).all() and np.isnan(out.values[10:, 0]).all()


@pytest.mark.parametrize("faults", [VnaFaults(hang_after=10), VnaFaults(nonsense_after=10)])
def test_an_analyser_that_hangs_or_babbles_is_missing(faults: VnaFaults) -> None:
    with analyser(faults) as (reader, _, _):
        out = pulled(reader.configure(KEYED), rows=14, for_s=15)
    assert not out.good[11:].any() and out.good[:5].all()
    assert (out.health[7:, 0] & int(Health.MISSING)).any()


def test_an_analyser_that_is_switched_off_keeps_yielding_rows_at_pace() -> None:
    with analyser() as (reader, _, server):
        stream = reader.configure(KEYED)
        pulled(stream, rows=4)
        server.stop()
        out = pulled(stream, rows=60, for_s=15)
    assert (out.health[-30:, 0] & int(Health.MISSING)).all()
    np.testing.assert_array_equal(np.diff(out.chip), 1)


@pytest.mark.parametrize(("serial", "back"), [("0", True), ("1", False)])
def test_only_the_same_analyser_is_taken_back(serial: str, back: bool) -> None:
    with analyser(VnaFaults(nonsense_after=8)) as (reader, device, _):
        stream = reader.configure(KEYED)
        pulled(stream, rows=6, for_s=5)
        device.faults, device.serial = VnaFaults(), serial
        out = pulled(stream, rows=100, for_s=10)
    assert out.good[-10:].all() is np.bool_(back)
    assert (out.health[-1] & int(Health.UNIT)).all() is np.bool_(not back)


def test_one_too_slow_for_the_chip_time_is_flagged_by_the_monitor() -> None:
    """A quick machine answers some chips within the slack: each believed one counts for the rate,
    and no more than one window of them passes.
    """
    hasty = replace(KEYED, chip_s=2e-5)
    with analyser() as (reader, _, _):
        stream = watched(reader.configure(hasty), reader.channels, hasty)
        out = pulled(stream, rows=1000, for_s=15)
    assert out.t_s.size >= 1000
    assert out.good.sum() <= Limits().rate_samples and not out.good[-100:].any()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"constellation": "phase"}, InputError, "cannot key phase"),
        ({"order": 5}, InputError, "order = 4"),
    ],
)
def test_an_analyser_refuses_what_it_cannot_key(
    change: dict[str, object], error: type[Exception], says: str
) -> None:
    with analyser() as (reader, _, _), pytest.raises(error, match=says):
        reader.configure(replace(KEYED, **change))  # type: ignore[arg-type]


def test_errors_of_the_instrument_are_named_at_the_start() -> None:
    with (
        analyser(VnaFaults(unknown="SENS1:SWE:TYPE")) as (reader, _, _),
        pytest.raises(ReaderError, match="Undefined header"),
    ):
        reader.configure(KEYED)
    with (
        analyser(power_dbm=20.0) as (reader, _, _),
        pytest.raises(ReaderError, match="Data out of range"),
    ):
        reader.configure(KEYED)


def test_an_address_where_nobody_is_gives_a_named_error() -> None:
    reader = scpi_vna("TCPIP::127.0.0.1::9::SOCKET", S21, tones_hz=TONES, timeout_s=0.3)
    with pytest.raises(ReaderError, match=r"127\.0\.0\.1"):
        reader.configure(KEYED)


def test_pyvisa_sim_knows_every_command_that_the_driver_sends() -> None:
    yaml = Path(__file__).with_name("vna.yaml")
    reader = scpi_vna("TCPIP::192.0.2.7::inst0::INSTR", S21, tones_hz=TONES, backend=f"{yaml}@sim")
    flat = replace(KEYED, constellation="sign", symbols=2)
    out = pulled(reader.configure(flat), rows=20, for_s=10)
    reader.close()
    drawn = chips(flat, 0, out.chip.size)
    # the simulated device repeats one number for both traces, so silence is not silent
    driven = ~drawn.silent
    assert not out.health[driven].any()
    np.testing.assert_allclose(out.values[driven, 0], drawn.drive[driven] * (0.3 - 0.4j))


def test_pyvisa_sim_names_a_command_that_it_does_not_know() -> None:
    yaml = Path(__file__).with_name("vna.yaml")
    reader = scpi_vna(
        "TCPIP::192.0.2.7::inst0::INSTR", S21, tones_hz=TONES, backend=f"{yaml}@sim",
        bandwidth_hz=3.0,
    )  # fmt: skip
    with pytest.raises(ReaderError, match="Undefined header"):
        reader.configure(KEYED)


def test_a_nanovna_answers_in_the_secret_order_of_tones() -> None:
    with handheld() as (reader, device, _):
        out = pulled(reader.configure(ORDERED), rows=40, for_s=15)
    drawn = chips(ORDERED, 0, out.chip.size)
    assert not out.health.any()
    assert np.abs(out.values[:, 1] - ideal(drawn)).max() < 1e-4
    assert np.abs(out.values[:, 0] - 0.5 * ideal(drawn)).max() < 1e-4
    asked = [float(line.split()[1]) for line in device.log if line.startswith("scan")]
    assert asked[: drawn.place.size] == [TONES[p] for p in drawn.place]


@pytest.mark.parametrize(
    ("faults", "flag"),
    [
        (NanoFaults(mute_after=10), Health.MISSING),
        (NanoFaults(nonsense_after=10), Health.MISSING),
        (NanoFaults(wrong_tone_after=10), Health.OUT_OF_ORDER),
        (NanoFaults(not_finite_after=10), Health.NOT_A_NUMBER),
    ],
)
def test_a_nanovna_that_misbehaves_is_flagged(faults: NanoFaults, flag: Health) -> None:
    with handheld(faults) as (reader, _, _):
        stream = watched(reader.configure(ORDERED), reader.channels, ORDERED)
        out = pulled(stream, rows=14, for_s=10)
    assert (out.health[10:14, 1] & int(flag)).any() and not out.good[10:14, 1].any()


@pytest.mark.parametrize("change", [{"silent": 0.1}, {"constellation": "phase"}, {"order": 2}])
def test_a_nanovna_refuses_what_it_cannot_key(change: dict[str, object]) -> None:
    with handheld() as (reader, _, _), pytest.raises(InputError):
        reader.configure(replace(ORDERED, **change))  # type: ignore[arg-type]


def test_another_instrument_with_the_same_shell_is_refused() -> None:
    with Pty(NanoDevice(lambda hz: (0j, 0j), board="tinySA ULTRA")) as pty:
        reader = nanovna(pty.name, (S11, S21), tones_hz=TONES, timeout_s=0.4)
        with pytest.raises(ReaderError, match="tinySA"):
            reader.configure(ORDERED)


def test_a_shell_that_is_none_is_refused() -> None:
    class Deaf:
        def received(self, data: bytes, now_s: float) -> bytes:
            return b"what?"

        def tick(self, now_s: float) -> bytes:
            return b""

    with Pty(Deaf()) as pty:
        reader = nanovna(pty.name, (S11, S21), tones_hz=TONES, timeout_s=0.2)
        with pytest.raises(ReaderError, match="prompt"):
            reader.configure(ORDERED)


def test_a_nanovna_that_is_unplugged_keeps_yielding_rows() -> None:
    with handheld() as (reader, _, pty):
        stream = reader.configure(ORDERED)
        pulled(stream, rows=4)
        pty.unplug()
        out = pulled(stream, rows=40, for_s=10)
    assert not out.good[-20:].any()
