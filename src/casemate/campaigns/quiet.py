"""A quiet enclosure before its detectors: hours in which nobody does anything.

Boards one by one with the volume, windows in a row, surroundings as the site has them. It cannot
show a rate of one in a century; it shows a mistake in the bounds within minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from casemate.campaigns.drawn import Drawn
from casemate.campaigns.ready import Ready
from casemate.detect.anchor import Anchor
from casemate.detect.bank import Shown
from casemate.detect.passive import PassiveShown
from casemate.detect.response import ALERT, SEAL
from casemate.detect.verdict import Court
from casemate.twin.conditions import course

STEP_S = 1.0
"""Between changes of surroundings; windows within a step share them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What came of it. enclosure_s: time of the whole enclosure that the boards' time stands for.

    sealed, alerts: boards' runs that reached these levels. margin: most evidence less the seal's
    threshold, nats.
    """

    enclosure_s: float
    runs: int
    sealed: int
    alerts: int
    margin: float


def quiet(
    ready: Ready,
    *,
    seconds: float,
    boards: int,
    seed: int,
    say: Callable[[str], None] = lambda _text: None,
) -> Quiet:
    """Return what `boards` boards, evenly chosen, do in `seconds` of quiet each."""
    names = list(ready.twin.boards)
    chosen = [names[k] for k in np.unique(np.linspace(0, len(names) - 1, boards).astype(int))]
    sealed = alerts = 0
    most, weight = -np.inf, 0.0
    for number, tile in enumerate(chosen):
        say(f"quiet board {tile}")
        level, nats, share = _board(ready, tile, seconds, (seed, number))
        sealed += level >= SEAL
        alerts += level >= ALERT
        most = max(most, nats - ready.policy.nats[SEAL])
        weight += share
    return Quiet(
        enclosure_s=weight * seconds,
        runs=len(chosen),
        sealed=sealed,
        alerts=alerts,
        margin=float(most),
    )


def _board(
    ready: Ready, tile: str, seconds: float, seed: tuple[int, int]
) -> tuple[int, float, float]:
    """Return the worst level and nats of a board's run, and the share of features that it has."""
    sensed = ready.sensed((tile,))
    times_s = np.arange(0.0, seconds, STEP_S)
    run = course(ready.twin, (), times_s, np.random.default_rng([*seed, 0]))
    court = Court(policy=ready.policy)
    live = [Drawn(each, times_s, np.random.default_rng([*seed, 1, k]))
            for k, each in enumerate(sensed)]  # fmt: skip
    level, nats = 0, -np.inf
    for k, now in enumerate(run.steps):
        for each in live:
            reading = each.fitted.read(now)
            if k == 0:
                each.settle(k, reading)
            each.take(k, reading, max(1, round(STEP_S / each.window_s)))
        judged = court.judge(
            float(times_s[k]) + STEP_S,
            tuple(each.shown for each in live if isinstance(each.shown, Shown)),
            tuple(each.shown for each in live if isinstance(each.shown, PassiveShown)),
            seconds=STEP_S,
        )
        level, nats = max(level, judged.level), max(nats, judged.nats)
    mine = sum(len(each.anchor.names) for each in sensed if isinstance(each.anchor, Anchor))
    return level, nats, mine / ready.policy.features
