"""How fast a cut net is known: the keyed e-detector run chip by chip, with quiet before it."""

from __future__ import annotations

import math

import numpy as np

from casemate.core.errors import InputError
from casemate.core.units import YEAR_S
from casemate.detect import keyed
from casemate.detect.bank import CHIPS_WEIGHT
from casemate.twin.line_materials import Real

BEFORE = 512
"""Quiet chips before the cut: more than any bet remembers of noise."""
LONGEST = 1024
"""Chips after it in which it has to be known."""
CUT_NOISES = 1e4
"""How far a cut net is off, in noises of a chip: a loop that stands at its range's end is more than
this, but a bet is worth no more from 8 of them on."""


def needed_nats(features: int, chip_s: float, far_per_year: float) -> float:
    """Return ln M of one feature at which the fused evidence reaches TAMPER by itself.

    Chips a year over the false alarms a year that are allowed, times the features of the mean, over
    the weight of chips in it.
    """
    return math.log(YEAR_S / chip_s / far_per_year * features / CHIPS_WEIGHT)


def reaction_s(
    features: int,
    chip_s: float,
    far_per_year: float,
    silent: float,
    generator: np.random.Generator,
    runs: int,
    *,
    tolerance: float = 0.0,
    size: float = CUT_NOISES,
    touched: int = 1,
) -> Real:
    """Return from a cut to TAMPER by chips alone, (runs,) in s; inf where it takes `LONGEST`.

    features: of the whole enclosure. silent: share of chips. tolerance, size: what surroundings may
    do and what the cut does, in noises of a chip. touched: features that the cut changes alike. The
    cut comes at any time within a chip, and counts from the next one on.

    Raises InputError for figures out of range.
    """
    if not (features >= touched >= 1 and chip_s > 0.0 and far_per_year > 0.0 and runs >= 1
            and 0.0 <= silent < 1.0 and tolerance >= 0.0):  # fmt: skip
        raise InputError(
            "a reaction needs features, a chip time, a rate of false alarms and runs above 0, and "
            "a share of silence below 1.",
            remedy="correct the arguments.",
            value=(features, chip_s, far_per_year, silent, runs),
        )
    state = keyed.start(np.full(runs, tolerance))
    x = generator.standard_normal((BEFORE + LONGEST, runs))
    x[BEFORE:] += size
    x[generator.random(x.shape) < silent] = np.nan
    with np.errstate(divide="ignore"):
        nats = np.log(keyed.advance(state, x.astype(np.float32))[BEFORE:].astype(np.float64))
    reached = nats + math.log(touched) >= needed_nats(features, chip_s, far_per_year)
    chips = np.where(reached.any(axis=0), reached.argmax(axis=0) + 1.0, np.inf)
    return np.asarray((chips + generator.random(runs)) * chip_s)
