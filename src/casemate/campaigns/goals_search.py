"""The adversary's three goals searched on abstract attacks, its means swept upward, and an atlas.

Searches are small, for a case has minutes: they share their rules with those of moves
(`search.adaptive`, `search.sweep`, `search.atlas`) and can be given more.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from casemate.attacks.move import Parameter
from casemate.campaigns.abstract import Attack, Target, Told, play
from casemate.campaigns.copies import SOUND, Weakness
from casemate.campaigns.search.adaptive import Effort, search
from casemate.campaigns.search.as_results import as_map
from casemate.campaigns.search.atlas import Axis, atlas
from casemate.campaigns.search.goals import GOALS, Goal, loss
from casemate.campaigns.search.margin import Found, Real, Shortfall
from casemate.campaigns.search.space import Candidate, Space
from casemate.campaigns.search.sweep import Ladder, Swept, sweep
from casemate.case import results

LOUDEST = 1e5
"""Noise of chips over their own that is still tried: 100 dB (planning value)."""
LONGEST_S = 20.0
"""Of searched attacks: twice the blind time that seals."""
DAY_S = 86_400.0
MOST = 1e12
"""Noise powers times seconds, more than any attack tried injects."""
EFFORT = Effort(budget=160, restarts=2, seeds=1, confirm=8)
SWEEP = Effort(budget=60, restarts=1, seeds=1, confirm=6)


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


def attack_of(candidate: Candidate, **given: bool) -> Attack:
    """Return the attack of a candidate of `parameters`."""
    return Attack(**dict(candidate.values), **given)  # type: ignore[arg-type]


@dataclass(slots=True, kw_only=True)
class Abstract:
    """The loss of abstract attacks for a goal, as searches want it.

    undone: the displacement is taken back at the end. told: what came of each attack, for tests of
    properties over all that was ever tried.
    """

    target: Target
    goal: Goal
    undone: bool = False
    weakness: Weakness = SOUND
    told: list[tuple[Attack, Told]] = field(default_factory=list)

    def __call__(self, candidates: Sequence[Candidate], seeds: Sequence[int]) -> Real:
        """Return nats, (candidates, seeds)."""
        rows = [[self._one(each, seed) for seed in seeds] for each in candidates]
        return np.array(rows, dtype=np.float64)

    def _one(self, candidate: Candidate, seed: int) -> float:
        attack = attack_of(candidate, undone=self.undone)
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
    effort: Effort = EFFORT,
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
        effort=effort,
        shortfall=held(displaced) if displaced else None,
    )
    return found, margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """How far an adversary came. goal, what: in words. won: whether it reached its goal.

    loss: nats (give-up: see `goals.loss`), below 0 where it wins. attack: the best found. told:
    what detectors made of it, under a seed of its own. ended: won, bounded, open or searched;
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
    target: Target, *, seed: int, rerun: str, effort: Effort = EFFORT
) -> tuple[results.Plot, tuple[Corner, ...], tuple[tuple[Attack, Told], ...]]:
    """Return curves of convergence for the three goals, corners, and all that was tried."""
    series, corners = [], []
    tried: list[tuple[Attack, Told]] = []
    for goal in GOALS:
        found, margin = searched(target, goal, seed=seed, effort=effort)
        trials, losses = zip(*found.curve, strict=True)
        series.append(
            results.Series(name=goal, x=tuple(float(each) for each in trials), y=losses)
        )
        corners.append(_corner(target, goal, _WHAT[goal], found, "searched", "", seed))
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


def _corner(
    target: Target, goal: Goal, what: str, found: Found, ended: str, reason: str, seed: int
) -> Corner:
    attack = attack_of(found.best, undone=ended != "searched" and "taken back" in what)
    told = play(target, attack, seed=(seed, 77))
    return Corner(
        goal=goal, what=what, won=found.won >= 0.5, loss=found.confirmed, attack=attack, told=told,
        ended=ended, reason=reason, trials=found.trials,
    )  # fmt: skip


def swept_power(target: Target, *, seed: int, effort: Effort = SWEEP) -> tuple[Swept, str]:
    """Return a change that must be caught made and taken back under ever louder noise, in 5 s.

    Shorter than the blind time that seals: this is where power is expected to win.
    """
    least = asked_change(target)
    levels = tuple(10.0**k for k in range(6))
    ladder = Ladder(means="power", unit="noise over the chips' own", levels=levels, bound=LOUDEST,
                    reason="100 dB over a reader's noise, planning value")  # fmt: skip

    def space(loudest: float) -> Space:
        hold = _range("hold_s", 0.5, 5.0, "s", "how long it lasts", True)
        size = _range("size", least, 2.0 * least, "", "relative change", True)
        noise = _range("louder", 1.0, max(loudest, 1.0 + 1e-6), "", "noise over own", True)
        return Space(parameters=(size, hold, noise))

    margin = Abstract(target=target, goal="evade", undone=True)
    done = sweep(ladder, lambda _: margin, space, seed=seed, effort=effort,
                 shortfall_of=lambda _: held(least), cross_check=False)  # fmt: skip
    return done, "a change that must be caught, taken back within 5 s, under noise"


def swept_time(target: Target, *, seed: int, effort: Effort = SWEEP) -> tuple[Swept, str]:
    """Return a change of three bounds made ever more slowly and left in place, without noise."""
    least = 3.0 * target.bound
    levels = (1.0, 60.0, 3600.0, DAY_S, 30.0 * DAY_S, 365.25 * DAY_S, 3652.5 * DAY_S)
    ladder = Ladder(means="time", unit="s", levels=levels, bound=levels[-1],
                    reason="ten years, the life of an enclosure (planning value)")  # fmt: skip

    def space(longest_s: float) -> Space:
        size = _range("size", least, 2.0 * least, "", "relative change", True)
        rise = _range("rise_s", 0.1, longest_s, "s", "how long the change takes", True)
        hold = _range("hold_s", 10.0, 10.0, "s", "how long it stands", True)
        return Space(parameters=(size, rise, hold))

    margin = Abstract(target=target, goal="evade")
    done = sweep(ladder, lambda _: margin, space, seed=seed, effort=effort,
                 shortfall_of=lambda _: held(least), cross_check=False)  # fmt: skip
    return done, "a change of three times the bound, made slowly and left in place"


def sweeps(
    target: Target, *, seed: int, rerun: str, effort: Effort = SWEEP
) -> tuple[tuple[results.Plot, ...], tuple[Corner, ...]]:
    """Return the least margin against power and against time, and the corners they end at."""
    plots, corners = [], []
    for name, run in (("power", swept_power), ("time", swept_time)):
        done, what = run(target, seed=seed, effort=effort)
        x, y, errors = zip(*done.curve, strict=True)
        low = tuple(a - 1.96 * e if math.isfinite(e) else a for a, e in zip(y, errors, strict=True))
        high = tuple(a + 1.96 * e if math.isfinite(e) else a for a, e in zip(y, errors, strict=True))
        plots.append(
            results.Plot(
                id=f"sweep-{name}",
                title=f"More {name}: {what}",
                x="noise over the chips' own" if name == "power" else "time taken at most (s)",
                y="least margin found (nats)",
                x_log=True,
                y_log=False,
                series=(results.Series(name="evade", x=x, y=y, low=low, high=high),),
                about=f"{target.anchor.names[target.feature]}. Above 0 keys are sealed. The sweep "
                f"ended {done.ended} at {done.at:g}"
                + (f" ({done.ladder.reason})." if done.ended == "bounded" else "."),
                rerun=rerun,
            )
        )
        reason = done.ladder.reason if done.ended == "bounded" else ""
        found = done.levels[-1].best
        corners.append(_corner(target, "evade", what, found, done.ended, reason, seed))
    return tuple(plots), tuple(corners)


ATLAS = 1080
"""Trials of an atlas: six generations of pyribs."""


def mapped(
    target: Target, *, seed: int, rerun: str, budget: int = ATLAS
) -> results.Atlas:
    """Return the least margin over duration, displacement and injected power (`search.atlas`).

    A displacement rises in `rise_s`, stands, and is taken back; power is mean noise power over the
    chips' own, from 0.01 up; quieter injections lie in the lowest cell.
    """
    axes = (
        Axis(name="duration", unit="s", low=1.0, high=1e6, cells=6),
        Axis(name="displacement", unit="relative", low=0.1 * target.step,
             high=100.0 * target.bound, cells=6),
        Axis(name="injected power", unit="noise powers of a chip", low=1e-2, high=1e8, cells=5),
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

    found = atlas(measured, space, axes, seed=seed, budget=budget, seeds=1)
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
