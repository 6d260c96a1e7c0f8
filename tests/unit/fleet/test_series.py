"""Readings of channels: bounded, read back as they were told, and never taken for evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fleet_kit import FINGERPRINT, Fronted, Kit, bring, enter, kit_in

from casemate.core import cbor
from casemate.fleet.errors import RefusedError
from casemate.fleet.readings import day_files, series
from casemate.fleet.readings.series import Block, Series, decode, encode
from casemate.fleet.service.application import application
from casemate.testing import honest_enclosure as honest

NOW_S = honest.START_S
ROW = ("loop 1", "V", -3, 1000 * (NOW_S - 100), 1000, tuple(range(100)))


def test_what_is_told_is_read_back(tmp_path: Path) -> None:
    made = Series(tmp_path / "series")
    blocks = decode(encode([ROW, ("loop 2", "K", 0, ROW[3], 500, [300] * 10)]), NOW_S)
    assert made.write(1, blocks) == 110
    unit, points = made.read(1, "loop 1", NOW_S - 100, NOW_S)
    assert unit == "V"
    assert [each.mean for each in points] == pytest.approx([x / 1000 for x in range(100)])
    assert made.channels(1) == ("loop 1", "loop 2")
    _, few = made.read(1, "loop 1", NOW_S - 100, NOW_S, points=10)
    assert [each.count for each in few] == [10] * 10
    assert (few[0].least, few[0].most) == (0.0, pytest.approx(0.009))
    assert made.read(2, "loop 1", NOW_S - 100, NOW_S) == ("", ())
    assert made.read(1, "loop 1", NOW_S, NOW_S + 9)[1] == ()


@pytest.mark.parametrize(
    "row",
    [
        ("", *ROW[1:]), ("x" * 65, *ROW[1:]), ("a\x1b[2J", *ROW[1:]), (ROW[0], "\n", *ROW[2:]),
        (*ROW[:2], 7, *ROW[3:]), (*ROW[:2], -19, *ROW[3:]),
        (*ROW[:3], 1000 * (NOW_S - series.OLDEST_S) - 1, 1000, (1,)),
        (*ROW[:3], 1000 * (NOW_S + series.AHEAD_S), 1000, (1, 2)),
        (*ROW[:4], 0, (1,)), (*ROW[:4], -1000, (1, 2)), (*ROW[:5], ()),
        (*ROW[:5], (1 << 53,)),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused(row: Any) -> None:
    with pytest.raises(RefusedError):
        decode(encode([row]), NOW_S)


@pytest.mark.parametrize(
    "data",
    [b"", b"x", cbor.encode({}), cbor.encode([]), cbor.encode([1]), cbor.encode([["a"]]),
     cbor.encode([[*ROW[:5], ["x"]]]), cbor.encode([[*ROW[:5], [True]]])],
)  # fmt: skip
def test_what_is_no_readings_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError):
        decode(data, NOW_S)


def test_too_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MOST_VALUES", 150)
    decode(encode([ROW]), NOW_S)
    with pytest.raises(RefusedError):
        decode(encode([ROW, ROW]), NOW_S)


def block(day: int, count: int = 50) -> Block:
    """Return readings of a day."""
    values = tuple(float(x * 7919 % 104_729) for x in range(count))
    return Block(
        channel="c", unit="V", first_ms=1000 * 86_400 * (20_000 + day), step_ms=10, values=values
    )


def test_old_days_go_and_files_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_files, "TOGETHER", 4)
    made = Series(tmp_path / "series", most_bytes=30_000)
    for day in range(4):
        for _ in range(6):
            made.write(1, [block(day)])
    folders = sorted(tmp_path.glob("series/1/*"))
    assert all(len(list(each.iterdir())) <= 4 for each in folders)
    begin = 86_400 * 20_003
    _, points = made.read(1, "c", begin, begin + 1, points=1)
    assert sum(each.count for each in points) == 300  # none was lost in becoming one
    small = Series(tmp_path / "series", most_bytes=1)
    small.write(1, [block(4)])
    assert [each.name for each in tmp_path.glob("series/1/[0-9]*")] == [day_name(4)]
    with pytest.raises(RefusedError):  # that day is full, and the latest one
        small.write(1, [block(4)])
    small.write(1, [block(5)])
    assert [each.name for each in tmp_path.glob("series/1/[0-9]*")] == [day_name(5)]


def day_name(day: int) -> str:
    """Return the folder of a day."""
    return datetime.fromtimestamp(86_400 * (20_000 + day), UTC).strftime("%Y-%m-%d")


def sizes(folder: Path) -> dict[str, int]:
    """Return how many bytes each enclosure has."""
    return {
        each.name: sum(x.stat().st_size for x in each.rglob("*.parquet"))
        for each in folder.iterdir()
        if each.name.isdigit()
    }


def test_one_that_brings_much_pushes_out_nobody_but_itself(tmp_path: Path) -> None:
    folder = tmp_path / "series"
    made = Series(folder, all_bytes=60_000, free=lambda: 1 << 60)
    for day in range(3):
        for number in (1, 2, 3):
            made.write(number, [block(day)])
    honest_ = {key: value for key, value in sizes(folder).items() if key != "3"}
    refused = 0
    for day in range(3):
        for _ in range(20):
            try:
                made.write(3, [block(day, 200)])
            except RefusedError:
                refused += 1
    assert refused > 0
    found = sizes(folder)
    assert {key: value for key, value in found.items() if key != "3"} == honest_
    whole = sum(each.stat().st_size for each in folder.rglob("*.parquet"))  # summaries, too
    assert sum(found.values()) < whole < 60_000 + 5_000
    made.write(1, [block(2)])  # who has little gets room still
    again = Series(folder, all_bytes=60_000, free=lambda: 1 << 60)  # what is there counts
    with pytest.raises(RefusedError):
        for _ in range(20):
            again.write(3, [block(2, 200)])


def test_some_of_the_disk_stays_free(tmp_path: Path) -> None:
    folder, free = tmp_path / "series", [10_000_000]
    made = Series(folder, free_bytes=1_000_000, free=lambda: free[0])
    for day in range(3):
        made.write(1, [block(day)])
    made.write(2, [block(2)])
    free[0] = 999_000
    made.write(2, [block(2)])
    assert sorted(each.name for each in folder.glob("1/[0-9]*")) == [day_name(1), day_name(2)]
    assert len(list(folder.glob("2/*/*"))) == 2
    free[0] = 400_000
    with pytest.raises(RefusedError):  # nobody's readings are worth evidence
        made.write(2, [block(2)])
    free[0] = 10_000_000
    assert made.write(1, [block(2)]) == 50


def test_a_bound_of_bytes_is_one_of_readings(tmp_path: Path) -> None:
    """Equal values could be packed a thousand to one, and would be unpacked for a page."""
    made = Series(tmp_path / "series")
    values = (0.0,) * 100_000
    made.write(1, [Block(channel="c", unit="V", first_ms=1_728_000_000_000, step_ms=1,
                         values=values)])  # fmt: skip
    assert sizes(tmp_path / "series")["1"] > 8 * len(values)


def test_files_become_one_within_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_files, "TOGETHER", 4)
    monkeypatch.setattr(day_files, "SMALL_ROWS", 60)
    monkeypatch.setattr(day_files, "MERGED_ROWS", 110)
    made = Series(tmp_path / "series")
    for at in range(24):
        made.write(1, [block(1, 70 if at % 4 == 0 else 50)])
    begin = 86_400 * 20_001
    _, points = made.read(1, "c", begin, begin + 1, points=1)
    assert points[0].count == 6 * (70 + 3 * 50)
    counts = [pq.read_metadata(each).num_rows for each in tmp_path.glob("series/1/[0-9]*/*")]
    assert max(counts) == 100 and len(counts) < 24
    assert made.read(1, "c", begin, begin + 86_400, points=7)[1][0].count == points[0].count


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kit]:
    """A service that keeps readings."""
    with kit_in(tmp_path) as kit:
        kit.service = replace(kit.service, series=Series(tmp_path / "series"))
        kit.fronted = Fronted(application(kit.service))
        yield kit


def test_the_door_and_the_page(kept: Kit) -> None:
    brought = enter(kept)
    bring(kept, brought)
    before = kept.client("inspector").get("/enclosures/1/verdict.json?at=1800000400").text
    row = (*ROW[:3], 1000 * (kept.service.now_s() - 100), *ROW[4:])
    kept.fronted.fingerprint = FINGERPRINT
    assert kept.client().post("/series", content=encode([row])).json() == {"taken": 100}
    assert kept.client().post("/series", content=b"rubbish").status_code == 422
    kept.fronted.fingerprint = ""
    assert kept.client().post("/series", content=encode([row])).status_code == 401
    client = kept.client("inspector")
    told = client.get("/enclosures/1/series.json?channel=loop 1").json()
    assert sum(each["count"] for each in told["points"]) == 100
    assert told["signed"] is False
    assert "not signed" in told["note"]
    assert client.get("/enclosures/1/series.json").json()["channels"] == ["loop 1"]
    assert client.get("/enclosures/1/series.json?channel=../../x").json()["points"] == []
    assert client.get("/enclosures/1/series.json?channel=c&from=0").status_code == 422
    assert client.get("/enclosures/2/series.json").status_code == 404
    after = client.get("/enclosures/1/verdict.json?at=1800000400").text
    assert after == before
