"""A year of readings: by summaries that say the same as the readings did, and outlive them."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.fleet.errors import RefusedError
from casemate.fleet.readings import series, summaries
from casemate.fleet.readings.series import Block, Series

DAY_S, FIRST = 86_400, 20_000
YEAR_S = 366 * DAY_S


def block(day: int, name: str = "c", count: int = 144, at_s: int = 0) -> Block:
    values = tuple(float((day * 1000 + x) * 7919 % 10_007) for x in range(count))
    first_ms = 1000 * (DAY_S * (FIRST + day) + at_s)
    return Block(channel=name, unit="V", first_ms=first_ms, step_ms=600_000, values=values)


def year(made: Series, day: int, points: int = 300) -> series.Look:
    end_s = DAY_S * (FIRST + day + 1)
    return made.look(1, ["c"], end_s - YEAR_S, end_s, points)["c"]


def test_a_year_says_what_the_readings_did(tmp_path: Path) -> None:
    made = Series(tmp_path)
    for day in range(6):
        made.write(1, [block(day), block(day, "other")])
    found = year(made, 5)
    every = [value for day in range(6) for value in block(day).values]
    assert sum(each.count for each in found.points) == len(every) == 864
    assert min(each.least for each in found.points) == min(every)
    assert max(each.most for each in found.points) == max(every)
    total = sum(each.mean * each.count for each in found.points)
    assert total == pytest.approx(sum(every)) and found.unit == "V"
    assert len(list((tmp_path / "summary" / "1").iterdir())) == 1


def test_summaries_outlive_readings_and_take_in_what_comes_late(tmp_path: Path) -> None:
    made = Series(tmp_path, most_bytes=1)
    for day in range(4):
        made.write(1, [block(day)])
    assert len(list((tmp_path / "1").glob("[0-9]*"))) == 1  # only the latest day is left
    assert sum(each.count for each in year(made, 3).points) == 4 * 144
    with pytest.raises(RefusedError, match="have gone"):
        made.write(1, [block(1, at_s=5)])
    wide = Series(tmp_path / "wide")
    for day in (0, 1, 2):
        wide.write(1, [block(day)])
    assert sum(each.count for each in year(wide, 2).points) == 3 * 144
    wide.write(1, [block(1, at_s=7, count=10)])
    assert sum(each.count for each in year(wide, 2).points) == 3 * 144 + 10


def test_bounds_of_days_and_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who brings readings can fill neither the disk by one day nor memory by names."""
    made = Series(tmp_path, most_day_bytes=3000)
    with pytest.raises(RefusedError, match="of that day"):
        for at in range(20):
            made.write(1, [block(0, at_s=at)])
    size = sum(each.stat().st_size for each in tmp_path.glob("1/*/*.parquet"))
    assert 3000 < size < 10_000
    monkeypatch.setattr(series, "MOST_ROWS", 300)
    monkeypatch.setattr(series, "LOOKED_AT_BYTES", 10)
    made = Series(tmp_path / "rows")
    with pytest.raises(RefusedError, match="of that day"):
        for _ in range(9):
            made.write(1, [block(0)])
    assert sum(each.count for each in year(made, 0).points) == 3 * 144
    monkeypatch.setattr(series, "MOST_CHANNELS", 3)
    made = Series(tmp_path / "names")
    made.write(1, [block(0, name) for name in "abc"])
    with pytest.raises(RefusedError, match="channels"):
        made.write(1, [block(0, "d")])
    made.write(1, [block(1, "a")])
    assert made.channels(1) == ("a", "b", "c")


def test_what_was_told_last_is_known_after_a_restart(tmp_path: Path) -> None:
    made = Series(tmp_path)
    made.write(1, [block(0), block(1, "late"), block(1)])
    made.write(1, [block(0, "late", at_s=3, count=1)])  # older than what is known
    again = Series(tmp_path)
    assert made.latest(1) == again.latest(1)
    last = again.latest(1)["c"]
    assert last.value == block(1).values[-1] and last.at_s == DAY_S * (FIRST + 2) - 600
    assert again.latest(2) == {}
    third = Series(tmp_path)
    third.write(1, [block(1, "new", count=1)])  # before anybody has asked for the rest
    assert third.latest(1).keys() == {"c", "late", "new"} and third.latest(1)["c"] == last


def test_memory_of_what_was_told_last_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MOST_KNOWN", 3)
    made = Series(tmp_path)
    for number in range(1, 6):
        made.write(number, [block(0, "a", count=1), block(0, "b", count=1)])
    assert sum(len(each.latest) for each in made._known.values()) <= 6
    assert made.latest(1).keys() == {"a", "b"}


def test_long_names_of_many_channels_have_coarse_summaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "MOST_ROWS", 24)
    made = Series(tmp_path)
    for day in (0, 1):
        made.write(1, [block(day)])
    found = year(made, 1, points=100_000)
    assert sum(each.count for each in found.points) == 288
    assert sum(each.at_s < DAY_S * (FIRST + 1) for each in found.points) == 24


def test_summaries_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "MONTHS", 2)
    made = Series(tmp_path)
    for day in (0, 40, 80, 120):
        made.write(1, [block(day, count=2)])
    year(made, 120)
    kept = sorted(each.stem for each in (tmp_path / "summary" / "1").iterdir())
    assert len(kept) == 2 and kept[-1] == "2024-12"
