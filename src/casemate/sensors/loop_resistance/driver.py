"""Readers of loop resistance."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.core.samples import Channel
from casemate.sensors.links.frame_reader import FrameReader
from casemate.sensors.links.frame_session import Allowance
from casemate.sensors.links.iiod import PORT, Iiod
from casemate.sensors.links.polled import PolledReader
from casemate.sensors.links.port import SerialPort
from casemate.sensors.loop_resistance.iio import IioLoops, Source

MODALITY = "loop_resistance"
UNIT = "ohm"


def frame_reader(
    port: str,
    channels: tuple[Channel, ...],
    *,
    allowance: Allowance | None = None,
    serial: int | None = None,
) -> FrameReader:
    """Return a microcontroller reader on a serial port; opened when it is configured.

    A drive of 1 is the current that its card names. Protocol: docs/formats/reader-frames.md.
    channels: those of the design, in ohm (one with another unit is refused by `configure`).
    """
    return FrameReader(
        modality=MODALITY,
        channels=channels,
        open_port=lambda: SerialPort(port),
        allowance=allowance,
        serial=serial,
    )


def iio_reader(
    host: str,
    channels: tuple[Channel, ...],
    *,
    inputs: Mapping[str, str],
    device: str,
    source: Source,
    port: int = PORT,
    timeout_s: float = 2.0,
) -> PolledReader:
    """Return converter and current source of a Linux IIO server. See iio.py."""
    return PolledReader(
        channels=channels,
        reach=lambda: IioLoops(
            Iiod(host, port=port, timeout_s=timeout_s),
            channels=channels,
            inputs=inputs,
            device=device,
            source=source,
        ),
    )
