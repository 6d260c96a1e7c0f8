"""A board's detectors under an abstract attack, as many copies side by side in one bank.

Each copy is the same anchor with its own surroundings, noise and displacement, so a thousand
attacks cost as much as one with a thousand features. Surroundings are Ornstein-Uhlenbeck walks at
the anchor's own figures: an eighth of `bound`, with the memory that its `rate` was set for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.campaigns.commission import BOUND, window_of
from casemate.campaigns.law import sums_of
from casemate.detect.anchor import NONE, Anchor, Real
from casemate.detect.bank import LEVELS, Bank, Shown, chips_of
from casemate.detect.evidence import Evidence
from casemate.detect.silence import Silence
from casemate.detect.tracked import MEMORY_S, Tracked

FINE_S = (20.0, 10.0, 7.0, 5.0, 3.0, 2.0, 2.0, 1.0)
"""Steps in which states are followed up to the next windows: five memories, ever finer."""
COARSE = 2
"""Steps for all time before."""
ENDLESS = 1e6
"""Bound and rate of a baseline that learns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """Faults planted in the detectors, as controls. learns: states follow whatever comes, without

    bounds, as adaptive baselines do. mute: what is beside the challenge is not heard. bound: what
    the anchor's bounds are multiplied by.
    """

    learns: bool = False
    mute: bool = False
    bound: float = 1.0


SOUND = Weakness()


class _Mute(Silence):
    """Silence that hears nothing, however loud it is."""

    __slots__ = ()

    def louder(self) -> Real:
        return np.ones_like(self.power)

    def nats(self) -> Real:
        return np.zeros_like(self.power)


def part_of(anchor: Anchor, features: npt.NDArray[np.int64], copies: int = 1) -> Anchor:
    """Return an anchor with some features of another, `copies` times one after the other."""
    group = anchor.group[features]
    known = [each for each in dict.fromkeys(group.tolist()) if each != NONE]
    new = np.array([known.index(each) if each != NONE else NONE for each in group.tolist()])
    shift = np.repeat(np.arange(copies) * len(known), features.size)
    tiled = np.tile(new, copies)
    many = np.tile(features, copies)
    modes = np.tile(np.array(known, dtype=np.int64), copies)
    return replace(
        anchor,
        tiles=tuple(anchor.tiles[f] for f in many.tolist()),
        names=tuple(anchor.names[f] for f in many.tolist()),
        first=anchor.first[many],
        second=anchor.second[many],
        weight=anchor.weight[many],
        group=np.where(tiled == NONE, NONE, tiled + shift).astype(np.int64),
        noise=anchor.noise[many],
        bound=anchor.bound[many],
        step=anchor.step[many],
        must=anchor.must[many],
        rate=anchor.rate[many],
        common=anchor.common[modes],
        common_rate=anchor.common_rate[modes],
    )


def weakened(anchor: Anchor, weakness: Weakness) -> Anchor:
    """Return an anchor with a planted weakness."""
    if weakness.learns:
        many, modes = np.full(len(anchor.names), ENDLESS), np.full(anchor.common.size, ENDLESS)
        return replace(anchor, bound=many, rate=many, common=modes, common_rate=modes)
    return replace(anchor, bound=weakness.bound * anchor.bound)


def walk_of(anchor: Anchor) -> tuple[Real, Real]:
    """Return spread and memory (s) of each feature's surroundings, (F,) each.

    commission: rate = 8 behind / MEMORY_S, behind^2 = spread^2 t/(t + T) besides noise's share.
    """
    spread = anchor.bound / BOUND
    behind = anchor.rate * MEMORY_S / BOUND
    share = np.clip((behind / np.maximum(spread, 1e-300)) ** 2, 1e-9, 0.5)
    return spread, MEMORY_S * (1.0 / share - 1.0)


class Copies:
    """N copies of a board's features with their bank, surroundings and noise.

    shift (F,): what a displacement of 1 does to the features of one copy.
    """

    def __init__(
        self,
        anchor: Anchor,
        shift: Real,
        copies: int,
        generator: np.random.Generator,
        weakness: Weakness = SOUND,
    ) -> None:
        self.anchor, self.copies, self.generator = anchor, copies, generator
        self.features = len(anchor.names)
        self.shift = shift
        every = np.arange(self.features, dtype=np.int64)
        self.window_s = window_of(anchor.chip_s, anchor.visits)
        self.chips = chips_of(anchor.chip_s, anchor.visits, self.window_s)
        tiled = part_of(anchor, every, copies)
        spread, self.memory_s = walk_of(tiled)
        self.noise = tiled.noise
        self.bank = Bank(weakened(tiled, weakness), window_s=self.window_s)
        self.bank.tracked = Tracked.settled(self.bank.anchor)
        if weakness.mute:
            self.bank.silence = _Mute.start(self.noise)
        self.spread = spread
        self.around = spread * generator.standard_normal(spread.size)
        self.bank.tracked.own[:] = np.clip(self.around, -tiled.bound, tiled.bound)
        self.follow(lambda _: np.zeros(copies), 0.0, sum(FINE_S))

    def watch(self, moved: Real, louder: Real, louder_silent: Real | None = None) -> Shown:
        """Return what K windows show. moved (K, N): displacements. louder (K,): see `sums_of`."""
        count = moved.shape[0]
        off = np.repeat(moved, self.features, axis=1) * np.tile(self.shift, self.copies)
        off += self._wandered(count)
        silent = None if louder_silent is None else louder_silent[:, None]
        sums = sums_of(
            off, louder[:, None], self.noise, self.chips, self.generator, louder_silent=silent
        )
        return self.bank.add(sums)

    def follow(self, moved: Callable[[float], Real], start_s: float, end_s: float) -> None:
        """Let states follow from one time to another without noise. moved: displacements (N,)."""
        gap_s = end_s - start_s
        fine, left_s = [], gap_s
        for step in reversed(FINE_S):
            fine.append(min(step, left_s))
            left_s -= fine[-1]
            if left_s <= 0.0:
                break
        steps = [*([left_s / COARSE] * COARSE if left_s > 0.0 else []), *reversed(fine)]
        sound = np.ones(self.noise.size, dtype=np.bool_)
        now_s = start_s
        for step in steps:
            now_s += step
            self._wander(step)
            shown = np.repeat(moved(now_s), self.features) * np.tile(self.shift, self.copies)
            self.bank.tracked.towards(
                self.bank.anchor, shown + self.around, sound, step, self.window_s
            )

    def afresh(self) -> None:
        """Drop evidence, keep states."""
        self.bank.anchored = Evidence.start(self.noise.size, LEVELS)
        self.bank.step = Evidence.start(self.noise.size, LEVELS)

    def fused(self, shown: Shown, features: int) -> Real:
        """Return each copy's part of the mean evidence over `features`, nats, (N,)."""
        rows = shown.nats.reshape(self.copies, self.features)
        return np.asarray(np.logaddexp.reduce(rows, axis=1) - math.log(features))

    def _wandered(self, count: int) -> Real:
        """Return surroundings in `count` windows on end, (K, N F)."""
        drawn = self.generator.standard_normal((count, self.around.size))
        keep = np.exp(-self.window_s / self.memory_s)
        rows = self.spread * np.sqrt(1.0 - keep**2) * drawn
        rows[0] += keep * self.around
        for k in range(1, count):
            rows[k] += keep * rows[k - 1]
        self.around = rows[-1]
        return rows

    def _wander(self, seconds: float) -> None:
        keep = np.exp(-seconds / self.memory_s)
        drawn = self.generator.standard_normal(keep.size)
        self.around = keep * self.around + self.spread * np.sqrt(1.0 - keep**2) * drawn
