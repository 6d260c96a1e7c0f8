"""The three goals on abstract attacks: what wins, what must not, and planted weaknesses."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from abstract_samples import NOISE, Boards, anchor, target

from casemate.campaigns.abstract import Target
from casemate.campaigns.copies import Weakness
from casemate.campaigns.goals_search import goals, mapped, searched, sweeps, sweeps_of, swept
from casemate.campaigns.red_team import red_team_figures
from casemate.campaigns.search.adaptive import Effort
from casemate.detect.bank import chips_of
from casemate.detect.response import SEAL

FEW = Effort(budget=60, restarts=1, seeds=1, confirm=4)


@pytest.fixture(scope="module")
def lean() -> Target:
    return target().lean()


def test_nobody_evades_by_doing_nothing(lean: Target) -> None:
    found, margin = searched(lean, "evade", seed=1, effort=FEW)
    must = 40.0 * NOISE
    assert found.best.values["size"] >= must
    assert min(attack.size for attack, _ in margin.told) >= must
    assert found.won == 0.0 and found.confirmed > 0.0


def test_giving_up_costs_what_blinds_the_meter_for_its_limit(lean: Target) -> None:
    """Least power: where the information of a window falls to the need; it must last blind_s.

    Nothing cheaper is found; a search of this size comes within a factor of ten.
    """
    effort = Effort(budget=100, restarts=1, seeds=1, confirm=4)
    found, margin = searched(lean, "give-up", seed=1, effort=effort)
    policy = lean.policy
    loud, _ = chips_of(1e-3, 1.0, 0.1)
    need = (policy.nats[SEAL] + math.log(2.0 * policy.features)) * 0.1 / policy.attack_s
    beyond = min(float((each.must - each.bound).min()) for each in lean.anchors)
    power = 0.5 * loud * (beyond / NOISE) ** 2 / need
    least = (power - 1.0) * policy.blind_s
    best = min(told.energy for _, told in margin.told if told.sealing > 0.0)
    assert 0.8 * least <= best <= 10.0 * least
    assert found.won > 0.0
    assert max(told.level for _, told in margin.told) == SEAL


def test_blinding_wins_only_where_silence_is_switched_off(lean: Target) -> None:
    sound, _ = searched(lean, "blind", seed=1, effort=FEW)
    assert sound.won == 0.0
    deaf, _ = searched(lean, "blind", seed=1, effort=FEW, weakness=Weakness(mute=True))
    assert deaf.won == 1.0 and deaf.confirmed < 0.0


def test_power_hides_what_is_brief_and_time_what_moves_alike(lean: Target) -> None:
    little = Effort(budget=8, restarts=1, seeds=1, confirm=3)
    power, time, alike = (replace(each, effort=little) for each in sweeps_of(lean))
    brief = swept(lean, power, seed=1)
    assert brief.ended == "won" and brief.at > 1.0
    assert brief.corner.values["size"] >= 40.0 * NOISE
    slow = swept(lean, time, seed=1)
    assert slow.ended == "bounded" and slow.levels[-1].best.confirmed > 0.0
    together = swept(lean, alike, seed=1)
    assert together.ended == "won" and together.at > 1.0
    learning = swept(lean, time, seed=1, weakness=Weakness(learns=True))
    assert learning.ended == "won"


@pytest.mark.slow
def test_convergence_and_corners_are_told(lean: Target) -> None:
    plot, corners, tried = goals(lean, seed=1, rerun="again", effort=FEW)
    assert [each.name for each in plot.series] == ["evade", "give-up", "blind"]
    assert all(list(each.y) == sorted(each.y, reverse=True) for each in plot.series)
    assert [each.won for each in corners] == [False, True, False]
    assert len(tried) > 3 * 30
    plots, ends = sweeps(lean, seed=1, rerun="again")
    assert [each.id for each in plots] == ["sweep-power", "sweep-time", "sweep-time-alike"]
    assert [each.ended for each in ends] == ["won", "bounded", "won"]


@pytest.mark.slow
def test_an_atlas_is_of_three_axes(lean: Target) -> None:
    found = mapped(lean, seed=1, rerun="again", budget=216)
    cells = [v for plane in found.margin for row in plane for v in row if v is not None]
    assert min(cells) < 0.0 < max(cells) <= 700.0
    assert (len(found.x), len(found.y), len(found.z)) == (7, 6, 5)
    # at rest, without power, for the shortest time there is nothing to find
    assert (found.margin[0][0][0] or -1.0) < 0.0
    assert found == mapped(lean, seed=1, rerun="again", budget=216)


@pytest.mark.slow
def test_all_figures_come_with_their_command_and_none_without_boards() -> None:
    boards = {
        "b": (anchor("loop_resistance", features=2), anchor(features=4)),
    }
    said: list[str] = []
    found = red_team_figures(Boards(boards=boards), seed=1, rerun="again", say=said.append)  # type: ignore[arg-type]
    assert len({each.id for each in found.plots}) == len(found.plots) == 10
    assert {each.rerun for each in found.plots} == {"again"} and said
    assert found.highest == SEAL and found.injected > 50 and found.convicted == 0
    assert found.atlas is not None and len(found.corners) == 6
    none = red_team_figures(Boards(boards={}, names=()), seed=1, rerun="again")  # type: ignore[arg-type]
    assert none.plots == () and none.atlas is None
