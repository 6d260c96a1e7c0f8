"""Readers of the surroundings: temperature, pressure, humidity, light, acceleration."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.core.samples import Channel
from casemate.sensors.links.iio_stream import IioStream
from casemate.sensors.links.iiod import PORT, Iiod

MODALITY = "environment"


def iio_reader(
    host: str,
    channels: tuple[Channel, ...],
    *,
    inputs: Mapping[str, str],
    device: str,
    port: int = PORT,
    timeout_s: float = 2.0,
) -> IioStream:
    """Return a device of a Linux IIO server; reached when it is configured.

    inputs: from channel id to the device's input. A channel whose SI unit is not that of its input
    is refused.
    """
    return IioStream(
        channels=channels,
        inputs=inputs,
        device=device,
        reach=lambda: Iiod(host, port=port, timeout_s=timeout_s),
    )
