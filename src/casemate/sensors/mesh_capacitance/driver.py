"""Readers of mesh capacitance."""

from __future__ import annotations

from casemate.core.samples import Channel
from casemate.sensors.links.frame_reader import FrameReader
from casemate.sensors.links.frame_session import Allowance
from casemate.sensors.links.port import SerialPort

MODALITY = "mesh_capacitance"
UNIT = "F"


def frame_reader(
    port: str,
    channels: tuple[Channel, ...],
    *,
    allowance: Allowance | None = None,
    serial: int | None = None,
) -> FrameReader:
    """Return a microcontroller reader on a serial port; opened when it is configured.

    A drive of 1 is the voltage that its card names. Protocol: docs/formats/reader-frames.md.
    channels: those of the design, in F (one with another unit is refused by `configure`).
    """
    return FrameReader(
        modality=MODALITY,
        channels=channels,
        open_port=lambda: SerialPort(port),
        allowance=allowance,
        serial=serial,
    )
