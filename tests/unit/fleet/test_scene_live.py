"""What is told live at the places of a drawing: whose it is, how old, and what it covers."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from fleet_kit import Kit, bring, enter
from page_places import tell
from small_papers import box

from casemate.fleet.drawing import scene
from casemate.fleet.permits import papers
from casemate.fleet.readings.series import Latest
from casemate.fleet.web import scene_live, scene_room
from casemate.fleet.web.channel_rows import OLD_S
from casemate.testing import honest_enclosure as honest

NOW_S = 10_000


def told(channel: str, ago_s: float = 2.0) -> Latest:
    return Latest(channel=channel, unit="ohm", at_s=NOW_S - ago_s, value=42.125)


def of(*latest: Latest) -> dict[str, scene_live.Zone]:
    return scene_live.zones(box(), latest, NOW_S)[0]


def labels(drawn: scene.Drawing, *latest: Latest) -> list[dict[str, Any]]:
    return scene_live.labels(drawn, of(*latest), scene_room.Room(drawn, ()), NOW_S)


def test_a_channel_belongs_to_the_tile_or_face_that_its_name_names() -> None:
    names = (
        "loop/left-1-2/In1.Cu-3", "loop/left-1-2/In1.Cu-4", "environment/temperature/front",
        "cap/rear-1-1/a", "air inside", "loop/left-9-9/x", "left-1-1 but not a part",
    )  # fmt: skip
    found, whole = scene_live.zones(box(), [told(each) for each in names], NOW_S)
    assert {name: zone.count for name, zone in found.items()} == {
        "left-1-2": 2, "front-low-1-1": 1, "rear-1-1": 1,
    }  # fmt: skip
    assert whole == 3


def test_one_silent_channel_of_many_is_told() -> None:
    fresh, old = told("loop/left-1-1/a"), told("loop/left-1-1/b", OLD_S + 1)
    drawn = scene.drawing(box(), "left", {})
    label = labels(drawn, fresh, old)[0]
    assert label["old"] and label["lines"] == ["42.125 ohm", "1 of 2 silent"]
    label = labels(drawn, fresh)[0]
    assert not label["old"] and label["lines"] == ["42.125 ohm", "2 s ago"]
    label = labels(drawn, old)[0]
    assert label["old"] and label["lines"][1] == "silent, 1 min 1 s ago"


@pytest.mark.parametrize("view", scene.VIEWS)
def test_labels_cover_neither_each_other_nor_a_number_and_stay_within(view: str) -> None:
    design = box()
    drawn = scene.drawing(design, view, {})
    tiles = [each["id"] for each in design["tiles"]]
    found = of(*(told(f"loop/{each}/a") for each in tiles))
    marked = scene_live.badges(drawn, [{"number": 1, "tiles": tiles}])
    assert {each["face"] for each in marked} == {each.face for each in drawn.shapes}
    room = scene_room.Room(drawn, marked)
    labels_ = scene_live.labels(drawn, found, room, NOW_S)
    passing = [each["label"] for each in scene_room.crossings(drawn, room) if each["label"]]
    names = scene_room.tile_names(drawn, room)
    assert 1 <= len(labels_) <= scene_live.MOST_LABELS
    boxes = [(each["left"], each["top"], each["left"] + each["width"], each["top"] + each["height"])
             for each in (*labels_, *passing, *names)]  # fmt: skip
    rings = [(x["x"] - 13, x["y"] - 13, x["x"] + 13, x["y"] + 13) for x in marked]
    for a, b in itertools.combinations(boxes, 2):
        assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]
    for a, b in itertools.product(boxes, rings):
        assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]
    for left, top, right, low in boxes:
        assert left >= 0 and top >= 0 and right <= scene.WIDTH and low <= scene.HEIGHT


def test_the_name_of_a_tile_stays_on_its_tile() -> None:
    drawn = scene.drawing(box(), "right", {})
    names = scene_room.tile_names(drawn, scene_room.Room(drawn, ()))
    every = {"right-1-1", "right-1-2", "right-2-1", "right-2-2"}
    assert {each["lines"][0] for each in names} == every
    shapes = {each.tile: each for each in drawn.shapes}
    for each in names:
        ring = shapes[each["lines"][0]].points
        assert min(x for x, _ in ring) <= each["left"]
        assert each["left"] + each["width"] <= max(x for x, _ in ring)
    front = scene.drawing(box(), "front-left-top", {})
    found = scene_room.tile_names(front, scene_room.Room(front, ()))
    assert "front-near-1-1" not in {each["lines"][0] for each in found}  # it is too narrow


def test_two_places_on_one_tile_have_two_numbers_apart() -> None:
    drawn = scene.drawing(box(), "rear", {})
    places = [{"number": n, "tiles": ["rear-1-1"]} for n in (1, 2)]
    first, second = scene_live.badges(drawn, places)
    assert abs(first["x"] - second["x"]) >= 26


@pytest.fixture
def shown(kit: Kit) -> Kit:
    brought = enter(kit, honest.armed(1))
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
    bring(kit, brought)
    tell(kit, kit.service.now_s() - 10, 10, ("loop/left-1-1/a", "loop/right-1-1/<b>"))
    return kit


def picture(kit: Kit, query: str = "") -> Any:
    return kit.client("inspector").get(f"/enclosures/1.json{query}").json()["picture"]


def test_readings_are_drawn_and_colour_nothing(shown: Kit) -> None:
    client = shown.client("inspector")
    page = client.get("/enclosures/1?view=left").text
    assert page.count('<g class="told">') == 1 and "unsigned" in page
    assert picture(shown)["marked"] == {}
    assert [each["told"]["silent"] for each in picture(shown)["rows"]] == [0, 0]
    shown.clock.now_s += OLD_S + 5
    page = client.get("/enclosures/1?view=left").text
    assert page.count('<g class="told is-old"><') == 1 and 'fill="url(#scene-old)"' in page
    assert [each["told"]["silent"] for each in picture(shown)["rows"]] == [1, 1]
    assert picture(shown)["marked"] == {}
    assert "<b>" not in client.get("/enclosures/1?view=right").text


def test_a_view_leaves_the_timeline_as_it_is(shown: Kit) -> None:
    """It was pinned to the moment of the page, so a page that renews itself stood still."""
    page = shown.client("inspector").get("/enclosures/1").text
    assert 'href="?view=right-top" data-turn="right"' in page
    page = shown.client("inspector").get("/enclosures/1?zoom=day&at=1800000000&view=left").text
    assert 'href="?view=rear-left&amp;zoom=day&amp;at=1800000000" data-turn="left"' in page
    assert picture(shown)["chosen"] is False and picture(shown, "?view=left")["chosen"] is True


def test_a_ratio_is_not_read_as_a_figure() -> None:
    ratio = Latest(channel="humidity/left-1-1", unit="1", at_s=NOW_S - 2, value=0.44)
    drawn = scene.drawing(box(), "left", {})
    assert labels(drawn, ratio)[0]["lines"][0] == "0.44 (ratio)"
