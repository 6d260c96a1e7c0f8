"""Readings thinned for a drawing: nothing is lost in counting, least and most, and gaps stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.fleet.readings import looks
from casemate.fleet.readings.looks import Point, coarser, joined, nothing, plain, runs, thinned

TIMES = st.lists(st.integers(0, 400), min_size=1, max_size=60)


@settings(max_examples=30, deadline=None)
@given(TIMES, st.integers(1, 90))
def test_thinned_is_what_counting_by_hand_gives(times: list[int], width: int) -> None:
    values = [float((at * 31) % 17) for at in times]
    channel = [at % 3 for at in times]
    rows = plain(np.array(channel, dtype=np.int64), np.array(times, float), np.array(values))
    found = thinned(rows, 3, 0.0, float(width))
    for number in range(3):
        held: dict[int, list[tuple[int, float]]] = {}
        for at, value, mine in zip(times, values, channel, strict=True):
            if mine == number:
                held.setdefault(at // width, []).append((at, value))
        by_hand = [
            (min(at for at, _ in each), len(each), min(v for _, v in each), max(v for _, v in each))
            for _, each in sorted(held.items())
        ]
        assert [(p.at_s, p.count, p.least, p.most) for p in found[number]] == by_hand
        for point, each in zip(found[number], (h for _, h in sorted(held.items())), strict=True):
            assert point.mean == pytest.approx(sum(v for _, v in each) / len(each))


def points(*times: float) -> list[Point]:
    return [Point(at_s=at, count=2, least=-at, mean=at, most=2 * at) for at in times]


def test_coarser_keeps_counts_and_extremes() -> None:
    few = coarser(points(0, 1, 2, 3, 10, 11), 0.0, 4.0)
    assert [(each.count, each.least, each.most) for each in few] == [(8, -3, 6), (4, -11, 22)]
    assert few[0].mean == pytest.approx(1.5)
    assert coarser([], 0.0, 1.0) == []


def test_a_gap_that_was_planted_is_a_gap() -> None:
    whole = points(*range(20))
    assert [len(each) for each in runs(whole, 1.0)] == [20]
    assert [len(each) for each in runs([*whole[:8], *whole[11:]], 1.0)] == [8, 9]
    slow = points(*range(0, 200, 10))
    assert [len(each) for each in runs(slow, 2.0)] == [20]  # slower than the drawing: no gap
    assert [len(each) for each in runs([*slow[:3], slow[9]], 2.0)] == [3, 1]
    assert runs([], 1.0) == []


def test_nothing_is_nothing() -> None:
    assert thinned(nothing(), 2, 0.0, 1.0) == [[], []]
    rows = plain(np.zeros(1, np.int64), np.ones(1), np.ones(1))
    assert len(joined([nothing(), rows]).at_s) == 1
    assert looks.LONGEST_STEP > 1
