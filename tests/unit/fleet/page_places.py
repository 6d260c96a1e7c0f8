"""Where each page of the table of routes is found, in a service that has a bit of everything."""

from __future__ import annotations

import json

from fleet_kit import Brought, Kit, bring, enter
from permit_kit import asked_for
from small_papers import box, case

from casemate.fleet.permits import papers
from casemate.fleet.readings.series import Block
from casemate.testing import honest_enclosure as honest

PLACES: dict[str, tuple[str, ...]] = {
    "/fleet": ("/fleet", "/fleet?needs=decision", "/fleet?q=nobody"),
    "/wall": ("/wall", "/wall?q=nobody"),
    "/enclosures/{id:int}": ("/enclosures/1", "/enclosures/1?zoom=hour"),
    "/enclosures/{id:int}/channels": (
        "/enclosures/1/channels",
        "/enclosures/1/channels?window=year&show.1=loop+%3Cb%3E",
        "/enclosures/1/channels?q=nobody",
    ),
    "/enclosures/{id:int}/continuity": ("/enclosures/1/continuity",),
    "/enclosures/{id:int}/permits": ("/enclosures/1/permits", "/enclosures/1/permits?show=open"),
    "/enclosures/{id:int}/permits/new": ("/enclosures/1/permits/new",),
    "/permits/{id:int}": ("/permits/1",),
    "/review": ("/review", "/review?severity=warning"),
    "/enclosures/{id:int}/interval": ("/enclosures/1/interval",),
    "/continuity": ("/continuity", "/continuity?show=uncovered", "/continuity?q=nobody"),
    "/enclosures/{id:int}/case": ("/enclosures/1/case", "/enclosures/1/case?node=Sn1"),
    "/incidents": ("/incidents", "/incidents?show=all"),
    "/incidents/{id:int}": ("/incidents/1",),
    "/audit": ("/audit",),
    "/sign-in": ("/sign-in",),
    "/sign-in/passkey": ("/sign-in/passkey",),
    "/passkeys": ("/passkeys",),
}
"""By path of the route: addresses to look at. A page that is not here fails a test."""


NAMES = ("air inside", "loop <b>", "skin")
"""Channels of the furnished enclosure; one has a name that a page has to escape."""


def furnish(kit: Kit) -> Brought:
    """Enter an enclosure that was armed, maintained under a permit, disturbed and is unknown."""
    brought = enter(kit)
    story = brought.story
    allowed = story.allow()
    story.seal()
    story.open_up(allowed)
    story.watch()
    story.close_up(allowed)
    story.seal()
    honest.watch(story)
    story.watch(verdict="INTERFERENCE")
    story.seal()
    story.change("UNKNOWN", "power went")
    story.seal()
    assert bring(kit, brought).status_code == 200
    asked_for(kit)
    tell(kit, kit.service.now_s() - 400, 100)
    tell(kit, kit.service.now_s() - 200, 200)
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
        papers.put(link, 1, "case", json.dumps(case()).encode(), 0)
    return brought


def tell(kit: Kit, first_s: int, count: int, names: tuple[str, ...] = NAMES) -> None:
    """Keep readings of the enclosure, one a second from `first_s` on."""
    assert kit.service.series is not None
    values = tuple(300.0 + (x * 7919 % 101) / 100 for x in range(count))
    made = [
        Block(channel=each, unit="K", first_ms=1000 * first_s, step_ms=1000, values=values)
        for each in names
    ]
    kit.service.series.write(1, made)
