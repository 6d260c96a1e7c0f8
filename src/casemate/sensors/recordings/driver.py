"""Recordings and Touchstone files as readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from casemate.core.challenge import Challenge, chips
from casemate.core.errors import InputError
from casemate.core.samples import Block, Channel, Health
from casemate.core.touchstone import Measured, read_touchstone
from casemate.sensors.recordings.files import read_recording
from casemate.sensors.recordings.recording import Recording

BLOCK_ROWS = 256


class Replay:
    """A recording behind the interface of readers; as fast as it is pulled, and it ends.

    It answers only the challenge under which it was made: a recording that answered another would
    be the replay that a challenge is there to find.
    """

    def __init__(self, recording: Recording, *, file: str = "") -> None:
        self._recording, self._file = recording, file
        self._generation = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._recording.channels

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return the recorded stream; InputError if it was made under another challenge."""
        excited = any(channel.excited for channel in self.channels)
        if excited and not self._recording.origin.is_of(challenge):
            raise InputError(
                "the recording was made under another challenge.",
                remedy="configure it with the key, epoch and settings of its own.",
                file=self._file,
                key="casemate.recording.origin",
            )
        self._generation += 1
        return self._blocks(self._generation)

    def close(self) -> None:
        """End the stream. Again does nothing."""
        self._generation += 1

    def _blocks(self, generation: int) -> Iterator[Block]:
        held = self._recording
        for start in range(0, held.t_s.size, BLOCK_ROWS):
            if self._generation != generation:
                return
            rows = slice(start, start + BLOCK_ROWS)
            values, health = held.values[rows].copy(), held.health[rows].copy()
            health[~np.isfinite(values) & (health == 0)] = int(Health.NOT_A_NUMBER)
            values[health != 0] = np.nan
            yield Block(t_s=held.t_s[rows], chip=held.chip[rows], values=values, health=health)


class TouchstoneReplay:
    """S-parameters of a file as a cavity that never changes: drive x S at the chip's tone.

    It has no noise, so the monitor's test for repeated values has to be off. parameters: such as
    S21, one a channel.
    """

    def __init__(
        self,
        measured: Measured,
        channels: tuple[Channel, ...],
        *,
        parameters: tuple[str, ...],
    ) -> None:
        self._measured, self._channels = measured, channels
        ports = measured.s.shape[1]
        known = {f"S{i + 1}{j + 1}": (i, j) for i in range(ports) for j in range(ports)}
        if not set(parameters) <= set(known) or len(parameters) != len(channels):
            raise InputError(
                "the file does not have these parameters, or there is not one a channel.",
                remedy=f"name of {', '.join(known)} as many as there are channels.",
                file=measured.file,
                key="parameters",
                value=parameters,
            )
        self._s = np.stack([measured.s[:, *known[each]] for each in parameters], axis=1)
        self._generation = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._channels

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return a stream without end; InputError unless there is a place for each frequency."""
        if challenge.order != self._measured.f_hz.size:
            raise InputError(
                "the challenge does not have as many places as the file has frequencies.",
                remedy=f"set order = {self._measured.f_hz.size}.",
                file=self._measured.file,
                key="order",
                value=challenge.order,
            )
        self._generation += 1
        return self._blocks(challenge, self._generation)

    def close(self) -> None:
        """End the stream. Again does nothing."""
        self._generation += 1

    def _blocks(self, challenge: Challenge, generation: int) -> Iterator[Block]:
        first = 0
        while self._generation == generation:
            drawn = chips(challenge, first, BLOCK_ROWS)
            number = np.arange(first, first + BLOCK_ROWS, dtype=np.int64)
            values = self._s[drawn.place] * drawn.drive[:, None]
            health = np.zeros(values.shape, dtype=np.uint16)
            t_s = np.asarray(number * challenge.chip_s, dtype=np.float64)
            yield Block(t_s=t_s, chip=number, values=values, health=health)
            first += BLOCK_ROWS


def replay(path: Path, *, channels: tuple[Channel, ...] = ()) -> Replay:
    """Return a .parquet or .h5 recording as a reader; InputError for whatever is wrong with it.

    channels: those that the design expects; ids and units have to be the file's.
    """
    recording = read_recording(path)
    expected = tuple((channel.id, channel.unit) for channel in channels)
    held = tuple((channel.id, channel.unit) for channel in recording.channels)
    if channels and expected != held:
        pairs = zip(expected, held, strict=False)
        one = next(((a, b) for a, b in pairs if a != b), (len(expected), len(held)))
        raise InputError(
            f"the recording holds {one[1]} where {one[0]} is expected.",
            remedy="name a recording of this enclosure.",
            file=str(path),
            key="casemate.recording.channels",
        )
    return Replay(recording, file=str(path))


def touchstone_replay(
    path: Path, channels: tuple[Channel, ...], *, parameters: tuple[str, ...]
) -> TouchstoneReplay:
    """Return a Touchstone file as a reader; InputError if it is none."""
    return TouchstoneReplay(read_touchstone(path), channels, parameters=parameters)
