"""A reader made of an instrument that measures one chip when it is asked to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge, chips
from casemate.core.errors import ReaderError
from casemate.core.samples import Block, Channel, Health, Values, kept

AGAIN_S = 1.0
"""Between two attempts to reach an instrument that went away."""
BLOCK_S = 0.05
"""A block is handed on after this long, so that slow chips come one by one."""
NAP_S = 0.02
"""Longest sleep, so the longest that `close` can be late while the stream waits for a chip."""
DRAWN = 256
"""Chips drawn at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an instrument read on one chip: values (C,) and Health flags (C,)."""

    values: Values
    health: npt.NDArray[np.uint16]


class Instrument(Protocol):
    """An instrument that is reached already. Every method ends in bounded time.

    ReaderError where it is gone, does not answer in time, or refuses.
    """

    @property
    def identity(self) -> str:
        """Return, once started, what the instrument calls itself, and what its values hang on."""
        ...

    def start(self, challenge: Challenge) -> None:
        """Make ready; InputError for a challenge that this instrument cannot carry out."""
        ...

    def measure(self, drive: complex, place: int) -> Reading:
        """Drive one chip, or stay silent if `drive` is 0, and return what was read."""
        ...

    def close(self) -> None:
        """Switch the source off and let go; never raises."""
        ...


class PolledReader:
    """Asks an instrument chip by chip, each at its time or, if the instrument is slow, after it.

    How far it falls behind shows in the blocks' times, and the monitor calls it RATE. An instrument
    that goes away yields rows of nan at the challenge's pace and is sought every second. If another
    one answers in its place, the stream stays down: UNIT.
    """

    def __init__(
        self,
        *,
        channels: tuple[Channel, ...],
        reach: Callable[[], Instrument],
        complex_values: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channels, self._reach, self._clock = channels, reach, clock
        self._complex = complex_values
        self._excited = any(channel.excited for channel in channels)
        self._instrument: Instrument | None = None
        self._generation = 0
        self._sought_s = -np.inf
        self._identity, self._extra = "", Health.GOOD

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._channels

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return a stream that answers `challenge` from its chip 0; the one before ends.

        ReaderError if the instrument cannot be reached, InputError if it cannot do this challenge.
        """
        self.close()  # an instrument that was left alone for long may be gone without a word
        self._instrument = self._reach()
        try:
            self._instrument.start(challenge)
        except Exception:
            self.close()
            raise
        self._identity, self._extra = self._instrument.identity, Health.GOOD
        return self._blocks(challenge, self._generation)

    def close(self) -> None:
        """Let go of the instrument; the stream ends. Again does nothing."""
        self._generation += 1
        instrument, self._instrument = self._instrument, None
        if instrument is not None:
            instrument.close()

    def _blocks(self, challenge: Challenge, generation: int) -> Iterator[Block]:
        begin_s, chip = self._clock(), 0
        drawn = chips(challenge, 0, DRAWN)
        while self._generation == generation:
            rows: list[tuple[float, int, Reading]] = []
            block_s = self._clock()
            while not rows or self._clock() - block_s < BLOCK_S:
                if not self._waited(begin_s + chip * challenge.chip_s, generation):
                    return
                if chip == drawn.first + DRAWN:
                    drawn = chips(challenge, chip, DRAWN)
                at = chip - drawn.first
                t_s = self._clock()
                reading = self._measured(challenge, drawn.drive[at], int(drawn.place[at]))
                rows.append((t_s, chip if self._excited else -1, reading))
                chip += 1
            if self._generation == generation:
                yield self._block(rows)

    def _waited(self, until_s: float, generation: int) -> bool:
        while self._generation == generation:
            left = until_s - self._clock()
            if left <= 0.0:
                return True
            time.sleep(min(left, NAP_S))
        return False

    def _measured(self, challenge: Challenge, drive: complex, place: int) -> Reading:
        instrument = self._instrument or self._sought(challenge)
        if instrument is None:
            return self._nothing(Health.MISSING | Health.STALLED)
        try:
            return instrument.measure(complex(drive), place)
        except Exception as error:  # a stream never raises, whatever an instrument says
            logging.getLogger(__name__).warning("%s", error)
            self._instrument = None
            self._sought_s = self._clock()
            instrument.close()
            return self._nothing(Health.MISSING)

    def _sought(self, challenge: Challenge) -> Instrument | None:
        if self._clock() - self._sought_s < AGAIN_S or self._extra:
            return None
        self._sought_s = self._clock()
        try:
            found = self._reach()
        except ReaderError:
            return None
        try:
            found.start(challenge)
        except Exception:  # as above
            found.close()
            return None
        if found.identity != self._identity:
            self._extra = Health.UNIT
            found.close()
            return None
        self._instrument = found
        return found

    def _nothing(self, flags: Health) -> Reading:
        count = len(self._channels)
        return Reading(
            values=self._typed(np.full(count, np.nan)),
            health=np.full(count, int(flags | self._extra), dtype=np.uint16),
        )

    def _block(self, rows: list[tuple[float, int, Reading]]) -> Block:
        health = np.array([reading.health for _, _, reading in rows], dtype=np.uint16)
        values = self._typed(np.array([reading.values for _, _, reading in rows]))
        return Block(
            t_s=np.array([t_s for t_s, _, _ in rows]),
            chip=np.array([chip for _, chip, _ in rows], dtype=np.int64),
            values=kept(values, health),
            health=health,
        )

    def _typed(self, values: npt.NDArray[Any]) -> Values:
        return values.astype(np.complex128) if self._complex else values.astype(np.float64)
