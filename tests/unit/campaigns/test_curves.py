"""Curves against closed forms and bounds, and planted weaknesses that must turn them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from abstract_samples import NOISE, target

from casemate.campaigns.abstract import Target
from casemate.campaigns.copies import Weakness
from casemate.campaigns.curves import (
    HELD_S,
    NEAR,
    ROC_RATES,
    Watched,
    delay_curves,
    hidden,
    least_seen,
    patience,
    roc,
    watched,
)
from casemate.detect.bank import LEVELS, chips_of
from casemate.detect.evidence import Evidence, least_nats
from casemate.detect.response import SEAL

YEARS_10 = 3652.5 * 86_400.0


def over(one: Target, tolerance: float, windows: int) -> float:
    """Return the displacement at which evidence reaches the seal in so many windows.

    A window's best gain is n (x - t)^2 / (2 ((x - t)^2 + noise^2)) on average; weights are of the
    fused mean, of both tests, of both signs and of the members.
    """
    members = Evidence.start(1, LEVELS).rates.size
    need = one.policy.nats[SEAL] + math.log(one.policy.features * 4.0 * members)
    q = math.sqrt(2.0 * need / (windows * chips_of(1e-3, 1.0, 0.1)[0]))
    return tolerance + NOISE * q / math.sqrt(1.0 - q**2)


def test_a_slow_change_hides_up_to_the_bound_and_no_further() -> None:
    """One that is faster hides step + rate T. lambda off the grid costs up to a quarter of a gain,

    surroundings an eighth of the bound.
    """
    one = target(bound=40.0 * NOISE, step=10.0 * NOISE, rate=0.1 * NOISE)
    most = over(one, 40.0 * NOISE, round(HELD_S / 0.1))
    for takes_s in (3600.0, YEARS_10):
        assert 0.85 <= hidden(one, takes_s, seed=(1,)) / most <= 1.2
    short = hidden(one, 60.0, seed=(1,))
    assert 0.8 <= short / (over(one, 10.0 * NOISE, 16) + 60.0 * 0.1 * NOISE) <= 1.25


def test_features_moved_alike_hide_up_to_the_bound_of_their_common_mode() -> None:
    one = target(common=300.0 * NOISE)
    found = hidden(one, YEARS_10, seed=(1,), whole=True)
    assert found == pytest.approx(300.0 * NOISE, rel=0.1)
    assert hidden(one, YEARS_10, seed=(1,)) < 10.0 * NOISE


def test_planted_weaknesses_hide_more() -> None:
    one = target(bound=40.0 * NOISE, step=10.0 * NOISE, rate=0.1 * NOISE)
    sound = hidden(one, YEARS_10, seed=(1,))
    tripled = hidden(one, YEARS_10, seed=(1,), weakness=Weakness(bound=3.0))
    assert 2.0 < tripled / sound < 4.0
    learns = Weakness(learns=True)
    assert hidden(one, YEARS_10, seed=(1,), weakness=learns) == 1.0
    # a follower of memory 10 s lags 10 s behind a ramp: step T / 10 s
    ramp = hidden(one, 300.0, seed=(1,), weakness=learns)
    assert 0.8 <= ramp / (over(one, 10.0 * NOISE, 16) * 300.0 / 10.0) <= 1.25


def test_detection_rises_with_false_alarms_with_time_and_with_size() -> None:
    found = roc(target(), seed=1, rerun="again")
    rows = {each.name: np.array(each.y) for each in found.series}
    assert len(rows) == 2 * len(NEAR) and found.rerun == "again"
    for each in rows.values():
        assert all(a <= b for a, b in pairwise(each.tolist()))
    by_size = [np.array(each.y) for each in found.series]
    for short, long in zip(by_size[::2], by_size[1::2], strict=True):
        assert (short <= long).all()
    assert (by_size[1] <= by_size[5] + 0.05).all()
    assert by_size[5][-1] == 1.0
    for each in found.series:
        assert all(a <= y <= b for a, y, b in zip(each.low, each.y, each.high, strict=True))


def test_the_ends_of_a_roc_nothing_is_found_in_nothing_and_all_in_much() -> None:
    one = target()
    thresholds = [least_nats(rate, 0.1, 1) for rate in ROC_RATES]
    nothing = watched(one, np.zeros(200), seed=(1,))
    assert (nothing.most(100) < thresholds[-1]).all()
    much = watched(one, np.full(200, 1000.0 * NOISE), seed=(1,))
    assert (much.most(10) >= thresholds[0]).all()


def test_false_alarms_stay_below_the_theorem_where_they_can_be_counted() -> None:
    """P(alarm within n windows) <= n / A, here 20/100, with surroundings and noise alone.

    Half of the weight is kept for chips, which are not drawn here: 50 of what is shown are 100.
    """
    one = target(bound=1e-9 * NOISE, step=1e-9 * NOISE, rate=0.0, grouped=False)
    run = watched(one, np.zeros(2000), seed=(2,), looks=tuple(range(1, 21)))
    share = (run.most(20) + math.log(one.policy.features) >= math.log(50.0)).mean()
    assert 0.0 < share <= 0.2 + 4.0 * math.sqrt(0.2 * 0.8 / 2000)


def test_delays_fall_with_size_and_rise_with_noise() -> None:
    found = delay_curves(target(), seed=1, rerun="again")
    series = {each.name: dict(zip(each.x, each.y, strict=True)) for each in found.series}
    assert len(series) == 6
    quiet = series["quiet, median"]
    delays = [quiet[x] for x in sorted(quiet)]
    assert delays[0] == max(delays) and delays[-1] <= 0.2
    loud = series["jam of 100 times the noise, median"]
    assert min(loud) > min(quiet)
    assert all(loud[x] >= quiet[x] - 0.1 for x in loud)
    late = series["quiet, 99 %"]
    assert all(late[x] >= quiet[x] for x in late)


def test_the_least_seen_jump_lies_between_step_and_bound() -> None:
    one = target(bound=40.0 * NOISE, step=10.0 * NOISE)
    assert 8.0 * NOISE < least_seen(one, seed=(1,)) < 40.0 * NOISE
    assert least_seen(one, seed=(1,), weakness=Weakness(learns=True)) < 40.0 * NOISE


def test_delays_of_what_is_watched() -> None:
    run = Watched(windows=np.array([1.0, 2.0, 4.0]), nats=np.array([[0, 5], [1, 2], [9, 0]], float))
    assert run.delays_s(5.0, 0.1).tolist() == [0.4, 0.1]
    assert run.delays_s(6.0, 0.1)[1] == math.inf
    assert run.most(2).tolist() == [1.0, 5.0]


@pytest.mark.slow
def test_patience_says_which_curve_is_a_control() -> None:
    found = patience(target(), seed=1, rerun="again")
    names = [each.name for each in found.series]
    assert sum("control" in each for each in names) == 1 and "U_env" in names[-1]
    curves = {each.name: each.y for each in found.series}
    assert curves["one feature"][-1] < curves["control: a baseline that learns"][-1]
