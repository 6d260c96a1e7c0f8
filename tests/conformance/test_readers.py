"""Every driver that is registered passes the kit of readers, on an emulator; so does a breaker.

A driver without an entry in RIGS fails `test_every_driver_has_a_rig`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block, Channel, Health, Reader
from casemate.core.touchstone import touchstone_text
from casemate.sensors.drivers import DRIVERS, driver
from casemate.sensors.links.frame_session import Allowance
from casemate.sensors.links.frames import FrameChannel, Hello
from casemate.sensors.loop_resistance.iio import Source
from casemate.sensors.recordings.files import write_recording
from casemate.sensors.recordings.recording import recorded
from casemate.testing.emulators.frame_reader import FrameDevice
from casemate.testing.emulators.iiod import EmulatedChannel, EmulatedDevice, IioServer
from casemate.testing.emulators.nanovna import NanoDevice
from casemate.testing.emulators.pty import Pty
from casemate.testing.emulators.scpi_vna import VnaDevice
from casemate.testing.emulators.tcp import TcpServer
from casemate.testing.readers import Expectation, check_failing_reader, check_reader

pytestmark = pytest.mark.timeout(120)

KEYED = Challenge(key=bytes(range(32)), modality="m", epoch=1, chip_s=0.004)
CALM = Allowance(ahead_s=2.0, silent_s=3.0, late_s=3.0)
TONES = (1.0e9, 1.3e9, 1.9e9)


SOME_ROWS = Expectation(rows=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A driver on its emulator: what makes readers, and what is asked of them."""

    make: Callable[[], Reader]
    challenge: Challenge
    expectation: Expectation = SOME_ROWS


def channels(modality: str, unit: str, count: int, high: float) -> tuple[Channel, ...]:
    return tuple(
        Channel(id=f"{modality}/{k}", modality=modality, unit=unit, low=-high, high=high)
        for k in range(count)
    )


def frames(modality: str, unit: str, size: float) -> Callable[[ExitStack, Path], Rig]:
    def rig(stack: ExitStack, folder: Path) -> Rig:
        mine = channels(modality, unit, 3, 10 * size)
        scale = size * 1e-5
        hello = Hello(
            serial=1, boot=1, chip_min_ns=1000, depth=1024, modality=modality, firmware="x",
            channels=tuple(
                FrameChannel(
                    id=c.id, unit=unit, scale=scale, offset=0.0, code_low=-(2**23),
                    code_high=2**23 - 1,
                )
                for c in mine
            ),
        )  # fmt: skip
        device = FrameDevice(
            hello, lambda place: size * np.array([1.0, 1.5, 2.0]), noise=1e-3 * size
        )
        pty = stack.enter_context(Pty(device))
        make = driver(f"{modality.replace('_', '-')}/frames").load()
        return Rig(
            make=lambda: make(pty.name, mine, allowance=CALM),
            challenge=replace(KEYED, modality=modality),
        )

    return rig


def loops_by_iio(stack: ExitStack, folder: Path) -> Rig:
    dac = EmulatedChannel(id="voltage0", output=True, attributes={"raw": "0"})
    generator = np.random.default_rng(0)

    def code(_: float) -> float:
        return (float(dac.attributes["raw"]) - 2000) * 5 + generator.normal(0.0, 3.0)

    adc = EmulatedChannel(
        id="voltage1", index=0, format="le:s24/32>>0", raw=code,
        attributes={"raw": "", "scale": "0.01"},
    )  # fmt: skip
    iiod = IioServer(
        [
            EmulatedDevice(id="iio:device0", name="ad7124", channels=[adc]),
            EmulatedDevice(id="iio:device1", name="ad5686", channels=[dac]),
        ]
    )
    server = stack.enter_context(TcpServer(iiod.talk))
    mine = channels("loop_resistance", "ohm", 1, 1e3)
    source = Source(
        device="ad5686", output="voltage0", rest_code=2000, step_codes=1000, current_a=1e-3
    )
    make = driver("loop-resistance/iio").load()
    return Rig(
        make=lambda: make(
            "127.0.0.1", mine, inputs={mine[0].id: "voltage1"}, device="ad7124", source=source,
            port=server.port,
        ),
        challenge=replace(KEYED, modality="loop_resistance", chip_s=0.01),
    )  # fmt: skip


def analyser(stack: ExitStack, folder: Path) -> Rig:
    server = stack.enter_context(
        TcpServer(lambda: VnaDevice(lambda hz: 0.3 + 0.1j * hz / 1e9, noise=1e-5))
    )
    mine = channels("rf_cavity", "1", 1, 1.0)
    make = driver("rf-cavity/scpi-vna").load()
    return Rig(
        make=lambda: make(f"TCPIP::127.0.0.1::{server.port}::SOCKET", mine[0], tones_hz=TONES),
        challenge=replace(
            KEYED, modality="rf_cavity", constellation="amplitude", symbols=4, order=3,
            chip_s=0.02,
        ),
    )  # fmt: skip


def handheld(stack: ExitStack, folder: Path) -> Rig:
    device = NanoDevice(lambda hz: (0.2 + 0j, 0.1j * hz / 1e9), noise=1e-5)
    pty = stack.enter_context(Pty(device))
    mine = channels("rf_cavity", "1", 2, 1.0)
    make = driver("rf-cavity/nanovna").load()
    return Rig(
        make=lambda: make(pty.name, mine, tones_hz=TONES),
        challenge=replace(KEYED, modality="rf_cavity", order=3, silent=0.0, chip_s=0.02),
    )


def room(stack: ExitStack, folder: Path) -> Rig:
    warm = EmulatedChannel(
        id="temp", index=0, format="le:s16/16>>0", raw=lambda t: 2000 + 300 * np.sin(t),
        attributes={"scale": "10"},
    )  # fmt: skip
    device = EmulatedDevice(
        id="iio:device0", name="tmp117", channels=[warm], attributes={"sampling_frequency": "100"}
    )
    server = stack.enter_context(TcpServer(IioServer([device]).talk))
    mine = (Channel(id="room", modality="environment", unit="K", low=200.0, high=400.0,
                    excited=False),)  # fmt: skip
    make = driver("environment/iio").load()
    return Rig(
        make=lambda: make(
            "127.0.0.1", mine, inputs={"room": "temp"}, device="tmp117", port=server.port
        ),
        challenge=replace(KEYED, modality="environment", chip_s=0.01),
        expectation=Expectation(rows=120, rests=True),
    )


def ideal_blocks(mine: tuple[Channel, ...], challenge: Challenge) -> list[Block]:
    count = 300
    drive = chips(challenge, 0, count).drive.real[:, None]
    noise = np.random.default_rng(0).normal(0.0, 0.1, (count, len(mine)))
    return [
        Block(
            t_s=np.arange(count) * challenge.chip_s, chip=np.arange(count),
            values=drive * 100.0 + noise, health=np.zeros(noise.shape, dtype=np.uint16),
        )
    ]  # fmt: skip


def replayed(stack: ExitStack, folder: Path) -> Rig:
    mine = channels("loop_resistance", "ohm", 2, 1e3)
    challenge = replace(KEYED, modality="loop_resistance")
    write_recording(
        folder / "run.parquet", recorded(ideal_blocks(mine, challenge), mine, challenge)
    )
    make = driver("recording/replay").load()
    return Rig(
        make=lambda: make(folder / "run.parquet", channels=mine),
        challenge=challenge,
        expectation=Expectation(rows=1000, ends=True),
    )


def touchstone(stack: ExitStack, folder: Path) -> Rig:
    s = np.zeros((3, 2, 2), dtype=complex)
    s[:, 1, 0] = [0.1, 0.2j, 0.3]
    (folder / "cavity.s2p").write_text(touchstone_text(np.array(TONES), s))
    mine = channels("rf_cavity", "1", 1, 1.0)
    make = driver("recording/touchstone").load()
    return Rig(
        make=lambda: make(folder / "cavity.s2p", mine, parameters=("S21",)),
        challenge=replace(KEYED, modality="rf_cavity", order=3),
        expectation=Expectation(rows=500, rests=True),
    )


RIGS: dict[str, Callable[[ExitStack, Path], Rig]] = {
    "loop-resistance/frames": frames("loop_resistance", "ohm", 100.0),
    "loop-resistance/iio": loops_by_iio,
    "mesh-capacitance/frames": frames("mesh_capacitance", "F", 1e-11),
    "tdr/frames": frames("tdr", "1", 0.1),
    "rf-cavity/scpi-vna": analyser,
    "rf-cavity/nanovna": handheld,
    "environment/iio": room,
    "recording/replay": replayed,
    "recording/touchstone": touchstone,
}


def test_every_driver_has_a_rig() -> None:
    assert set(RIGS) == {each.id for each in DRIVERS}
    assert len({each.id for each in DRIVERS}) == len(DRIVERS)


@pytest.mark.parametrize("each", DRIVERS, ids=lambda each: each.id)
def test_a_driver_conforms(each: object, tmp_path: Path) -> None:
    with ExitStack() as stack:
        rig = RIGS[each.id](stack, tmp_path)  # type: ignore[attr-defined]
        check_reader(rig.make, rig.challenge, rig.expectation)


@pytest.mark.parametrize("each", DRIVERS, ids=lambda each: each.id)
def test_a_driver_says_how_far_it_is(each: object) -> None:
    assert each.maturity == "simulated"  # type: ignore[attr-defined]  # none has met hardware
    assert each.load().__doc__  # type: ignore[attr-defined]


def test_an_unknown_driver_is_named_with_the_nearest() -> None:
    from casemate.core.errors import InputError

    with pytest.raises(InputError, match="did you mean tdr/frames"):
        driver("tdr/frame")


class Breaker:
    """A reader that is right but for one rule."""

    channels = channels("m", "ohm", 2, 1e3)

    def __init__(self, rule: str) -> None:
        self._rule, self._generation = rule, 0

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        if self._rule != "keeps old stream":
            self._generation += 1
        return self._blocks(challenge, self._generation)

    def close(self) -> None:
        if self._rule not in ("keeps old stream", "never ends"):
            self._generation += 1

    def _blocks(self, challenge: Challenge, generation: int) -> Iterator[Block]:
        first, start_s = (5 if self._rule == "begins late" else 0), time.monotonic()
        while self._generation == generation:
            block = self._block(challenge, first, start_s)
            first += 50
            yield block
            if self._rule == "ends":
                return

    def _block(self, challenge: Challenge, first: int, start_s: float) -> Block:
        drawn = chips(challenge, first, 50)
        number = np.arange(first, first + 50, dtype=np.int64)
        noise = np.random.default_rng(first).normal(0.0, 0.1, (50, 2))
        values = drawn.drive.real[:, None] * 100.0 + noise
        health = np.zeros((50, 2), dtype=np.uint16)
        t_s = start_s + number * challenge.chip_s
        if self._rule == "is loud":
            values += 100.0
        if self._rule == "skips":
            number[20:] += 3
        if self._rule == "turns back":
            t_s[30] = t_s[10]
        if self._rule == "flags but tells":
            health[3] = int(Health.LATE)
        if self._rule == "is slow":
            t_s = start_s + number * challenge.chip_s * 1.5
        if self._rule == "is single":
            values = values.astype(np.float32)
        if self._rule == "has a column more":
            values, health = np.hstack([values, values]), np.hstack([health, health])
        if self._rule == "flags all":
            health[:] = int(Health.MISSING)
            values[:] = np.nan
        return Block(t_s=t_s, chip=number, values=values, health=health)


def test_the_kit_passes_a_reader_that_keeps_every_rule() -> None:
    out = check_reader(lambda: Breaker(""), KEYED)
    assert out.good.all()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("begins late", "begins with chip 0"),
        ("keeps old stream", "configured again"),
        ("never ends", "closed, its stream ends"),
        ("ends", "ends only when it is closed"),
        ("is loud", "silent chips carry no drive"),
        ("skips", "follow one another"),
        ("turns back", "times rise"),
        ("flags but tells", "flagged value is nan"),
        ("is slow", "monitor finds nothing amiss"),
        ("is single", "float64 or complex128"),
        ("has a column more", r"shape \(K, C\)"),
        ("flags all", "samples are good"),
    ],
)
def test_the_kit_finds_each_broken_rule(rule: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_reader(lambda: Breaker(rule), KEYED)


def test_a_failing_reader_may_flag_everything() -> None:
    out = check_failing_reader(lambda: Breaker("flags all"), KEYED)
    assert not out.good.any()
    with pytest.raises(AssertionError, match="flagged value is nan"):
        check_failing_reader(lambda: Breaker("flags but tells"), KEYED)
