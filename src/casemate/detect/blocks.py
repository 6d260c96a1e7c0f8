"""From readers' blocks to what detectors take: windows of keyed sums, blocks of a cavity's field.

A window is what chips k n .. k n + n - 1 bring, however they come split over blocks; with chips
missing it counts those it has. Chips that are lost for their time (missing, late, out of order)
are left out: that says nothing about their sign. Chips that are lost for their value (not a
number, beyond the unit, stuck, clipped without a sign) may be lost by their sign, and would then
bias those that are left: such a window is lost as a whole and takes the feature's evidence with it,
which is the bet e = 0 and keeps the bound (decision 11, section 1). A clipped chip whose sign is
known counts in full.

Drive is divided out, so with amplitudes as with signs a chip is d + sign(c) w/|c|, and the theorem
holds; noise then grows by the root of the mean of 1/|c|^2 (`levels_noise`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Chips
from casemate.core.samples import Block, dense, to_read
from casemate.detect import _blocks_kernel as kernel
from casemate.detect import _calm_kernel as calm_kernel
from casemate.detect import _field_kernel as field_kernel
from casemate.detect import _live_kernel as live_kernel
from casemate.detect.anchor import Anchor, FieldAnchor, Real
from casemate.detect.evidence import Sums
from casemate.detect.field import Block as FieldBlock

BLOCK_S = 0.5
"""Of the cavity's detector: some five visits of every tone, 200 chips a link."""
LEAST_CHIPS = 12
"""Of a window: with fewer, no lambda brings enough evidence."""
SLACK_CHIPS = 8.0
"""By which a chip may come beside its time (`core.watch.Limits`)."""
AHEAD_S = 60.0
"""By which numbers of chips may run ahead of what is due (planning value)."""
NEAR = 512
"""Features that are summed together at least: a dozen arrays of them fit in the nearest cache."""
OPEN = 0.5
"""Share of a window's chips at the end of the range from which a feature stands open."""


def window_of(chip_s: float, visits: float, window_s: float) -> float:
    """Return a modality's window: `window_s`, or as many of them as bring a dozen chips."""
    return window_s * max(1, math.ceil(LEAST_CHIPS * chip_s / visits / window_s - 1e-9))


def levels_noise(anchor: Anchor, points: npt.NDArray[np.complex128]) -> Anchor:
    """Return the anchor for a constellation: its noise when drive is divided out.

    points (M,): `core.challenge.points`. Signs leave it as it is; 4 levels cost 2.8 in power.
    """
    up = math.sqrt(float(np.mean(1.0 / np.abs(points) ** 2)))
    return replace(anchor, noise=anchor.noise * up)


@dataclass(slots=True, kw_only=True)
class Place:
    """Where a stream of chips stands. last, last_s: of the last good chip; -1, nan before.

    size: chips a window. window: number of the one that is being filled. epoch: of the challenge.
    """

    chip_s: float
    size: int
    epoch: int = -1
    last: int = -1
    last_s: float = math.nan
    odd: int = 0
    window: int = 0

    def copy(self) -> Place:
        """Return a copy that goes its own way."""
        return replace(self)

    def start_s(self) -> float:
        """Return when chip 0 began, nan if no chip has come yet."""
        return self.last_s - self.last * self.chip_s

    def end_s(self) -> float:
        """Return when the window that is being filled ends."""
        return self.start_s() + (self.window + 1) * self.size * self.chip_s

    def renew(self, epoch: int) -> None:
        """Begin a new epoch at its chip 0."""
        self.epoch, self.last, self.last_s, self.odd, self.window = epoch, -1, math.nan, 0, 0

    def align(self, block: Block, chips: Chips, now_s: float) -> npt.NDArray[np.uint16]:
        """Return flags (K,), 0 where a row is a chip that comes next; move on."""
        flags = np.zeros(block.chip.size, dtype=np.uint16)
        due = self.last
        if self.last >= 0 and now_s > self.last_s:
            due += int(min((now_s - self.last_s) / self.chip_s, 2.0**60))
        self.last, self.last_s, self.odd = kernel.align(
            dense(block.t_s, np.float64), dense(block.chip, np.int64),
            chips.first, chips.drive.size, self.chip_s, self.size, SLACK_CHIPS * self.chip_s,
            due + int(AHEAD_S / self.chip_s), self.window * self.size, self.last, self.last_s,
            self.odd, flags,
        )  # fmt: skip
        return flags


def pieces_of(anchor: Anchor) -> npt.NDArray[np.int64]:
    """Return first and last channel, first and last feature of what is summed together, (P, 4).

    Lasts are one beyond. Some NEAR features each, so that their sums stay in the nearest cache, as
    far as later features read later channels alone.
    """
    size = len(anchor.names)
    high = np.maximum.accumulate(np.maximum(anchor.first, anchor.second))
    least = np.where(anchor.second < 0, anchor.first, np.minimum(anchor.first, anchor.second))
    low = np.minimum.accumulate(least[::-1])[::-1]
    rows, begin, channel = [], 0, 0
    for cut in (np.flatnonzero(high[:-1] < low[1:]) + 1).tolist():
        if cut - begin >= NEAR:
            rows.append((channel, int(low[cut]), begin, cut))
            begin, channel = cut, int(low[cut])
    rows.append((channel, len(anchor.channels), begin, size))
    return np.array(rows, dtype=np.int64)


@dataclass(slots=True, kw_only=True)
class Filling:
    """The window that is being filled, of F features and C channels. Owned by one stream."""

    anchor: Anchor
    expected: Real
    sums: Real
    blurred: npt.NDArray[np.bool_]
    said: npt.NDArray[np.int64]
    last: Real
    run: npt.NDArray[np.int64]
    x: npt.NDArray[np.float32]
    pieces: npt.NDArray[np.int64]
    order: int

    @classmethod
    def start(cls, anchor: Anchor) -> Filling:
        """Return an empty window."""
        features, channels = len(anchor.names), len(anchor.channels)
        return cls(
            anchor=anchor,
            expected=anchor.expected,
            sums=np.zeros((6, features)),
            blurred=np.zeros(features, dtype=np.bool_),
            said=np.zeros(channels, dtype=np.int64),
            last=np.full(channels, np.nan),
            run=np.zeros(channels, dtype=np.int64),
            x=np.empty((0, features), dtype=np.float32),
            pieces=pieces_of(anchor),
            order=calm_kernel.order_of(anchor.first, anchor.second, channels),
        )

    def copy(self) -> Filling:
        """Return a copy that goes its own way."""
        return Filling(
            anchor=self.anchor, expected=self.expected, sums=self.sums.copy(),
            blurred=self.blurred.copy(), said=self.said.copy(), last=self.last.copy(),
            run=self.run.copy(), x=np.empty((0, self.x.shape[1]), dtype=np.float32),
            pieces=self.pieces, order=self.order,
        )  # fmt: skip

    def add(
        self, values: Real, health: npt.NDArray[np.uint16], drive: Real,
        use: npt.NDArray[np.bool_], shared: Real,
    ) -> npt.NDArray[np.float32]:  # fmt: skip
        """Take in rows (K, C) of this window; return loud chips (n, F) less `shared`, in noises.

        drive (K,), real. use (K,): rows that answer a chip of this window. What is returned holds
        until the next call.
        """
        anchor, values, health = self.anchor, to_read(values), to_read(health)
        if self.x.shape[0] < drive.size:
            self.x = np.empty((drive.size, len(anchor.names)), dtype=np.float32)
        size = -1
        if self.order != calm_kernel.OTHER:
            size = calm_kernel.add(
                values, health, drive, use, self.order, anchor.nominal, anchor.weight,
                self.expected, anchor.noise, shared, self.last, self.run, self.sums, self.x,
            )  # fmt: skip
        if size >= 0:
            return self.x[:size]
        size = kernel.gather(
            values, health, drive, use, anchor.nominal, anchor.first, anchor.second,
            anchor.weight, self.expected, anchor.noise, shared, self.last, self.run,
            self.said, self.sums, self.blurred, self.x, self.pieces, True,
        )  # fmt: skip
        return self.x[:size]

    def close(self) -> tuple[Sums, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Return the window's sums, features lost for a value (F,), flags (C,); begin the next."""
        features = self.blurred.size
        sums = np.empty((5, features))
        open_, lost = np.empty(features, dtype=np.bool_), np.empty(features, dtype=np.bool_)
        live_kernel.close(self.sums, self.blurred, self.anchor.noise, OPEN, sums, open_, lost)
        s1, s2, loud, power, quiet = sums
        found = Sums(
            s1=s1, s2=s2, loud=loud, quiet_power=power, quiet=quiet, open_=open_, lost=lost
        )
        blurred, said = self.blurred.copy(), self.said.copy()
        self.sums[:] = 0.0
        self.blurred[:] = False
        self.said[:] = 0
        return found, blurred, said


@dataclass(slots=True, kw_only=True)
class FieldFilling:
    """The block of a cavity that is being filled. Owned by one stream.

    unit (L,): noise of a part. heard (L, T, V): the first V loud answers of each tone, drive
    divided out; count (L, T) of them.
    """

    anchor: FieldAnchor
    unit: Real
    heard: npt.NDArray[np.complex128]
    count: npt.NDArray[np.int64]
    power: Real
    quiet: Real
    blurred: npt.NDArray[np.bool_]
    said: npt.NDArray[np.int64]

    @classmethod
    def start(cls, anchor: FieldAnchor, size: int) -> FieldFilling:
        """Return an empty block of `size` chips."""
        links, tones = anchor.field.shape
        return cls(
            anchor=anchor,
            unit=anchor.noise * np.sqrt(np.mean(np.abs(anchor.field) ** 2, axis=1)),
            heard=np.zeros((links, tones, -(-size // tones) + 1), dtype=np.complex128),
            count=np.zeros((links, tones), dtype=np.int64),
            power=np.zeros(links),
            quiet=np.zeros(links),
            blurred=np.zeros(links, dtype=np.bool_),
            said=np.zeros(links, dtype=np.int64),
        )

    def copy(self) -> FieldFilling:
        """Return a copy that goes its own way."""
        return FieldFilling(
            anchor=self.anchor, unit=self.unit, heard=self.heard.copy(), count=self.count.copy(),
            power=self.power.copy(), quiet=self.quiet.copy(), blurred=self.blurred.copy(),
            said=self.said.copy(),
        )  # fmt: skip

    def add(
        self, values: npt.NDArray[np.complex128], health: npt.NDArray[np.uint16],
        drive: npt.NDArray[np.complex128], place: npt.NDArray[np.int64],
        use: npt.NDArray[np.bool_],
    ) -> None:  # fmt: skip
        """Take in rows (K, L) of this block, each of the tone that its chip asked for."""
        kernel.gather_field(
            to_read(values), to_read(health), drive, place, use, self.heard, self.count, self.power,
            self.quiet, self.blurred, self.said,
        )  # fmt: skip

    def close(self) -> tuple[FieldBlock, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Return the block, links lost for a value (L,), flags (L,); begin the next.

        Every tone counts with as many answers as the one that has fewest.
        """
        links, tones = self.count.shape
        mean, scatter = np.empty((links, tones), np.complex128), np.empty((links, tones, 3))
        silent, lost = np.empty((2, links)), np.empty(links, np.bool_)
        loud = field_kernel.close(
            self.heard, self.count, self.power, self.quiet, self.blurred, self.unit, mean, scatter,
            silent, lost,
        )  # fmt: skip
        found = FieldBlock(
            mean=mean, scatter=scatter, loud=loud, quiet_power=silent[0], quiet=silent[1],
            lost=lost,
        )  # fmt: skip
        blurred, said = self.blurred.copy(), self.said.copy()
        for each in (self.heard, self.count, self.power, self.quiet, self.blurred, self.said):
            each[...] = 0
        return found, blurred, said
