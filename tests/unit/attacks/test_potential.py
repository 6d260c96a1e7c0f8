"""Attack potential against tables typed from their sources; rules and means."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.attacks.catalogue import MOVES, move
from casemate.attacks.move import Move
from casemate.attacks.potential import DAY_S, Potential, hardest, raised, together
from casemate.attacks.potential_rules import Means, NeedRule, Rules, of_parameters, rules
from casemate.attacks.potential_tables import (
    BEYOND,
    CEM,
    JIL,
    endless_axes,
    points_table,
    read_data,
)
from casemate.core.errors import InputError
from casemate.testing.moves import MOST_POINTS

EASY = Potential(
    elapsed_s=DAY_S, on_site_s=60.0, expertise="layman", knowledge="public", window="unlimited",
    equipment="standard", persons=1, cost_usd=0.0,
)  # fmt: skip
HARD = Potential(
    elapsed_s=200 * DAY_S, on_site_s=200 * DAY_S, expertise="multiple experts",
    knowledge="critical", window="difficult", equipment="multiple bespoke", persons=100,
    cost_usd=1e8, samples=100, open_samples="critical", suppliers=2, concealed_s=3e7, attempts=10,
)  # fmt: skip


@pytest.mark.parametrize(
    ("days", "points"),
    [(0.5, 0), (1, 0), (1.01, 1), (7, 1), (8, 2), (14, 2), (15, 4), (30, 4), (31, 7), (60, 7),
     (61, 10), (90, 10), (91, 13), (120, 13), (121, 15), (150, 15), (151, 17), (180, 17),
     (181, 19), (1e4, 19)],
)  # fmt: skip
def test_elapsed_time_of_cem(days: float, points: int) -> None:
    assert dataclasses.replace(EASY, elapsed_s=days * DAY_S).points == points


def test_words_of_cem_as_typed_from_the_source() -> None:
    typed = {
        "expertise": {"layman": 0, "proficient": 3, "expert": 6, "multiple experts": 8},
        "knowledge": {"public": 0, "restricted": 3, "sensitive": 7, "critical": 11},
        "window": {"unlimited": 0, "easy": 1, "moderate": 4, "difficult": 10},
        "equipment": {"standard": 0, "specialised": 4, "bespoke": 7, "multiple bespoke": 9},
    }
    for factor, words in typed.items():
        for word, points in words.items():
            assert dataclasses.replace(EASY, **{factor: word}).points == points
    assert HARD.points == 19 + 8 + 11 + 10 + 9 == MOST_POINTS


def test_levels_of_cem_at_their_bounds() -> None:
    table = points_table(CEM)
    bounds = {0: "basic", 9: "basic", 10: "enhanced-basic", 13: "enhanced-basic",
              14: "moderate", 19: "moderate", 20: "high", 24: "high",
              25: "beyond high"}  # fmt: skip
    assert {points: table.level(points) for points in bounds} == bounds


def test_jil_sums_both_phases() -> None:
    assert EASY.jil == (2 + 0 + 0 + 0 + 1 + 0, 0 + 0 + 0 + 0 + 2)  # a day is not below a day
    assert HARD.jil == (6 + 7 + 6 + 3 + 7 + 6, 10 + 6 + 5 + 6 + 8)
    some = dataclasses.replace(
        EASY, elapsed_s=60 * DAY_S, on_site_s=2 * 3600.0, expertise="expert",
        knowledge="sensitive", equipment="bespoke", samples=30, open_samples="restricted",
    )  # fmt: skip
    assert some.jil == (5 + 5 + 4 + 2 + 5 + 2, 3 + 4 + 3 + 4 + 6)
    assert sum(some.jil) == 43 and some.jil_level == "AVA_VAN.5"
    table = points_table(JIL)
    bounds = {15: "none", 16: "AVA_VAN.2", 20: "AVA_VAN.2", 21: "AVA_VAN.3", 24: "AVA_VAN.3",
              25: "AVA_VAN.4", 30: "AVA_VAN.4", 31: "AVA_VAN.5"}  # fmt: skip
    assert {points: table.level(points) for points in bounds} == bounds


def test_scales_saturate_and_what_lies_beyond_does_not() -> None:
    state = dataclasses.replace(HARD, persons=10_000, cost_usd=1e10, attempts=1_000)
    assert state.points == HARD.points and state.jil == HARD.jil
    assert state.beyond > HARD.beyond + 30.0
    assert EASY.beyond == 0.0


def test_each_axis_beyond_costs_the_same_for_each_tenfold() -> None:
    for axis in endless_axes():
        assert axis.points(axis.least) == 0.0
        large = axis.least + axis.one * 1e6
        gain = axis.points(axis.least + axis.one * 1e7) - axis.points(large)
        assert gain == pytest.approx(axis.per_decade, rel=1e-5)
        assert axis.points(axis.least + 9.0 * axis.one) == pytest.approx(axis.per_decade)
    one_insider = dataclasses.replace(EASY, suppliers=1)
    assert one_insider.beyond == pytest.approx(15.0 * math.log10(2.0))


def test_every_table_says_its_source_and_whether_it_was_verified() -> None:
    verified = set()
    for name in (CEM, JIL):
        table = points_table(name)
        assert table.levels_source
        for factor in table.factors:
            assert len(factor.source) > 20 and all(
                len(row.points) == len(table.phases) for row in factor.rows
            )
            points = [row.points for row in factor.rows]
            assert points == sorted(points) and len(set(points)) == len(points)
            if factor.verified:
                verified.add((table.id, factor.id))
                assert isinstance(factor.read, datetime.date) or "day not noted" in factor.source
            else:
                assert "general knowledge" in factor.source
    assert verified == {
        ("cem", "elapsed_s"), ("cem", "expertise"), ("cem", "knowledge"), ("cem", "window"),
        ("cem", "equipment"), ("jil-smartcards", "equipment"),
    }  # fmt: skip
    assert read_data(BEYOND)["verified"] is False
    assert not points_table(CEM).levels_verified and not points_table(JIL).levels_verified


def test_words_that_a_table_lacks_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        dataclasses.replace(EASY, window="none").points  # type: ignore[arg-type]  # noqa: B018
    assert caught.value.key == "window" and "moderate" in caught.value.remedy


@pytest.mark.parametrize("each", MOVES, ids=lambda each: each.id)
def test_shipped_moves_stand_on_both_scales(each: Move) -> None:
    assert 0 <= each.potential.points <= MOST_POINTS and sum(each.potential.jil) <= 70
    assert of_parameters(each, {}) == each.potential


def test_parts_join_by_the_hardest_or_by_sums() -> None:
    part = dataclasses.replace(EASY, knowledge="critical", persons=7, samples=3, attempts=4)
    for first, second in itertools.permutations((part, HARD)):
        joined = together((first, second))
        assert joined.points == HARD.points
        assert joined.elapsed_s == 201 * DAY_S and joined.samples == 103
        assert (joined.persons, joined.suppliers, joined.attempts) == (100, 2, 10)
        assert hardest((first, second)) == HARD
    assert raised(HARD, expertise="layman", persons=1) == HARD
    assert raised(EASY, window="easy", cost_usd=5.0).points == 1


def flaws(found: Rules) -> list[str]:
    """Return what is wrong with rules: moves, parameters or limits that are none."""
    said = []
    for need in found.needs:
        for id in need.moves:
            ranges = {each.name: each for each in move(id).parameters}
            if need.parameter not in ranges:
                said.append(f"{id} has no {need.parameter}")
                continue
            rule = ranges[need.parameter]
            if need.holds(rule.default) or not (need.holds(rule.low) or need.holds(rule.high)):
                said.append(f"{id}: {need.parameter} always or never asks for more")
    for time in found.times:
        names = {each.name for each in move(time.move).parameters}
        said += [f"{time.move} has no {name}" for term in time.terms for name in term
                 if name not in names]  # fmt: skip
    return said


def test_rules_name_parameters_and_limits_that_exist() -> None:
    assert not flaws(rules()) and all(each.why for each in (*rules().needs, *rules().windows))
    assert [each.above for each in rules().windows] == sorted(
        each.above for each in rules().windows
    )
    wrong = NeedRule(moves=("drill",), parameter="volt_m", raises={}, why="", above=1.0)
    never = NeedRule(moves=("drill",), parameter="diameter_m", raises={}, why="", above=1.0)
    always = NeedRule(moves=("drill",), parameter="diameter_m", raises={}, why="", above=0.0)
    for planted in (wrong, never, always):
        assert flaws(dataclasses.replace(rules(), needs=(planted,)))


def test_values_raise_what_a_move_takes() -> None:
    fine = of_parameters(move("drill"), {"diameter_m": 5e-5})
    assert fine.expertise == "expert" and fine.points == move("drill").potential.points + 3
    assert of_parameters(move("laser"), {"diameter_m": 1e-5}).equipment == "multiple bespoke"
    loud = of_parameters(move("radio-noise"), {"volt_m": 900.0})
    assert (loud.equipment, loud.cost_usd) == ("bespoke", 3e5)
    with pytest.raises(InputError):
        of_parameters(move("drill"), {"volt_m": 1.0})


def test_time_that_parameters_take_counts_and_may_change_the_window() -> None:
    probe = move("probe")
    base = of_parameters(probe, {}).on_site_s
    longer = of_parameters(probe, {"touches": 50.0, "hold_s": 3_600.0})
    assert longer.on_site_s == base + 50 * 3_600.0 - 2.0
    walk = of_parameters(move("slow-walk"), {"walk_s": 3e7})
    own = move("slow-walk").potential
    assert walk.elapsed_s == pytest.approx(own.elapsed_s + 3e7 - 7.776e6)
    assert walk.points == own.points + 2 and walk.on_site_s == own.on_site_s
    watched = dataclasses.replace(
        probe, potential=dataclasses.replace(probe.potential, window="easy", on_site_s=60.0)
    )
    stays = {hold: of_parameters(watched, {"window_s": hold}).window
             for hold in (600.0, 3_000.0, 5_000.0, 50_000.0)}  # fmt: skip
    assert stays == {600.0: "easy", 3_000.0: "easy", 5_000.0: "moderate", 50_000.0: "difficult"}


@given(st.sampled_from(MOVES), st.integers(0, 1 << 32))
def test_rules_only_raise(each: Move, seed: int) -> None:
    found = of_parameters(each, each.drawn(np.random.default_rng(seed)))
    assert hardest((found, each.potential)) == found
    assert found.points >= each.potential.points and found.beyond >= each.potential.beyond


def test_means_lack_by_the_largest_logarithm() -> None:
    assert Means().lacking(HARD) == 0.0
    assert Means(persons=100, cost_usd=1e8).lacking(HARD) == 0.0
    assert Means(persons=50, cost_usd=1e7).lacking(HARD) == pytest.approx(math.log(10.0))
    assert Means(suppliers=0).lacking(HARD) == math.inf
    assert Means(suppliers=0).lacking(EASY) == 0.0
