"""One modality's detector on windows that are drawn by their law, not made chip by chip."""

from __future__ import annotations

import numpy as np

from casemate.campaigns.commission import window_of
from casemate.campaigns.law import UNUSABLE, drawn_block, drawn_sums, offsets
from casemate.campaigns.ready import Sensed
from casemate.detect.anchor import Anchor, FieldAnchor
from casemate.detect.bank import LEVELS, Bank, Shown
from casemate.detect.blocks import BLOCK_S
from casemate.detect.field import FieldBank
from casemate.detect.passive import PassiveBank, PassiveShown
from casemate.sensors.modality import Fitted, Reading
from casemate.twin.conditions import WINDOW_S
from casemate.twin.line_materials import Real

STEPS = 6
"""In which tracked states cross a time that is not looked at."""


class Drawn:
    """A fitted modality with its detector and its own surroundings at instants `times_s`.

    window_s: of its keyed windows, a cavity's blocks or a passive sensor's samples.
    """

    def __init__(
        self, sensed: Sensed, times_s: Real, generator: np.random.Generator, *,
        levels: int = LEVELS,
    ) -> None:  # fmt: skip
        self.fitted: Fitted = sensed.fitted
        self.anchor = sensed.anchor
        self.generator = generator
        self.extra = sensed.fitted.nuisance(times_s, generator)
        self.shown: Shown | PassiveShown | None = None
        self.levels = levels
        self.window_s = WINDOW_S
        if isinstance(self.anchor, Anchor):
            self.window_s = window_of(self.anchor.chip_s, self.anchor.visits)
        elif isinstance(self.anchor, FieldAnchor):
            self.window_s = BLOCK_S
        self.bank = self._started()

    def _started(self) -> Bank | FieldBank | PassiveBank:
        if isinstance(self.anchor, Anchor):
            return Bank(self.anchor, window_s=self.window_s, levels=self.levels)
        if isinstance(self.anchor, FieldAnchor):
            return FieldBank(self.anchor, block_s=BLOCK_S)
        return PassiveBank(self.anchor)

    def afresh(self) -> None:
        """Drop evidence, keep tracked states."""
        if isinstance(self.bank, PassiveBank):
            self.bank.afresh()
            return
        bank, new = self.bank, self._started()
        if isinstance(bank, Bank) and isinstance(new, Bank):
            new.tracked, new.silence = bank.tracked, bank.silence
        elif isinstance(bank, FieldBank) and isinstance(new, FieldBank):
            new.take_states(bank)
        self.bank = new

    def take(self, k: int, reading: Reading, count: int) -> None:
        """Take in `count` windows, blocks or samples of a reading at instant `k`."""
        if isinstance(self.bank, Bank):
            if count > 0:
                sums = drawn_sums(
                    self.bank.anchor, reading, self.fitted.noise, np.real(self.extra[k]),
                    self.window_s, count, self.generator,
                )  # fmt: skip
                self.shown = self.bank.add(sums)
            return
        if isinstance(self.bank, PassiveBank):
            if count > 0:
                noise = self.generator.standard_normal((count, self.fitted.noise.size))
                lost = np.tile((reading.health & UNUSABLE) != 0, (count, 1))
                values = self._stood(k, reading) + self.fitted.noise * noise
                self.shown = self.bank.add(values, lost)
            return
        for _ in range(count):
            block = drawn_block(
                self.bank.anchor, reading, self.fitted.noise,
                np.asarray(self.extra[k], dtype=np.complex128), BLOCK_S, self.generator,
            )  # fmt: skip
            self.shown = self.bank.add(block)

    def _stood(self, k: int, reading: Reading) -> Real:
        """Return what passive sensors (C,) stand in at instant `k`, without noise."""
        return np.asarray(np.real(reading.quantity) + np.real(self.extra[k]))

    def off(self, k: int, reading: Reading) -> Real:
        """Return each feature's relative change (F,) at instant `k`, of a keyed modality."""
        assert isinstance(self.anchor, Anchor)
        return offsets(self.anchor, np.real(reading.quantity) + np.real(self.extra[k]))

    def speaks(self, k: int, reading: Reading) -> bool:
        """Return whether evidence can grow at instant `k`: a change beyond what is followed."""
        if isinstance(self.bank, FieldBank):
            return self.bank.beyond(reading.quantity + self.extra[k])
        if isinstance(self.bank, Bank):
            return self.bank.beyond(self.off(k, reading)) or bool(reading.health.any())
        return self.bank.speaks(self._stood(k, reading), (reading.health & UNUSABLE) != 0)

    def settle(self, k: int, reading: Reading) -> None:
        """Let tracked states stand where surroundings have brought them by instant `k`."""
        if isinstance(self.bank, Bank):
            off = self.off(k, reading)
            self.bank.tracked.stand(self.bank.anchor, off, np.isfinite(off))
        elif isinstance(self.bank, FieldBank):
            self.bank.settle(reading.quantity + self.extra[k])
        else:
            self.bank.stand(self._stood(k, reading), (reading.health & UNUSABLE) != 0)

    def pass_time(self, k: int, reading: Reading, later: Reading, seconds: float) -> None:
        """Let tracked states follow from a reading at instant `k` to the next, without noise."""
        last = min(k + 1, len(self.extra) - 1)
        if isinstance(self.bank, FieldBank):
            self.bank.follow(later.quantity + self.extra[last], seconds)
        if isinstance(self.bank, PassiveBank):
            # it may have come slowly: filters have followed, as far as the bound lets them
            self.bank.stand(self._stood(last, later), (later.health & UNUSABLE) != 0)
        if not isinstance(self.bank, Bank):
            return
        start, end = self.off(k, reading), self.off(last, later)
        sound = np.ones(start.size, dtype=np.bool_)
        # shorter and shorter: the last is a window, as those that follow
        left = min(self.window_s / seconds, 1.0) ** (np.arange(1, STEPS + 1) / STEPS)
        steps = -np.diff(np.concatenate([[1.0], left[:-1], [0.0]]))
        for share, done in zip(steps.tolist(), np.cumsum(steps).tolist(), strict=True):
            way = start + done * (end - start)
            self.bank.tracked.towards(self.bank.anchor, way, sound, share * seconds, self.window_s)
