"""Searches against functions whose least value and place are known."""

from __future__ import annotations

import dataclasses
import itertools
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from search_samples import Of, bowl, bowl_work, corner, plain, rugged

from casemate.attacks.move import Parameter, choice
from casemate.campaigns.engines.local import LocalPool
from casemate.campaigns.engines.store import Store
from casemate.campaigns.search.adaptive import Effort, search
from casemate.campaigns.search.at_random import at_random
from casemate.campaigns.search.margin import Found
from casemate.campaigns.search.space import Candidate, Space, Unit
from casemate.campaigns.search.trials import Trials
from casemate.core.errors import CampaignError, InputError

ALONE = Effort(budget=2000, seeds=1, confirm=1)


@pytest.mark.parametrize("seed", range(3))
def test_smooth_least_is_found_and_drawing_alone_does_worse(seed: int) -> None:
    space = plain(6)
    found = search(Of(space, bowl), space, seed=seed, effort=ALONE)
    assert found.loss == pytest.approx(-3.0, abs=2e-3)
    want = 0.3 + 0.08 * np.arange(6)
    assert space.encoded(found.best) == pytest.approx(want, abs=0.05)
    assert at_random(Of(space, bowl), space, seed=seed, effort=ALONE).loss > found.loss + 0.1


@pytest.mark.parametrize("seed", range(2))
def test_rugged_least_is_found_up_to_a_neighbour_among_a_thousand(seed: int) -> None:
    space = plain(3)
    effort = dataclasses.replace(ALONE, budget=6000)
    found = search(Of(space, rugged), space, seed=seed, effort=effort)
    assert found.loss < 1.0
    assert at_random(Of(space, rugged), space, seed=seed, effort=effort).loss > found.loss + 1.0


@pytest.mark.parametrize("seed", range(3))
def test_small_corner_is_found_beside_a_wide_basin(seed: int) -> None:
    space = plain(4)
    found = search(
        Of(space, corner), space, seed=seed, effort=dataclasses.replace(ALONE, budget=4000)
    )
    assert found.loss < -3.99 and space.encoded(found.best).min() > 0.98


@pytest.mark.slow
def test_share_of_searches_that_succeed_is_as_told() -> None:
    """The shares of decision 14: 12 seeds each, on losses whose least value is known."""

    def found(loss: Callable[[Unit], float], axes: int, budget: int, most: float) -> int:
        space, effort = plain(axes), dataclasses.replace(ALONE, budget=budget)
        runs = [search(Of(space, loss), space, seed=100 + k, effort=effort) for k in range(12)]
        return sum(run.loss < most for run in runs)

    assert found(bowl, 6, 2000, -2.99) == 12
    assert found(rugged, 3, 6000, 0.5) >= 6
    assert found(corner, 4, 4000, -3.9) == 12
    assert found(corner, 8, 8000, -3.9) >= 6


def test_mixed_scales_words_and_boards() -> None:
    space = Space(
        parameters=(
            Parameter(name="d", low=1e-6, high=1e-1, default=1e-3, unit="m", about="", scale="log"),
            Parameter(name="n", low=1, high=40, default=1, unit="", about="", scale="whole"),
            choice("w", ("a", "b", "c"), "a word"),
        ),
        tiles=tuple("pqrstu"), place=True,
    )  # fmt: skip

    def margin(candidates: list[Candidate], seeds: list[int]) -> list[list[float]]:
        rows = []
        for each in candidates:
            v = each.values
            loss = math.log10(v["d"] / 3e-5) ** 2 + 0.1 * abs(v["n"] - 17) + (v["w"] != 2.0)
            loss += 0.5 * abs("pqrstu".index(each.tile) - 4) + 4.0 * (each.place[0] - 0.9) ** 2
            rows.append([loss] * len(seeds))
        return rows

    found = search(margin, space, seed=3, effort=dataclasses.replace(ALONE, budget=4000))
    assert found.best.values["d"] == pytest.approx(3e-5, rel=0.1)
    assert (found.best.values["n"], found.best.values["w"], found.best.tile) == (17.0, 2.0, "t")
    assert found.best.place[0] == pytest.approx(0.9, abs=0.05)


def test_few_whole_choices_are_tried_whole_and_many_searched() -> None:
    space = Space(parameters=tuple(choice(f"c{k}", tuple("abcd"), "") for k in range(4)))
    table = np.random.default_rng(5).random((4, 4, 4, 4))

    def margin(candidates: list[Candidate], seeds: list[int]) -> list[list[float]]:
        return [[table[tuple(int(v) for v in each.values.values())]] for each in candidates]

    assert space.count == 256
    found = search(margin, space, seed=1, effort=dataclasses.replace(ALONE, budget=256))
    assert found.loss == table.min() and found.trials == 256
    less = search(margin, space, seed=1, effort=dataclasses.replace(ALONE, budget=200))
    keys = [each.candidate.key() for each in less.evaluations]
    assert len(set(keys)) == len(keys) == less.trials <= 200
    assert less.loss <= np.quantile(table, 0.05)


def test_one_axis_and_a_budget_of_one_work() -> None:
    space = plain(1)
    found = search(Of(space, bowl), space, seed=0, effort=dataclasses.replace(ALONE, budget=300))
    assert found.loss == pytest.approx(-3.0, abs=1e-3)
    assert search(Of(space, bowl), space, seed=0, effort=Effort(budget=4)).trials == 4


def test_the_same_seed_gives_the_same_search_and_budgets_are_kept() -> None:
    space = plain(4)
    effort = Effort(budget=1000, seeds=4, confirm=8)
    margin = Of(space, bowl, noise=1.0)
    one, two = (search(margin, space, seed=5, effort=effort) for _ in range(2))
    assert one == two and one != search(margin, space, seed=6, effort=effort)
    counted = Of(space, bowl, noise=1.0)
    found = search(counted, space, seed=5, effort=effort)
    assert found.trials <= 1000 and counted.asked == found.trials + 8
    assert len(counted.seeds) == 4 + 8
    assert sum(each.trials for each in found.restarts) == found.trials


def test_common_noise_does_not_move_the_least_and_the_curve_falls() -> None:
    space = plain(4)
    found = search(
        Of(space, bowl, noise=5.0), space, seed=5, effort=Effort(budget=4000, seeds=2, confirm=4)
    )
    assert bowl(space.encoded(found.best)) == pytest.approx(-3.0, abs=0.01)
    trials, losses = zip(*found.curve, strict=True)
    assert list(trials) == sorted(trials) and trials[-1] == found.trials
    assert all(a > b for a, b in itertools.pairwise(losses[:-1])) and losses[-1] == found.loss
    assert min(each.loss for each in found.evaluations) == found.loss


def test_fresh_seeds_undo_the_luck_of_the_winner() -> None:
    """With noise of its own a candidate wins by luck: its loss is too low, its confirmation not."""
    off, lucky = [], []
    for seed in range(8):
        space = plain(2)
        margin = Of(space, bowl, noise=1.0, common=False)
        found = search(margin, space, seed=seed, effort=Effort(budget=600, seeds=2, confirm=64))
        truth = bowl(space.encoded(found.best))
        off.append((found.confirmed - truth) / found.standard_error)
        lucky.append(found.loss - truth)
        assert found.standard_error == pytest.approx(1.0 / 8.0, rel=0.4)
    assert np.mean(lucky) < -1.0
    assert abs(np.mean(off)) < 3.0 / math.sqrt(8) and np.max(np.abs(off)) < 4.0


def test_share_of_fresh_seeds_won_follows_the_normal_law() -> None:
    space = plain(1)
    margin = Of(space, lambda unit: -1.0 + float(unit[0]), noise=1.0)
    found = search(margin, space, seed=1, effort=Effort(budget=400, seeds=4, confirm=2000))
    assert found.won == pytest.approx(0.8413, abs=0.03)


def test_goal_and_means_bind_and_cost_no_trial() -> None:
    space = plain(3)

    def asked(candidate: Candidate) -> float:
        return 1.5 - sum(candidate.values.values())

    margin = Of(space, lambda unit: float(unit @ np.array([1.0, 2.0, 3.0])))
    effort = dataclasses.replace(ALONE, budget=3000)
    found = search(margin, space, seed=2, effort=effort, shortfall=asked)
    assert found.loss == pytest.approx(2.0, abs=0.02)  # 1 x 1 + 0.5 x 2, a linear programme
    assert all(asked(each.candidate) <= 0.0 for each in found.evaluations)
    assert margin.asked == found.trials + 1
    for which in (search, at_random):
        with pytest.raises(CampaignError, match="meets its goal"):
            which(margin, space, seed=2, effort=effort, shortfall=lambda each: 1.0)


@pytest.mark.parametrize("short", [math.inf, math.nan, 1e300])
def test_endless_shortfalls_are_avoided_without_a_fuss(short: float) -> None:
    space = plain(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = search(
            Of(space, bowl),
            space,
            seed=0,
            effort=dataclasses.replace(ALONE, budget=300),
            shortfall=lambda each: short if each.values["p0"] < 0.5 else 0.0,
        )
    assert all(each.candidate.values["p0"] >= 0.5 for each in found.evaluations)


def test_starts_are_tried_first_and_never_lost() -> None:
    space = plain(6)
    best = space.decoded(0.3 + 0.08 * np.arange(6))
    found = search(
        Of(space, bowl), space, seed=0, effort=dataclasses.replace(ALONE, budget=40), starts=[best]
    )
    assert found.evaluations[0].candidate is best and found.loss == -3.0


@pytest.mark.parametrize(
    ("loss", "words"),
    [(lambda unit: math.nan if unit[0] > 0.5 else 1.0, "not a number"),
     (lambda unit: np.zeros(3), "losses for")],
)  # fmt: skip
def test_losses_that_are_none_are_refused(loss, words: str) -> None:  # type: ignore[no-untyped-def]
    space = plain(2)
    with pytest.raises(CampaignError, match=words):
        search(
            lambda candidates, seeds: [[loss(space.encoded(each))] for each in candidates],
            space, seed=0, effort=ALONE,
        )  # fmt: skip


def test_an_alarm_without_doubt_is_a_loss_like_others() -> None:
    space = plain(2)
    margin = Of(space, lambda unit: math.inf if unit[0] < 0.9 else float(unit[1]))
    assert search(margin, space, seed=0, effort=ALONE).loss < 0.01


def test_effort_that_pays_for_nothing_is_refused() -> None:
    for wrong in ({"budget": 3}, {"budget": 9, "restarts": 0}, {"budget": 9, "seeds": 0}):
        with pytest.raises(InputError):
            Effort(**wrong)


def test_trials_on_two_workers_are_the_same_search_and_resume(tmp_path: Path) -> None:
    space = plain(3)
    effort = Effort(budget=240, seeds=2, confirm=4)

    def searched(folder: str, pool: LocalPool | None = None) -> Found:
        store = Store(folder=tmp_path / folder, context="c")
        trials = Trials(kind="bowl", work=bowl_work, store=store, engine=pool, batch=8)
        return search(trials, space, seed=9, effort=effort)

    one = searched("1")
    with LocalPool(2) as pool:
        two = searched("2", pool)
    assert one == two
    paths = sorted((tmp_path / "1").rglob("*.jsonl"))
    stamps = [path.stat().st_mtime_ns for path in paths]
    assert searched("1") == one
    assert [path.stat().st_mtime_ns for path in paths] == stamps


def test_trials_without_the_figure_are_told(tmp_path: Path) -> None:
    store = Store(folder=tmp_path, context="c")
    trials = Trials(kind="bowl", work=bowl_work, store=store, loss="margin", measures=("first",))
    space = plain(2)
    with pytest.raises(CampaignError, match="margin"):
        trials([space.decoded(np.zeros(2))], [1])
    losses, measures = dataclasses.replace(trials, loss="loss").measured(
        [space.decoded(np.array([0.25, 0.5]))], [1, 2]
    )
    assert losses.shape == (1, 2) and measures.tolist() == [[0.25]]
