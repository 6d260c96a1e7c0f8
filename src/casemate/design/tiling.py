"""Cut a flat region into the fewest boards that the fab makes, with laps, around openings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from casemate.core.errors import DesignError

SMALLEST_VISIBLE_M = 12e-3
"""Narrowest useful strip of mesh (engineering choice: below it terminals and rims eat it)."""

_EPSILON = 1e-9


class Rect(NamedTuple):
    """An axis-parallel rectangle in a face's plane, metres."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Return the extent in x."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Return the extent in y."""
        return self.y1 - self.y0

    @property
    def centre(self) -> tuple[float, float]:
        """Return the middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def grown(self, by_m: float) -> Rect:
        """Return the rectangle with every side moved outward."""
        return Rect(self.x0 - by_m, self.y0 - by_m, self.x1 + by_m, self.y1 + by_m)

    def flipped(self) -> Rect:
        """Return the rectangle with x and y exchanged."""
        return Rect(self.y0, self.x0, self.y1, self.x1)

    def meets(self, other: Rect) -> bool:
        """Return whether the two overlap by more than rounding."""
        return (
            self.x0 < other.x1 - _EPSILON
            and other.x0 < self.x1 - _EPSILON
            and self.y0 < other.y1 - _EPSILON
            and other.y0 < self.y1 - _EPSILON
        )

    def holds(self, other: Rect) -> bool:
        """Return whether `other` lies inside, within rounding."""
        return (
            self.x0 <= other.x0 + _EPSILON
            and self.y0 <= other.y0 + _EPSILON
            and self.x1 >= other.x1 - _EPSILON
            and self.y1 >= other.y1 - _EPSILON
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One direction of a region. low_m, high_m: what the boards add beyond the two ends.

    forward: piece i is tucked under piece i + 1 (else the other way round). lap_m: how far.
    """

    start_m: float
    end_m: float
    low_m: float
    high_m: float
    lap_m: float
    forward: bool = True


class Piece(NamedTuple):
    """What of one axis a board shows (visible) and what it reaches (board); tucked ends."""

    visible: tuple[float, float]
    board: tuple[float, float]
    low_lap: bool
    high_lap: bool


def cut(
    axis: Axis, *, count: int, board_m: float, avoid: tuple[tuple[float, float], ...]
) -> tuple[float, ...] | None:
    """Return the positions of `count` - 1 cuts, nearest to equal boards; None if there are none.

    avoid: intervals (metres) that no lap may touch. Every board is at most `board_m` long and
    every visible piece at least SMALLEST_VISIBLE_M (exact interval reachability, no search).
    """
    if not axis.forward:
        mirrored = cut(
            _mirror(axis), count=count, board_m=board_m, avoid=tuple((-b, -a) for a, b in avoid)
        )
        return None if mirrored is None else tuple(sorted(-c for c in mirrored))
    length = axis.end_m - axis.start_m
    if count == 1:
        fits = length + axis.low_m + axis.high_m <= board_m + _EPSILON
        return () if fits else None
    forbidden = [(a - axis.lap_m, b) for a, b in avoid]
    smallest = max(SMALLEST_VISIBLE_M, 2 * axis.lap_m)
    longest = board_m - axis.lap_m
    reach: list[list[tuple[float, float]]] = []
    current = [(axis.start_m, axis.start_m)]
    for step in range(count - 1):
        span = longest - (axis.low_m if step == 0 else 0.0)
        if span < smallest:
            return None
        current = _without([(a + smallest, b + span) for a, b in current], forbidden)
        reach.append(current)
    return _walk_back(axis, reach, count, board_m, smallest)


def _walk_back(
    axis: Axis,
    reach: list[list[tuple[float, float]]],
    count: int,
    board_m: float,
    smallest: float,
) -> tuple[float, ...] | None:
    length = axis.end_m - axis.start_m
    equal = (length + axis.low_m + axis.high_m + (count - 1) * axis.lap_m) / count
    cuts: list[float] = []
    upper, reserve = axis.end_m, axis.high_m
    for index in range(count - 1, 0, -1):
        wanted = axis.start_m + index * (equal - axis.lap_m) - axis.low_m
        window = (upper - (board_m - reserve), upper - smallest)
        chosen = _nearest(reach[index - 1], window, wanted)
        if chosen is None:
            return None
        cuts.append(chosen)
        upper, reserve = chosen, axis.lap_m
    return tuple(reversed(cuts))


def pieces(axis: Axis, cuts: tuple[float, ...], *, low_lap: bool, high_lap: bool) -> list[Piece]:
    """Return the pieces between the cuts; low_lap, high_lap: whether the two ends are tucked."""
    stops = (axis.start_m, *cuts, axis.end_m)
    rows = []
    for index, (a, b) in enumerate(pairwise(stops)):
        first, last = index == 0, index == len(stops) - 2
        low = axis.low_m if first else (0.0 if axis.forward else axis.lap_m)
        high = axis.high_m if last else (axis.lap_m if axis.forward else 0.0)
        rows.append(
            Piece(
                (a, b),
                (a - low, b + high),
                low_lap if first else not axis.forward,
                high_lap if last else axis.forward,
            )
        )
    return rows


def grid(
    u: Axis,
    v: Axis,
    *,
    board_m: tuple[float, float],
    openings: tuple[Rect, ...],
    name: str,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the cuts (in u, in v) that need the fewest boards, either way round.

    openings: rectangles in (u, v), margin included, that no cut and no lap may touch.
    """
    avoid_u = tuple((rect.x0, rect.x1) for rect in openings)
    avoid_v = tuple((rect.y0, rect.y1) for rect in openings)
    best: tuple[tuple[int, float], tuple[float, ...], tuple[float, ...]] | None = None
    for long_u, long_v in dict.fromkeys((board_m, board_m[::-1])):
        cuts_u = _fewest(u, long_u, avoid_u)
        cuts_v = _fewest(v, long_v, avoid_v)
        if cuts_u is None or cuts_v is None:
            continue
        score = ((len(cuts_u) + 1) * (len(cuts_v) + 1), -long_u)
        if best is None or score < best[0]:
            best = (score, cuts_u, cuts_v)
    if best is None:
        raise DesignError(
            f"no cut of {name} into boards of {board_m[0] * 1e3:.0f} x {board_m[1] * 1e3:.0f} mm"
            " leaves every opening whole.",
            remedy="move or shrink the crossings of that face, or choose a fab profile with"
            " larger boards.",
        )
    return best[1], best[2]


def _fewest(
    axis: Axis, board_m: float, avoid: tuple[tuple[float, float], ...]
) -> tuple[float, ...] | None:
    length = axis.end_m - axis.start_m
    room = board_m - axis.lap_m
    if room <= 0:
        return None
    first = max(1, math.ceil((length - _EPSILON) / board_m))
    for count in range(first, first + 12 + 2 * len(avoid)):
        found = cut(axis, count=count, board_m=board_m, avoid=avoid)
        if found is not None:
            return found
    return None


def _mirror(axis: Axis) -> Axis:
    return Axis(
        start_m=-axis.end_m,
        end_m=-axis.start_m,
        low_m=axis.high_m,
        high_m=axis.low_m,
        lap_m=axis.lap_m,
    )


def _without(
    intervals: list[tuple[float, float]], forbidden: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return the union of `intervals` less the open intervals `forbidden`, sorted and merged."""
    left = intervals
    for a, b in forbidden:
        rest: list[tuple[float, float]] = []
        for low, high in left:
            if b <= low or a >= high:
                rest.append((low, high))
                continue
            if low <= a:
                rest.append((low, a))
            if b <= high:
                rest.append((b, high))
        left = rest
    merged: list[tuple[float, float]] = []
    for low, high in sorted(left):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _nearest(
    intervals: list[tuple[float, float]], window: tuple[float, float], wanted: float
) -> float | None:
    best: float | None = None
    for low, high in intervals:
        a, b = max(low, window[0]), min(high, window[1])
        if a > b + _EPSILON:
            continue
        value = min(max(wanted, a), max(a, b))
        if best is None or abs(value - wanted) < abs(best - wanted):
            best = value
    return best
