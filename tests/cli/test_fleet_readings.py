"""Readings of the demo: one a second, within the bounds of the door; they follow the script."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.cli.fleet_readings import LOOP_OHM, LOOPS, DemoReadings
from casemate.fleet.readings import series

pytestmark = pytest.mark.slow  # the twin's libraries take seconds to load
START_S = 1_800_000_000


def told(data: bytes, now_s: int) -> dict[str, series.Block]:
    return {each.channel: each for each in series.decode(data, now_s)}


def test_a_second_has_one_reading_of_each_channel_and_is_told_once() -> None:
    made = DemoReadings("camera", 7, START_S)
    assert made.until(START_S, disturbed=None, opened_s=None) == b""
    first = told(made.until(START_S + 5, disturbed=None, opened_s=None), START_S + 5)
    later = told(made.until(START_S + 12, disturbed=None, opened_s=None), START_S + 12)
    assert len(first) == 8 and {len(each.values) for each in first.values()} == {5}
    assert {each.first_ms for each in later.values()} == {1000 * (START_S + 5)}
    assert {len(each.values) for each in later.values()} == {7}
    assert 250 < first["air inside"].values[0] < 330
    assert abs(first[LOOPS[0]].values[0] - LOOP_OHM) < 0.3 * LOOP_OHM
    assert set(first["light inside"].values) == {0.0}


def test_after_a_long_silence_only_the_newest_part_is_told() -> None:
    made = DemoReadings("dpa", 1, START_S)
    now_s = START_S + 30_000
    assert {len(each.values) for each in told(made.until(now_s, disturbed=None, opened_s=None),
                                              now_s).values()} == {600}  # fmt: skip


def test_readings_follow_the_script() -> None:
    made = DemoReadings("nvl72", 3, START_S)
    found = told(made.until(START_S + 300, disturbed=(100, 200), opened_s=250), START_S + 300)
    loop = np.diff(found[LOOPS[0]].values)
    assert len(found[LOOPS[0]].values) == 251  # then it is broken, and tells nothing
    assert np.std(loop[100:199]) > 10 * np.std(loop[:99])
    light = found["light inside"].values
    assert max(light[:251]) == 0 and min(light[252:]) > 0
