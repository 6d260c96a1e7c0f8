"""One second of made-up windows through a copy of the detector, so that its kernels are compiled.

What the copy says is thrown away; the detector itself has seen nothing.
"""

from __future__ import annotations

import numpy as np

from casemate.core.challenge import Challenge, chips
from casemate.core.randomness import new_secret
from casemate.core.samples import Block, Values
from casemate.detect.anchor import AnyAnchor, FieldAnchor, PassiveAnchor
from casemate.detect.detector import Detector

WINDOWS = 15
"""A second to settle and some more (detect.live.SETTLE_S)."""


def warm_up(detector: Detector, window_s: float) -> None:
    """Run the copy."""
    copy = detector.copy()
    generator = np.random.default_rng(0)
    asked = {name: _challenge(live.anchor) for name, live in copy.live.items()}
    for number in range(WINDOWS):
        for name, live in copy.live.items():
            block = _block(live.anchor, asked[name], number, window_s, generator)
            if number % 2:  # as blocks come by a pipe: kernels are compiled for either kind
                block.values.flags.writeable = block.health.flags.writeable = False
            drawn = chips(asked[name], number * block.t_s.size, block.t_s.size)
            copy.add(name, block, drawn)
        copy.judge((number + 1) * window_s)


def _challenge(anchor: AnyAnchor) -> Challenge:
    order = anchor.field.shape[1] if isinstance(anchor, FieldAnchor) else 1
    return Challenge(
        key=new_secret(), modality=anchor.modality, epoch=1, chip_s=anchor.chip_s, order=order
    )


def _block(
    anchor: AnyAnchor,
    asked: Challenge,
    number: int,
    window_s: float,
    generator: np.random.Generator,
) -> Block:
    count = max(1, round(window_s / anchor.chip_s))
    values: Values
    chip = number * count + np.arange(count, dtype=np.int64)
    drawn = chips(asked, number * count, count)
    if isinstance(anchor, FieldAnchor):
        quantity = anchor.field[:, drawn.place].T
        values = drawn.drive[:, None] * quantity
    elif isinstance(anchor, PassiveAnchor):
        chip = np.full(count, -1, dtype=np.int64)
        values = np.repeat(anchor.nominal[None, :], count, axis=0)
    else:
        values = drawn.drive.real[:, None] * anchor.nominal
    scale = 1e-6 * float(np.abs(values).max())
    noisy: Values = values + scale * generator.standard_normal(values.shape)
    return Block(
        t_s=np.asarray((number * count + np.arange(count)) * anchor.chip_s, dtype=np.float64),
        chip=chip,
        values=noisy,
        health=np.zeros(values.shape, dtype=np.uint16),
    )
