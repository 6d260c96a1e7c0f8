"""The page of channels: unsigned, and said so; gaps stay gaps; what is signed stands beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from fleet_kit import Brought, Kit, bring, enter, kit_in
from page_places import furnish, tell

from casemate.fleet.readings.looks import Point
from casemate.fleet.story.told import Event
from casemate.fleet.web import channel_beside, channel_draw, channel_rows, channels_page
from casemate.testing import honest_enclosure as honest
from casemate.verify.continuity import Interval

PATH = "/enclosures/1/channels"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """An enclosure with a bit of everything; it is only read."""
    with kit_in(tmp_path_factory.mktemp("channels")) as kit:
        furnish(kit)
        yield kit


def row(kit: Kit, query: str = "") -> Any:
    return kit.client("inspector").get(f"{PATH}.json{query}").json()


def test_it_says_that_readings_are_unsigned_and_how_the_enclosure_stands(full: Kit) -> None:
    page = full.client("auditor").get(PATH).text
    assert "Readings are unsigned" in page and "no verdict rests on them" in page
    assert "This enclosure is UNKNOWN." in page
    told = row(full)
    assert (told["signed"], told["how"]) == (False, "UNKNOWN")
    assert [each["channel"] for each in told["rows"]] == ["air inside", "loop <b>", "skin"]
    assert told["rows"][0]["value"] and told["rows"][0]["unit"] == "K"
    assert told["rows"][0]["ago"] == "1 s ago" and not told["rows"][0]["silent"]
    assert "loop &lt;b&gt;" in page and "loop <b>" not in page


def test_gaps_stay_gaps_in_drawing_chart_and_words(full: Kit) -> None:
    chart = row(full)["charts"][0]
    assert (chart["count"], chart["gaps"], len(chart["lines"])) == (300, 1, 2)
    x = chart["data"]["x"]
    (at,) = [at for at, each in enumerate(chart["data"]["mean"]) if each is None]
    assert x == sorted(x) and x[at + 1] - x[at - 1] > 100 > max(x[at - 1] - x[0], 0)
    page = full.client("inspector").get(PATH).text
    assert "1 gap between them" in page
    sent = [json.loads(unescape(x)) for x in re.findall(r'data-chart="([^"]*)"', page)]
    assert sent == [each["data"] for each in row(full)["charts"]]
    assert page.count('class="drawn"') == 2 == page.count("as a table</summary>") - 1


def test_what_is_signed_stands_beside(full: Kit) -> None:
    told = row(full)
    assert {each["kind"] for each in told["bands_list"]} >= {"maintenance", "interfered", "unknown"}
    assert told["health"]["verdicts"]["INTERFERENCE"] == 1
    assert told["findings"] and {"P", "D"} <= set("".join(x["letter"] for x in told["marks"]))
    assert told["charts"][0]["data"]["bands"]
    page = full.client("inspector").get(PATH).text
    assert "not proven" in page and "under a permit" in page and "channels without a fault" in page


@pytest.mark.parametrize("window", channels_page.WINDOWS)
def test_every_window_has_the_readings(full: Kit, window: str) -> None:
    told = row(full, f"?window={window}&show.1=skin")
    assert [each["channel"] for each in told["charts"]] == ["skin"]
    assert told["charts"][0]["count"] == 300 and len(told["charts"][0]["data"]["x"]) <= 301
    assert told["renews"] >= 5 and told["window"]["live"]
    assert [each["chosen"] for each in told["rows"]] == [False, False, True]


def test_a_time_that_is_over_does_not_move(full: Kit) -> None:
    now_s = full.service.now_s()
    told = row(full, f"?at={now_s - 300}")
    assert not told["window"]["live"] and told["charts"][0]["count"] == 100
    assert told["window"]["end"] == now_s - 300
    assert f"at={now_s - 300}" in told["links"]["windows"]["hour"]
    page = full.client("inspector").get(f"{PATH}?at={now_s - 300}").text
    assert "This time is over" in page


@pytest.mark.parametrize("at_s", [1 << 38, 1 << 40])
def test_a_time_after_all_years_has_no_readings(full: Kit, at_s: int) -> None:
    told = row(full, f"?at={at_s}")
    assert told["window"]["end"] == at_s and told["charts"][0]["count"] == 0


@pytest.mark.parametrize(
    "query",
    ("window=week", "page=0", "at=1", "at=x", "show.1=a%1b", "show.1=" + "x" * 65,
     "&".join(f"show.{x}=c{x}" for x in range(7))),
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused(full: Kit, query: str) -> None:
    assert full.client("inspector").get(f"{PATH}?{query}").status_code == 422


def test_a_channel_that_is_not_there_has_no_readings(full: Kit) -> None:
    told = row(full, "?show.1=../../etc&q=skin")
    assert told["charts"][0]["count"] == 0 and told["elsewhere"] == ["../../etc"]
    assert [each["channel"] for each in told["rows"]] == ["skin"]
    page = full.client("inspector").get(f"{PATH}?show.1=nothing").text
    assert "No reading of this channel lies in this time." in page


def armed(kit: Kit) -> Brought:
    brought = enter(kit, honest.armed(2))
    bring(kit, brought)
    tell(kit, kit.service.now_s() - 50, 50, ("skin",))
    return brought


def test_quiet_readings_make_no_stale_enclosure_look_well(kit: Kit) -> None:
    """Readings go on while evidence is held back: the page says UNKNOWN, and shades the time."""
    armed(kit)
    assert row(kit)["how"] == "ARMED"
    assert "This enclosure is" not in kit.client("inspector").get(PATH).text
    for _ in range(10):
        kit.clock.now_s += 100
        tell(kit, kit.service.now_s() - 100, 100, ("skin",))
    told, page = row(kit), kit.client("inspector").get(PATH).text
    assert told["how"] == "UNKNOWN" and not told["rows"][0]["silent"]
    assert "This enclosure is UNKNOWN." in page and '<span class="state armed">' not in page
    last = told["bands_list"][-1]
    assert last["end"] == told["window"]["end"] and last["kind"] in ("unknown", "unsaid")


def test_a_channel_that_fell_silent_says_so(kit: Kit) -> None:
    armed(kit)
    kit.clock.now_s += channel_rows.OLD_S + 5
    assert row(kit)["rows"][0]["silent"]
    page = kit.client("inspector").get(PATH).text
    assert "silent: nothing was told for over a minute" in page


def test_an_enclosure_without_readings_teaches_what_to_do(kit: Kit) -> None:
    enter(kit)
    page = kit.client("inspector").get(PATH).text
    assert "No reading was told yet" in page and "POST /series" in page
    assert "No evidence was brought yet" in page and "uPlot" not in page
    assert row(kit)["charts"] == [] and row(kit)["how"] == "UNKNOWN"
    assert kit.client("inspector").get("/enclosures/2/channels").status_code == 404


def test_the_enclosures_own_page_has_few_of_them_apart_from_what_is_proven(kit: Kit) -> None:
    brought = armed(kit)
    tell(kit, kit.service.now_s() - 5, 5, tuple(f"loop {x:02d}" for x in range(12)))
    page = kit.client("inspector").get("/enclosures/1").text
    assert "8 of 13 channels" in page and page.count('class="spark"') == 8
    assert page.index("Enclosure, tile by tile") < page.index("Readings are unsigned")
    before = kit.client("inspector").get("/enclosures/1/verdict.json").json()["result"]
    tell(kit, kit.service.now_s() - 3, 3, ("ARMED",))
    assert kit.client("inspector").get("/enclosures/1/verdict.json").json()["result"] == before
    brought.story.change("UNKNOWN", "power went")
    brought.story.seal()
    bring(kit, brought)
    assert '<span class="state armed">' not in kit.client("inspector").get("/enclosures/1").text


def test_many_channels_have_pages(kit: Kit) -> None:
    armed(kit)
    names = tuple(f"loop {x:02d}" for x in range(40))
    tell(kit, kit.service.now_s() - 5, 5, names)
    first, last = row(kit, "?show.1=loop+39"), row(kit, "?page=2&show.1=loop+39")
    assert (len(first["rows"]), len(last["rows"]), first["pages"]) == (25, 16, 2)
    assert first["elsewhere"] == ["loop 39"] and last["elsewhere"] == []
    assert "show.0=loop+39" in first["links"]["after"]


def test_what_no_interval_covers_is_not_taken_for_proven() -> None:
    proven = Interval(start_s=100, end_s=200, kind="proven")
    found = channel_beside.bands([proven], 50, 300)
    assert [(x["begin"], x["end"], x["kind"]) for x in found] == [
        (50, 100, "unsaid"), (200, 300, "unsaid")
    ]  # fmt: skip
    assert [(x["begin"], x["end"]) for x in channel_beside.bands([], 0, 9)] == [(0, 9)]
    assert channel_beside.bands([proven], 100, 200) == []
    drawn = channel_beside.drawn(found, 50, 300, 1000.0)
    assert [(x["x"], x["width"]) for x in drawn] == [(0.0, 200.0), (600.0, 400.0)]
    event = Event(number=1, at_s=75, kind="start")
    assert channel_beside.marks([event], 50, 100)[0]["at_s"] == pytest.approx(75)


def test_a_drawing_holds_every_value() -> None:
    points = [Point(at_s=x, count=1, least=5.0, mean=5.0, most=5.0) for x in (0.0, 1.0, 9.0)]
    at = channel_draw.frame(points, 0.0, 10.0)
    assert at.low < 5.0 < at.high
    made = channel_draw.shapes(points, 0.5, at)
    assert made["lines"] and 0 < float(made["lines"][0].split(",")[1].split()[0]) < at.height
    assert channel_draw.frame([], 0.0, 1.0).low < channel_draw.frame([], 0.0, 1.0).high
