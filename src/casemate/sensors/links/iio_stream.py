"""Resting quantities from the buffer of a Linux IIO device."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge
from casemate.core.errors import ReaderError
from casemate.core.samples import Block, Channel, Health, kept
from casemate.sensors.links.iio_context import (
    SI,
    IioChannel,
    IioDevice,
    decode,
    ends,
    find_device,
    layout,
    parse_context,
)
from casemate.sensors.links.iiod import Iiod
from casemate.sensors.links.timebase import Timebase

AGAIN_S = 1.0
BLOCK_S = 0.05
SAMPLES_MAX = 1024
RATE_SHARE = 0.01
"""Of the rate asked for: beyond it the device does not have that rate, and says so by its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One channel: value = (raw + offset) * scale * factor + shift, in SI."""

    iio: IioChannel
    scale: float
    offset: float
    factor: float
    shift: float


class IioStream:
    """Channels of one device, sampled by its buffer every `chip_s` of the challenge.

    inputs: from the design's channel id to the device's channel (temp, voltage0). Numbers of chips
    are -1: nothing is driven. `configure` raises ReaderError; a stream that runs never does.
    """

    def __init__(
        self,
        *,
        channels: tuple[Channel, ...],
        inputs: Mapping[str, str],
        device: str,
        reach: Callable[[], Iiod],
        late_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channels, self._inputs, self._device = channels, dict(inputs), device
        self._reach, self._clock, self._late_s = reach, clock, late_s
        self._link: Iiod | None = None
        self._extra = Health.GOOD
        self._generation = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._channels

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return a stream of samples every `challenge.chip_s`; the one before ends."""
        self.close()
        self._extra = Health.GOOD
        scans = self._opened(challenge.chip_s)
        return self._blocks(scans, challenge.chip_s, self._generation)

    def close(self) -> None:
        """Hang up; the stream ends. Again does nothing."""
        self._generation += 1
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _opened(self, chip_s: float) -> _Scans:
        link = self._reach()
        try:
            device = find_device(parse_context(link.context()), self._device)
            columns = tuple(self._column(link, device, each) for each in self._channels)
            _set_rate(link, device, columns, 1.0 / chip_s)
            scans = _Scans(device, columns, chip_s)
            link.time_limit(1.0)
            link.open(device.id, scans.samples, scans.mask, len(device.channels))
        except ReaderError:
            link.close()
            raise
        self._link = link
        return scans

    def _column(self, link: Iiod, device: IioDevice, channel: Channel) -> _Column:
        iio = device.channel(self._inputs.get(channel.id, channel.id))
        if iio.format is None or iio.index < 0:
            raise _refused(link, f"{iio.id} is in no buffer.")
        unit, factor, shift = SI.get(iio.kind, ("", 1.0, 0.0))
        if unit != channel.unit:
            raise _refused(link, f"{iio.id} is in {unit or '?'}, {channel.id} in {channel.unit}.")
        numbers = {
            name: link.read_number(device.id, name, channel=iio.id)
            if name in iio.attributes
            else rest
            for name, rest in (("scale", 1.0), ("offset", 0.0))
        }
        if not np.isfinite(list(numbers.values())).all() or numbers["scale"] == 0.0:
            raise _refused(link, f"{iio.id} has scale {numbers['scale']:g}.")
        return _Column(iio=iio, factor=factor, shift=shift, **numbers)

    def _blocks(self, scans: _Scans, chip_s: float, generation: int) -> Iterator[Block]:
        base, done, begin_s = Timebase(late_s=self._late_s), 0, self._clock()
        sought_s = begin_s
        while self._generation == generation:
            link = self._link
            try:
                if link is None:
                    raise ReaderError("the server is away.", remedy="restart it.")
                raw = link.read_buffer(scans.device.id, scans.bytes, len(scans.device.channels))
                values, health, stamps = scans.decoded(raw)
            except ReaderError as error:
                if self._generation != generation:
                    return
                if link is not None:
                    logging.getLogger(__name__).warning("%s", error)
                    link.close()
                    self._link = None
                    sought_s = self._clock()
                now_s = self._clock()
                count = min(SAMPLES_MAX, int((now_s - begin_s) / chip_s) - done)
                if count > 0:
                    yield self._lost(begin_s + done * chip_s, chip_s, count)
                    done += count
                else:
                    time.sleep(min(chip_s, BLOCK_S))
                if now_s - sought_s >= AGAIN_S and not self._extra:
                    sought_s = now_s
                    scans, base = self._again(scans, chip_s), Timebase(late_s=self._late_s)
                continue
            if self._generation != generation or not values.shape[0]:
                continue
            yield self._placed(base, stamps, done * chip_s, chip_s, values, health)
            done += values.shape[0]

    def _again(self, scans: _Scans, chip_s: float) -> _Scans:
        """Reach the server again; one whose scales or formats are others is left alone: UNIT."""
        try:
            found = self._opened(chip_s)
        except ReaderError:
            return scans
        if found.columns != scans.columns:
            self._extra = Health.UNIT
            if self._link is not None:
                self._link.close()
                self._link = None
            return scans
        return found

    def _placed(
        self,
        base: Timebase,
        stamps: npt.NDArray[np.float64] | None,
        since_s: float,
        chip_s: float,
        values: npt.NDArray[np.float64],
        health: npt.NDArray[np.uint16],
    ) -> Block:
        """Place a block on the enclosure's time, by the device's stamps or by counting samples."""
        count = values.shape[0]
        own = since_s + np.arange(count) * chip_s if stamps is None else stamps
        t_s, flags = base.placed(float(own[0]), float(own[-1]) + chip_s, self._clock())
        health = health | np.uint16(int(flags))
        return Block(
            t_s=np.asarray(t_s + (own - own[0]), dtype=np.float64),
            chip=np.full(count, -1, dtype=np.int64),
            values=kept(values, health),
            health=health,
        )

    def _lost(self, t_s: float, chip_s: float, count: int) -> Block:
        shape = (count, len(self._channels))
        return Block(
            t_s=np.asarray(t_s + np.arange(count) * chip_s, dtype=np.float64),
            chip=np.full(count, -1, dtype=np.int64),
            values=np.full(shape, np.nan),
            health=np.full(
                shape, int(Health.MISSING | Health.STALLED | self._extra), dtype=np.uint16
            ),
        )


class _Scans:
    """How the scans of an open buffer lie in its bytes."""

    def __init__(self, device: IioDevice, columns: tuple[_Column, ...], chip_s: float) -> None:
        self.device, self.columns = device, columns
        wanted = {column.iio.index: column.iio for column in columns}
        for each in device.channels:
            if each.id == "timestamp" and each.index >= 0 and each.format is not None:
                wanted[each.index] = each
        inside = tuple(wanted[index] for index in sorted(wanted))
        offsets, self._scan = layout(inside)
        self._at = {each.index: offset for each, offset in zip(inside, offsets, strict=True)}
        self._stamp = next((each for each in inside if each.id == "timestamp"), None)
        self.mask = sum(1 << each.index for each in inside)
        self.samples = max(1, min(SAMPLES_MAX, round(BLOCK_S / chip_s)))
        self.bytes = self.samples * self._scan

    def decoded(
        self, raw: bytes
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint16], npt.NDArray[np.float64] | None]:
        """Return values (K, C), health (K, C) and time stamps (K,) of whole scans."""
        count = len(raw) // self._scan
        table = np.frombuffer(raw, dtype=np.uint8, count=count * self._scan)
        table = table.reshape(count, self._scan)
        values = np.empty((count, len(self.columns)))
        health = np.zeros(values.shape, dtype=np.uint16)
        for at, column in enumerate(self.columns):
            number = self._numbers(table, column.iio)
            values[:, at] = (number + column.offset) * column.scale * column.factor + column.shift
            assert column.iio.format is not None  # checked when the column was made
            low, high = ends(column.iio.format)
            health[(number <= low) | (number >= high), at] = int(Health.CLIPPED)
        stamps: npt.NDArray[np.float64] | None = None
        if self._stamp is not None:
            stamps = np.asarray(self._numbers(table, self._stamp) * 1e-9, dtype=np.float64)
        return values, health, stamps

    def _numbers(self, table: npt.NDArray[np.uint8], iio: IioChannel) -> npt.NDArray[np.int64]:
        assert iio.format is not None  # checked when the column was made
        start = self._at[iio.index]
        return decode(table[:, start : start + iio.format.bytes], iio.format)


def _set_rate(link: Iiod, device: IioDevice, columns: tuple[_Column, ...], rate_hz: float) -> None:
    """Set the sampling rate where the device has one; ReaderError if it takes another."""
    name = "sampling_frequency"
    places = [""] if name in device.attributes else []
    places += [c.iio.id for c in columns if name in c.iio.attributes]
    for channel in places:
        link.write(device.id, name, f"{rate_hz:.9g}", channel=channel)
        got = link.read_number(device.id, name, channel=channel)
        if not abs(got / rate_hz - 1.0) <= RATE_SHARE:
            raise _refused(link, f"it samples at {got:g} Hz where {rate_hz:g} Hz was asked for.")


def _refused(link: Iiod, what: str) -> ReaderError:
    return ReaderError(
        what, remedy="name other inputs of this device, or another chip time.", reader=link.name
    )
