"""A proved property: the form that proof.json, the report and the design's targets share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ROUNDING = 1e-12
"""Relative, by which a figure may pass its bound: figures and bounds come by different sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One proved property of a tile, seam or crossing.

    figure: what was found, in `unit`; for "at most" properties a certified upper bound.
    bound: what the spec asks; None if it asks nothing. holds: figure within bound.
    method: how an outsider recomputes it. seconds: run time. detail: witnesses and slack.
    """

    id: str
    figure: float
    bound: float | None
    unit: str
    holds: bool
    method: str
    seconds: float = 0.0
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of proof.json."""
        row: dict[str, Any] = {
            "id": self.id,
            "figure": self.figure,
            "bound": self.bound,
            "unit": self.unit,
            "holds": self.holds,
            "method": self.method,
            "seconds": self.seconds,
        }
        if self.detail:
            row["detail"] = self.detail
        return row


def at_most(
    id: str, figure: float, bound: float | None, unit: str, method: str, **detail: Any
) -> Property:
    """Return a property that holds when figure <= bound (or no bound is asked)."""
    holds = bound is None or figure <= bound * (1 + ROUNDING)
    return Property(
        id=id, figure=figure, bound=bound, unit=unit, holds=holds, method=method, detail=detail
    )


def at_least(
    id: str, figure: float, bound: float | None, unit: str, method: str, **detail: Any
) -> Property:
    """Return a property that holds when figure >= bound (or no bound is asked)."""
    holds = bound is None or figure >= bound * (1 - ROUNDING)
    return Property(
        id=id, figure=figure, bound=bound, unit=unit, holds=holds, method=method, detail=detail
    )
