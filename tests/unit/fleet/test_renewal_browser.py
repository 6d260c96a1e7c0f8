"""Pages renew themselves before a person: nobody's place is lost, and what is old says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser_kit import SCHEMES, Room, Seat, grave, room_in
from fleet_kit import Brought, Kit, bring
from page_places import tell

from casemate.attest import claims as c
from casemate.testing import honest_enclosure as honest

pytestmark = pytest.mark.slow
QUICK = """(() => { const real = Date.now.bind(Date); let more = 0;
window.later = (ms) => { more += ms; }; Date.now = () => real() + more; })()"""
"""Lets a test say that time has passed, for the page's own clock."""


@pytest.fixture
def room(browser: Any, tmp_path: Any) -> Iterator[tuple[Kit, Brought, Room]]:
    with room_in(tmp_path, browser, honest.armed(2)) as (kit, brought, made):
        bring(kit, brought)
        yield kit, brought, made


def brings(kit: Kit, brought: Brought) -> None:
    """Bring what is new, without setting the service's clock back: pages would call that old."""
    now_s = kit.clock.now_s
    assert bring(kit, brought).status_code == 200
    kit.clock.now_s = max(now_s, kit.clock.now_s)


def before(room: Room, role: str, path: str, **more: Any) -> Seat:
    seat = room.seat(role, **more)
    seat.page.add_init_script(QUICK)
    seat.go(path)
    return seat


def passes(kit: Kit, seat: Seat, seconds: int, until: str = "", *, same: bool = False) -> None:
    """Let time pass for service and page, and wait for what the page then says: its new time.

    until: a text that it shows instead. same: nothing is waited for, it is to stay as it is.
    """
    shown = seat.page.evaluate("document.querySelector('.made time').dateTime")
    kit.clock.now_s += seconds
    seat.page.evaluate(f"window.later({1000 * seconds})")
    if same:
        seat.page.wait_for_timeout(2500)
    elif until:
        comes(seat, f"document.body.innerText.includes({until!r})")
    else:
        comes(seat, f"document.querySelector('.made time').dateTime !== {shown!r}")


def comes(seat: Seat, true: str) -> None:
    """Wait until something is true in the page; its policy forbids that it waits by itself."""
    for _ in range(100):
        if seat.page.evaluate(true):
            return
        seat.page.wait_for_timeout(200)
    raise AssertionError((true, seat.text))


def then(seat: Seat) -> bool:
    """Return whether states on the page say that they are of then, not of now."""
    said = "getComputedStyle(document.querySelector('main .state'), '::after').content"
    return "as of then" in str(seat.page.evaluate(said))


def complains(said: Any) -> bool:
    return said.type == "error" and "favicon" not in said.location["url"]


def renewals(seat: Seat, path: str) -> int:
    return sum(each.endswith(path) for each in seat.asked)


def opened(brought: Brought) -> None:
    brought.story.state = "TAMPERED"
    body = c.LastWord(reason="the front was drilled", erased_us=40)
    brought.story.token(body, signers=brought.story.last_word)
    brought.story.seal()


def test_an_attack_is_seen_without_anybody_touching_the_page(
    room: tuple[Kit, Brought, Room],
) -> None:
    kit, brought, made = room
    seats = [before(made, "auditor", path) for path in ("/fleet", "/enclosures/1")]
    assert "every one that is in service is proven up to now" in seats[0].text
    opened(brought)
    brings(kit, brought)
    for seat in seats:
        seat.page.evaluate("window.same = document.querySelector('main')")
        passes(kit, seat, 20)
        assert "TAMPERED" in seat.text and not then(seat)
        assert seat.page.evaluate("window.same === document.querySelector('main')")
        assert not seat.foreign and "old" not in seat.page.title()


def test_what_is_stale_becomes_unknown_by_itself(room: tuple[Kit, Brought, Room]) -> None:
    kit, _, made = room
    seat = before(made, "host-operator", "/enclosures/1")
    assert seat.page.locator(".state.armed").count() == 1
    passes(kit, seat, 1000)
    assert seat.page.locator(".state.armed").count() == 0
    assert seat.page.locator("main .state.unknown").count() == 1


def test_a_page_that_cannot_be_renewed_does_not_look_current(
    room: tuple[Kit, Brought, Room],
) -> None:
    """The service is gone, or something answers with a page of before: neither passes for now."""
    kit, _, made = room
    page = kit.client("inspector").get("/fleet").text
    for fault in ("gone", "frozen", "broken"):
        seat = before(made, "inspector", "/fleet")
        answers = {
            "gone": lambda route: route.abort(),
            "frozen": lambda route: route.fulfill(body=page, content_type="text/html"),
            "broken": lambda route: route.fulfill(status=200, body="<p>hello"),
        }
        seat.page.route("**/fleet", answers[fault])
        passes(kit, seat, 20, "It could not be renewed")
        assert "It could not be renewed" in seat.text, fault
        assert "not how it stands now" in seat.text and then(seat)
        assert seat.page.title().startswith("(old)")
        assert grave(seat.page) == []
        seat.page.unroute("**/fleet")
        passes(kit, seat, 60)
        assert not then(seat) and not seat.page.title().startswith("(old)")


def test_what_a_person_does_is_not_lost(room: tuple[Kit, Brought, Room]) -> None:
    kit, brought, made = room
    seat = before(made, "inspector", "/fleet")
    seat.page.get_by_label("Text").fill("gate")
    passes(kit, seat, 20, "Not renewed while a form is being filled in.")
    assert seat.page.get_by_label("Text").input_value() == "gate"
    passes(kit, seat, 300, "not how it stands now")
    assert seat.page.title().startswith("(old)")  # it says so all the while
    seat.page.get_by_label("Text").fill("")
    seat.page.evaluate("document.activeElement.blur()")
    passes(kit, seat, 20)
    assert not then(seat) and renewals(seat, "/fleet") == 2
    seat.page.get_by_role("link", name="camera UNIT-0001").focus()
    brought.story.watch()
    brought.story.seal()
    brings(kit, brought)
    passes(kit, seat, 20)
    focused = "document.activeElement.textContent"
    assert seat.page.evaluate(focused) == "camera UNIT-0001" and renewals(seat, "/fleet") == 3
    seat.page.evaluate("getSelection().selectAllChildren(document.querySelector('caption'))")
    passes(kit, seat, 20, "Not renewed while text is selected.")
    assert renewals(seat, "/fleet") == 3


def test_a_decision_is_never_changed_under_a_hand(room: tuple[Kit, Brought, Room]) -> None:
    """Something worse is found just as somebody is about to press: it has to be looked at first."""
    kit, brought, made = room
    brought.story.watch(verdict="INTERFERENCE")
    brought.story.seal()
    bring(kit, brought)
    seat = before(made, "inspector", "/incidents/1")
    value = "document.querySelector('[name=seen]').value"
    was = seat.page.evaluate(value)
    passes(kit, seat, 20)
    assert seat.page.evaluate(value) == was and "It renews itself every 15 s." in seat.text
    opened(brought)
    brings(kit, brought)
    passes(kit, seat, 20, "More has come since")
    assert seat.page.evaluate(value) == was
    assert "the front was drilled" not in seat.text and seat.page.title().startswith("(old)")
    seat.press("Show what has come")
    assert "the front was drilled" in seat.text and seat.page.evaluate(value) != was


def test_a_reason_half_written_stays(room: tuple[Kit, Brought, Room]) -> None:
    kit, brought, made = room
    brought.story.watch(verdict="INTERFERENCE")
    brought.story.seal()
    bring(kit, brought)
    seat = before(made, "inspector", "/incidents/1")
    seat.page.get_by_label("Reason").fill("a fan was")
    seat.page.evaluate("document.activeElement.blur()")
    opened(brought)
    brings(kit, brought)
    for _ in range(3):
        passes(kit, seat, 40, same=True)
    assert seat.page.get_by_label("Reason").input_value() == "a fan was"
    assert seat.page.title().startswith("(old)") and renewals(seat, "/incidents/1") == 1


def test_a_person_can_stop_it_and_it_stays_stopped(room: tuple[Kit, Brought, Room]) -> None:
    kit, _, made = room
    seat = before(made, "inspector", "/fleet")
    seat.page.get_by_role("button", name="Stop renewing").click()
    passes(kit, seat, 20, same=True)
    assert renewals(seat, "/fleet") == 1 and "It does not renew itself." in seat.text
    passes(kit, seat, 120, "not how it stands now")
    assert seat.page.title().startswith("(old)")
    seat.go("/enclosures/1")
    passes(kit, seat, 20, same=True)
    assert renewals(seat, "/enclosures/1") == 1
    seat.page.get_by_role("button", name="Renew it again").click()
    passes(kit, seat, 20)
    assert renewals(seat, "/enclosures/1") == 2


def test_it_stops_in_a_hidden_tab_and_when_the_session_ends(
    room: tuple[Kit, Brought, Room],
) -> None:
    kit, _, made = room
    seat = before(made, "inspector", "/fleet")
    hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s})"
    seat.page.evaluate(hide % "true")
    passes(kit, seat, 20, same=True)
    passes(kit, seat, 100, same=True)
    assert renewals(seat, "/fleet") == 1
    seat.page.evaluate(hide % "false")
    seat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    comes(seat, "document.querySelector('.made [role=alert]').hidden")
    assert renewals(seat, "/fleet") == 2 and not then(seat)
    passes(kit, seat, 5000, "your session has ended")
    assert "your session has ended: sign in again" in seat.text
    assert then(seat) and seat.page.url.endswith("/fleet")


def test_without_a_script_a_page_ages_by_itself(room: tuple[Kit, Brought, Room]) -> None:
    """After two minutes nothing on it is green any more, and it says why."""
    _, _, made = room
    seat = made.seat("inspector", java_script_enabled=False)
    seat.go("/fleet")
    colour = "getComputedStyle(document.querySelector('main .state.armed')).color"
    told = "getComputedStyle(document.querySelector('.aged')).visibility"
    fresh = seat.page.evaluate(colour)
    assert "As of 20" in seat.text and seat.page.evaluate(told) == "hidden"
    seat.page.evaluate("document.getAnimations().forEach(each => { each.currentTime = 121000; })")
    assert seat.page.evaluate(told) == "visible"
    assert seat.page.evaluate(colour) != fresh
    assert not any(each.endswith(".js") for each in seat.asked)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_channels_are_drawn_and_go_on(room: tuple[Kit, Brought, Room], scheme: str) -> None:
    kit, _, made = room
    tell(kit, kit.service.now_s() - 400, 100)
    tell(kit, kit.service.now_s() - 200, 200)
    seat = before(made, "inspector", "/enclosures/1/channels", scheme=scheme)
    wrong: list[str] = []
    seat.page.on("console", lambda each: wrong.append(each.text) if complains(each) else None)
    seat.page.on("pageerror", lambda each: wrong.append(str(each)))
    assert seat.page.locator(".plot canvas").count() == 2
    assert not seat.page.locator(".drawn").first.is_visible()
    assert grave(seat.page) == []
    inked = """() => { const one = document.querySelector('.plot canvas');
      const data = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;
      return data.filter((value, at) => at % 4 === 3 && value > 0).length; }"""
    assert seat.page.evaluate(inked) > 500
    seat.page.evaluate("window.same = document.querySelector('.plot canvas')")
    picture = "document.querySelector('.plot canvas').toDataURL()"
    drawn = seat.page.evaluate(picture)
    kit.clock.now_s += 10
    tell(kit, kit.service.now_s() - 10, 10)
    kit.clock.now_s -= 10
    passes(kit, seat, 10)
    assert seat.page.evaluate("window.same === document.querySelector('.plot canvas')")
    assert seat.page.evaluate(picture) != drawn
    last = "JSON.parse(document.querySelector('.plot').dataset.chart).x.at(-1)"
    assert seat.page.evaluate(last) >= kit.service.now_s() - 3
    assert not seat.foreign and wrong == []


def test_channels_are_whole_without_a_script(room: tuple[Kit, Brought, Room]) -> None:
    kit, _, made = room
    tell(kit, kit.service.now_s() - 200, 200)
    seat = made.seat("inspector", java_script_enabled=False)
    seat.go("/enclosures/1/channels")
    assert seat.page.locator(".drawn").first.is_visible()
    seat.page.get_by_label("Chart of air inside").uncheck()
    seat.press("Draw those chosen")
    assert seat.page.locator(".drawn").count() == 1
    assert "show." in seat.page.url and seat.page.get_by_role("heading", name="loop <b>").count()
