"""What is kept has a bound: events of Redfish, lines of reads. Nobody washes an alarm out by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_kit import kit_in
from redfish_kit import ROOT, RedfishKit, redfish_of, stand, unknown
from sqlalchemy import func, select

from casemate.fleet.redfish import events
from casemate.fleet.schema import REDFISH_EVENTS


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedfishKit]:
    """A Redfish service with one enclosure that is UNKNOWN, which it has told."""
    with kit_in(tmp_path_factory.mktemp("kept")) as kit:
        made = redfish_of(kit)
        stand(made, unknown)
        yield made


def test_events_of_an_enclosure_have_a_bound_and_alarms_one_of_their_own(
    still: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEPT", 20)
    before = still.told()
    assert before.count("ChassisIntrusionUnknown") == 1
    with still.kit.service.store.write() as link:
        for _ in range(50):
            events.tell(link, 1, 9, "ChassisArmed", 1)
            events.tell(link, None, 9, "ChassisArmed", 1)  # of the service itself: apart, too
    told = still.told()
    assert told.count("ChassisIntrusionUnknown") == 1  # fifty harmless ones wash it not out
    assert told.count("ChassisArmed") == 40
    with still.kit.service.store.write() as link:
        last = [events.tell(link, 1, 9, "ChassisIntrusionStale", 1) for _ in range(30)][-1]
    with still.kit.service.store.read() as link:
        alarms = [
            each for each in events.after(link, 0, 999)
            if each.severity == "Critical" and each.enclosure_id == 1
        ]  # fmt: skip
        assert len(alarms) == 20
        assert alarms[-1].id == last == events.latest(link)
        assert link.execute(select(func.count()).select_from(REDFISH_EVENTS)).scalar_one() == 60
    log = still.get(f"{ROOT}/Chassis/1/LogServices/Security")
    assert log["OverWritePolicy"] == "WrapsWhenFull"
