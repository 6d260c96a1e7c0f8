"""The keyed e-detector in float64 with the exact logistic bet: what the fast one is held against.

e = 2 / (1 + exp(-2 lambda (c r - eps))), the same six scales, the same followed median. It is the
likelihood ratio of a fair sign against one that a Gaussian shift makes unfair; the fast detector
bets the same to second order and stops at 15/16 instead of 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from casemate.detect._keyed_kernel import (
    BOUND,
    FALL,
    LEAST_GAIN,
    LEAST_SCALE,
    MOST_GAIN,
    RISE,
    SCALES,
)
from casemate.detect.keyed import Real

SIZES = LEAST_SCALE * 2.0 ** np.arange(SCALES)
_LIMIT = BOUND / LEAST_SCALE / 4.0


def logistic(size: float, value: Real) -> Real:
    """Return e of the exact bet; value = (c r - eps) / median."""
    with np.errstate(over="ignore"):
        return np.asarray(1.0 + np.tanh(size * value))


def straight(size: float, value: Real) -> Real:
    """Return e of the fast detector's bet, without its rounding and what pays for it."""
    return np.asarray(1.0 + np.clip(size * np.clip(value, -_LIMIT, _LIMIT), -BOUND, BOUND))


@dataclass(slots=True, kw_only=True)
class ExactState:
    """tolerance (F,), gain (F,), processes (2, 6, F)."""

    tolerance: Real
    gain: Real
    processes: Real

    def copy(self) -> ExactState:
        """Return an independent copy."""
        return ExactState(
            tolerance=self.tolerance.copy(),
            gain=self.gain.copy(),
            processes=self.processes.copy(),
        )


def start(tolerance: Real) -> ExactState:
    """Return a detector at rest; tolerance (F,)."""
    size = tolerance.size
    return ExactState(
        tolerance=np.asarray(tolerance, dtype=np.float64),
        gain=np.ones(size),
        processes=np.zeros((2, SCALES, size)),
    )


def advance(state: ExactState, x: Real, bet: Callable[[float, Real], Real] = logistic) -> Real:
    """Advance by K chips; return the evidence after each, shape (K, F). NaN: no chip."""
    out = np.empty(x.shape)
    for t, row in enumerate(x):
        there = ~np.isnan(row)
        for sign, side in ((1.0, 0), (-1.0, 1)):
            value = (sign * row - state.tolerance) * state.gain
            for k, size in enumerate(SIZES):
                before = state.processes[side, k]
                state.processes[side, k] = np.where(
                    there, (1.0 + before) * bet(float(size), value), before
                )
        step = np.where(np.abs(row) * state.gain > 1.0, float(FALL), float(RISE))
        moved = np.clip(state.gain * step, float(LEAST_GAIN), float(MOST_GAIN))
        state.gain = np.where(there, moved, state.gain)
        out[t] = state.processes.mean(axis=(0, 1))
    return out
