"""Sweeps whose end is known, and losses of the three goals."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_samples import Of, plain

from casemate.attacks.catalogue import move
from casemate.attacks.potential_rules import Means
from casemate.campaigns.search.adaptive import Effort
from casemate.campaigns.search.goals import GOALS, Figures, loss
from casemate.campaigns.search.margin import Margin, Shortfall
from casemate.campaigns.search.space import Candidate
from casemate.campaigns.search.sweep import Ladder, Swept, sweep, within
from casemate.core.errors import InputError

SPACE = plain(2)
EFFORT = Effort(budget=400, seeds=2, confirm=32)
POWER = Ladder(means="power", unit="W", levels=(1.0, 10.0, 100.0, 1e3, 1e4))


def margin_of(watt: float) -> Margin:
    """The least is ln(30) - ln(watt) at the middle: the attack wins above 30 W."""
    return Of(
        SPACE, lambda unit: math.log(30.0 / watt) + 9.0 * float(((unit - 0.5) ** 2).sum()),
        noise=0.05,
    )  # fmt: skip


def swept(ladder: Ladder, **given: object) -> Swept:
    return sweep(ladder, margin_of, lambda watt: SPACE, seed=3, effort=EFFORT, **given)  # type: ignore[arg-type]


def test_it_ends_where_the_attack_wins_and_gives_the_corner() -> None:
    found = swept(POWER)
    assert (found.ended, found.at) == ("won", 100.0)
    assert [watt for watt, _, _ in found.curve] == [1.0, 10.0, 100.0]
    for watt, confirmed, error in found.curve:
        assert confirmed == pytest.approx(math.log(30.0 / watt), abs=4.0 * error + 0.02)
    assert SPACE.encoded(found.corner) == pytest.approx([0.5, 0.5], abs=0.05)
    assert all(each.random is not None and each.found.loss <= each.random.loss + 0.01
               for each in found.levels)  # fmt: skip


def test_a_physical_bound_ends_it_and_is_searched_itself() -> None:
    bounded = Ladder(
        means="power", unit="W", levels=POWER.levels, bound=20.0, reason="a sample's law"
    )
    found = swept(bounded, cross_check=False)
    assert (found.ended, found.at) == ("bounded", 20.0)
    assert [level.value for level in found.levels] == [1.0, 10.0, 20.0]
    assert found.levels[0].random is None


def test_levels_that_end_first_are_a_doubt() -> None:
    found = swept(Ladder(means="power", unit="W", levels=(1.0, 3.0)), cross_check=False)
    assert (found.ended, found.at) == ("open", 3.0)


def test_the_share_that_counts_as_won_moves_the_end() -> None:
    """At 30 W an attack wins every second time: enough for one half, not for nine in ten."""
    ladder = Ladder(means="power", unit="W", levels=(30.0, 40.0, 60.0))
    often = sweep(ladder, margin_of, lambda watt: SPACE, seed=3, effort=EFFORT, wins=0.9)
    seldom = sweep(ladder, margin_of, lambda watt: SPACE, seed=3, effort=EFFORT, wins=0.2)
    assert (seldom.at, often.at) == (30.0, 40.0)


def test_more_means_never_lose() -> None:
    """Each level opens more of the space; the least of the level below stays within reach."""

    def limited(level: float) -> Shortfall:
        return lambda each: sum(each.values.values()) - level

    found = sweep(
        Ladder(means="money", unit="USD", levels=(0.1, 0.4, 0.8, 1.2)),
        lambda level: Of(SPACE, lambda unit: 3.0 - float(unit.sum()), noise=0.3),
        lambda level: SPACE, seed=1, effort=Effort(budget=60, seeds=2, confirm=4),
        shortfall_of=limited, cross_check=False,
    )  # fmt: skip
    losses = [level.found.loss for level in found.levels]
    assert all(a >= b for a, b in itertools.pairwise(losses))
    for level in found.levels:
        assert sum(level.found.best.values.values()) <= level.value
    for less, more in itertools.pairwise(found.levels):
        assert more.found.evaluations[0].candidate == less.best.best


def test_means_bind_by_what_a_move_takes() -> None:
    laser = move("laser")
    allowed = within(laser, Means(on_site_s=laser.potential.on_site_s + 100.0))
    assert allowed(Candidate(values=laser.defaults())) == 0.0
    assert allowed(Candidate(values={**laser.defaults(), "holes": 50.0})) == 0.0  # 98 s more
    assert allowed(Candidate(values={**laser.defaults(), "holes": 60.0})) > 0.0


def test_ladders_without_sense_are_refused() -> None:
    for levels, bound in (((), None), ((2.0, 1.0), None), ((1.0, 2.0), 3.0)):
        with pytest.raises(InputError):
            Ladder(means="time", unit="s", levels=levels, bound=bound)
    with pytest.raises(InputError):
        swept(POWER, wins=0.0)


numbers = st.floats(-1e3, 1e3)
figures = st.builds(
    Figures, tamper=numbers, nuisance=numbers, notice=numbers, information=numbers,
    effort_j=st.floats(0.0, 1e8),
)  # fmt: skip


@given(figures)
def test_losses_are_below_zero_exactly_where_the_adversary_wins(given: Figures) -> None:
    assert (loss("evade", given) < 0.0) == (given.tamper < 0.0)
    assert (loss("give-up", given) < 0.0) == (given.nuisance > 0.0)
    blind = given.information < 0.0 and given.notice < 0.0
    assert (loss("blind", given) < 0.0) == blind


@given(figures, st.floats(1e-3, 1e3))
def test_losses_fall_as_the_adversary_comes_nearer(given: Figures, more: float) -> None:
    def moved(**by: float) -> Figures:
        names = ("tamper", "nuisance", "notice", "information", "effort_j")
        return Figures(**{name: getattr(given, name) + by.get(name, 0.0) for name in names})

    assert loss("evade", moved(tamper=-more)) < loss("evade", given)
    assert loss("blind", moved(notice=-more, information=-more)) < loss("blind", given)
    if given.nuisance + more <= 0.0:
        assert loss("give-up", moved(nuisance=more)) < loss("give-up", given)
    assert loss("give-up", moved(effort_j=more)) >= loss("give-up", given)


def test_other_goals_are_refused() -> None:
    assert set(GOALS) == {"evade", "give-up", "blind"}
    none = Figures(tamper=0.0, nuisance=0.0, notice=0.0, information=0.0, effort_j=0.0)
    with pytest.raises(InputError):
        loss("steal", none)  # type: ignore[arg-type]
