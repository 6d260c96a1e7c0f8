"""The end of one keyed window in one compiled call: the same as its steps one after the other.

`live` has the steps, and takes them where states are still unknown or sums are no numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from casemate.detect import _turn_kernel as kernel
from casemate.detect.anchor import Real
from casemate.detect.bank import CHIPS_WEIGHT, Bank, Shown
from casemate.detect.blocks import OPEN, Filling
from casemate.detect.onset import CLIP
from casemate.detect.tracked import COMMON_MEMORY_S, MEMORY_S, RESTLESS, WIDE

KEPT = math.log(1.0 - CHIPS_WEIGHT)
"""Nats that windows' tests pay for chips."""
ROOT = math.sqrt(RESTLESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What a window has come to. over (F,): how far beyond what is followed, limited to `CLIP`.

    lost: nothing sound came. said: a channel carried a flag. told: with what chips tell, whose
    evidence is of the window's end. anchored (F,): the first test's without it.
    """

    over: Real
    lost: bool
    said: bool
    told: Shown
    anchored: Real

    def shown(self) -> Shown:
        """Return what the window shows without what chips tell."""
        return replace(self.told, anchored=self.anchored, nonlinear=None)


def turn(
    bank: Bank, filling: Filling, shared: Real, fast: Real, weight: float, nonlinear: Real | None
) -> Turned | None:
    """End the window that is being filled; None, and nothing is done, if sums are no numbers.

    shared (F,): what common modes do to each feature; moves on. fast (F,): chips' evidence, which
    counts `weight`. nonlinear (F,): of `Shown`.
    """
    anchor, tracked, one, two, silence = (
        bank.anchor, bank.tracked, bank.anchored, bank.step, bank.silence
    )  # fmt: skip
    size = len(anchor.names)
    rows, bits = np.empty((kernel.ROWS, size)), np.empty((kernel.BITS, size), dtype=np.bool_)
    sound, lost, said, most, top = kernel.turn(
        filling.sums, filling.blurred, filling.said, OPEN, CLIP, anchor.noise, anchor.bound,
        anchor.step, anchor.rate, anchor.must, anchor.group, anchor.common, anchor.common_rate,
        tracked.own, tracked.common, tracked.doubt, tracked.common_doubt, tracked.heard,
        tracked.expected, shared, bank.window_s, MEMORY_S, COMMON_MEMORY_S, ROOT, WIDE,
        one.rates, one.level, one.count, bank.scale, one.r, one.held, one.spent, one.tails, two.r,
        two.held, two.spent, two.tails, silence.power, silence.count, silence.last, silence.keep,
        fast, weight, KEPT, rows, bits,
    )  # fmt: skip
    if not sound:
        return None
    one.count += 1
    two.count += 1
    _, _, _, _, _, over, off, information, anchored, step, both, nats, _ = rows
    open_, gone, at_bound = bits
    found = Shown(
        modality=anchor.modality, names=anchor.names, tiles=anchor.tiles, anchored=both, step=step,
        interference=silence.heard(most, top), information=information,
        healthy=bank.healthy, window_s=bank.window_s, open_=open_, lost=gone, off=off,
        at_bound=at_bound, shared=bank.grouped, nonlinear=nonlinear,
    )  # fmt: skip
    object.__setattr__(found, "_nats", nats)
    return Turned(over=over, lost=lost, said=said, told=found, anchored=anchored)
