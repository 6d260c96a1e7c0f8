"""Readers on emulators, for the tests of this room."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge
from casemate.core.samples import Block, Channel
from casemate.sensors.links.frame_reader import FrameReader
from casemate.sensors.links.frame_session import Allowance
from casemate.sensors.links.frames import FrameChannel, Hello
from casemate.sensors.links.port import SerialPort
from casemate.testing.emulators.frame_reader import Faults, FrameDevice
from casemate.testing.emulators.pty import Pty

CHALLENGE = Challenge(
    key=bytes(range(32)), modality="loop_resistance", epoch=3, chip_s=0.002, order=4
)
CHANNELS = tuple(
    Channel(id=f"loop/front/{k}", modality="loop_resistance", unit="ohm", low=0.0, high=200.0)
    for k in range(3)
)
HELLO = Hello(
    serial=77, boot=1, chip_min_ns=100_000, depth=512, modality="loop_resistance",
    firmware="emulated 1.0",
    channels=tuple(
        FrameChannel(
            id=c.id, unit=c.unit, scale=1e-4, offset=0.0, code_low=-(2**23), code_high=2**23 - 1
        )
        for c in CHANNELS
    ),
)  # fmt: skip
CALM = Allowance(ahead_s=1.0, silent_s=1.5, late_s=1.5)
"""For sound readers on a busy machine."""
QUICK = Allowance(ahead_s=0.25, silent_s=0.08, late_s=0.3)
"""For faults that should show soon."""


def quantity(place: int) -> npt.NDArray[np.float64]:
    """What each channel reads at a place under a drive of 1."""
    return np.array([10.0, 20.0, 30.0]) + place


@contextmanager
def emulated(
    faults: Faults | None = None,
    *,
    hello: Hello = HELLO,
    noise: float = 0.01,
    allowance: Allowance = CALM,
) -> Iterator[tuple[FrameReader, Pty]]:
    """Yield a reader on an emulator, both closed in the end."""
    device = FrameDevice(hello, quantity, faults=faults, noise=noise)
    with Pty(device) as pty:
        reader = FrameReader(
            modality="loop_resistance", channels=CHANNELS,
            open_port=lambda: SerialPort(pty.name), allowance=allowance,
        )  # fmt: skip
        try:
            yield reader, pty
        finally:
            reader.close()


def pulled(
    stream: Iterator[Block],
    *,
    rows: int,
    for_s: float = 5.0,
    until: Callable[[Block], bool] | None = None,
) -> Block:
    """Return the first rows of a stream as one block, or what came in `for_s`.

    `until`: go on past `rows` until it holds of what came; a busy machine may need more than one
    try to come back into step.
    """
    stop, blocks, count = time.monotonic() + for_s, [], 0
    for block in stream:
        blocks.append(block)
        count += block.t_s.size
        enough = count >= rows and (until is None or until(joined(blocks)))
        if enough or time.monotonic() > stop:
            break
    return joined(blocks)


def joined(blocks: list[Block]) -> Block:
    """Return blocks as one."""
    return Block(
        t_s=np.concatenate([b.t_s for b in blocks]),
        chip=np.concatenate([b.chip for b in blocks]),
        values=np.concatenate([b.values for b in blocks]),
        health=np.concatenate([b.health for b in blocks]),
    )


def goes_on(out: Block) -> bool:
    """Return whether the last rows are sound."""
    return bool(out.good[-20:].all())
