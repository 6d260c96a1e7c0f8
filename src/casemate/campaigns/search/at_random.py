"""Search by drawing alone: the cross-check that shares no idea with the adaptive search."""

from __future__ import annotations

from casemate.campaigns.search.adaptive import Effort
from casemate.campaigns.search.margin import (
    Found,
    Ledger,
    Margin,
    Restart,
    Shortfall,
    generator_of,
    seeds_of,
)
from casemate.campaigns.search.space import Space

CHUNK = 64
"""Candidates asked for at once."""
ASKS = 20
"""Points drawn for each that the budget pays for, at most: most may fall short."""


def at_random(
    margin: Margin,
    space: Space,
    *,
    seed: int,
    effort: Effort,
    shortfall: Shortfall | None = None,
) -> Found:
    """Return the best of points drawn uniformly, under the seeds and budget of `search`."""
    ledger = Ledger(
        margin=margin,
        seeds=seeds_of(seed, 0, effort.seeds),
        budget=effort.budget,
        shortfall=shortfall,
    )
    generator = generator_of(seed, 4, 0)
    drawn, first = 0, None
    while ledger.left > 0 and drawn < ASKS * effort.budget:
        points = space.drawn(min(CHUNK, max(ledger.left, 1)), generator)
        first = points[0] if first is None else first
        ledger.losses([space.decoded(point) for point in points], 0)
        drawn += len(points)
    assert first is not None
    return ledger.found(
        seeds_of(seed, 1, effort.confirm),
        [
            Restart(
                start=space.decoded(first),
                loss=float("inf") if ledger.best is None else ledger.best.loss,
                trials=ledger.trials,
                population=1,
                ended="budget",
            )
        ],
    )
