"""Faults planted in results, each refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from case_samples import assumption, far, full, move, noise, small, target

from casemate.case.checks import checked
from casemate.case.results import Doubt, Results
from casemate.core.errors import InputError

PLOT = full().plots[1]
ATLAS = full().atlas
assert ATLAS is not None

FAULTS: dict[str, tuple[Results, str]] = {
    "date": (small(date="last Tuesday"), "'last Tuesday' is not ISO 8601"),
    "target twice": (small(targets=(target(), target())), "target pod is there twice"),
    "move twice": (small(moves=(move(), move())), "move drill is there twice"),
    "cause twice": (small(far=(far(), far())), "quiet noise is there twice"),
    "assumption twice": (
        small(assumptions=(*small().assumptions, assumption("key", "x"))), "key is there twice",
    ),
    "unrecorded": (small(targets=(target(rests_on=("luck",)),)), "luck, which no assumption"),
    "of a move": (small(moves=(move(rests_on=("luck",)),)), "drill rests on luck"),
    "of a cause": (small(far=(far(rests_on=("luck",)),)), "quiet noise rests on luck"),
    "doubt": (small(doubts=(Doubt(id="d", text="t", targets=("no",)),)), "no, which is no target"),
    "no rerun": (small(moves=(move(rerun=""),)), "drill has no command"),
    "atlas rerun": (small(atlas=replace(ATLAS, rerun="")), "atlas has no command"),
    "reversed": (small(targets=(target(low=0.999, high=0.1),)), "reversed"),
    "rate": (small(far=(far(lower=9.0),)), "outside its interval"),
    "counts": (small(moves=(noise(tamper=9999),)), "more ends than trials"),
    "lengths": (
        small(plots=(replace(PLOT, series=(replace(PLOT.series[0], y=(1.0,)),)),)), "lengths of",
    ),
    "half a band": (
        small(plots=(replace(PLOT, series=(replace(PLOT.series[0], low=PLOT.series[0].y),)),)),
        "lengths of",
    ),
    "atlas": (small(atlas=replace(ATLAS, x=ATLAS.x[:-1])), "does not have 3 x 5 x 3 cells"),
}  # fmt: skip


def test_sound_results_pass() -> None:
    assert checked(full()).enclosure == "rack"


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_refused(name: str) -> None:
    results, words = FAULTS[name]
    with pytest.raises(InputError, match=words):
        checked(results)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        checked(small(targets=(target(), target(rests_on=("luck",)))))
    assert "twice" in str(refused.value) and "luck" in str(refused.value)
