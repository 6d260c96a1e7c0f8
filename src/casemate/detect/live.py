"""One modality that runs: blocks of a reader in, what its detectors show out, whatever comes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Chips
from casemate.core.samples import Block, Health, dense
from casemate.detect import keyed, whole
from casemate.detect._live_kernel import beyond
from casemate.detect.anchor import Anchor, FieldAnchor, PassiveAnchor, Real
from casemate.detect.bank import (
    CHIPS_WEIGHT,
    Bank,
    Shown,
    chips_of,
)
from casemate.detect.blocks import BLOCK_S, FieldFilling, Filling, Place, window_of
from casemate.detect.evidence import Sums
from casemate.detect.field import Block as FieldBlock
from casemate.detect.field import FieldBank
from casemate.detect.linear import Linear
from casemate.detect.notes import Notes
from casemate.detect.onset import Onset
from casemate.detect.passive import PassiveBank, PassiveShown
from casemate.detect.stream import windows, wipe, wipe_chips
from casemate.detect.tracked import RESTLESS
from casemate.detect.turned import Turned, turn

GRACE = 2.0
"""Of a policy's windows, after which a window that is not full is closed (planning value)."""
SETTLE_S = 1.0
"""Of sound windows from which states are taken at the start and after as long a gap: until then
nothing is known of the surroundings, so nothing can be told (planning value)."""
STOOD_S = 1e6
"""For which an enclosure has stood before its detector starts, so that states lie anywhere within
their bounds."""
SURE = 8.0
"""Standard deviations that a state taken in a second is allowed to be off."""
MOST_LOST = 64
"""Lost windows that are fed at once; more change nothing."""


class KeyedLive:
    """A modality whose features answer signs or levels: windows, chips and FOCuS."""

    def __init__(self, anchor: Anchor, *, window_s: float, single: bool, levels: int) -> None:
        mine_s = window_of(anchor.chip_s, anchor.visits, window_s)
        self.anchor = anchor
        self.bank = Bank(anchor, window_s=mine_s, levels=levels)
        self.place = Place(chip_s=anchor.chip_s, size=max(1, round(mine_s / anchor.chip_s)))
        self.filling = Filling.start(anchor)
        self.linear = Linear(anchor=anchor)
        self.chips = keyed.start(anchor.bound / anchor.noise)
        self.weight = CHIPS_WEIGHT * min(1.0, anchor.chip_s / window_s)
        self.onset = Onset.start(anchor.tiles, single=single)
        self.grace_s = GRACE * window_s
        self.notes = Notes(anchor.modality)
        self.fast = np.zeros(len(anchor.names))
        self.evidence = np.empty((1, len(anchor.names)), dtype=np.float32)
        self.shared = np.zeros(len(anchor.names))
        self.gap_s = STOOD_S
        self.first = np.zeros((3, len(anchor.names)))
        self.ended_s = math.nan
        self._shown: Shown | None = None
        self._told: Shown | None = None
        self._last: Turned | None = None

    def copy(self) -> KeyedLive:
        """Return a copy that goes its own way."""
        found = KeyedLive.__new__(KeyedLive)
        found.__dict__.update(self.__dict__)
        found.bank, found.place = self.bank.copy(), self.place.copy()
        found.filling, found.chips = self.filling.copy(), self.chips.copy()
        found.onset, found.notes = self.onset.copy(), self.notes.copy()
        found.linear = self.linear.copy()
        found.fast, found.shared = self.fast.copy(), self.shared.copy()
        found.first, found.evidence = self.first.copy(), self.evidence.copy()
        return found

    def columns(self) -> int:
        """Return how many channels a block has to have."""
        return len(self.anchor.channels)

    def forget(self, which: npt.NDArray[np.bool_]) -> None:
        """Drop the evidence of features (F,); their states stay."""
        self._told = None
        for each in (self.bank.anchored, self.bank.step):
            wipe(each, which)
        wipe_chips(self.chips, which)
        self.fast[which] = 0.0

    def add(self, block: Block, chips: Chips, now_s: float) -> None:
        """Take in a block of the right shape and epoch."""
        if self._whole(block, chips):
            return
        drive = chips.drive.real
        if chips.drive.imag.any():
            self.notes.say("its challenge turns phases")
            return
        values = dense(block.values.real, np.float64)
        health = dense(block.health, np.uint16)
        for rows, use, at in windows(self, block, chips, now_s):
            self._rows(values[rows], health[rows], drive[at], use)

    def _whole(self, block: Block, chips: Chips) -> bool:
        """Take in a block that is one calm window; return whether it was."""
        return self.gap_s + self.bank.window_s < SETTLE_S and whole.take(self, block, chips)

    def _rows(
        self, values: Real, health: npt.NDArray[np.uint16], drive: Real,
        use: npt.NDArray[np.bool_],
    ) -> None:  # fmt: skip
        self._told = None
        loud = self.filling.add(values, health, drive, use, self.shared)
        whole = (self.place.last + 1) % self.place.size == 0  # then no rows come before `close`
        self.linear.take(drive[use & (drive != 0.0)], loud if whole else loud.copy())
        if loud.shape[0] and not self.settling:
            self.fast = keyed.advance(self.chips, loud, out=self.evidence)[-1].astype(np.float64)
        if self.filling.blurred.any():
            wipe_chips(self.chips, self.filling.blurred)
            self.fast[self.filling.blurred] = 0.0

    def close(self) -> None:
        """End the window that is being filled."""
        bank, filling = self.bank, self.filling
        self.linear.close(bank.tracked, filling.blurred, use=not self.settling)
        self.ended_s = self.place.end_s()
        self.place.window += 1
        if self.gap_s + bank.window_s < SETTLE_S and self._turned():
            return
        sums, blurred, said = filling.close()
        self.notes.channels(said)
        self._take(sums, blurred)

    def _turned(self) -> bool:
        """End the window by the quick way; return whether that was possible."""
        bank, filling = self.bank, self.filling
        if filling.blurred.any():
            wipe(bank.anchored, filling.blurred)
            wipe(bank.step, filling.blurred)
        found = turn(
            bank, filling, self.shared, self.fast, 2.0 * self.weight, self.linear.nats
        )  # fmt: skip
        if found is None:
            return False
        if found.said:
            self.notes.channels(filling.said)
            filling.said[:] = 0
        self.gap_s = self.gap_s + bank.window_s if found.lost else 0.0
        self.onset.take(found.over)
        self._shown, self._told, self._last = None, found.told, found
        return True

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
        """Take states from the first calm second, as far as bounds and rates let them go.

        A window counts if half of its features are calm: no jammer at the start shall set them.
        """
        mean = sums.s1 / np.maximum(sums.loud, 1.0)
        scatter = (sums.s2 - sums.loud * mean**2) / np.maximum(sums.loud - 1.0, 1.0)
        calm = (scatter <= RESTLESS * self.anchor.noise**2) & (sums.loud > 1.0) & ~sums.open_
        if calm.mean() < 0.5:
            return
        self.first[0] += np.where(calm, sums.s1, 0.0)
        self.first[1] += np.where(calm, sums.loud, 0.0)
        self.first[2] += 1.0
        if self.first[2, 0] * self.bank.window_s < SETTLE_S:
            return
        s1, loud, _ = self.first
        shown = np.divide(s1, loud, out=np.zeros_like(s1), where=loud > 0.0)
        tracked = self.bank.tracked
        tracked.towards(self.anchor, shown, loud > 0.0, self.gap_s, self.bank.window_s)
        # until the state has been followed for longer, the sensitive test allows for its noise
        slack = SURE * self.anchor.noise / np.sqrt(np.maximum(loud, 1.0))
        tracked.doubt[:] = np.where(loud > 0.0, _share(slack, 2.0 * self.anchor.bound), 1.0)
        self.shared = tracked.shared(self.anchor)
        self.gap_s = 0.0
        self.first[:] = 0.0

    def _take(self, sums: Sums, blurred: npt.NDArray[np.bool_]) -> None:
        bank = self.bank
        quiet = bool(sums.lost.all())
        self.gap_s += bank.window_s if quiet or self.settling else -self.gap_s
        if blurred.any():
            wipe(bank.anchored, blurred)
            wipe(bank.step, blurred)
        if self.settling:
            self._show(Filling.start(self.anchor).close()[0])
            if not quiet:
                self._settle(sums)
        else:
            self._show(sums)

    def _show(self, sums: Sums) -> None:
        bank, anchor = self.bank, self.anchor
        over = np.empty(anchor.noise.size)
        beyond(
            sums.s1, sums.loud, self.shared, bank.tracked.own, anchor.step, anchor.noise, over
        )  # fmt: skip
        self.onset.add(over)
        self._shown, self._told, self._last = bank.add(sums.as_rows()), None, None
        self.shared = bank.tracked.shared(self.anchor)

    def shown(self) -> Shown:
        """Return what the last window and all chips show."""
        if self._told is None:
            if self._shown is None and self._last is not None:
                self._shown = self._last.shown()
            if self._shown is None:
                self.lose(1)
                assert self._shown is not None
            self._told = self._shown.with_chips(self.fast, 2.0 * self.weight, self.linear.nats)
        return self._told


class FieldLive:
    """A cavity: blocks of all tones, and FOCuS on each link's distance."""

    def __init__(self, anchor: FieldAnchor, *, window_s: float) -> None:
        self.anchor = anchor
        self.bank = FieldBank(anchor, block_s=BLOCK_S)
        self.place = Place(chip_s=anchor.chip_s, size=max(1, round(BLOCK_S / anchor.chip_s)))
        self.filling = FieldFilling.start(anchor, self.place.size)
        self.onset = Onset.start(anchor.tiles, single=True)
        self.healthy = _healthy(anchor)
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

    def forget(self, which: npt.NDArray[np.bool_]) -> None:
        """Drop the evidence of links (L,)."""
        for each in self.bank.evidence:
            wipe(each, which)

    def add(self, block: Block, chips: Chips, now_s: float) -> None:
        """Take in a block of the right shape and epoch."""
        values = dense(block.values, np.complex128)
        health = dense(block.health, np.uint16)
        for rows, use, at in windows(self, block, chips, now_s):
            self.filling.add(values[rows], health[rows], chips.drive[at], chips.place[at], use)

    def close(self) -> None:
        """End the block that is being filled."""
        found, blurred, said = self.filling.close()
        self.notes.channels(said)
        self.ended_s = self.place.end_s()
        self.place.window += 1
        if blurred.any():
            for each in self.bank.evidence:
                wipe(each, blurred)
        if self.gap_s >= SETTLE_S:
            self._show(FieldFilling.start(self.anchor, self.place.size).close()[0])
            self._settle(found)
            return
        self.gap_s = self.gap_s + BLOCK_S if found.lost.all() else 0.0
        shown = self._show(found)
        chips = max(found.loud, 1) * self.anchor.field.shape[1]
        over = np.maximum(np.nan_to_num(shown.off) - self.anchor.bound, 0.0)
        self.onset.add(over / self.anchor.noise * math.sqrt(chips))

    def _settle(self, found: FieldBlock) -> None:
        """Take the field from the first calm block, as far as its bound and rate let it go."""
        anchor = self.anchor
        unit = (anchor.noise * self.bank.size) ** 2
        free = 2.0 * max(found.loud - 1, 1) * anchor.field.shape[1]
        power = (found.scatter[..., 0] + found.scatter[..., 2]).sum(axis=1) / free / unit
        calm = ~found.lost & (power <= RESTLESS) & (found.loud > 1)
        self.gap_s += BLOCK_S
        if calm.mean() >= 0.5:
            self.bank.follow(np.where(calm[:, None], found.mean, anchor.field), self.gap_s)
            slack = 2.0 * anchor.noise / math.sqrt(found.loud)
            self.bank.doubt[:] = np.where(calm, _share(slack, 2.0 * anchor.bound), 1.0)
            self.gap_s = 0.0

    def lose(self, count: int) -> None:
        """Take in blocks of which nothing came."""
        empty = FieldFilling.start(self.anchor, self.place.size)
        for _ in range(min(count, MOST_LOST)):
            self._show(empty.close()[0])
            self.onset.add(np.zeros(len(self.anchor.names)))
        self.gap_s += count * BLOCK_S

    def shown(self) -> Shown:
        """Return what the last block shows, against what a whole one would."""
        if self._shown is None:
            self.lose(1)
            assert self._shown is not None
        return self._shown

    def _show(self, block: FieldBlock) -> Shown:
        self._shown = shown = self.bank.add(block, self.healthy)
        return shown


def _share(part: Real, whole: Real) -> Real:
    """Return part over whole, at most 1, which it is where there is no whole."""
    found = np.divide(part, whole, out=np.ones_like(part), where=whole > 0.0)
    return np.asarray(np.minimum(found, 1.0))


def _healthy(anchor: FieldAnchor) -> Real:
    """Return nats (L,) that a whole block brings about the least change that must be caught."""
    loud, _ = chips_of(anchor.chip_s, anchor.visits, BLOCK_S)
    chips = loud * anchor.field.shape[1]
    beyond = np.maximum(anchor.must - anchor.bound, 0.0)
    return np.asarray(np.minimum(0.5 * (beyond / anchor.noise) ** 2, math.log(2.0)) * chips)


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

    def forget(self, which: npt.NDArray[np.bool_]) -> None:
        """Drop the evidence of sensors (C,)."""
        self.bank.forget(which)

    def add(self, block: Block) -> None:
        """Take in samples in the order of their times; a clock set back is followed, and noted."""
        values = dense(block.values.real, np.float64)
        bad = np.zeros(values.shape, dtype=np.bool_)
        if block.health.any():
            flags = np.asarray(block.health).astype(np.int64)
            bad = (flags & ~int(Health.CLIPPED)) != 0
            self.notes.channels(np.bitwise_or.reduce(flags, axis=0, initial=0))
        for k, t in enumerate(np.asarray(block.t_s, dtype=np.float64).tolist()):
            if not math.isfinite(t) or t <= self.last_s:
                self.notes.say("samples OUT_OF_ORDER")
            if math.isfinite(t):
                self.last_s = t
            self._shown = self.bank.add(values[k : k + 1], bad[k : k + 1])

    def overdue(self, now_s: float) -> None:
        """Count sensors as mute whose samples have stayed away."""
        if not now_s - self.last_s <= self.late_s:
            count = len(self.anchor.names)
            nothing = np.full((1, count), np.nan)
            self._shown = self.bank.add(nothing, np.ones((1, count), dtype=np.bool_))

    def shown(self) -> PassiveShown:
        """Return what the last samples show."""
        if self._shown is None:
            self.overdue(math.inf)
            assert self._shown is not None
        return self._shown
