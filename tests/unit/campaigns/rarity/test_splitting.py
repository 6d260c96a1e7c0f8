"""Splitting against exact values at 1e6 and 1e16, against counting where no exact value exists."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from detectors import PlainCusum, Pyramid, counted, counted_ar
from scipy.stats import t

from casemate.campaigns.rarity import splitting
from casemate.campaigns.rarity.estimate import Estimate, hold_against, hold_below_jump
from casemate.campaigns.rarity.exact import Cusum, arl
from casemate.campaigns.rarity.splitting import (
    Entry,
    Plan,
    even_levels,
    pilot_levels,
    splitting_arl,
)
from casemate.campaigns.rarity.splitting_fast import (
    cusum_state,
    fast_splitting_arl,
    split_cusum,
)
from casemate.core.errors import InputError, ProofError

MILLION = Cusum(k=0.5, h=12.0)


def near(found: Estimate, value: float, spread: float = 0.0) -> bool:
    """Within four standard errors of both."""
    return abs(math.log(found.arl / value)) < 4 * math.hypot(found.relative_error, spread)


@pytest.mark.parametrize(
    ("clip", "sides"), [pytest.param(math.inf, 1, marks=pytest.mark.slow), (4.0, 2), (2.0, 1)]
)
def test_within_five_percent_of_the_exact_value_at_a_million(clip: float, sides: int) -> None:
    cusum = Cusum(k=0.5, h=12.0, clip=clip, sides=sides)  # type: ignore[arg-type]
    found = split_cusum(cusum, np.random.default_rng(11), effort=6000)
    hold_against(found, arl(cusum), within=0.05)
    assert near(found, arl(cusum))


def test_it_goes_to_1e16() -> None:
    cusum = Cusum(k=0.5, h=35.9, clip=4.0)
    found = split_cusum(cusum, np.random.default_rng(12), effort=2000)
    assert found.relative_error < 0.1 and near(found, arl(cusum))
    assert found.low < arl(cusum) < found.high


def test_the_interval_holds_the_exact_value_as_often_as_it_says() -> None:
    cusum, generator = Cusum(k=0.5, h=12.0), np.random.default_rng(13)
    found = [split_cusum(cusum, generator, effort=200, replicates=10) for _ in range(60)]
    assert 0.86 < np.mean([each.low <= arl(cusum) <= each.high for each in found]) < 0.99
    # no bias that many repeats would show
    rate = np.array([1 / each.arl for each in found])
    assert abs(rate.mean() * arl(cusum) - 1) < 4 * rate.std() / rate.mean() / 60**0.5 + 5e-3


def plain(effort: int, replicates: int = 10) -> Estimate:
    plan = Plan(levels=even_levels(6.0, 1.5), effort=effort, replicates=replicates)
    return splitting_arl(lambda _: PlainCusum(), plan, np.random.default_rng(14))


def test_any_object_with_a_step_and_a_copy_will_do() -> None:
    exact = arl(Cusum(k=0.5, h=6.0))
    found = plain(effort=400)
    assert near(found, exact) and found.relative_error < 0.1


@pytest.mark.slow
def test_plain_objects_within_five_percent_at_a_million() -> None:
    plan = Plan(levels=even_levels(12.0, 1.5), effort=5000, replicates=20)
    found = splitting_arl(lambda _: PlainCusum(), plan, np.random.default_rng(15))
    hold_against(found, arl(MILLION), within=0.05)


def cut_short(start: Any, plan: Plan, generator: np.random.Generator) -> tuple[list[Any], int]:
    """The planted fault: a cycle is given up at the first level, not followed back to rest."""
    found: list[Any] = []
    detector, steps = start(generator), 0
    while len(found) < plan.effort:
        statistic = detector.step(generator)
        steps += 1
        if statistic > plan.levels[0]:
            found.append(Entry(detector.copy(), statistic))
            detector = start(generator)
    return found, steps


def crossings(start: Any, plan: Plan, generator: np.random.Generator) -> tuple[list[Any], int]:
    """The other: every upward crossing of the first level counts, several in one excursion."""
    found: list[Any] = []
    detector, steps, before = start(generator), 0, 0.0
    while len(found) < plan.effort:
        statistic = detector.step(generator)
        steps += 1
        if before <= plan.levels[0] < statistic:
            found.append(Entry(detector.copy(), statistic))
        before = statistic
    return found, steps


def test_what_is_sound_passes_where_the_faults_below_are_caught() -> None:
    hold_against(plain(effort=600), arl(Cusum(k=0.5, h=6.0)), within=0.12)


@pytest.mark.parametrize("fault", [cut_short, crossings])
def test_a_cycle_that_is_cut_short_is_caught_by_the_exact_value(
    fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = arl(Cusum(k=0.5, h=6.0))
    monkeypatch.setattr(splitting, "_entries", fault)
    found = plain(effort=600)
    with pytest.raises(ProofError, match="off the exact value"):
        hold_against(found, exact, within=0.12)
    assert 0.6 < found.arl / exact < 0.9  # its own interval knows nothing of it
    assert found.high < exact


def test_noise_with_memory_against_counting() -> None:
    """AR(1), rho 0.5: no exact value; an ARL of some thousands can be counted."""
    cusum, rho = Cusum(k=0.5, h=14.0), 0.5
    counted_mean, error = counted_ar(rho, cusum.h, 1000, seed=16)
    plan = Plan(levels=even_levels(14.0, 2.0), effort=4000, replicates=20, warm_up=50)
    fast = fast_splitting_arl(None, cusum_state(cusum, rho), plan, np.random.default_rng(17))
    assert near(fast, counted_mean, error / counted_mean)
    assert error < 0.06 * counted_mean
    # and memory is what does it: independent noise alarms far more rarely
    assert fast.arl < 0.2 * arl(cusum)


def test_dependence_costs_the_decades_that_were_reported() -> None:
    """Reference facts: at a limit of 2.5e16, AR(1) of rho .3, .5, .9 gives 3.7e9, 4.0e6, 1.1e3."""
    cusum = Cusum(k=0.5, h=35.9)
    for rho, known in ((0.3, 3.7e9), (0.5, 4.0e6)):
        plan = Plan(levels=even_levels(35.9, 2.5), effort=1500, replicates=10, warm_up=100)
        found = fast_splitting_arl(
            None, cusum_state(cusum, rho=rho), plan, np.random.default_rng(18)
        )
        assert found.arl == pytest.approx(known, rel=0.35)


@pytest.mark.slow
def test_a_pyramid_against_counting() -> None:
    """No exact value, no renewal at a known state: rest is a low statistic, levels by a pilot."""
    mean, error = counted(lambda _: Pyramid(), 7.0, 600, seed=19)
    generator = np.random.default_rng(20)
    levels = pilot_levels(lambda _: Pyramid(), 7.0, 1.5, generator, rest=0.5)
    plan = Plan(levels=levels, effort=1000, replicates=10, rest=0.5, warm_up=32)
    found = splitting_arl(lambda _: Pyramid(), plan, generator)
    assert near(found, mean, error / mean)


def test_jumps_defeat_splitting_and_are_caught() -> None:
    """Student noise of 5 degrees: one sample passes the limit alone, no level sees it coming."""

    class Jumpy(PlainCusum):
        clip = math.inf

        def step(self, generator: np.random.Generator) -> float:
            x = generator.standard_t(5) / math.sqrt(5 / 3)
            self.s = max(0.0, self.s + min(max(x, -self.clip), self.clip) - self.k)
            return self.s

        def copy(self) -> Jumpy:
            return type(self)(s=self.s)

    class Clipped(Jumpy):
        clip = 3.0

    plan = Plan(levels=even_levels(24.0, 1.5), effort=100, replicates=8)
    jump = float(t.sf(24.5 * math.sqrt(5 / 3), 5))
    found = [
        splitting_arl(lambda _: Jumpy(), plan, np.random.default_rng(seed)) for seed in range(3)
    ]
    assert all(each.finding.startswith("far.scattered: ") for each in found)
    wrong = max(found, key=lambda each: each.arl)
    assert wrong.arl > 30 / jump  # 76 times too high, on the side that flatters
    with pytest.raises(ProofError, match="single jumps"):
        hold_below_jump(wrong, jump)
    plan = Plan(levels=even_levels(12.0, 1.5), effort=200, replicates=10)
    sound = splitting_arl(lambda _: Clipped(), plan, np.random.default_rng(30))
    assert sound.finding == "" and sound.relative_error < 0.25


def test_a_pilot_finds_levels_that_a_fifth_passes() -> None:
    levels = pilot_levels(lambda _: PlainCusum(), 9.0, 1.0, np.random.default_rng(21))
    assert levels[0] == 1.0 and levels[-1] == 9.0
    assert 0.8 < float(np.mean(np.diff(levels))) < 2.2  # ln 5 / theta = 1.6
    plan = Plan(levels=levels, effort=400, replicates=10)
    found = splitting_arl(lambda _: PlainCusum(), plan, np.random.default_rng(22))
    assert near(found, arl(Cusum(k=0.5, h=9.0)))


def test_the_same_generator_gives_the_same_estimate() -> None:
    first, second = (
        split_cusum(Cusum(k=0.5, h=8.0), np.random.default_rng(5), effort=50) for _ in range(2)
    )
    assert first == second


def test_what_cannot_be_told_is_said() -> None:
    with pytest.raises(ProofError, match="no path reached"):
        plan = Plan(levels=(1.5, 35.9), effort=20, replicates=3)
        splitting_arl(lambda _: PlainCusum(), plan, np.random.default_rng(1))
    wide = split_cusum(MILLION, np.random.default_rng(2), effort=50)
    with pytest.raises(ProofError, match="standard error"):
        hold_against(wide, wide.arl, within=0.05)
    with pytest.raises(InputError):
        Plan(levels=(3.0, 2.0))
    with pytest.raises(InputError):
        Plan(levels=(0.0, 2.0))
    with pytest.raises(InputError):
        even_levels(0.0, 1.5)


def test_a_rest_that_is_never_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(PlainCusum):
        def step(self, generator: np.random.Generator) -> float:
            return 2.0

    monkeypatch.setattr(splitting, "PATIENCE", 1000)
    with pytest.raises(ProofError, match="neither rest"):
        plan = Plan(levels=(1.5, 9.0), effort=10, replicates=3)
        splitting_arl(lambda _: Stuck(), plan, np.random.default_rng(1))
