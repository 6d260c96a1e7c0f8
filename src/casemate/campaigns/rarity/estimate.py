"""A mean time to alarm that was estimated, its interval, and the check against an exact one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from casemate.core.errors import ProofError


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An ARL in samples with its interval at `confidence`, and what it cost.

    `relative_error`: one standard error over the value. `trials`: excursions or replicates.
    `steps`: samples drawn.
    """

    arl: float
    low: float
    high: float
    confidence: float
    relative_error: float
    trials: int
    steps: int


def estimate(log_arl: float, relative_error: float, confidence: float, quantile: float,
             trials: int, steps: int) -> Estimate:  # fmt: skip
    """Return the estimate with an interval that is even in ln ARL: `quantile` standard errors."""
    half = quantile * relative_error
    return Estimate(
        arl=_exp(log_arl), low=_exp(log_arl - half), high=_exp(log_arl + half),
        confidence=confidence, relative_error=relative_error, trials=trials, steps=steps,
    )  # fmt: skip


def hold_against(found: Estimate, exact: float, within: float = 0.05) -> None:
    """Raise ProofError unless `found` is within a share of `exact`, and sure enough to say so.

    Run every estimator on a case with an exact value first: an error of its bookkeeping shows
    there as a bias that its own interval does not know of.
    """
    off = found.arl / exact - 1.0
    if not abs(off) <= within:
        raise ProofError(
            f"the estimate is {100 * off:+.1f} % off the exact value, {100 * within:g} % allowed.",
            remedy="look for cycles that are cut or counted twice, and for wrong weights.",
        )
    if not 2.0 * found.relative_error <= within:
        raise ProofError(
            f"a standard error of {100 * found.relative_error:.1f} % cannot show "
            f"{100 * within:g} %.",
            remedy="take more trials.",
        )


def _exp(log: float) -> float:
    return math.exp(log) if log < 709.0 else math.inf
