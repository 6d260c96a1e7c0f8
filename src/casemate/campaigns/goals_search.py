"""The adversary's three goals searched on abstract attacks, its means swept upward, and an atlas.

Searches are small, for a case has minutes: they share their rules with those of moves
(`search.adaptive`, `search.sweep`, `search.atlas`) and can be given more.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from casemate.attacks.move import Parameter
from casemate.campaigns.abstract import Attack, Target, Told, play
from casemate.campaigns.copies import SOUND, Weakness
from casemate.campaigns.search.adaptive import Effort, search
from casemate.campaigns.search.as_results import as_map, over_means
from casemate.campaigns.search.atlas import Axis, atlas
from casemate.campaigns.search.goals import GOALS, Goal, loss
from casemate.campaigns.search.margin import Found, Real, Shortfall
from casemate.campaigns.search.space import Candidate, Space
from casemate.campaigns.search.sweep import Ladder, Swept, sweep
from casemate.case import results
from casemate.detect.anchor import NONE

LOUDEST = 1e5
"""Noise of chips over their own that is still tried: 100 dB (planning value)."""
LONGEST_S = 20.0
"""Of searched attacks: twice the blind time that seals."""
BRIEF_S = 5.0
"""Of attacks that power is to hide: half the blind time that seals."""
DAY_S = 86_400.0
MOST = 1e12
"""Noise powers times seconds, more than any attack tried injects."""
EFFORTS: dict[Goal, Effort] = {
    "evade": Effort(budget=70, restarts=2, seeds=1, confirm=8),
    "give-up": Effort(budget=180, restarts=2, seeds=3, confirm=8),
    "blind": Effort(budget=50, restarts=1, seeds=1, confirm=8),
}
"""Where an attack just seals is a matter of luck, so giving up is tried under several seeds."""
TOLD = 5
"""Runs of a corner, of which the middle one is shown."""


def _range(name: str, low: float, high: float, unit: str, about: str, log: bool) -> Parameter:
    return Parameter(
        name=name, low=low, high=high, default=low, unit=unit, about=about,
        scale="log" if log else "linear",
    )  # fmt: skip


def parameters(
    *, displaced: float = 0.0, loudest: float = LOUDEST, longest_s: float = LONGEST_S
) -> tuple[Parameter, ...]:
    """Return an abstract attack's parameters. displaced: the least relative change that is asked

    for; 0 for attacks that inject alone.
    """
    inject = (
        _range("louder", 1.0, loudest, "", "noise over the chips' own", True),
        _range("duty", 0.05, 1.0, "", "share of windows with noise", False),
        _range("spared", 0.0, 1.0, "", "share of power that misses silent chips", False),
        _range("hold_s", 0.5, longest_s, "s", "how long it lasts", True),
    )
    if displaced <= 0.0:
        return inject
    move = (
        _range("size", displaced, 10.0 * displaced, "", "relative change", True),
        _range("rise_s", 0.1, 10.0 * DAY_S, "s", "how long the change takes", True),
    )
    return (*move, *inject)


def attack_of(candidate: Candidate, given: Mapping[str, bool]) -> Attack:
    """Return the attack of a candidate of `parameters`; given: what is no choice."""
    plain = Attack(undone=given.get("undone", False), whole=given.get("whole", False))
    values: dict[str, Any] = dict(candidate.values)
    return replace(plain, **values)


@dataclass(slots=True, kw_only=True)
class Abstract:
    """The loss of abstract attacks for a goal, as searches want it.

    given: what all attacks share, `undone` or `whole`. told: what came of each attack, for
    properties of all that was ever tried.
    """

    target: Target
    goal: Goal
    given: Mapping[str, bool] = field(default_factory=dict)
    weakness: Weakness = SOUND
    told: list[tuple[Attack, Told]] = field(default_factory=list)

    def __call__(self, candidates: Sequence[Candidate], seeds: Sequence[int]) -> Real:
        """Return nats, (candidates, seeds)."""
        rows = [[self._one(each, seed) for seed in seeds] for each in candidates]
        return np.array(rows, dtype=np.float64)

    def _one(self, candidate: Candidate, seed: int) -> float:
        attack = attack_of(candidate, self.given)
        told = play(self.target, attack, seed=(seed,), weakness=self.weakness)
        self.told.append((attack, told))
        return loss(self.goal, told.figures, most_j=MOST)


def asked_change(target: Target) -> float:
    """Return the change that evading has to hide: what must be caught, well above the bound."""
    return float(target.anchor.must[target.feature])


def held(least: float) -> Shortfall:
    """Return a shortfall: the change must be at least `least`, so doing nothing wins nothing."""
    return lambda candidate: least - candidate.values.get("size", 0.0)


def searched(
    target: Target,
    goal: Goal,
    *,
    seed: int,
    effort: Effort | None = None,
    weakness: Weakness = SOUND,
) -> tuple[Found, Abstract]:
    """Return the best attack for a goal and the margin that remembers all attempts.

    evade: a change of `asked_change` has to stand until the end. give-up, blind: injection alone.
    """
    displaced = asked_change(target) if goal == "evade" else 0.0
    margin = Abstract(target=target, goal=goal, weakness=weakness)
    found = search(
        margin,
        Space(parameters=parameters(displaced=displaced)),
        seed=seed + zlib.crc32(goal.encode()),
        effort=effort or EFFORTS[goal],
        shortfall=held(displaced) if displaced else None,
    )
    return found, margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """How far an adversary came. goal, what: in words. won: whether it reached its goal.

    loss: nats (give-up: see `goals.loss`), below 0 where it wins. attack: the best found. told:
    what detectors made of it, the middle of some runs. ended: won, bounded, open or searched.
    reason: of the bound.
    """

    goal: Goal
    what: str
    won: bool
    loss: float
    attack: Attack
    told: Told
    ended: str
    reason: str
    trials: int


def goals(
    target: Target, *, seed: int, rerun: str, effort: Effort | None = None
) -> tuple[results.Plot, tuple[Corner, ...], tuple[tuple[Attack, Told], ...]]:
    """Return curves of convergence for the three goals, corners, and all that was tried."""
    series, corners = [], []
    tried: list[tuple[Attack, Told]] = []
    for goal in GOALS:
        found, margin = searched(target, goal, seed=seed, effort=effort)
        trials, losses = zip(*found.curve, strict=True)
        series.append(results.Series(name=goal, x=tuple(float(each) for each in trials), y=losses))
        attack = attack_of(found.best, {})
        corners.append(_corner(target, goal, _WHAT[goal], found, attack, "searched", "", seed))
        tried += margin.told
    plot = results.Plot(
        id="goals",
        title="Three goals searched",
        x="trials",
        y="least loss found (nats)",
        x_log=True,
        y_log=False,
        series=tuple(series),
        about=f"{target.anchor.names[target.feature]}: below 0 the adversary wins. evade: a change "
        f"of {asked_change(target):g} that stays, with any noise besides. give-up: below 0 is the "
        f"logarithm of the energy that sealed, over {MOST:g}. blind: too little information while "
        "nobody is told.",
        rerun=rerun,
    )
    return plot, tuple(corners), tuple(tried)


_WHAT: dict[Goal, str] = {
    "evade": "a change that must be caught, left in place",
    "give-up": "noise alone that makes keys be sealed, at least energy",
    "blind": "a second without enough information and without a notice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What is raised, for a change of at least `least`. given: what all its attacks share."""

    id: str
    what: str
    least: float
    ladder: Ladder
    given: Mapping[str, bool]
    effort: Effort

    def space(self, level: float) -> Space:
        """Return what an adversary may choose with so much of the means."""
        rows = [_range("size", self.least, 2.0 * self.least, "", "relative change", True)]
        if self.ladder.means == "power":
            rows.append(_range("hold_s", 0.5, BRIEF_S, "s", "how long it lasts", True))
            loudest = max(level, 1.0 + 1e-6)
            rows.append(_range("louder", 1.0, loudest, "", "noise over the chips' own", True))
        else:
            rows.append(_range("rise_s", 0.1, level, "s", "how long the change takes", True))
            rows.append(_range("hold_s", 10.0, 10.0, "s", "how long it stands", True))
        return Space(parameters=tuple(rows))


def _effort(budget: int) -> Effort:
    return Effort(budget=budget, restarts=1, seeds=1, confirm=5)


def sweeps_of(target: Target) -> tuple[Sweep, ...]:
    """Return the sweeps of a target: power, time, and time with all of a board's features alike."""
    must, bound = asked_change(target), target.bound
    power = Ladder(means="power", unit="noise over the chips' own", bound=LOUDEST,
                   levels=tuple(10.0**k for k in range(6)),
                   reason="100 dB over a reader's noise, planning value")  # fmt: skip
    time = Ladder(means="time", unit="s", levels=(1.0, 3600.0, DAY_S, 3652.5 * DAY_S),
                  bound=3652.5 * DAY_S,
                  reason="ten years, the life of an enclosure, planning value")  # fmt: skip
    found = [
        Sweep(id="power", least=must, ladder=power, given={"undone": True}, effort=_effort(32),
              what=f"a change that must be caught ({must:g}), taken back within {BRIEF_S:g} s"),
        Sweep(id="time", least=3.0 * bound, ladder=time, given={}, effort=_effort(12),
              what=f"one feature moved by three bounds ({3.0 * bound:.2g}), left in place"),
    ]  # fmt: skip
    if target.anchor.group[target.feature] != NONE:
        found.append(
            Sweep(id="time-alike", least=must, ladder=time, given={"whole": True},
                  effort=_effort(12),
                  what=f"a common mode's features all moved by {must:g}, left in place")
        )  # fmt: skip
    return tuple(found)


def swept(target: Target, plan: Sweep, *, seed: int, weakness: Weakness = SOUND) -> Swept:
    """Return the least margins of one sweep."""
    margin = Abstract(target=target, goal="evade", given=plan.given, weakness=weakness)
    return sweep(
        plan.ladder, lambda _: margin, plan.space, seed=seed, effort=plan.effort,
        shortfall_of=lambda _: held(plan.least), cross_check=False,
    )  # fmt: skip


def sweeps(
    target: Target, *, seed: int, rerun: str
) -> tuple[tuple[results.Plot, ...], tuple[Corner, ...]]:
    """Return the least margin against power and against time, and the corners they end at."""
    plots, corners = [], []
    for plan in sweeps_of(target):
        done = swept(target, plan, seed=seed)
        power = plan.ladder.means == "power"
        reason = plan.ladder.reason if done.ended == "bounded" else ""
        plots.append(
            results.Plot(
                id=f"sweep-{plan.id}",
                title=f"More {plan.ladder.means}: {plan.what}",
                x="noise over the chips' own" if power else "time taken at most (s)",
                y="least margin found (nats)",
                x_log=True,
                y_log=False,
                series=(over_means(done, "evade"),),
                about=f"{target.anchor.names[target.feature]}. Above 0 keys are sealed. The sweep "
                f"ended {done.ended} at {done.at:g}{f' ({reason})' if reason else ''}.",
                rerun=rerun,
            )
        )
        found = done.levels[-1].best
        attack = attack_of(found.best, plan.given)
        corners.append(_corner(target, "evade", plan.what, found, attack, done.ended, reason, seed))
    return tuple(plots), tuple(corners)


def _corner(
    target: Target, goal: Goal, what: str, found: Found, attack: Attack, ended: str, reason: str,
    seed: int,
) -> Corner:  # fmt: skip
    runs = [play(target, attack, seed=(seed, 77, k)) for k in range(TOLD)]
    return Corner(
        goal=goal, what=what, won=found.won >= 0.5, loss=found.confirmed, attack=attack,
        told=sorted(runs, key=lambda each: each.sealing)[TOLD // 2], ended=ended, reason=reason,
        trials=found.trials,
    )  # fmt: skip


ATLAS, EMITTERS = 324, 3
"""Trials of an atlas, three generations of pyribs, and its emitters."""


def mapped(target: Target, *, seed: int, rerun: str, budget: int = ATLAS) -> results.Atlas:
    """Return the least margin over duration, displacement and injected power (`search.atlas`).

    A displacement rises in `rise_s`, stands, and is taken back; power is mean noise power over the
    chips' own, from 0.01 up; quieter injections lie in the lowest cell.
    """
    axes = (
        Axis(name="duration", unit="s", low=1.0, high=1e6, cells=6),
        Axis(name="displacement", unit="relative", low=0.1 * target.step,
             high=100.0 * target.bound, cells=5),
        Axis(name="injected power", unit="noise powers of a chip", low=1e-2, high=1e8, cells=4),
    )  # fmt: skip
    space = Space(
        parameters=(
            _range("size", axes[1].low, axes[1].high, "", "relative change", True),
            _range("lasts_s", 1.0, 1e6, "s", "from start to end", True),
            _range("standing", 0.1, 1.0, "", "share of the time it stands", False),
            _range("power", 1e-2, 1e8, "", "injected, over a chip's noise power", True),
        )
    )

    def measured(candidates: Sequence[Candidate], seeds: Sequence[int]) -> tuple[Real, Real]:
        attacks = [_of_map(each) for each in candidates]
        losses = [[play(target, a, seed=(s,)).sealing for s in seeds] for a in attacks]
        places = [[a.lasts_s, a.size, max(a.louder**2 - 1.0, axes[2].low)] for a in attacks]
        ends = np.array([(axis.low, axis.high) for axis in axes]).T
        return np.array(losses), np.clip(np.array(places), ends[0], ends[1])

    found = atlas(measured, space, axes, seed=seed, budget=budget, seeds=1,
                  emitters=EMITTERS)  # fmt: skip
    return as_map(
        found,
        about=f"{target.anchor.names[target.feature]}: a change that comes, stands and is taken "
        f"back, under noise. {found.trials} trials of CMA-ME, {found.coverage:.0%} of cells "
        "filled. Margin: the greater of fused evidence and of the account of blind time, over "
        "what seals keys.",
        rerun=rerun,
    )


def _of_map(candidate: Candidate) -> Attack:
    values = candidate.values
    hold_s = values["standing"] * values["lasts_s"]
    return Attack(
        size=values["size"],
        rise_s=0.5 * (values["lasts_s"] - hold_s),
        hold_s=hold_s,
        undone=True,
        louder=math.sqrt(1.0 + values["power"]),
    )
