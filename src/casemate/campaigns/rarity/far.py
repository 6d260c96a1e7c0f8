"""False alarms per enclosure and year, each with what kind of figure it is and what it rests on.

Means add whatever the dependence: a total is a sum (union bound) and never a product, for causes
share supply, temperature and place, and nobody has shown them to be independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from casemate.campaigns.rarity.estimate import Estimate
from casemate.campaigns.rarity.intervals import poisson_rate
from casemate.campaigns.rarity.nulls import NullCount
from casemate.core.errors import InputError
from casemate.core.units import YEAR_S

"""Julian year (IAU)."""

Kind = Literal["theorem", "computed", "measured"]
"""theorem: a bound under its assumptions alone. computed: of a fitted null model, right as far as

the model is. measured: counted on recordings or hardware, right as far as its exposure reaches.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    """False alarms of one cause, per enclosure-year, and an interval at `confidence`.

    A theorem's `per_year` is its bound, so is `high`; `low` is 0. `assumptions`: what the figure
    rests on, in words or as ids; only a measured figure may have none.
    """

    cause: str
    per_year: float
    low: float
    high: float
    confidence: float
    kind: Kind
    assumptions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (0.0 <= self.low <= self.per_year <= self.high and 0.0 < self.confidence <= 1.0):
            raise InputError(
                "a rate lies in its interval, and none is below 0.", remedy="order the figures.",
                key=self.cause, value=(self.low, self.per_year, self.high),
            )  # fmt: skip
        if self.kind != "measured" and not self.assumptions:
            raise InputError(
                f"a {self.kind} rate without an assumption.",
                remedy="say which null, key or independence it rests on.", key=self.cause,
            )  # fmt: skip


def per_year(rate_hz: float) -> float:
    """Return samples a year of one stream of `rate_hz` samples a second."""
    return rate_hz * YEAR_S


def theorem_far(
    cause: str, *, alpha: float, streams: int, chip_hz: float, assumptions: tuple[str, ...]
) -> Far:
    """Return the bound alpha x chips a year x streams on the mean number of alarms.

    For detectors of Shiryaev and Roberts's kind, alarm at R >= 1/alpha, then R = 0: R - t is a
    supermartingale, hence R + alarms/alpha - t too, so n chips have n alpha alarms at most on
    average, with no null model. No confidence is lost: 1.
    """
    _positive(cause, alpha=alpha, streams=streams, chip_hz=chip_hz)
    bound = alpha * per_year(chip_hz) * streams
    return Far(cause=cause, per_year=bound, low=0.0, high=bound, confidence=1.0, kind="theorem",
               assumptions=assumptions)  # fmt: skip


def computed_far(
    cause: str,
    *,
    arl: float | Estimate,
    streams: int,
    sample_hz: float,
    assumptions: tuple[str, ...],
) -> Far:
    """Return streams x samples a year / ARL; the interval is the estimate's, none if exact.

    It says nothing of how wrong the null model is: that is what `null_far` is for. Raises
    InputError for an estimate with a finding.
    """
    _positive(cause, streams=streams, sample_hz=sample_hz)
    samples = per_year(sample_hz) * streams
    if isinstance(arl, Estimate):
        if arl.finding:
            raise InputError(f"{arl.finding}.", remedy="clip, or take more trials.", key=cause)
        middle, low, high, confidence = arl.arl, arl.high, arl.low, arl.confidence
    else:
        middle, low, high, confidence = arl, arl, arl, 1.0
    _positive(cause, arl=high)
    return Far(cause=cause, per_year=samples / middle, low=samples / low, high=samples / high,
               confidence=confidence, kind="computed", assumptions=assumptions)  # fmt: skip


def measured_far(
    cause: str,
    *,
    count: int,
    enclosure_years: float,
    confidence: float = 0.95,
    assumptions: tuple[str, ...] = (),
) -> Far:
    """Return alarms counted over an exposure, with the exact interval of Poisson.

    Without an alarm it is one-sided: -ln(1 - confidence)/exposure, 3/exposure at 95 %.
    """
    low, high = poisson_rate(count, enclosure_years, confidence, side="both" if count else "high")
    return Far(cause=cause, per_year=count / enclosure_years, low=low, high=high,
               confidence=confidence, kind="measured", assumptions=assumptions)  # fmt: skip


def null_far(
    cause: str, found: NullCount, *, streams: int, sample_hz: float, assumptions: tuple[str, ...]
) -> Far:
    """Return what alarms on a recorded null mean for `streams` that behave as it does."""
    _positive(cause, streams=streams, sample_hz=sample_hz)
    samples = per_year(sample_hz) * streams
    return Far(cause=cause, per_year=found.rate * samples, low=found.low * samples,
               high=found.high * samples, confidence=found.confidence, kind="measured",
               assumptions=assumptions)  # fmt: skip


def total_far(parts: Sequence[Far], cause: str = "all") -> Far:
    """Return the sum of causes: at most the sum of their high ends, at least the largest low end.

    Its confidence is what all intervals hold together (Bonferroni). Its kind is that of its parts,
    and computed if they differ. Raises InputError if a cause comes twice or the confidences are
    too low to add.
    """
    names = [part.cause for part in parts]
    if not parts or len(set(names)) < len(names):
        raise InputError("a total needs causes, each once.",
                         remedy="two figures of one cause are two views of it: give one.",
                         value=names)  # fmt: skip
    confidence = 1.0 - math.fsum(1.0 - part.confidence for part in parts)
    if confidence <= 0.0:
        raise InputError("no confidence is left in the total.", remedy="ask more of each part.",
                         value=confidence)  # fmt: skip
    kinds = {part.kind for part in parts}
    rests_on = dict.fromkeys(each for part in parts for each in part.assumptions)
    return Far(
        cause=cause,
        per_year=math.fsum(part.per_year for part in parts),
        low=max(part.low for part in parts),
        high=math.fsum(part.high for part in parts),
        confidence=confidence,
        kind=kinds.pop() if len(kinds) == 1 else "computed",
        assumptions=tuple(rests_on) or ("means add under any dependence",),
    )


def quiet_years(rate_per_year: float, confidence: float = 0.95) -> float:
    """Return the enclosure-years without an alarm that show a rate: 300 for 1 in 100 years."""
    _positive("quiet years", rate_per_year=rate_per_year)
    return poisson_rate(0, 1.0, confidence, side="high")[1] / rate_per_year


def _positive(cause: str, **figures: float) -> None:
    for name, value in figures.items():
        if not (value > 0.0 and math.isfinite(value)):
            raise InputError("a figure is not above 0 and finite.", remedy="check its unit.",
                             key=f"{cause}: {name}", value=value)  # fmt: skip
