"""A quiet enclosure before its detectors: hours in which nobody does anything.

Boards one by one with the volume, windows in a row, surroundings as the site has them. It cannot
show a rate of one in a century; it shows a mistake in the bounds within minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from casemate.campaigns.commission import window_of
from casemate.campaigns.law import UNUSABLE, drawn_block, drawn_sums, offsets
from casemate.campaigns.ready import Ready, Sensed
from casemate.detect.anchor import Anchor, FieldAnchor, PassiveAnchor
from casemate.detect.bank import Bank, PassiveBank, PassiveShown, Shown
from casemate.detect.blocks import BLOCK_S
from casemate.detect.field import FieldBank
from casemate.detect.response import ALERT, SEAL
from casemate.detect.verdict import Court
from casemate.sensors.modality import Reading
from casemate.twin.conditions import course
from casemate.twin.line_materials import Real

STEP_S = 1.0
"""Between changes of surroundings; windows within a step share them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What came of it. enclosure_s: time of the whole enclosure that the boards' time stands for.

    sealed, alerts: boards' runs that reached these levels. margin: most evidence less the seal's
    threshold, nats.
    """

    enclosure_s: float
    runs: int
    sealed: int
    alerts: int
    margin: float


def quiet(
    ready: Ready,
    *,
    seconds: float,
    boards: int,
    seed: int,
    say: Callable[[str], None] = lambda _text: None,
) -> Quiet:
    """Return what `boards` boards, evenly chosen, do in `seconds` of quiet each."""
    names = list(ready.twin.boards)
    chosen = [names[k] for k in np.unique(np.linspace(0, len(names) - 1, boards).astype(int))]
    sealed = alerts = 0
    most, weight = -np.inf, 0.0
    for number, tile in enumerate(chosen):
        say(f"quiet board {tile}")
        level, nats, share = _board(ready, tile, seconds, (seed, number))
        sealed += level >= SEAL
        alerts += level >= ALERT
        most = max(most, nats - ready.policy.nats[SEAL])
        weight += share
    return Quiet(
        enclosure_s=weight * seconds,
        runs=len(chosen),
        sealed=sealed,
        alerts=alerts,
        margin=float(most),
    )


def _board(
    ready: Ready, tile: str, seconds: float, seed: tuple[int, int]
) -> tuple[int, float, float]:
    """Return the worst level and nats of a board's run, and the share of features that it has."""
    sensed = ready.sensed((tile,))
    times_s = np.arange(0.0, seconds, STEP_S)
    run = course(ready.twin, (), times_s, np.random.default_rng([*seed, 0]))
    court = Court(policy=ready.policy)
    live = [_Quiet(each, times_s, np.random.default_rng([*seed, 1, k]))
            for k, each in enumerate(sensed)]  # fmt: skip
    level, nats = 0, -np.inf
    for k, now in enumerate(run.steps):
        for each in live:
            each.step(k, each.sensed.fitted.read(now))
        judged = court.judge(
            float(times_s[k]) + STEP_S,
            tuple(each.shown for each in live if isinstance(each.shown, Shown)),
            tuple(each.shown for each in live if isinstance(each.shown, PassiveShown)),
            seconds=STEP_S,
        )
        level, nats = max(level, judged.level), max(nats, judged.nats)
    mine = sum(len(each.anchor.names) for each in sensed if isinstance(each.anchor, Anchor))
    return level, nats, mine / ready.policy.features


class _Quiet:
    """One modality through quiet."""

    def __init__(self, sensed: Sensed, times_s: Real, generator: np.random.Generator) -> None:
        self.sensed = sensed
        self.generator = generator
        self.extra = sensed.fitted.nuisance(times_s, generator)
        self.shown: Shown | PassiveShown | None = None
        anchor = sensed.anchor
        self.bank: Bank | FieldBank | PassiveBank
        if isinstance(anchor, Anchor):
            self.window_s = window_of(anchor.chip_s, anchor.visits)
            self.bank = Bank(anchor, window_s=self.window_s)
        elif isinstance(anchor, FieldAnchor):
            self.window_s = BLOCK_S
            self.bank = FieldBank(anchor, block_s=BLOCK_S)
        else:
            assert isinstance(anchor, PassiveAnchor)
            self.window_s = STEP_S
            self.bank = PassiveBank(anchor)

    def step(self, k: int, reading: Reading) -> None:
        """Take in one step of surroundings."""
        fitted, extra = self.sensed.fitted, self.extra[k]
        count = max(1, round(STEP_S / self.window_s))
        if isinstance(self.bank, Bank):
            if k == 0:
                off = offsets(self.bank.anchor, np.real(reading.quantity) + np.real(extra))
                self.bank.tracked.towards(self.bank.anchor, off, np.isfinite(off), 1e6)
            sums = drawn_sums(self.bank.anchor, reading, fitted.noise, np.real(extra),
                              self.window_s, count, self.generator)  # fmt: skip
            self.shown = self.bank.add(sums)
        elif isinstance(self.bank, FieldBank):
            if k == 0:
                self.bank.settle(reading.quantity + extra)
            for _ in range(count):
                block = drawn_block(self.bank.anchor, reading, fitted.noise,
                                    np.asarray(extra, dtype=np.complex128), BLOCK_S,
                                    self.generator)  # fmt: skip
                self.shown = self.bank.add(block)
        else:
            noise = fitted.noise * self.generator.standard_normal(fitted.noise.size)
            values = np.real(reading.quantity) + np.real(extra) + noise
            self.shown = self.bank.add(values, (reading.health & UNUSABLE) != 0)
