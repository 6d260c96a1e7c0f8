"""A person before a page whose evidence is being appraised: they see its way, a stall, its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from browser_kit import SCHEMES, Room, Seat, chromium, grave
from fleet_kit import Kit, bring, enter, kit_in
from held_appraisal import Held, comes, held
from test_browser_pages import nu
from test_renewal_browser import QUICK

from casemate.core import progress
from casemate.fleet.intake import under_way
from casemate.testing import honest_enclosure as honest

pytestmark = pytest.mark.slow
PAGE, REPORT = "/enclosures/1", "/enclosures/1/continuity"
TOKENS, STOP = 82, 60
"""Of the log, and before which its appraisal stands until it may go on."""
HEARD = """window.heard = [];
const told = document.querySelector('[data-told]');
new MutationObserver(() => window.heard.push(told.textContent)).observe(told, {childList: true})"""
BAR = "document.querySelector('main progress')"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def room(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Kit, Held, Room]]:
    """A service that has to walk anew through a log that takes some seconds."""
    monkeypatch.setattr(under_way, "WAIT_S", 0.05)
    with kit_in(tmp_path / "fleet", secure=False) as kit:
        assert bring(kit, enter(kit, honest.armed(40))).status_code == 200
        made = Room(kit, browser)
        try:
            with held(monkeypatch, STOP) as walk:
                walk.slow_s = 0.05
                kit.service.intake.forget(1)
                yield kit, walk, made
                walk.slow_s = 0.0
            comes(lambda: not kit.service.intake.under_way._waiting)
        finally:
            made.close()


def sits(room: Room, path: str, role: str = "inspector", **more: Any) -> Seat:
    seat = room.seat(role, **more)
    seat.page.add_init_script(QUICK)
    seat.page.goto(seat.base + path)
    return seat


def goes_on(kit: Kit, seat: Seat, true: str) -> Any:
    """Let time pass for service and page until something is true in it, and return that."""
    from playwright.sync_api import Error

    for _ in range(300):
        with suppress(Error):  # the page is just becoming another
            if found := seat.page.evaluate(true):
                return found
            kit.clock.now_s += 1
            seat.page.evaluate("window.later(1100)")
        seat.page.wait_for_timeout(150)
    raise AssertionError((true, seat.text))


def says(text: str) -> str:
    return f"document.querySelector('main').innerText.includes({text!r})"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_its_way_a_stall_and_its_end(
    room: tuple[Kit, Held, Room], scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit, walk, made = room
    seat, report = (sits(made, path, scheme=scheme) for path in (PAGE, REPORT))
    seat.page.evaluate(HEARD)
    assert seat.page.locator("main .state.unknown").count() == 1
    assert "Being appraised" in report.text and "ARMED" not in report.page.inner_text("main")
    walks = f"{says('appraising tokens')} && {BAR} && {BAR}.value"
    first = goes_on(kit, seat, f"{walks} > 0 && {BAR}.value")
    assert 0 < first < goes_on(kit, seat, f"{walks} > {first} && {BAR}.value") <= STOP
    assert seat.page.evaluate(f"{BAR}.max") == TOKENS
    assert walk.there.wait(60.0)
    monkeypatch.setattr(progress, "STALL_S", 1.0)
    goes_on(kit, seat, says("nothing has moved for"))
    assert f"{STOP} of {TOKENS} tokens" in seat.text
    assert "nothing has moved for" in seat.page.locator("[data-told]").text_content()
    goes_on(kit, report, says("nothing has moved for"))
    assert grave(seat.page) == [] and grave(report.page) == []
    for each in (seat, report):
        each.page.emulate_media(media="print", color_scheme=scheme)
        assert not each.page.locator("main progress").is_visible()
        assert f"{STOP} of {TOKENS} tokens" in each.text  # on paper it is no verdict either
        each.page.emulate_media(media="screen", color_scheme=scheme)
    walk.slow_s = 0.0
    walk.go.set()
    goes_on(kit, seat, "document.querySelector('main .state.armed') !== null")
    assert "no longer under way" in seat.page.locator("[data-told]").text_content()
    assert seat.page.locator("main progress").count() == 0
    goes_on(kit, report, "document.querySelector('h1').textContent.startsWith('Continuity')")
    assert "Ledger of gaps" in report.text and not seat.foreign and not report.foreign
    heard = seat.page.evaluate("window.heard")
    assert 2 <= len(heard) <= 14, heard  # a word at each quarter of a stage, not at each renewal


def test_without_a_script_it_is_seen_by_loading_it_again(room: tuple[Kit, Held, Room]) -> None:
    kit, walk, made = room
    seat = made.seat("auditor", java_script_enabled=False)
    seat.page.set_viewport_size({"width": 390, "height": 800})
    seat.page.goto(seat.base + REPORT)
    assert walk.there.wait(60.0)
    seat.follow("Load it again")
    assert f"{STOP} of {TOKENS} tokens" in seat.text
    assert seat.page.get_by_role("progressbar").get_attribute("value") == str(STOP)
    seat.follow("What is known of the enclosure meanwhile")
    assert "its evidence is being appraised" in seat.text
    over = "document.documentElement.scrollWidth - window.innerWidth"
    assert seat.page.evaluate(over) <= 0
    walk.slow_s = 0.0
    walk.go.set()
    comes(lambda: kit.service.intake.under_way.look(1) is None)
    seat.page.goto(seat.base + REPORT)
    assert "Ledger of gaps" in seat.text


def test_an_error_is_said_to_be_one(room: tuple[Kit, Held, Room]) -> None:
    kit, walk, made = room
    walk.fails, walk.slow_s = "the disk went away", 0.0
    seat = sits(made, REPORT)
    assert walk.there.wait(60.0)
    walk.go.set()
    goes_on(kit, seat, says("it has failed: the disk went away"))
    assert seat.page.locator("main progress").count() == 0 and grave(seat.page) == []
    assert seat.page.locator("main .state.armed").count() == 0


def test_the_nu_checker_finds_nothing_while_it_goes_on(
    room: tuple[Kit, Held, Room], tmp_path: Path
) -> None:
    kit, walk, _ = room
    kit.client("inspector").get(PAGE)
    assert walk.there.wait(60.0)
    (pages := tmp_path / "pages").mkdir()
    for at, path in enumerate((PAGE, REPORT, "/fleet", f"{PAGE}/channels")):
        text = kit.client("inspector").get(path).text
        assert "<progress" in text, path
        (pages / f"{at}.html").write_text(text, encoding="utf-8")
    assert nu(pages).told == []
