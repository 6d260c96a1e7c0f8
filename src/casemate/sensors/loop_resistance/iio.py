"""Loop resistance by a Linux IIO converter: a current out, a voltage back, chip by chip.

Slow (some 0.3 ms a command over a local network), but made of parts that anybody can buy. The
current comes from an IIO output (`out_current0_raw` or a voltage over a known resistor); without
one the current is steady and no challenge is answered, so such a reader is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from casemate.core.challenge import Challenge, points
from casemate.core.errors import InputError, ReaderError
from casemate.core.samples import Channel, Health
from casemate.sensors.links.iio_context import (
    SI,
    IioChannel,
    IioDevice,
    ends,
    find_device,
    parse_context,
)
from casemate.sensors.links.iiod import Iiod
from casemate.sensors.links.polled import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The current source: `device` and `output`, its raw code at rest, and codes for a drive of 1.

    current_a: what a drive of 1 sends through a loop.
    """

    device: str
    output: str
    rest_code: int
    step_codes: int
    current_a: float


class IioLoops:
    """Reads every loop's voltage on each chip and divides it by the current of a drive of 1."""

    def __init__(
        self,
        link: Iiod,
        *,
        channels: tuple[Channel, ...],
        inputs: Mapping[str, str],
        device: str,
        source: Source,
    ) -> None:
        self._link, self._channels, self._source = link, channels, source
        self._inputs, self._name = dict(inputs), device
        self._adc: IioDevice | None = None
        self._dac = ""
        self._columns: list[tuple[IioChannel, float, float]] = []

    @property
    def identity(self) -> str:
        """Return the devices' names and the inputs' formats, scales and offsets."""
        return repr((self._name, self._source, self._columns))

    def start(self, challenge: Challenge) -> None:
        """Find converter and source, and rest."""
        if challenge.constellation == "phase" or challenge.order != 1:
            raise InputError(
                "a current source drives all loops at once, with a level and a sign.",
                remedy='set constellation = "sign" or "amplitude" and order = 1.',
                key="constellation" if challenge.constellation == "phase" else "order",
            )
        devices = parse_context(self._link.context())
        self._adc = adc = find_device(devices, self._name)
        dac = find_device(devices, self._source.device)
        out = dac.channel(self._source.output, output=True)
        self._dac = dac.id
        peak = float(np.abs(points(challenge.constellation, challenge.symbols)).max())
        reach = round(peak * self._source.step_codes)
        low, high = ends(out.format) if out.format else (0, 65_535)
        rest = self._source.rest_code
        if not low <= rest - reach <= rest + reach <= high:
            raise InputError(
                "the challenge's levels do not fit the source's range.",
                remedy="use fewer symbols or a smaller step.",
                key="step_codes",
                value=self._source.step_codes,
            )
        self._columns = [self._column(adc, channel) for channel in self._channels]
        self._drive(0.0)

    def measure(self, drive: complex, place: int) -> Reading:
        """Set the current, then read all loops."""
        assert self._adc is not None  # `start` was called
        self._drive(drive.real)
        values = np.empty(len(self._columns))
        health = np.zeros(len(self._columns), dtype=np.uint16)
        for at, (iio, scale, offset) in enumerate(self._columns):
            raw = self._link.read_number(self._adc.id, "raw", channel=iio.id)
            values[at] = (raw + offset) * scale * SI["voltage"][1] / self._source.current_a
            low, high = ends(iio.format) if iio.format else (-np.inf, np.inf)
            health[at] = int(Health.CLIPPED) if not low < raw < high else 0
        return Reading(values=values, health=health)

    def close(self) -> None:
        """Rest, and hang up."""
        with contextlib.suppress(ReaderError):
            if self._dac:
                self._drive(0.0)
        self._link.close()

    def _drive(self, drive: float) -> None:
        code = self._source.rest_code + round(drive * self._source.step_codes)
        self._link.write(self._dac, "raw", str(code), channel=self._source.output, output=True)

    def _column(self, adc: IioDevice, channel: Channel) -> tuple[IioChannel, float, float]:
        iio = adc.channel(self._inputs.get(channel.id, channel.id))
        if channel.unit != "ohm" or iio.kind != "voltage":
            raise ReaderError(
                f"{iio.id} cannot be {channel.id} in {channel.unit}.",
                remedy="a loop is read in ohm from a voltage input.",
                reader=self._link.name,
            )
        scale = self._link.read_number(adc.id, "scale", channel=iio.id)
        has_offset = "offset" in iio.attributes
        offset = self._link.read_number(adc.id, "offset", channel=iio.id) if has_offset else 0.0
        if not np.isfinite([scale, offset]).all() or scale == 0.0:
            raise ReaderError(
                f"{iio.id} has scale {scale:g}.", remedy="check the device.", reader=self._link.name
            )
        return iio, scale, offset
