"""A block that is one whole calm window of a keyed modality, in three compiled calls.

So come nearly all blocks of a reader that is well. `live` and `stream` have the steps for the
others: what this leaves is the same to the bit.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from casemate.core.challenge import Chips
from casemate.core.samples import Block, dense, to_read
from casemate.detect import _keyed_kernel as keyed_kernel
from casemate.detect import _whole_kernel as kernel
from casemate.detect._calm_kernel import OTHER
from casemate.detect.anchor import Real
from casemate.detect.blocks import AHEAD_S, SLACK_CHIPS, Filling, Place
from casemate.detect.keyed import KeyedState, Single
from casemate.detect.linear import ONE_LEVEL

REAL, FLAGS, WHOLE = np.dtype(np.float64), np.dtype(np.uint16), np.dtype(np.int64)


class WholeLive(Protocol):
    """What this module asks of a keyed modality whose states are known."""

    place: Place
    filling: Filling
    chips: KeyedState
    evidence: Single
    shared: Real
    fast: Real

    def close(self) -> None:
        """End the window that is being filled."""
        ...


def take(live: WholeLive, block: Block, chips: Chips) -> bool:
    """Take in a block that is the next window; False, and nothing is done, if it is another."""
    place, filling = live.place, live.filling
    values, health, t_s, chip = block.values, block.health, block.t_s, block.chip
    size, first = place.size, place.last + 1
    anchor, begin = filling.anchor, first - chips.first
    if (
        t_s.size != size or first < 1 or first != place.window * size or filling.order == OTHER
        or begin < 0 or begin + size > chips.drive.size or size * place.chip_s > AHEAD_S
        or values.dtype != REAL or health.dtype != FLAGS or t_s.dtype != REAL
        or chip.dtype != WHOLE or not values.flags.c_contiguous or not health.flags.c_contiguous
    ):  # fmt: skip
        return False
    if filling.x.shape[0] < size:
        filling.x = np.empty((size, len(anchor.names)), dtype=np.float32)
    loud = kernel.rows(
        dense(t_s, REAL), dense(chip, WHOLE), first, place.last_s, place.chip_s,
        SLACK_CHIPS * place.chip_s,
        chips.drive[begin : begin + size], ONE_LEVEL, to_read(values), to_read(health),
        filling.order,
        anchor.nominal, anchor.weight, filling.expected, anchor.noise, live.shared, filling.last,
        filling.run, filling.sums, filling.x,
    )  # fmt: skip
    if loud < 0:
        return False
    place.last, place.last_s, place.odd = place.last + size, float(t_s[-1]), 0
    if loud:
        state = live.chips
        keyed_kernel.advance(filling.x[:loud], live.evidence, state._room, state.chips)
        state.chips += loud
        live.fast[:] = live.evidence[-1]
    live.close()
    return True
