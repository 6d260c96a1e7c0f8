"""Readers of a cavity: the field between two antennas, at tones in a secret order."""

from __future__ import annotations

from casemate.core.samples import Channel
from casemate.sensors.links.polled import PolledReader
from casemate.sensors.links.port import SerialPort
from casemate.sensors.links.scpi import Scpi
from casemate.sensors.rf_cavity.nanovna import NanoVna
from casemate.sensors.rf_cavity.scpi_vna import ScpiVna

MODALITY = "rf_cavity"
UNIT = "1"
"""Of every channel: an S-parameter is a ratio of waves."""


def scpi_vna(
    resource: str,
    channel: Channel,
    *,
    tones_hz: tuple[float, ...],
    parameter: str = "S21",
    receiver: str = "B",
    power_dbm: float = -10.0,
    bandwidth_hz: float = 1e3,
    backend: str = "@py",
    timeout_s: float = 5.0,
) -> PolledReader:
    """Return an analyser that speaks SCPI; reached when it is configured. See scpi_vna.py."""
    return PolledReader(
        channels=(channel,),
        complex_values=True,
        reach=lambda: ScpiVna(
            Scpi(resource, backend=backend, timeout_s=timeout_s),
            tones_hz=tones_hz,
            parameter=parameter,
            receiver=receiver,
            power_dbm=power_dbm,
            bandwidth_hz=bandwidth_hz,
        ),
    )


def nanovna(
    port: str,
    channels: tuple[Channel, ...],
    *,
    tones_hz: tuple[float, ...],
    parameters: tuple[str, ...] = ("S11", "S21"),
    timeout_s: float = 2.0,
) -> PolledReader:
    """Return a NanoVNA on a serial port, a channel for each parameter. See nanovna.py."""
    return PolledReader(
        channels=channels,
        complex_values=True,
        reach=lambda: NanoVna(
            SerialPort(port), tones_hz=tones_hz, parameters=parameters, timeout_s=timeout_s
        ),
    )
