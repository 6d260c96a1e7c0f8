"""A mean time to alarm that was estimated, its interval, and the check against an exact one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from casemate.core.errors import ProofError

SCATTER = 0.25
"""Largest standard error, as a share of the value, that an estimate may have to count (planning
value): Student noise of 5 degrees, unclipped, gave 0.4 to 1.0 and was decades off."""


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

    @property
    def finding(self) -> str:
        """Return what has to be said with the figure, empty if nothing."""
        if self.relative_error <= SCATTER:
            return ""
        return (
            f"far.scattered: a standard error of {100 * self.relative_error:.0f} %; few paths "
            "carry the estimate, as single jumps do, and its interval is not to be relied on"
        )


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


def hold_below_jump(found: Estimate, probability: float) -> None:
    """Raise ProofError if an ARL is above 1/probability, that of samples passing the limit alone.

    `probability`: that a residual is above h + k. No ARL of a CUSUM is higher. Splitting does not
    see such jumps by itself, and its interval does not know: check wherever tails are not clipped.
    """
    if found.arl > (1.0 + 3.0 * found.relative_error) / probability:
        raise ProofError(
            f"an ARL of {found.arl:.2g} is above the {1.0 / probability:.2g} of single jumps.",
            remedy="clip the residuals, or draw the jump by importance.",
        )


def _exp(log: float) -> float:
    return math.exp(log) if log < 709.0 else math.inf
