"""The wall's page before a browser: let in by a certificate over TLS, loud when it is old."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_kit import SCHEMES, Room, Seat, grave, room_in
from fleet_kit import DISPLAY, Brought, Kit, bring, let_display
from test_renewal_browser import before, brings, comes, opened, passes

from casemate.cli.main import main
from casemate.fleet.access import displays
from casemate.fleet.service import home
from casemate.fleet.service.application import application
from casemate.fleet.web.server import Server
from casemate.testing import honest_enclosure as honest

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[3] / "docs" / "img"


@pytest.fixture
def room(browser: Any, tmp_path: Path) -> Iterator[tuple[Kit, Brought, Room]]:
    with room_in(tmp_path, browser, honest.armed(2)) as (kit, brought, made):
        bring(kit, brought)
        let_display(kit)
        kit.fronted.fingerprint = DISPLAY
        yield kit, brought, made


def brought_in(kit: Kit, brought: Brought) -> None:
    kit.fronted.fingerprint = ""
    brings(kit, brought)
    kit.fronted.fingerprint = DISPLAY


def size(seat: Seat, selector: str) -> float:
    """Return the size of letters, pixels."""
    said = f"getComputedStyle(document.querySelector('{selector}')).fontSize"
    return float(str(seat.page.evaluate(said)).removesuffix("px"))


def struck(seat: Seat) -> bool:
    said = "getComputedStyle(document.querySelector('.says')).textDecorationLine"
    return bool(seat.page.evaluate(said) == "line-through")


def test_it_hangs_for_days_and_shows_an_attack_by_itself(room: tuple[Kit, Brought, Room]) -> None:
    kit, brought, made = room
    seat = before(made, "", "/wall")
    assert "All is well: of 1 enclosure" in seat.text and not struck(seat)
    assert seat.page.locator("main a, main form, main input").count() == 0
    comes(seat, "/how it stood \\d+ s ago/.test(document.body.innerText)")
    passes(kit, seat, 3 * 86_400)  # no session ends it; the evidence is stale by now
    assert "Not all is well: 0 TAMPERED, 1 UNKNOWN" in seat.text
    opened(brought)
    brought_in(kit, brought)
    passes(kit, seat, 20)
    assert "Not all is well: 1 TAMPERED" in seat.text and "old" not in seat.page.title()
    assert not seat.foreign


def test_it_is_loud_when_the_way_is_gone_and_when_it_is_let_in_no_more(
    room: tuple[Kit, Brought, Room],
) -> None:
    kit, _, made = room
    seat = before(made, "", "/wall")
    seat.page.route("**/wall", lambda route: route.abort())
    passes(kit, seat, 20, "the service cannot be reached")
    assert struck(seat) and "(old)" in seat.page.title() and "OLD" not in seat.text
    assert size(seat, ".made .bad") >= 40  # read from across a room
    passes(kit, seat, 120, "OLD: this is how it stood")
    assert grave(seat.page) == []
    seat.page.unroute("**/wall")
    passes(kit, seat, 120)
    assert not struck(seat) and "(old)" not in seat.page.title()
    with kit.service.store.write() as link:
        displays.remove(link, "hall-1")
    passes(kit, seat, 20, "this device is let in no more")
    assert struck(seat) and size(seat, ".made .bad") >= 40


def test_without_a_script_it_ages_by_its_style_sheet(room: tuple[Kit, Brought, Room]) -> None:
    """Whoever stops the script stops no clock: after two minutes the sentence is struck through."""
    seat = room[2].seat("", java_script_enabled=False)
    seat.go("/wall")
    assert not seat.page.locator(".aged").is_visible()
    sheet = "document.getAnimations().forEach((each) => { each.currentTime = 121000; })"
    scripted = room[2].seat("")
    scripted.page.route("**/*.js", lambda route: route.abort())
    scripted.go("/wall")
    assert not struck(scripted)
    scripted.page.evaluate(sheet)
    assert struck(scripted) and scripted.page.locator(".aged").is_visible()
    assert size(scripted, ".aged") >= 40


def test_a_browser_is_let_in_by_its_certificate_over_tls(
    tmp_path: Path, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, identity = str(tmp_path / "service"), tmp_path / "hall-1"
    assert main(["fleet", "init", folder]) == 0
    capsys.readouterr()
    given = ["fleet", "display", folder, "hall-1", "--identity", str(identity), "--json",
             "--from", "127.0.0.1"]  # fmt: skip
    assert main(given) == 0
    password = json.loads(capsys.readouterr().out)["password"]
    place = home.read(tmp_path / "service")
    with home.running(place) as service:
        server = Server(application(service), "127.0.0.1", 0, tls=place.tls)
        try:
            base = f"https://localhost:{server.port}"
            shown = {"origin": base, "pfxPath": str(identity / "display.p12"),
                     "passphrase": password}  # fmt: skip
            with_it = browser.new_context(ignore_https_errors=True, client_certificates=[shown])
            page = with_it.new_page()
            assert page.goto(f"{base}/wall").status == 200
            assert "Display hall-1." in page.inner_text("body")
            page.goto(f"{base}/fleet")
            assert page.url == f"{base}/sign-in"
            without = browser.new_context(ignore_https_errors=True).new_page()
            assert without.goto(f"{base}/wall").status == 401
            assert main(["fleet", "display", folder, "hall-1", "--remove"]) == 0
            assert page.goto(f"{base}/wall").status == 401  # on the connection that is there
        finally:
            server.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_picture_of_it_is_kept_and_it_is_accessible(
    room: tuple[Kit, Brought, Room], scheme: str
) -> None:
    kit, brought, made = room
    opened(brought)
    brought_in(kit, brought)
    seat = made.seat("", scheme=scheme)
    seat.go("/wall")
    assert grave(seat.page) == []
    if scheme == "light":
        file = DOCS / "fleet-wall.png"
        seat.page.screenshot(path=str(file))
        assert 5_000 < file.stat().st_size < 200_000
