"""One modality that runs: blocks of a reader in, what its detectors show out, whatever comes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Chips
from casemate.core.samples import Block, Health
from casemate.detect import _keyed_kernel as keyed_kernel
from casemate.detect import keyed
from casemate.detect.anchor import Anchor, FieldAnchor, PassiveAnchor, Real
from casemate.detect.bank import Bank, PassiveBank, PassiveShown, Shown
from casemate.detect.blocks import BLOCK_S, FieldFilling, Filling, Place, window_of
from casemate.detect.evidence import Evidence, Sums
from casemate.detect.field import FieldBank
from casemate.detect.onset import Onset

CHIPS_WEIGHT = 0.5
"""Of the chip-level evidence in a feature's mean. It begins at chips, of which a year has more than
windows, so it counts as `CHIPS_WEIGHT` of M over the chips of a window: then the mean still grows
by at most one a window. Windows' tests pay ln 2 for it, chips ln 200 at 1 kHz: 8 chips more."""
GRACE = 2.0
"""Of a policy's windows, after which a window that is not full is closed (planning value)."""
SETTLE_S = 1.0
"""Of sound windows from which states are taken at the start and after as long a gap: until then
nothing is known of the surroundings, so nothing can be told (planning value)."""
STOOD_S = 1e6
"""For which an enclosure has stood before its detector starts, so that states lie anywhere within
their bounds."""
MOST_LOST = 64
"""Lost windows that are fed at once; more change nothing."""


class Notes:
    """What health flags a modality's channels carried since the last verdict."""

    def __init__(self, modality: str) -> None:
        self.modality = modality
        self.flags: dict[str, int] = {}

    def copy(self) -> Notes:
        """Return a copy that goes its own way."""
        found = Notes(self.modality)
        found.flags = dict(self.flags)
        return found

    def channels(self, said: npt.NDArray[np.int64]) -> None:
        """Note flags (C,) of a window."""
        if not said.any():
            return
        for flag in Health:
            count = int(((said & int(flag)) != 0).sum())
            if flag and count:
                self.say(f"{count} of {said.size} channels {flag.name}", count)

    def rows(self, flags: npt.NDArray[np.uint16]) -> None:
        """Note rows (K,) that answer no chip that is due."""
        for flag in (Health.OUT_OF_ORDER, Health.LATE):
            count = int((flags == int(flag)).sum())
            if count:
                self.say(f"samples {flag.name}", count)

    def say(self, text: str, count: int = 1) -> None:
        """Note anything else."""
        self.flags[text] = max(self.flags.get(text, 0), count)

    def taken(self) -> tuple[str, ...]:
        """Return the findings and forget them."""
        found = tuple(f"{self.modality}: {text}" for text in sorted(self.flags))
        self.flags = {}
        return found


class KeyedLive:
    """A modality whose features answer signs or levels: windows, chips and FOCuS."""

    def __init__(self, anchor: Anchor, *, window_s: float, single: bool, levels: int) -> None:
        mine_s = window_of(anchor.chip_s, anchor.visits, window_s)
        self.anchor = anchor
        self.bank = Bank(anchor, window_s=mine_s, levels=levels)
        self.place = Place(chip_s=anchor.chip_s, size=max(1, round(mine_s / anchor.chip_s)))
        self.filling = Filling.start(anchor)
        self.chips = keyed.start(anchor.bound / anchor.noise)
        self.weight = CHIPS_WEIGHT * min(1.0, anchor.chip_s / window_s)
        self.onset = Onset.start(anchor.tiles, single=single)
        self.grace_s = GRACE * window_s
        self.notes = Notes(anchor.modality)
        self.fast = np.zeros(len(anchor.names))
        self.shared = np.zeros(len(anchor.names))
        self.gap_s = STOOD_S
        self.first = np.zeros((3, len(anchor.names)))
        self.ended_s = math.nan
        self._shown: Shown | None = None

    def copy(self) -> KeyedLive:
        """Return a copy that goes its own way."""
        found = KeyedLive.__new__(KeyedLive)
        found.__dict__.update(self.__dict__)
        found.bank, found.place = self.bank.copy(), self.place.copy()
        found.filling, found.chips = self.filling.copy(), self.chips.copy()
        found.onset, found.notes = self.onset.copy(), self.notes.copy()
        found.fast, found.shared = self.fast.copy(), self.shared.copy()
        found.first = self.first.copy()
        return found

    def columns(self) -> int:
        """Return how many channels a block has to have."""
        return len(self.anchor.channels)

    def add(self, block: Block, chips: Chips, now_s: float) -> None:
        """Take in a block of the right shape and epoch."""
        drive = chips.drive.real
        if np.any(chips.drive.imag != 0.0):
            self.notes.say("its challenge turns phases")
            return
        values = np.ascontiguousarray(block.values.real, dtype=np.float64)
        health = np.ascontiguousarray(block.health, dtype=np.uint16)
        for rows, use, at in _windows(self, block, chips, now_s):
            self._rows(values[rows], health[rows], drive[at], use)

    def _rows(
        self, values: Real, health: npt.NDArray[np.uint16], drive: Real,
        use: npt.NDArray[np.bool_],
    ) -> None:  # fmt: skip
        x = self.filling.add(values, health, drive, use, self.shared)
        loud = x[use & (drive != 0.0)]
        if loud.shape[0] and not self.settling:
            self.fast = keyed.advance(self.chips, loud)[-1].astype(np.float64)
        if self.filling.blurred.any():
            _zero(self.chips, self.filling.blurred)
            self.fast[self.filling.blurred] = 0.0

    def close(self) -> None:
        """End the window that is being filled."""
        sums, blurred, said = self.filling.close()
        self.notes.channels(said)
        self.ended_s = self.place.end_s()
        self.place.window += 1
        self._take(sums, blurred)

    def lose(self, count: int) -> None:
        """Take in windows of which nothing came."""
        empty = Filling.start(self.anchor).close()
        for _ in range(min(count, MOST_LOST)):
            self._take(empty[0], empty[1])
        self.gap_s += max(count - MOST_LOST, 0) * self.bank.window_s

    @property
    def settling(self) -> bool:
        """Return whether states are still to be taken from what is heard."""
        return self.gap_s >= SETTLE_S

    def _settle(self, sums: Sums) -> None:
        """Take states from the first sound second, as far as bounds and rates let them go."""
        self.first[0] += sums.s1
        self.first[1] += sums.loud
        self.first[2] += 1.0
        if self.first[2, 0] * self.bank.window_s < SETTLE_S:
            return
        s1, loud, _ = self.first
        shown = np.divide(s1, loud, out=np.zeros_like(s1), where=loud > 0.0)
        tracked = self.bank.tracked
        tracked.towards(self.anchor, shown, loud > 0.0, self.gap_s)
        tracked.doubt[:] = 1.0
        self.shared = tracked.shared(self.anchor)
        self.gap_s = 0.0
        self.first[:] = 0.0

    def _take(self, sums: Sums, blurred: npt.NDArray[np.bool_]) -> None:
        bank, loud = self.bank, sums.loud
        quiet = bool(sums.lost.all())
        self.gap_s += bank.window_s if quiet or self.settling else -self.gap_s
        if self.settling:
            if not quiet:
                self._settle(sums)
            sums = Filling.start(self.anchor).close()[0]
            loud = sums.loud
        if blurred.any():
            wipe(bank.anchored, blurred)
            wipe(bank.step, blurred)
        followed = self.shared + bank.tracked.own
        mean = np.divide(sums.s1, loud, out=np.zeros_like(loud), where=loud > 0.0)
        off = np.where(loud > 0.0, mean - followed, 0.0)
        over = np.sign(off) * np.maximum(np.abs(off) - self.anchor.step, 0.0)
        self.onset.add(over / self.anchor.noise * np.sqrt(loud))
        rows = Sums(**{each: getattr(sums, each)[None, :] for each in Sums.__slots__})
        self._shown = bank.add(rows)
        self.shared = bank.tracked.shared(self.anchor)

    def shown(self) -> Shown:
        """Return what the last window and all chips show."""
        if self._shown is None:
            self.lose(1)
            assert self._shown is not None
        shown, kept = self._shown, math.log(1.0 - CHIPS_WEIGHT)
        with np.errstate(divide="ignore"):
            chips = np.log(2.0 * self.weight * self.fast)
        return replace(
            shown, anchored=np.logaddexp(shown.anchored + kept, chips), step=shown.step + kept
        )


class FieldLive:
    """A cavity: blocks of all tones, and FOCuS on each link's distance."""

    def __init__(self, anchor: FieldAnchor, *, window_s: float) -> None:
        self.anchor = anchor
        self.bank = FieldBank(anchor, block_s=BLOCK_S)
        self.place = Place(chip_s=anchor.chip_s, size=max(1, round(BLOCK_S / anchor.chip_s)))
        self.filling = FieldFilling.start(anchor, self.place.size)
        self.onset = Onset.start(anchor.tiles, single=True)
        self.grace_s = GRACE * window_s
        self.notes = Notes(anchor.modality)
        self.gap_s = STOOD_S
        self.ended_s = math.nan
        self._shown: Shown | None = None

    def copy(self) -> FieldLive:
        """Return a copy that goes its own way."""
        found = FieldLive.__new__(FieldLive)
        found.__dict__.update(self.__dict__)
        found.bank, found.place = self.bank.copy(), self.place.copy()
        found.filling, found.onset = self.filling.copy(), self.onset.copy()
        found.notes = self.notes.copy()
        return found

    def columns(self) -> int:
        """Return how many channels a block has to have."""
        return len(self.anchor.names)

    def add(self, block: Block, chips: Chips, now_s: float) -> None:
        """Take in a block of the right shape and epoch."""
        values = np.ascontiguousarray(block.values, dtype=np.complex128)
        health = np.ascontiguousarray(block.health, dtype=np.uint16)
        for rows, use, at in _windows(self, block, chips, now_s):
            self.filling.add(values[rows], health[rows], chips.drive[at], chips.place[at], use)

    def close(self) -> None:
        """End the block that is being filled."""
        found, blurred, said = self.filling.close()
        self.notes.channels(said)
        self.ended_s = self.place.end_s()
        self.place.window += 1
        for each in self.bank.evidence:
            wipe(each, blurred)
        if self.gap_s >= SETTLE_S and not found.lost.all():
            told = np.where(found.lost[:, None], self.anchor.field, found.mean)
            self.bank.follow(told, self.gap_s)
            self.bank.doubt[:] = 1.0
            self.gap_s = 0.0
            found = FieldFilling.start(self.anchor, self.place.size).close()[0]
        else:
            self.gap_s = self.gap_s + BLOCK_S if found.lost.all() else 0.0
        self._shown = self.bank.add(found)
        chips = max(found.loud, 1) * self.anchor.field.shape[1]
        over = np.maximum(np.nan_to_num(self._shown.off) - self.anchor.bound, 0.0)
        self.onset.add(over / self.anchor.noise * math.sqrt(chips))

    def lose(self, count: int) -> None:
        """Take in blocks of which nothing came."""
        empty = FieldFilling.start(self.anchor, self.place.size)
        for _ in range(min(count, MOST_LOST)):
            self._shown = self.bank.add(empty.close()[0])
            self.onset.add(np.zeros(len(self.anchor.names)))
        self.gap_s += count * BLOCK_S

    def shown(self) -> Shown:
        """Return what the last block shows."""
        if self._shown is None:
            self.lose(1)
            assert self._shown is not None
        return self._shown


class PassiveLive:
    """Sensors that answer no challenge: one sample a window."""

    def __init__(self, anchor: PassiveAnchor, *, window_s: float) -> None:
        self.anchor = anchor
        self.bank = PassiveBank(anchor)
        self.notes = Notes(anchor.modality)
        self.last_s = math.nan
        self.late_s = GRACE * window_s + max(anchor.chip_s, window_s)
        self._shown: PassiveShown | None = None

    def copy(self) -> PassiveLive:
        """Return a copy that goes its own way."""
        found = PassiveLive.__new__(PassiveLive)
        found.__dict__.update(self.__dict__)
        found.bank, found.notes = self.bank.copy(), self.notes.copy()
        return found

    def columns(self) -> int:
        """Return how many channels a block has to have."""
        return len(self.anchor.names)

    def add(self, block: Block) -> None:
        """Take in samples in the order of their times; a clock set back is followed, and noted."""
        values = np.asarray(block.values.real, dtype=np.float64)
        flags = np.asarray(block.health).astype(np.int64)
        bad = (flags & ~int(Health.CLIPPED)) != 0
        self.notes.channels(np.bitwise_or.reduce(flags, axis=0, initial=0))
        for k, t in enumerate(np.asarray(block.t_s, dtype=np.float64).tolist()):
            if not math.isfinite(t) or t <= self.last_s:
                self.notes.say("samples OUT_OF_ORDER")
            if math.isfinite(t):
                self.last_s = t
            self._shown = self.bank.add(values[k], bad[k] | ~np.isfinite(values[k]))

    def overdue(self, now_s: float) -> None:
        """Count sensors as mute whose samples have stayed away."""
        if not now_s - self.last_s <= self.late_s:
            count = len(self.anchor.names)
            self._shown = self.bank.add(np.full(count, np.nan), np.ones(count, dtype=np.bool_))

    def shown(self) -> PassiveShown:
        """Return what the last samples show."""
        if self._shown is None:
            self.overdue(math.inf)
            assert self._shown is not None
        return self._shown


ChipsLive = KeyedLive | FieldLive


def _windows(
    live: ChipsLive, block: Block, chips: Chips, now_s: float
) -> Iterator[tuple[slice, npt.NDArray[np.bool_], npt.NDArray[np.int64]]]:
    """Yield rows of a block window by window: which, which of them count, and their chips.

    Closes each window that the stream has left behind.
    """
    place = live.place
    flags = place.align(block, chips, now_s)
    live.notes.rows(flags)
    use = flags == 0
    if not use.any():
        return
    number = np.asarray(block.chip, dtype=np.int64)
    at = np.where(use, number - chips.first, 0)
    window = np.maximum.accumulate(np.where(use, number // place.size, -1))
    first = int(window[use][0])
    if first < place.window:
        place.window = first
        live.notes.say("clock set back")
    begin = int(np.argmax(use))
    while begin < number.size:
        mine = int(window[begin])
        end = begin + int(np.searchsorted(window[begin:], mine, side="right"))
        leave(live, mine)
        yield slice(begin, end), use[begin:end], at[begin:end]
        begin = end
    if (place.last + 1) % place.size == 0:
        live.close()


def leave(live: ChipsLive, window: int) -> None:
    """Close windows before `window`; those of which nothing came count as lost."""
    place = live.place
    if place.window >= window:
        return
    live.close()
    gap = window - place.window
    if gap > 0:
        live.lose(gap)
        place.window = window
        live.ended_s = place.end_s() - place.size * place.chip_s


def overdue(live: ChipsLive, now_s: float, waited: int) -> int:
    """Close windows that should be full by `now_s`; return how many were lost while waiting.

    waited: lost so far while no chip of the epoch has come, since `place.last_s`, then.
    """
    place = live.place
    length_s = place.size * place.chip_s
    if place.last >= 0:
        since_s = now_s - live.grace_s - place.start_s()
        leave(live, int(min(max(since_s, 0.0) / length_s, 2.0**52)))
        return 0
    if math.isnan(place.last_s):
        place.last_s = now_s
    due = int(min(max(now_s - live.grace_s - place.last_s, 0.0) / length_s, 2.0**52))
    if due > waited:
        live.lose(due - waited)
        live.ended_s = now_s
    return max(due, waited)


def wipe(evidence: Evidence, which: npt.NDArray[np.bool_]) -> None:
    """Let features (F,) begin anew without evidence: a bet of e = 0, valid at any time."""
    evidence.r[which] = 0.0
    evidence.held[which] = 0.0
    evidence.spent[which] = 0.0


def _zero(state: keyed.KeyedState, which: npt.NDArray[np.bool_]) -> None:
    """The same for chips' evidence."""
    tiles = state.processes.reshape(-1, keyed_kernel.PROCESSES, keyed_kernel.TILE)
    for f in np.flatnonzero(which).tolist():
        tiles[f // keyed_kernel.TILE, :, f % keyed_kernel.TILE] = 0.0
