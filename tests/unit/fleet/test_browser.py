"""A person before a browser: signing in, an incident seen and acknowledged. One thin thread.

Every page and every story of every role: `test_browser_stories.py`, which is slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser_kit import Room, grave, room_in
from fleet_kit import bring


@pytest.fixture(scope="module")
def room(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A service with an enclosure of which it is not known how it stands."""
    with room_in(tmp_path_factory.mktemp("browser"), browser) as (kit, brought, made):
        brought.story.change("UNKNOWN", "power went")
        brought.story.seal()
        assert bring(kit, brought).status_code == 200
        yield made


def test_an_operator_signs_in_with_a_browser_and_acknowledges(room: Room) -> None:
    """The browser says by itself where a form comes from: a test client would not."""
    seat = room.seat()
    seat.go("/fleet")
    assert seat.page.url.endswith("/sign-in")
    seat.page.get_by_label("Code").fill(room.code("host-operator"))
    seat.press("Sign in")
    assert seat.page.url.endswith("/fleet") and "Not all is well" in seat.text
    assert grave(seat.page) == []
    seat.follow("unknown not acknowledged")
    assert "by nobody" in seat.text
    seat.press("Acknowledge: I have seen it")
    assert "host-operator one, " in seat.text and "waits for a disposition" not in seat.text
    assert "Disposition\nopen" in seat.text
    assert grave(seat.page) == []
    seat.press("Sign out")
    seat.go("/fleet")
    assert seat.page.url.endswith("/sign-in") and not seat.foreign


@pytest.mark.slow
def test_the_keyboard_alone_leads_past_the_header(room: Room) -> None:
    seat = room.seat("inspector")
    seat.go("/fleet")
    seat.page.keyboard.press("Tab")
    assert seat.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    seat.page.keyboard.press("Enter")
    assert seat.page.url.endswith("/fleet#main")


@pytest.mark.slow
def test_axe_finds_a_fault_that_was_planted(room: Room) -> None:
    seat = room.seat("inspector")
    seat.go("/sign-in")
    seat.page.evaluate("document.querySelector('main').innerHTML += '<input>'")
    assert any("label" in each for each in grave(seat.page))
