"""One health monitor for every reader, real or simulated: nothing unsound passes unflagged.

A reader says what it knows of its own health. What it does not know, or conceals, shows in its
samples: gaps, times, pace, repetition, values that cannot be. `watched` adds those flags and takes
away every value that carries one, so that a detector downstream needs one rule: use what is good.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.core import _watch_kernel as kernel
from casemate.core.challenge import Challenge, points
from casemate.core.samples import Block, Channel, Health, Values, to_read
from casemate.core.watch_order import Order, Pace

KNOWN = int(
    Health.MISSING | Health.LATE | Health.CLIPPED | Health.NOT_A_NUMBER | Health.OUT_OF_ORDER
    | Health.RATE | Health.STALLED | Health.UNIT | Health.RESET
)  # fmt: skip
"""All flags that have a name."""
NO_FLAGS = np.zeros(1, np.uint16)
"""Of any number of samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a reader is allowed. Counts are in chips, so that one default suits every chip time.

    rate_share, rate_samples: measured rate against the challenge's, over windows of that many
    chips; 2 % is 400 times a crystal's error, and below what a replay needs to gain a chip a
    window. late_chips: how far one sample may come after, or before, its time. silent_chips:
    longer than this with nothing is a stall. stalled_samples: values that repeat bit for bit; 0
    switches it off, for quantities that rest (a temperature in steps of its converter).
    Planning values, all of them.
    """

    rate_share: float = 0.02
    rate_samples: int = 64
    late_chips: float = 8.0
    silent_chips: float = 64.0
    stalled_samples: int = 32


def watched(
    stream: Iterator[Block],
    channels: tuple[Channel, ...],
    challenge: Challenge,
    *,
    limits: Limits | None = None,
) -> Iterator[Block]:
    """Yield each block of `stream` with its health completed; shape and order stay.

    A flagged value is nan, but for one that is only CLIPPED: its sign counts. Never raises: a block
    that is malformed comes out all nan and flagged, with the channels' number of columns; a stream
    that raises ends with one sample that says MISSING. LATE, RATE and STALLED are judged on the
    blocks' own times.
    """
    watcher = Watcher(channels, challenge, limits or Limits())
    blocks = iter(stream)
    while True:
        try:
            block = next(blocks)
        except StopIteration:
            return
        except Exception as error:  # a reader that breaks its contract must not break its watcher
            logging.getLogger(__name__).warning("a reader's stream broke off: %r", error)
            yield watcher.lost(1, Health.MISSING)
            return
        yield watcher.check(block)


class Watcher:
    """The monitor's memory of one stream. `check` takes its blocks in turn."""

    def __init__(self, channels: tuple[Channel, ...], challenge: Challenge, limits: Limits) -> None:
        self._channels = channels
        self._limits = limits
        peak = float(np.max(np.abs(points(challenge.constellation, challenge.symbols))))
        self._low, self._high, self._swing = _ranges(channels, peak)
        driven = self._swing < np.inf
        self._real_low = np.where(driven, -self._swing, self._low)
        self._real_high = np.where(driven, self._swing, self._high)
        self._order = Order(
            pace=Pace(
                chip_s=challenge.chip_s,
                slack_s=limits.late_chips * challenge.chip_s,
                silent_s=limits.silent_chips * challenge.chip_s,
                rate_share=limits.rate_share,
                rate_samples=limits.rate_samples,
            ),
            numbered=any(channel.excited for channel in channels),
        )
        self.calm = False
        """Whether no value of the last block is flagged, which one look has shown."""
        self._last: Values | None = None
        self._same = np.zeros(len(channels), dtype=np.int64)

    def check(self, block: Block) -> Block:
        """Return the block with all flags, and nan for every value that has one."""
        self.calm = False
        try:
            return self._checked(block)
        except Exception as error:  # arrays of any kind may come; none may pass, none may raise
            logging.getLogger(__name__).debug("a block is malformed: %r", error)
            return self.lost(_rows(block), Health.NOT_A_NUMBER)

    def lost(self, count: int, flags: Health) -> Block:
        """Return a block of `count` samples that tell nothing."""
        shape = (count, len(self._channels))
        return Block(
            t_s=np.full(count, np.nan),
            chip=np.full(count, -1, dtype=np.int64),
            values=np.full(shape, np.nan),
            health=np.full(shape, int(flags), dtype=np.uint16),
        )

    def _checked(self, block: Block) -> Block:
        t_s, chip, values, given = _arrays(block, len(self._channels))
        calm = self._order.calm(t_s, chip)
        flags = NO_FLAGS if calm else self._order.flags(t_s, chip)
        calm = calm or not flags.any()
        if calm and given.dtype == np.uint16 and self._sound(values, given):
            self.calm = True
            return Block(t_s=t_s, chip=chip, values=values, health=given)
        values, health = values.copy(), _known(given)
        health |= flags[:, None]
        with np.errstate(all="ignore"):
            finite = np.isfinite(values)
            health[~finite & (health == 0)] |= int(Health.NOT_A_NUMBER)
            health[finite & ~self._possible(values)] |= int(Health.UNIT)
        if self._limits.stalled_samples:
            health[self._repeats(values) >= self._limits.stalled_samples] |= int(Health.STALLED)
        values[(health != 0) & (health != int(Health.CLIPPED))] = np.nan
        return Block(t_s=t_s, chip=chip, values=values, health=health)

    def _sound(self, values: Values, health: npt.NDArray[np.uint16]) -> bool:
        """Return whether no value has or earns a flag; if so, they count as seen. The common case.

        health (K, C): in one piece.
        """
        if not values.shape[0] or self._limits.stalled_samples == 1:
            return False
        if not self._limits.stalled_samples:
            there = np.isfinite(values) & self._possible(values)
            return bool(there.all()) and not union(health).any()
        last = self._last if self._last is not None else np.full_like(values[0], np.nan)
        if last.dtype != values.dtype:
            return False
        rows = to_read(values), to_read(health), last
        if np.iscomplexobj(values):
            sound = kernel.complex_sound(*rows, self._low, self._high, self._swing)
        else:
            sound = kernel.real_sound(*rows, self._real_low, self._real_high)
        if sound:
            self._last = values[-1].copy()
            self._same[:] = 1
        return bool(sound)

    def _possible(self, values: Values) -> npt.NDArray[np.bool_]:
        """Whether each value can be: a range, or for what is driven, a swing."""
        inside = (values.real >= self._low) & (values.real <= self._high)
        if np.iscomplexobj(values):
            inside &= values.imag == 0.0
        return np.asarray(np.where(self._swing < np.inf, np.abs(values) <= self._swing, inside))

    def _repeats(self, values: Values) -> npt.NDArray[np.int64]:
        """Return how many samples up to each one have been the same, shape (K, C)."""
        count = values.shape[0]
        if count == 0:
            return np.zeros(values.shape, dtype=np.int64)
        last = self._last if self._last is not None else np.full(values.shape[1], np.nan)
        before = np.vstack([last[None, :], values[:-1]])
        changed = ~(before == values)
        rows = np.arange(count)[:, None]
        since = np.maximum.accumulate(np.where(changed, rows, -1), axis=0)
        runs = np.where(since >= 0, rows - since + 1, rows + 1 + self._same)
        self._last, self._same = values[-1].copy(), runs[-1].copy()
        return np.asarray(runs, dtype=np.int64)


def _ranges(
    channels: tuple[Channel, ...], peak: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return low, high and swing (C,).

    A driven channel reads drive x quantity, of either sign or any phase, so its magnitude is
    bounded; a resting one lies between low and high and has no swing.
    """
    low = np.array([c.low for c in channels])
    high = np.array([c.high for c in channels])
    widest = np.maximum(np.abs(low), np.abs(high)) * peak
    swing = np.where([c.excited for c in channels], np.minimum(widest, _LARGEST), np.inf)
    return low, high, swing


_LARGEST = float(np.finfo(np.float64).max)


def _arrays(
    block: Block, columns: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], Values, npt.NDArray[Any]]:
    """Return arrays of a block in the types that it should have; raises if it cannot.

    They are fresh, or nobody can change them: a reader may use its own again. Flags are whole
    numbers of any type, as they came.
    """
    values = _kept(block.values)
    kind = np.complex128 if np.iscomplexobj(values) else np.float64
    values = np.ascontiguousarray(values.astype(kind, copy=False))
    given = np.ascontiguousarray(_kept(block.health))
    chip: Any = np.array(block.chip)
    t_s: Any = np.array(block.t_s).astype(np.float64, casting="same_kind", copy=False)
    if given.dtype.kind not in "iu" or chip.dtype.kind not in "iu":
        raise TypeError("numbers of chips and flags are whole")
    if t_s.ndim != 1 or values.shape != (t_s.size, columns) or given.shape != values.shape:
        raise ValueError("the block has another shape than its channels")
    return t_s, chip.astype(np.int64, copy=False), values, given


def _known(given: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    """Return flags that have a name; others count as no number."""
    health = (given & KNOWN).astype(np.uint16)
    health[(given != 0) & (health == 0)] = int(Health.NOT_A_NUMBER)
    return health


def _kept(given: Any) -> Any:
    """Return an array as it is if it lies in bytes, which nothing changes; else a copy of it."""
    base = given
    while isinstance(base, np.ndarray):
        base = base.base
    return given if isinstance(base, bytes) else np.array(given)


def union(health: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return the union of flags (K, C) by channel, (C,)."""
    found = np.empty(health.shape[1], dtype=np.uint16)
    kernel.union(to_read(health), found)
    return found


def _rows(block: object) -> int:
    try:
        return int(np.asarray(getattr(block, "t_s", 0.0)).size)
    except Exception:  # it may be anything
        return 1
