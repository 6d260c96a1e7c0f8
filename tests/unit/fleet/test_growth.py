"""A disk that will be full is told of in time, and one busy hour, or a backup, is no alarm."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from doctor_kit import NOW_S, copied, well

from casemate.fleet.care import room
from casemate.fleet.care.doctor import examine
from casemate.fleet.service import growth, home
from casemate.fleet.service.growth import Grower, Sample, read, worst
from casemate.fleet.service.home import Home

GB, DAY_S, HOUR_S = 10**9, 86_400, 3600


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service that was run."""
    return well(tmp_path_factory.mktemp("well"))


@pytest.fixture
def place(seed: Path, tmp_path: Path) -> Home:
    """A copy of it."""
    return copied(seed, tmp_path / "fleet")


def hours(count: int, kept_an_hour: float, free_an_hour: float = 0.0) -> list[Sample]:
    """Return samples of as many hours until now."""
    return [
        Sample(
            at_s=NOW_S - HOUR_S * (count - each), kept=int(10 * GB + kept_an_hour * each),
            free=int(900 * GB - free_an_hour * each),
        )
        for each in range(count + 1)
    ]  # fmt: skip


def said(place: Home, samples: list[Sample], free: float) -> tuple[str, str]:
    """Return level and text of what the doctor says of the disk."""
    rows = [[each.at_s, each.kept, each.free] for each in samples]
    (place.folder / growth.FILE).write_text(json.dumps(rows))
    found = [x for x in examine(place.folder, NOW_S, free_bytes=lambda _: int(free))
             if x.id == "disk"]  # fmt: skip
    assert len(found) == 1
    return found[0].level, found[0].what


def test_the_doctor_says_for_how_many_days_the_disk_lasts(place: Home) -> None:
    steady = hours(10 * 24, 50 * GB / 24)
    level, text = said(place, steady, 1002 * GB)
    assert level == "warning"
    assert "20.0 days" in text and "50.00 GB a day" in text and "UNIT-0001" in text
    assert said(place, steady, 302 * GB)[0] == "bad"
    assert said(place, steady, 2002 * GB)[0] == "good"
    assert said(place, [], 30 * GB)[0] == "good"  # of a service that has just begun
    assert said(place, hours(200, -GB), 30 * GB)[0] == "good"


def test_a_flood_is_told_of_within_hours_and_a_busy_hour_is_not(place: Home) -> None:
    calm = hours(9 * 24, 0.01 * GB)
    flood = [Sample(at_s=x.at_s, kept=x.kept + max(at - 210, 0) * 5 * GB, free=x.free)
             for at, x in enumerate(calm)]  # fmt: skip
    level, text = said(place, flood, 500 * GB)
    assert (level, "in the last 6 h" in text) == ("bad", True)
    busy = [Sample(at_s=x.at_s, kept=x.kept + (at > 214) * 2 * GB, free=x.free)
            for at, x in enumerate(calm)]  # fmt: skip
    assert said(place, busy, 500 * GB)[0] == "good"


def test_what_others_write_counts_over_a_week_alone(place: Home) -> None:
    night = [Sample(at_s=x.at_s, kept=x.kept, free=x.free - (at > 238) * 40 * GB)
             for at, x in enumerate(hours(240, 0.01 * GB))]  # fmt: skip
    assert said(place, night, 500 * GB)[0] == "good"
    level, text = said(place, hours(240, 0.01 * GB, 2 * GB), 500 * GB)
    assert (level, "all on its disk" in text) == ("warning", True)


def test_a_pace_takes_six_hours() -> None:
    assert worst([]) is None
    assert worst(hours(5, GB)) is None
    pace = worst(hours(6, GB))
    assert pace is not None and pace.a_day == pytest.approx(24 * GB)


def test_it_is_noted_each_hour_and_kept_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "KEPT_S", 2 * DAY_S)
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "file").write_bytes(b"x" * 1000)
    made = Grower(tmp_path, lambda _path: 7 * GB)
    for now_s in range(NOW_S, NOW_S + 3 * DAY_S, 1800):
        made.tick(now_s)
    found = read(tmp_path)
    assert len(found) == growth.KEPT_S // growth.EVERY_S + 1
    assert {b.at_s - a.at_s for a, b in zip(found, found[1:], strict=False)} == {growth.EVERY_S}
    assert found[0].kept > 1000 and found[-1].free == 7 * GB
    assert (tmp_path / growth.FILE).stat().st_size < 20_000
    Grower(tmp_path).tick(found[-1].at_s + 60)  # started anew: nothing is noted twice
    assert read(tmp_path) == found
    Grower(tmp_path, lambda _path: 1).tick(NOW_S)  # a clock that was set back
    assert [each.at_s for each in read(tmp_path)] == [NOW_S]


@pytest.mark.parametrize("torn", [b"", b"[[1,2", b"{}", b'[["a"]]', b"[1]"])
def test_what_is_torn_is_none(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / growth.FILE).write_bytes(torn)
    assert read(tmp_path) == ()
    Grower(tmp_path).tick(NOW_S)
    assert len(read(tmp_path)) == 1


def test_the_service_notes_it(place: Home) -> None:
    with home.running(place, secure=False, clock=lambda: float(NOW_S)):
        end_s = time.monotonic() + 60
        while not read(place.folder):
            assert time.monotonic() < end_s
            time.sleep(0.05)
    assert read(place.folder)[0].kept > 100_000
    assert said(place, [], room.LEAST_FREE - 1)[0] == "bad"
