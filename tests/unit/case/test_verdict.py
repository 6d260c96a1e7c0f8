"""Verdicts against their definition, and faults that have to be refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from case_samples import exact, far, move, noise, small, target
from hypothesis import given
from hypothesis import strategies as st

from casemate.case.verdict import (
    judged,
    judged_far,
    judged_move,
    overall,
    verdicts,
    worst,
)
from casemate.core.errors import InputError

FIGURES = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(FIGURES, min_size=3, max_size=3), FIGURES, st.booleans())
def test_a_verdict_is_what_all_values_of_the_interval_say(
    values: list[float], required: float, at_least: bool
) -> None:
    """Brute force: met if every value of the interval meets, not met if none does."""
    low, middle, high = sorted(values)
    sense = "at_least" if at_least else "at_most"
    found = judged(
        target(required=required, low=low, achieved=middle, high=high, sense=sense)
    ).verdict
    meets = [(v >= required) if at_least else (v <= required) for v in (low, middle, high)]
    assert found == ("met" if all(meets) else "in doubt" if any(meets) else "not met")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"low": 0.95, "achieved": 0.95, "high": 0.95}, "met"),
        ({"low": 0.9499, "achieved": 0.95, "high": 0.96}, "in doubt"),
        ({"low": 0.2, "achieved": 0.3, "high": 0.9499}, "not met"),
        ({"low": 0.2, "achieved": 0.3, "high": 0.95}, "in doubt"),
        ({"low": 0.2, "achieved": 0.3, "high": 0.95, "sense": "at_most"}, "met"),
        ({"low": 0.951, "achieved": 0.96, "high": 0.97, "sense": "at_most"}, "not met"),
        ({"low": None, "achieved": None, "high": None}, "in doubt"),
    ],
)
def test_the_ends_decide(changes: dict[str, Any], verdict: str) -> None:
    assert judged(target(**changes)).verdict == verdict


@pytest.mark.parametrize(
    "changes",
    [
        {"low": 0.99, "high": 0.98},
        {"achieved": 0.5},
        {"achieved": math.nan},
        {"high": math.inf},
        {"low": -math.inf},
        {"required": math.nan},
        {"low": None},
        {"achieved": None},
    ],
)
def test_impossible_figures_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="pod"):
        judged(target(**changes))


def test_59_trials_without_a_miss_show_95_percent_and_58_do_not() -> None:
    """One-sided at 95 %: 0.05^(1/n) reaches 0.95 from n = 59 on (the classical table)."""
    for trials, verdict in ((58, "in doubt"), (59, "met")):
        low = 0.05 ** (1 / trials)
        each = move(trials=trials, detected=trials, pod_low=low, required=0.95)
        assert judged_move(each).verdict == verdict


def test_a_move_is_judged_by_its_interval_and_by_the_search() -> None:
    assert judged_move(move()).verdict == "met"
    assert judged_move(move(detected=300)).verdict == "not met"
    assert judged_move(move(detected=382)).verdict == "in doubt"
    searched = judged_move(move(adaptive=-2.5, budget=900))
    assert searched.verdict == "in doubt" and "2.5 nats under" in searched.why
    assert judged_move(move(detected=300, adaptive=-2.5)).verdict == "not met"
    assert judged_move(move(required=None)).verdict == "in doubt"
    assert judged_move(replace(move(), trials=0, detected=0, tamper=0)).verdict == "in doubt"


def test_noise_may_seal_keys_and_no_more() -> None:
    assert judged_move(noise(level=2)).verdict == "met"
    assert judged_move(noise(level=3)).verdict == "not met"
    assert judged_move(noise(tamper=1)).verdict == "not met"


def test_counts_and_shares_that_cannot_be_are_refused() -> None:
    for bad in (move(tamper=401), move(pod_low=0.999, pod_high=0.9), noise(denied=-1)):
        with pytest.raises(InputError):
            judged_move(bad)
    for wrong in (far(lower=0.1), far(upper=math.nan), far(per_enclosure_year=math.inf)):
        with pytest.raises(InputError):
            judged_far(wrong)


def test_the_whole_is_as_good_as_its_worst_part() -> None:
    good = small()
    bad = target("low", achieved=0.5, low=0.4, high=0.6)
    unknown = target("blank", achieved=None, low=None, high=None)
    assert overall(good) == "met" and verdicts(good) == {"pod": "met"}
    assert overall(replace(good, targets=(target(), unknown))) == "in doubt"
    assert overall(replace(good, targets=(unknown, bad))) == "not met"
    assert overall(replace(good, moves=(move(), noise(tamper=2)))) == "not met"
    assert overall(replace(good, far=(far(upper=math.inf),))) == "in doubt"


def test_nothing_asked_or_nothing_tried_is_never_met() -> None:
    assert worst([]) == "in doubt"
    assert overall(small(targets=())) == "in doubt"
    assert overall(small(moves=())) == "in doubt"
    assert overall(small(moves=(noise(),))) == "in doubt"


def test_the_samples_intervals_are_clopper_pearson() -> None:
    """Against the closed form without a miss: (alpha/2)^(1/n)."""
    assert exact(400, 400)[0] == pytest.approx(0.025 ** (1 / 400), rel=1e-12)
