"""Continuity of knowledge: from stretches of time to intervals and a ledger of gaps."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace

KINDS = ("interfered", "unknown", "maintenance", "proven")
"""Worst first: where two stretches overlap, the worse one holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A time of one kind, Unix seconds. cause: why it is not proven. covered_by: what explains it.

    covered_by is a permit, a declared emergency, commissioning, or "" if nothing does.
    """

    start_s: int
    end_s: int
    kind: str
    cause: str = ""
    covered_by: str = ""

    @property
    def length_s(self) -> int:
        """Return how long it is."""
        return self.end_s - self.start_s


def covered(found: Interval, by: str, until_s: int) -> tuple[Interval, Interval]:
    """Return what of an interval is covered by something, until a time, and what by nothing."""
    before, after = min(found.end_s, until_s), max(found.start_s, until_s)
    return replace(found, end_s=before, covered_by=by), replace(found, start_s=after)


def intervals(stretches: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return intervals in order, none overlapping, equal neighbours joined.

    What no stretch covers between the first and the last is unknown.
    """
    left = sorted((each for each in stretches if each.length_s > 0), key=lambda x: x.start_s)
    edges = sorted({edge for each in left for edge in (each.start_s, each.end_s)})
    out: list[Interval] = []
    active: list[tuple[int, int, int]] = []  # rank, number, end
    taken = 0
    for start_s, end_s in zip(edges, edges[1:], strict=False):
        while taken < len(left) and left[taken].start_s <= start_s:
            each = left[taken]
            heapq.heappush(active, (KINDS.index(each.kind), taken, each.end_s))
            taken += 1
        while active and active[0][2] <= start_s:
            heapq.heappop(active)
        worst = left[active[0][1]] if active else _NOTHING
        _append(out, replace(worst, start_s=start_s, end_s=end_s))
    return tuple(out)


def _append(out: list[Interval], new: Interval) -> None:
    if out and replace(out[-1], start_s=new.start_s, end_s=new.end_s) == new:
        out[-1] = replace(out[-1], end_s=new.end_s)
    else:
        out.append(new)


_NOTHING = Interval(start_s=0, end_s=0, kind="unknown", cause="nothing is said of it")


def gaps(found: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the gap ledger: intervals that are neither proven nor maintenance under a permit."""
    return tuple(each for each in found if each.kind in ("interfered", "unknown"))
