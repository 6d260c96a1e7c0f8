"""What every reader delivers, real or simulated: samples on one timebase, with their health.

A reader is configured with a challenge and then yields blocks. Health belongs to each sample: a
value that is missing, late, clipped or out of order is flagged, and its value is nan, never a
number that looks sound. The one exception is a value that is CLIPPED and nothing else: it may stay,
at the end of the range at which it stands, for a reading that is lost by its sign would look like a
change (docs/decisions/0011, section 1). Without its sign it is nan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge
from casemate.core.errors import InputError


class Health(IntFlag):
    """What is wrong with a sample; 0 if nothing is. Flags add up."""

    GOOD = 0
    MISSING = 1
    """It never came: lost on the way, or its reader was cut off."""
    LATE = 2
    """It came after the time by which its challenge binds it."""
    CLIPPED = 4
    """At an end of the converter's range: an open, a short, or too strong an interference."""
    NOT_A_NUMBER = 8
    """The reader sent nan or infinity, or something that is no number."""
    OUT_OF_ORDER = 16
    """Its time or number does not follow the last one: a reset, a replay, or a clock set back."""
    RATE = 32
    """Samples come faster or slower than the reader says."""
    STALLED = 64
    """The reader repeats one value bit for bit, or has gone silent."""
    UNIT = 128
    """Outside of what the channel's unit allows: a wrong unit or a wrong scale."""
    RESET = 256
    """The reader said that it restarted, or counted its samples anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One measured quantity.

    id: unique in the enclosure, such as loop/left-1-1/In1.Cu-3. tile: "" for those of the volume.
    unit: SI. low, high: what is physically possible for this channel, in its unit; a value outside
    is a wrong unit or scale, not a reading. excited: whether it answers a challenge.
    """

    id: str
    modality: str
    unit: str
    tile: str = ""
    low: float = -np.inf
    high: float = np.inf
    excited: bool = True


Values = npt.NDArray[np.float64] | npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """K samples of C channels. `t_s` (K,): when each chip began, on the enclosure's one timebase.

    `chip` (K,): number of the chip that each answers, -1 for modalities without a challenge.
    `values` (K, C): in the channels' units, drive not divided out; nan where health is not good
    enough to tell, but for what is only CLIPPED. `health` (K, C): Health flags.
    """

    t_s: npt.NDArray[np.float64]
    chip: npt.NDArray[np.int64]
    values: Values
    health: npt.NDArray[np.uint16]

    def __post_init__(self) -> None:
        count = self.t_s.size
        shape = self.values.shape
        if self.chip.shape != (count,) or len(shape) != 2 or shape[0] != count:
            raise InputError(
                "a block's times, chips and values do not have the same number of samples.",
                remedy="give t_s (K,), chip (K,), values (K, C) and health (K, C).",
                value=(count, self.chip.shape, shape),
            )
        if self.health.shape != shape:
            raise InputError(
                "a block's health has another shape than its values.",
                remedy="give one set of flags for each value.",
                value=(self.health.shape, shape),
            )

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """Return where values may be used, shape (K, C)."""
        return np.asarray(self.health == 0)


def kept(values: Values, health: npt.NDArray[np.uint16]) -> Values:
    """Return values with nan where flagged, but for those that are only CLIPPED, with their sign.

    A complex value that is clipped has lost its phase, and is nan.
    """
    stays = health == 0
    if not np.iscomplexobj(values):
        stays |= health == int(Health.CLIPPED)
    found: Values = np.where(stays, values, np.nan)
    return found


def to_read(array: npt.NDArray[Any]) -> Any:
    """Return an array as one that cannot be written, which shares its memory.

    Blocks that come by a pipe cannot; for compiled code they would be of another type than the
    others, and all of it would be compiled twice.
    """
    if not array.flags.writeable:
        return array
    found = array.view()
    found.flags.writeable = False
    return found


def dense(array: npt.NDArray[Any], kind: npt.DTypeLike) -> Any:
    """Return an array of this kind as `to_read` does, in one piece; copied only where it has to be.

    A reader's arrays may lie in memory in any order: see `to_read`.
    """
    return to_read(np.ascontiguousarray(array, dtype=kind))


class Reader(Protocol):
    """The electronics of a modality, or its simulation; the same interface for both.

    `configure` starts a stream that answers this challenge, beginning with its chip 0; a reader
    that is configured again ends the stream before. The stream ends only when `close` is called
    (or a recording is over): a reader that fails keeps yielding blocks that say so. Excited
    channels read drive x quantity + interference + noise.
    """

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        ...

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return the stream of blocks that answers `challenge`."""
        ...

    def close(self) -> None:
        """Release the hardware; the stream then ends."""
        ...
