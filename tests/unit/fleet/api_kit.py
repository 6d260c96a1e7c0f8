"""A service in which every path of its description leads to something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet_kit import FINGERPRINT, Kit, bring, enter, kit_in, let_display
from permit_kit import asked_for
from redfish_kit import RedfishKit, redfish_of
from small_papers import box, case
from sqlalchemy import insert
from test_trust import BOTH, newer

from casemate.core.canonical import canonical_bytes
from casemate.fleet.appraisal import trust
from casemate.fleet.outlets import scrapers
from casemate.fleet.permits import papers
from casemate.fleet.readings.series import Series, encode
from casemate.fleet.service.application import application
from casemate.fleet.store.schema import REDFISH_RECEIVERS
from casemate.fleet.web.gate import Gate, Limits
from casemate.testing import honest_enclosure as honest

SCRAPER = "cd" * 32


@contextmanager
def full(folder: Path) -> Iterator[tuple[Kit, RedfishKit]]:
    """Yield a service with an enclosure, its papers, a permit, an incident and readings."""
    with kit_in(folder) as kit:
        object.__setattr__(kit.service, "series", Series(folder / "series"))
        redfish = redfish_of(kit)
        wide = Limits(per_s=1e9, burst=1e9)
        gate = Gate(kit.service, all_=wide, codes=wide, refusals=wide)
        kit.fronted.app = application(kit.service, gate=gate, redfish=redfish.app)
        _fill(kit)
        redfish.scan()
        yield kit, redfish


def _fill(kit: Kit) -> None:
    brought = enter(kit, honest.armed(2))
    with kit.service.store.write() as link:
        for kind, row in (("design", box()), ("case", case())):
            papers.put(link, brought.enclosure_id, kind, canonical_bytes(row), kit.service.now_s())
        link.execute(insert(REDFISH_RECEIVERS).values(network="127.0.0.1/32"))
        scrapers.let(link, SCRAPER, "prometheus", kit.service.now_s())
    let_display(kit)
    assert bring(kit, brought).status_code == 200
    asked_for(kit)
    brought.story.change("UNKNOWN", "power went")
    brought.story.seal()
    assert bring(kit, brought).status_code == 200
    now_s = kit.service.now_s()
    kit.fronted.fingerprint = FINGERPRINT
    row = ("loop 1", "V", -3, 1000 * (now_s - 100), 1000, tuple(range(100)))
    assert kit.client().post("/series", content=encode([row])).status_code == 200
    assert kit.client().post("/trust", content=trust.sign(newer(), BOTH)).status_code == 200
    kit.fronted.fingerprint = ""
