"""Means swept upward until the attack wins, or a physical bound says that no means would do.

Each level is searched from what the level below found, and by drawing alone at the same budget. So
the least loss under the common seeds never rises with the means; what fresh seeds confirm may, by
its standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from casemate.attacks.move import Move
from casemate.attacks.potential_rules import Means, of_parameters
from casemate.campaigns.search.adaptive import Effort, search
from casemate.campaigns.search.at_random import at_random
from casemate.campaigns.search.margin import Found, Margin, Shortfall
from casemate.campaigns.search.space import Candidate, Space
from casemate.core.errors import InputError

Kind = Literal["persons", "money", "time", "power"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What is raised. levels: from little to much, the last one at or beyond `bound` if any.

    bound: the greatest value that physics allows, with the reason and its source. None: the sweep
    may end without an answer, and says so.
    """

    means: Kind | str
    unit: str
    levels: tuple[float, ...]
    bound: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.levels, self.levels[1:], strict=False))
        if not self.levels or not rising:
            raise InputError(
                f"the levels of {self.means} do not rise.",
                remedy="give one or more, from little to much.",
                key=str(self.means),
                value=self.levels,
            )
        if self.bound is not None and not self.reason:
            raise InputError(
                f"the bound of {self.means} has no reason.",
                remedy="say which law or place sets it, with a source.",
                key=str(self.means),
                value=self.bound,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What came of one level. random: by drawing alone at the same budget, None if left out."""

    value: float
    found: Found
    random: Found | None

    @property
    def best(self) -> Found:
        """Return the better of both searches, by what fresh seeds confirm."""
        if self.random is not None and self.random.confirmed < self.found.confirmed:
            return self.random
        return self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A curve of losses over means, and how it ended.

    ended: `won` (`corner` is the failing corner, at `at`), `bounded` (by `ladder.reason`), or
    `open`: the levels ended before either, which is a doubt.
    """

    ladder: Ladder
    levels: tuple[Level, ...]
    ended: Literal["won", "bounded", "open"]
    at: float
    corner: Candidate

    @property
    def curve(self) -> tuple[tuple[float, float, float], ...]:
        """Return (means, confirmed loss, its standard error) of the best at each level."""
        return tuple(
            (each.value, each.best.confirmed, each.best.standard_error) for each in self.levels
        )


def sweep(
    ladder: Ladder,
    margin_of: Callable[[float], Margin],
    space_of: Callable[[float], Space],
    *,
    seed: int,
    effort: Effort,
    shortfall_of: Callable[[float], Shortfall] | None = None,
    wins: float = 0.5,
    cross_check: bool = True,
) -> Swept:
    """Return losses over the levels of a ladder, upward until the attack wins or is bounded.

    margin_of, space_of, shortfall_of: what a level makes of margin, ranges and needs; more means
    must allow all that less means allow. wins: share of fresh trials below 0 that counts as won.
    Levels above the bound are searched at the bound, and end the sweep.
    """
    if not 0.0 < wins <= 1.0:
        raise InputError(
            "the share of trials to win is above 0 and at most 1.",
            remedy="give 0.5, for one attack in two.",
            key="wins",
            value=wins,
        )
    rows: list[Level] = []
    starts: tuple[Candidate, ...] = ()
    ended: Literal["won", "bounded", "open"] = "open"
    for level in ladder.levels:
        value = level if ladder.bound is None else min(level, ladder.bound)
        row = _level(value, margin_of, space_of, seed, effort, shortfall_of, starts, cross_check)
        rows.append(row)
        starts = (row.best.best,)
        if row.best.won >= wins:
            ended = "won"
            break
        if ladder.bound is not None and value >= ladder.bound:
            ended = "bounded"
            break
    return Swept(
        ladder=ladder,
        levels=tuple(rows),
        ended=ended,
        at=rows[-1].value,
        corner=rows[-1].best.best,
    )


def within(move: Move, means: Means) -> Shortfall:
    """Return a shortfall that rejects what costs more than `means`, by the move's potential."""
    return lambda candidate: means.lacking(of_parameters(move, candidate.values))


def _level(
    value: float,
    margin_of: Callable[[float], Margin],
    space_of: Callable[[float], Space],
    seed: int,
    effort: Effort,
    shortfall_of: Callable[[float], Shortfall] | None,
    starts: tuple[Candidate, ...],
    cross_check: bool,
) -> Level:
    margin, space = margin_of(value), space_of(value)
    shortfall = None if shortfall_of is None else shortfall_of(value)
    found = search(margin, space, seed=seed, effort=effort, shortfall=shortfall, starts=starts)
    random = None
    if cross_check:
        random = at_random(margin, space, seed=seed, effort=effort, shortfall=shortfall)
    return Level(value=value, found=found, random=random)
