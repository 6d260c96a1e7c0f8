"""Chip by chip: a bank on a small anchor, its surroundings at the anchor's own figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from casemate.campaigns.commission import anchor_of, window_of
from casemate.detect.anchor import NONE, Anchor
from casemate.detect.bank import Bank, Shown, chips_of
from casemate.detect.evidence import Sums

Injected = Callable[[float, "World"], np.ndarray | None]
"""Takes a time and the world before a window; returns w (n + q, F), loud chips first, or None."""
SMALL = {
    # chip s, noise a chip, spread, memory s, sizes of groups, common, its rate 1/s, must
    "loops": (1e-3, 2e-4, 2.2e-4, 600.0, (8,), 0.236, 7.9e-5, 0.5),
    "capacitances": (1e-3, 1.1e-5, 2e-5, 3600.0, (6, 8), 0.048, 6.7e-6, 0.01),
    "few chips": (8e-3, 1e-3, 1e-3, 100.0, (), 0.0, 0.0, 0.05),
}


def small_anchor(kind: str, alone: int = 6, *, heat: float = 1.0) -> tuple[Anchor, float, float]:
    """Return an anchor of grouped features and `alone` ungrouped ones, its spread and memory.

    heat: by how much faster than usual somebody can make common modes move.
    """
    chip_s, noise, spread, memory_s, sizes, common, rate, must = SMALL[kind]
    group = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), np.full(alone, NONE)])
    count = group.size
    weight = np.zeros((count, 2))
    weight[:, 0] = 1.0
    fitted = SimpleNamespace(
        id=kind,
        chip_s=chip_s,
        channels=tuple(SimpleNamespace(id=f"c/{k}") for k in range(count)),
        nominal=np.ones(count),
    )
    anchor = anchor_of(
        fitted,
        names=tuple(f"f{k}" for k in range(count)),
        tiles=("tile",) * count,
        pairs=(np.arange(count), np.full(count, NONE), weight),
        group=group.astype(np.int64),
        noise=np.full(count, noise),
        spread=np.full(count, spread),
        memory_s=memory_s,
        must=must,
        common=np.full(len(sizes), common),
        usual=rate,
        common_rate=np.full(len(sizes), heat * rate),
        visits=1.0,
    )
    return anchor, spread, memory_s


class World:
    """Surroundings that walk, common modes that rise and fall as steeply as an anchor lets them."""

    def __init__(self, kind: str, seed: int, *, levels: int = 12, heat: float = 1.0) -> None:
        self.anchor, self.spread, self.memory_s = small_anchor(kind, heat=heat)
        self.generator = np.random.default_rng(seed)
        self.window_s = window_of(self.anchor.chip_s, self.anchor.visits)
        self.loud, self.quiet = chips_of(self.anchor.chip_s, self.anchor.visits, self.window_s)
        self.bank = Bank(self.anchor, window_s=self.window_s, levels=levels)
        self.own = self.spread * self.generator.standard_normal(len(self.anchor.names))
        self.common = np.zeros(self.anchor.common.size)
        self.rate = self.anchor.common_rate
        sound = np.ones(self.own.size, dtype=bool)
        self.bank.tracked.stand(self.anchor, self.own, sound)
        self.time_s, self.turn_s = 0.0, 200.0
        self.offset = np.zeros(self.own.size)
        self.shown: Shown | None = None

    def step(self, inject: Injected | None = None, lost: bool = False) -> Shown:
        """Play one window."""
        g, anchor = self.generator, self.anchor
        rho = math.exp(-self.window_s / self.memory_s)
        self.own = rho * self.own + self.spread * math.sqrt(1 - rho**2) * g.standard_normal(
            self.own.size
        )
        rising = self.time_s % (2.0 * self.turn_s) < self.turn_s
        self.common = self.common + self.rate * self.window_s * (1.0 if rising else -1.0)
        shared = np.where(anchor.group == NONE, 0.0, np.append(self.common, 0.0)[anchor.group])
        shape = (self.loud + self.quiet, self.own.size)
        heard = anchor.noise * g.standard_normal(shape)
        extra = inject(self.time_s, self) if inject else None
        heard = heard if extra is None else heard + extra
        signs = g.choice([-1.0, 1.0], (self.loud, self.own.size))
        x = self.own + shared + self.offset + signs * heard[: self.loud]
        there = np.full((1, self.own.size), 0.0 if lost else 1.0)
        power = (heard[self.loud :] ** 2).mean(axis=0) / anchor.noise**2
        self.time_s += self.window_s
        self.shown = self.bank.add(
            Sums(
                s1=there * x.sum(axis=0),
                s2=there * (x**2).sum(axis=0),
                loud=there * self.loud,
                quiet_power=there * power,
                quiet=there * self.quiet,
                open_=np.zeros(there.shape, bool),
                lost=there == 0.0,
            )
        )
        return self.shown

    def error(self) -> float:
        """Return how far the first common mode's state is off."""
        return float(self.bank.tracked.common[0] - self.common[0]) if self.common.size else 0.0


def fused(shown: Shown) -> float:
    """Return ln of the mean of evidence over features."""
    return float(np.logaddexp.reduce(shown.nats)) - math.log(len(shown.names))
