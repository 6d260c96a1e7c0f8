"""The keyed challenge of an excited modality: secret chips, some of them silent, as a stream.

A chip is what a reader drives during one chip time. It is drawn by ChaCha20 under a key that HKDF
binds to the modality and its epoch, so whoever lacks the key can foretell no chip better than by
guessing, and any chip can be drawn anew from its number. Three independent draws make a chip:
whether it is silent, its amplitude with its phase (a point of a constellation), and the place that
it asks for (a tone, an antenna, a net) out of `order`, as a fresh random permutation a round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.core.randomness import SECRET_BYTES, derive, keystream

Constellation = Literal["sign", "amplitude", "phase"]
BYTES_PER_CHIP = 4
"""Two for silence, two for the symbol: shares of silence are exact to 2^-16."""
BYTES_PER_RANK = 8
"""Of a random rank whose order is the permutation: two of 2^64 are equal once in 10^15 rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a reader is told: never shown, never logged (`key` is left out of the repr).

    epoch: counts re-keyings; chips of another epoch are unrelated. chip_s: time of one chip.
    symbols: size of the constellation, a power of 2; 2 for plain signs. silent: share of chips on
    which nothing is driven. order: places that a round goes through, 1 if there is but one.
    """

    key: bytes = field(repr=False)
    modality: str
    epoch: int
    chip_s: float
    constellation: Constellation = "sign"
    symbols: int = 2
    silent: float = 0.125
    order: int = 1

    def __post_init__(self) -> None:
        sound = (
            len(self.key) == SECRET_BYTES
            and 2 <= self.symbols <= 65_536
            and self.symbols & (self.symbols - 1) == 0
            and (self.constellation != "sign" or self.symbols == 2)
            and 0.0 <= self.silent < 1.0
            and self.chip_s > 0.0
            and self.order >= 1
            and self.epoch >= 0
        )
        if not sound:
            raise InputError(
                "a challenge needs a key of 32 bytes, 2 to 65536 symbols in a power of 2 (2 for "
                "signs), a share of silence below 1 and a chip time above 0.",
                remedy="correct the challenge.",
                value=(self.modality, self.symbols, self.silent, self.chip_s, self.order),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chips:
    """Chips `first` .. `first + K - 1`: `drive` (K,) complex, 0 where silent; `place` (K,).

    epoch: of their challenge.
    """

    first: int
    drive: npt.NDArray[np.complex128]
    place: npt.NDArray[np.int64]
    epoch: int = 0

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """Return where nothing is driven, shape (K,)."""
        return np.asarray(self.drive == 0.0)


def points(constellation: Constellation, symbols: int) -> npt.NDArray[np.complex128]:
    """Return the constellation, shape (symbols,), mean power 1.

    sign: -1 and 1. amplitude: evenly spaced real levels without 0. phase: evenly spaced on the
    circle.
    """
    if constellation == "phase":
        return np.asarray(np.exp(2j * np.pi * np.arange(symbols) / symbols), dtype=np.complex128)
    levels = np.arange(1 - symbols, symbols, 2, dtype=np.float64)
    return np.asarray(levels / np.sqrt(np.mean(levels**2)), dtype=np.complex128)


def chips(challenge: Challenge, first: int, count: int) -> Chips:
    """Return chips `first` .. `first + count - 1`; any split into calls gives the same chips."""
    raw = _bytes(challenge, "symbol", first * BYTES_PER_CHIP, count * BYTES_PER_CHIP)
    words = raw.view("<u2").reshape(-1, 2)
    drawn = points(challenge.constellation, challenge.symbols)[words[:, 1] & challenge.symbols - 1]
    drive = np.where(words[:, 0] < round(challenge.silent * 65_536), 0.0, drawn)
    return Chips(
        first=first,
        drive=np.asarray(drive, dtype=np.complex128),
        place=_places(challenge, first, count),
        epoch=challenge.epoch,
    )


def _places(challenge: Challenge, first: int, count: int) -> npt.NDArray[np.int64]:
    size = challenge.order
    if size == 1 or count == 0:
        return np.zeros(count, dtype=np.int64)
    start, stop = first // size, -(-(first + count) // size)
    width = size * BYTES_PER_RANK
    raw = _bytes(challenge, "order", start * width, (stop - start) * width)
    rounds = np.argsort(raw.view("<u8").reshape(-1, size), axis=1, kind="stable")
    begin = first - start * size
    return np.asarray(rounds.reshape(-1)[begin : begin + count], dtype=np.int64)


def _bytes(challenge: Challenge, what: str, offset: int, count: int) -> npt.NDArray[np.uint8]:
    label = f"challenge/{challenge.modality}/{challenge.epoch}/{what}"
    return keystream(derive(challenge.key, label), count, offset=offset)
