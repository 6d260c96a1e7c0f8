"""What `casemate fleet hammer` is to do, and what it has measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.errors import InputError

MOST_ENCLOSURES, MOST_PUSHES, MOST_S = 20_000, 100_000, 1_800
"""Bounds of a load (planning values)."""
LEAST_PERIOD_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do. period_s: between two tokens of an enclosure. for_s: of the load."""

    enclosures: int
    period_s: int
    for_s: float

    def __post_init__(self) -> None:
        _bounded("--enclosures", self.enclosures, 1, MOST_ENCLOSURES)
        _bounded("--period", self.period_s, LEAST_PERIOD_S, 3600)
        _bounded("--for", self.for_s, 1, MOST_S)
        _bounded("pushes in all", self.pushes, 1, MOST_PUSHES)

    @property
    def rate(self) -> float:
        """Return pushes a second."""
        return self.enclosures / self.period_s

    @property
    def pushes(self) -> int:
        """Return how many pushes there are."""
        return max(int(self.rate * self.for_s), 1)

    def at(self, number: int) -> tuple[int, float]:
        """Return which enclosure brings push `number`, and when, in seconds from the start."""
        return number % self.enclosures, number / self.rate


def _bounded(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InputError(
            f"{value:g} is out of bounds.", remedy=f"choose {least:g} to {most:g}.", key=what
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured. Times in seconds; cpu: seconds of processor time of the service.

    page_cpu_s: for one page of the fleet, after the load. memory_bytes: of the service, at the end.
    again, again_cpu_s: pushes of enclosures that the service has had one of since its start (the
    first has it read what it holds), and what they and the pages beside them took.
    late: pushes that began over a second after their time: this process was too slow.
    """

    plan: Plan
    done: int
    refused: int
    failed: int
    late: int
    wall_s: float
    cpu_s: float
    acknowledged_s: Sequence[float]
    pages_s: Sequence[float]
    page_cpu_s: float
    memory_bytes: int
    states: dict[str, int]
    again: int = 0
    again_cpu_s: float = 0.0
    said: str = ""

    @property
    def rate(self) -> float:
        """Return acknowledged pushes a second."""
        return self.done / self.wall_s

    @property
    def keeps_up(self) -> bool:
        """Return whether all that was brought was acknowledged, at the rate that was asked."""
        return self.done == self.plan.pushes and self.rate >= 0.95 * self.plan.rate

    def as_json(self) -> dict[str, object]:
        """Return the figures as plain data."""
        return {
            "enclosures": self.plan.enclosures,
            "period_s": self.plan.period_s,
            "heartbeats_per_s": self.plan.enclosures,
            "asked_per_s": round(self.plan.rate, 3),
            "sustained_per_s": round(self.rate, 3),
            "keeps_up": self.keeps_up,
            "pushes": self.plan.pushes,
            "acknowledged": self.done,
            "refused": self.refused,
            "failed": self.failed,
            "late": self.late,
            "wall_s": round(self.wall_s, 3),
            "acknowledged_p50_ms": round(1000 * share(self.acknowledged_s, 0.5), 2),
            "acknowledged_p99_ms": round(1000 * share(self.acknowledged_s, 0.99), 2),
            "service_cpu_s": round(self.cpu_s, 3),
            "service_cores": round(self.cpu_s / self.wall_s, 4),
            "cpu_ms_per_push": round(1000 * self.cpu_s / max(self.done, 1), 3),
            "cpu_ms_per_later_push": round(1000 * self.again_cpu_s / self.again, 3)
            if self.again
            else None,
            "page_p50_ms": round(1000 * share(self.pages_s, 0.5), 1),
            "page_worst_ms": round(1000 * max(self.pages_s, default=0.0), 1),
            "pages": len(self.pages_s),
            "page_cpu_ms": round(1000 * self.page_cpu_s, 1),
            "memory_mb": round(self.memory_bytes / 1e6, 1),
            "states": self.states,
            "said": self.said,
        }


def share(values: Sequence[float], part: float) -> float:
    """Return the value that `part` of all do not exceed; 0.0 of none."""
    ranked = sorted(values)
    return ranked[min(int(part * len(ranked)), len(ranked) - 1)] if ranked else 0.0
