"""Campaigns: stages, seeds, resumption, and what becomes a result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from casemate.attacks.catalogue import MOVES
from casemate.campaigns.campaign import (
    Campaign,
    Sizes,
    Trials3,
    areas,
    missed,
    seed_of,
    weakest,
)
from casemate.campaigns.engines.local import LocalPool
from casemate.campaigns.engines.store import Store
from casemate.campaigns.move_results import move_result
from casemate.campaigns.rarity.intervals import clopper_pearson
from casemate.campaigns.work import Setup, row_of
from casemate.twin.assembly import Twin
from shared_builds import SECRET_HEX

SIZES = Sizes(screen=2, claim=3, tool=4, vary=2, noise=1, budget=6)
NAMES = ("drill", "fibre", "heating")


@pytest.fixture(scope="module")
def setup(dpa_twin: Twin) -> Setup:
    """Loads the dpa twin from the boards that the session drew."""
    folder = next(iter(dpa_twin.boards.values())).path.parent.parent
    return Setup(
        enclosure=dpa_twin.enclosure, kind="sensor", secret=bytes.fromhex(SECRET_HEX),
        folder=folder, far_per_year=0.01, tool_m=6e-4, unit_seed=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def campaign(setup: Setup, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A campaign of three moves in this process."""
    with LocalPool(1) as pool:
        yield Campaign(
            setup=setup,
            store=Store(folder=tmp_path_factory.mktemp("store"), context="0" * 64),
            engine=pool,
            sizes=SIZES,
            seed=1,
            moves=tuple(move for move in MOVES if move.id in NAMES),
        )


@pytest.fixture(scope="module")
def trials(campaign: Campaign) -> dict[str, Trials3]:
    """What it finds, by move."""
    return {each.move.id: each for each in campaign.carry_out()}


def test_trials_go_where_they_say_something(trials: dict[str, Trials3]) -> None:
    drill, fibre, heating = (trials[name] for name in NAMES)
    assert len(drill.screen) == 2 and len(drill.claim) == 4 and len(drill.vary) == 2
    assert drill.counted == drill.claim and missed(drill.claim) == 0
    # a move that was missed in screening is not asked again: the screen's misses stand
    assert missed(fibre.screen) > 0 and fibre.claim == () and fibre.counted == fibre.screen
    assert fibre.found is None
    assert len(heating.screen) == 1 and heating.vary == ()


def test_a_search_keeps_within_the_spec(trials: dict[str, Trials3]) -> None:
    found = trials["drill"].found
    assert found is not None and found.trials <= SIZES.budget
    assert all(each.candidate.values["diameter_m"] >= 6e-4 for each in found.evaluations)


def test_a_second_run_takes_all_from_the_store(
    campaign: Campaign, trials: dict[str, Trials3], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a trial was done again")

    monkeypatch.setattr("casemate.campaigns.engines.local.carry_out", never)
    again = {each.move.id: each for each in replace(campaign, sizes=replace(SIZES, budget=0))
             .carry_out()}  # fmt: skip
    for name in NAMES:
        # nan is not nan: a delay that never came is compared as text
        assert repr(again[name].all) == repr(trials[name].all)


def test_every_job_stands_alone(campaign: Campaign, trials: dict[str, Trials3]) -> None:
    (move,) = (each for each in MOVES if each.id == "drill")
    jobs = list(campaign.jobs(move, "claim", 4))
    assert len({job.seed for job in jobs}) == 4
    assert seed_of(1, "claim", "drill", 0) != seed_of(1, "screen", "drill", 0)
    campaign.setup()
    assert row_of(jobs[2]) == trials["drill"].claim[2]


def test_places_are_drawn_where_the_design_has_them(dpa_twin: Twin) -> None:
    """A box without laps has none to work at."""
    assert set(areas(dpa_twin.enclosure)) == {"anywhere", "rim", "terminals", "opening", "edge"}


def test_a_bare_rim_is_missed(campaign: Campaign) -> None:
    bare = replace(campaign.setup, bare_rim_m=1.0)
    bare()
    (move,) = (each for each in MOVES if each.id == "edge")
    rows = [row_of(job) for job in campaign.jobs(move, "screen", 3)]
    campaign.setup()
    sound = [row_of(job) for job in campaign.jobs(move, "screen", 3)]
    assert missed(tuple(sound)) == 0 and missed(tuple(rows)) > 0


def test_results_have_exact_intervals(trials: dict[str, Trials3]) -> None:
    drill = move_result(trials["drill"], tool_m=6e-4, pod=0.999, confidence=0.95, rerun="x")
    assert drill.trials == 4 and drill.pod == 1.0 and drill.required == 0.999
    assert drill.pod_low == pytest.approx(0.05 ** (1 / 4))
    assert drill.delay_s_p50 > 0.0 and drill.budget > 0 and math.isfinite(drill.adaptive)
    assert sum(part.trials for part in drill.by_tile) == 4
    assert drill.weakest is not None and drill.weakest.tile
    fibre = move_result(trials["fibre"], tool_m=6e-4, pod=0.999, confidence=0.95, rerun="x")
    low = clopper_pearson(fibre.detected, fibre.trials, 0.95, side="low")[0]
    assert fibre.pod_low == low and math.isnan(fibre.adaptive)
    assert fibre.weakest is not None and not fibre.weakest.detected
    heating = move_result(trials["heating"], tool_m=6e-4, pod=0.999, confidence=0.95, rerun="x")
    assert heating.required is None and heating.tamper == 0


def test_the_weakest_trial_is_a_miss_if_there_is_one(trials: dict[str, Trials3]) -> None:
    rows = (*trials["drill"].claim, *trials["fibre"].screen)
    found = weakest(rows)
    assert found is not None and found.move == "fibre"
    assert weakest(()) is None


def test_a_process_without_a_twin_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.campaigns import work
    from casemate.core.errors import CampaignError

    monkeypatch.setattr(work, "_held", [])
    with pytest.raises(CampaignError, match="no twin"):
        work.held()
