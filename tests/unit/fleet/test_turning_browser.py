"""The drawing is turned, with and without a script, and a chart's cursor moves by keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browser_kit import Room, Seat, grave, room_in
from fleet_kit import Kit, bring
from page_places import tell
from small_papers import box
from test_renewal_browser import before, comes, complains, passes

from casemate.attest import claims as c
from casemate.fleet.drawing import scene
from casemate.fleet.permits import papers
from casemate.testing import honest_enclosure as honest

pytestmark = pytest.mark.slow
STATUS = "document.querySelector('[data-cursor]').textContent"


@pytest.fixture(scope="module")
def room(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kit, Room]]:
    """An enclosure whose rear was drilled, and of which readings are told, some of them old."""
    folder = tmp_path_factory.mktemp("turning")
    with room_in(folder, browser, honest.armed(2)) as (kit, brought, made):
        story = brought.story
        story.state = "TAMPERED"
        body = c.LastWord(reason="the rear was drilled", erased_us=40)
        story.token(body, signers=story.last_word)
        story.seal()
        bring(kit, brought)
        with kit.service.store.write() as link:
            papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
        names = ("loop/left-1-1/a", "loop/rear-1-1/a", "air inside")
        tell(kit, kit.service.now_s() - 300, 100, names[:1])
        tell(kit, kit.service.now_s() - 300, 290, names[1:])
        yield kit, made


def seen(seat: Seat) -> str:
    return str(seat.page.locator("svg.scene title").first.text_content())


def turned(seat: Seat, act: Any, wanted: str) -> None:
    act()
    comes(seat, f"document.querySelector('svg.scene title').textContent.includes({wanted!r})")


def test_it_opens_where_the_event_is_seen_and_turns_without_a_script(
    room: tuple[Kit, Room],
) -> None:
    seat = room[1].seat("inspector", java_script_enabled=False)
    seat.go("/enclosures/1")
    assert "from the rear right, from above" in seat.text
    assert seat.page.locator("g.place text").all_text_contents() == ["1"]
    assert "Place 1 “the rear was drilled”" in seat.text
    assert seat.page.locator("[data-hint]").is_hidden()
    seat.follow("walk to the right")
    assert "Seen from the rear, from above" in seat.text
    seat.follow("look from lower down")
    assert "Seen from the rear, level with it" in seat.text
    seat.follow("front", exact=True)
    assert "not seen from here" in seat.text and seat.page.locator("g.place").count() == 0
    seat.follow("where the places are seen")
    assert "from the rear right, from above" in seat.text


def test_it_is_turned_in_place_by_keys_and_by_dragging(room: tuple[Kit, Room]) -> None:
    kit, made = room
    seat = before(made, "inspector", "/enclosures/1")
    said: list[Any] = []
    seat.page.on("console", lambda each: said.append(each) if complains(each) else None)
    seat.page.on("pageerror", lambda each: said.append(each))
    seat.page.evaluate("window.same = document.querySelector('main')")
    seat.page.get_by_role("link", name="walk to the right").focus()
    turned(seat, lambda: seat.page.keyboard.press("ArrowRight"), "from the rear, from above")
    active = "document.activeElement.dataset.turn"
    assert seat.page.evaluate(active) == "right"
    assert seat.page.locator("[data-turned]").text_content() == seen(seat)
    turned(seat, lambda: seat.page.keyboard.press("ArrowUp"), "straight from above")
    turned(seat, lambda: seat.page.keyboard.press("ArrowDown"), "from the front, from above")
    assert seat.page.evaluate("document.activeElement.closest('[data-turns]') !== null")
    box_ = seat.page.locator("svg.scene").bounding_box()
    x, y = box_["x"] + box_["width"] / 2, box_["y"] + 60
    seat.page.mouse.move(x, y)
    seat.page.mouse.down()
    turned(seat, lambda: seat.page.mouse.move(x - 90, y), "from the front right")
    seat.page.mouse.up()
    assert seat.page.evaluate("window.same === document.querySelector('main')")
    assert seat.page.url.endswith("?view=front-right-top")
    passes(kit, seat, 20)  # and it stays turned as the page renews itself
    assert "from the front right" in seen(seat)
    assert not said and not seat.foreign
    kit.clock.now_s -= 20


@pytest.mark.parametrize("width", (390, 1280))
def test_the_number_is_on_the_place_in_every_window(room: tuple[Kit, Room], width: int) -> None:
    seat = room[1].seat("inspector")
    seat.page.set_viewport_size({"width": width, "height": 800})
    seat.go("/enclosures/1?view=rear")
    ring = seat.page.locator("g.place").bounding_box()
    tile = seat.page.locator(".tile.event").first.bounding_box()
    for side, long in (("x", "width"), ("y", "height")):
        middle = ring[side] + ring[long] / 2
        assert tile[side] < middle < tile[side] + tile[long]
        assert ring[long] >= 24


def test_on_paper_numbers_are_ink_and_the_legend_is_there(room: tuple[Kit, Room]) -> None:
    """A browser leaves backgrounds out on paper: white on one would be white on white."""
    seat = room[1].seat("inspector")
    seat.go("/enclosures/1?view=rear")
    seat.page.emulate_media(media="print")
    ink = "getComputedStyle(document.querySelector({!r})).color"
    words = seat.page.evaluate(ink.format(".number"))
    assert words == seat.page.evaluate(ink.format("body"))
    filled = "getComputedStyle(document.querySelector('.place {}')).fill"
    assert seat.page.evaluate(filled.format("text")) != seat.page.evaluate(filled.format("circle"))
    assert seat.page.get_by_text("Striped: how it stands is not proven").is_visible()


def test_what_a_turn_brings_is_of_the_state_that_the_page_shows(room: tuple[Kit, Room]) -> None:
    """A drawing of another state beside an older headline would be believed: the page is loaded."""
    seat = before(room[1], "inspector", "/enclosures/1")
    seat.page.evaluate(
        "document.querySelector('svg.scene').setAttribute('class', 'scene is-armed')"
    )
    with seat.page.expect_event("load"):
        seat.page.get_by_role("link", name="walk to the left").click()
    assert seat.page.locator("svg.scene.is-tampered").count() == 1


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_every_view_is_accessible(room: tuple[Kit, Room], scheme: str) -> None:
    seat = room[1].seat("inspector", scheme=scheme)
    for view in scene.VIEWS if scheme == "light" else scene.VIEWS[::5]:
        seat.go(f"/enclosures/1?view={view}")
        assert scene.described(view) in seen(seat)
        seat.page.locator("summary", has_text="Place by place").click()
        assert grave(seat.page) == [], view


def test_a_charts_cursor_moves_by_keys_and_tells_what_it_stands_on(
    room: tuple[Kit, Room],
) -> None:
    kit, made = room
    seat = before(made, "inspector", "/enclosures/1/channels?show.1=air+inside")
    said: list[Any] = []
    seat.page.on("pageerror", lambda each: said.append(each))
    seat.page.get_by_role("application", name="Cursor of the chart air inside").focus()
    keys = seat.page.keyboard
    keys.press("End")
    last = str(seat.page.evaluate(STATUS))
    assert last.startswith("2027-") or last.startswith("20"), last
    assert " K" in last
    keys.press("ArrowLeft")
    one = str(seat.page.evaluate(STATUS))
    assert one < last  # times are ISO: earlier sorts first
    keys.press("PageDown")
    assert seat.page.evaluate(STATUS) == last  # it stays within
    keys.press("Home")
    first = str(seat.page.evaluate(STATUS))
    assert first < one
    keys.press("ArrowRight")
    assert first < str(seat.page.evaluate(STATUS)) < one
    shown = seat.page.locator(".u-legend .u-value").first.inner_text()
    assert shown in str(seat.page.evaluate(STATUS))  # as a mouse would have it
    assert seat.page.locator("[data-cursor]").get_attribute("role") == "status"
    assert grave(seat.page) == []
    stood = str(seat.page.evaluate(STATUS))[:20]
    tell(kit, kit.service.now_s() - 8, 6, ("air inside",))
    passes(kit, seat, 6)
    assert str(seat.page.evaluate(STATUS))[:20] == stood  # the same moment, on newer data
    assert seat.page.locator(".u-legend .u-value").first.inner_text() == stood
    assert "application" in str(seat.page.evaluate("document.activeElement.getAttribute('role')"))
    keys.press("End")
    assert str(seat.page.evaluate(STATUS)) > last
    assert not said
    kit.clock.now_s -= 6
