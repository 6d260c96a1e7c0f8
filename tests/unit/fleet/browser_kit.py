"""A browser for tests: Debian's Chromium, driven by Playwright, and what axe-core says of a page.

It sees the service on a socket of this machine, as a person would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fleet_kit import Brought, Kit, enter, kit_in

from casemate.fleet.access import people
from casemate.fleet.service.application import cookie_name
from casemate.fleet.web.server import Server
from casemate.testing import honest_enclosure as honest
from outside_programs import program

SCHEMES = ("light", "dark")
_WAIT_MS = 30_000.0
"""For a machine that others use too."""
_GRAVE = ("serious", "critical")
_COUNTED = ("violations", "passes", "incomplete")
"""Of which axe-core tells every element: of others it tells one a rule."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser of this machine."""
    found = program("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found)
        try:
            yield browser
        finally:
            browser.close()


@cache
def _axe() -> Any:
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


@dataclass(frozen=True, slots=True)
class Look:
    """What axe-core finds on a page. counts: elements, by what became of them."""

    version: str
    counts: Counter[str]
    grave: list[str]


def looked(page: Any) -> Look:
    """Return what axe-core finds on a page."""
    found = _axe().run(page, options={"resultTypes": _COUNTED}).response
    assert found["passes"], "axe-core looked at nothing"
    counts = Counter(passed=sum(len(each["nodes"]) for each in found["passes"]))
    counts["unsure"] = sum(len(each["nodes"]) for each in found["incomplete"])
    for each in found["violations"]:
        counts[each["impact"]] += len(each["nodes"])
    told = [
        f"{page.url}: {each['impact']} {each['id']}: {each['nodes'][0]['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in _GRAVE
    ]
    return Look(found["testEngine"]["version"], counts, told)


def grave(page: Any) -> list[str]:
    """Return what axe-core finds serious or critical on a page."""
    return looked(page).grave


@dataclass(slots=True)
class Seat:
    """Somebody of a role before a browser. asked: every address that the browser asked for."""

    base: str
    page: Any
    asked: list[str]

    def go(self, path: str) -> Any:
        """Open a page of the service, and return it."""
        answer = self.page.goto(self.base + path)
        assert answer is not None and answer.status == 200, (path, answer and answer.status)
        return self.page

    def press(self, name: str, **where: Any) -> Any:
        """Press a button by its name, and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, **where).click()
        return self.page

    def follow(self, name: str, **where: Any) -> Any:
        """Follow a link by its name."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, **where).first.click()
        return self.page

    @property
    def text(self) -> str:
        """Return what the page says, as a person reads it."""
        return str(self.page.inner_text("body"))

    @property
    def foreign(self) -> list[str]:
        """Return the addresses elsewhere that the browser asked for."""
        return [each for each in self.asked if not each.startswith(self.base + "/")]


class Room:
    """A service on a socket, and a browser that people of every role sit before."""

    def __init__(self, kit: Kit, browser: Any) -> None:
        self.kit, self._browser = kit, browser
        self._server = Server(kit.fronted, "127.0.0.1", 0)
        self._contexts: list[Any] = []

    def seat(self, role: str = "", *, scheme: str = "light", **more: Any) -> Seat:
        """Return a seat of somebody of a role who has signed in, "" for nobody."""
        context = self._browser.new_context(
            color_scheme=scheme, viewport={"width": 1280, "height": 900}, **more
        )
        context.set_default_timeout(_WAIT_MS)
        self._contexts.append(context)
        if role:
            name = cookie_name(self.kit.service)
            value = {"name": name, "value": self.kit.sessions[role], "url": self._server.url}
            context.add_cookies([{**value, "sameSite": "Strict", "httpOnly": True}])
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        return Seat(base=self._server.url, page=page, asked=asked)

    def code(self, role: str) -> str:
        """Return a code for the person of a role."""
        with self.kit.service.store.write() as link:
            return people.new_code(link, f"{role} one", self.kit.service.now_s())

    def close(self) -> None:
        """End the service, and leave the browser as it was."""
        for each in self._contexts:
            each.close()
        self._server.close()


@contextmanager
def room_in(
    folder: Path, browser: Any, story: honest.Story | None = None
) -> Iterator[tuple[Kit, Brought, Room]]:
    """Yield a service in a folder with one enclosure, what it would bring, and a room."""
    with kit_in(folder, secure=False) as kit:
        brought = enter(kit, story)
        with closing(Room(kit, browser)) as room:
            yield kit, brought, room


def shoot(seat: Seat, folder: Path, name: str, paths: Sequence[str]) -> None:
    """Keep pictures of pages as files that are small enough for the repository."""
    for at, path in enumerate(paths):
        seat.go(path)
        file = folder / f"{name}{'' if at == 0 else f'-{at}'}.png"
        seat.page.screenshot(path=str(file), full_page=False)
