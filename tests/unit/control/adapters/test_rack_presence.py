"""A tray that goes and comes back between two readings of the inventory shows itself afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casemate.control.adapters import made_up_rack, rack, redfish, snapshot
from casemate.control.adapters.presence import AWAY, Presence, until_due
from casemate.control.adapters.rack_parts import RackInventory
from casemate.core.errors import ReaderError

SYSTEM = f"{redfish.ROOT}/Systems/Tray_1"
BMC = f"{redfish.ROOT}/Managers/BMC_1"


class Rack:
    """A made-up rack of two trays; snapshots of it, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        made_up_rack.write(self.tree, made_up_rack.tree(2, 1))
        self.server = made_up_rack.serve(self.tree)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.service = redfish.Service(address)
        self.messages: list[bytes | None] = []
        self.told: list[str] = []
        self.snapshots = rack.Snapshots(
            lambda: iter([self.messages[-1]]), folder / "rack.json",
            tell=lambda text, _level: self.told.append(text),
        )  # fmt: skip

    def swap_for_a_moment(self, tray: str = "tray-1") -> None:
        for number in (9, 0):
            made_up_rack.put(self.tree, tray, number, seed=1)

    def findings(self, message: bytes | None = None) -> list[dict[str, str]]:
        """Return the findings of a snapshot of now, or of a message."""
        read = json.dumps({**redfish.read(self.service), "flips": []}).encode()
        self.messages.append(message or read)
        (made,) = [each for each in self.snapshots if each is not None] or [None]
        if made is None:
            return list(self.snapshots._last["findings"])
        found: dict[str, Any] = snapshot.decode(made(0, b"")[1])
        return list(found["findings"])

    def close(self) -> None:
        self.service.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Rack]:
    made = Rack(tmp_path)
    yield made
    made.close()


def test_a_tray_swapped_for_a_moment_is_found_and_stays_found(made_up: Rack) -> None:
    assert made_up.findings() == []
    inventory = made_up.snapshots.reading[1]
    made_up.swap_for_a_moment()
    found = made_up.findings()
    now = made_up.snapshots.reading[1]
    assert (now["components"], now["integrity"]) == (
        inventory["components"], inventory["integrity"],
    )  # nothing else tells it  # fmt: skip
    assert {(each["id"], each["component"]) for each in found} == {(AWAY, SYSTEM), (AWAY, BMC)}
    assert all("was 2026-01-01T00:00:00Z" in each["what"] for each in found)
    assert made_up.findings() == found
    assert any(AWAY in each for each in made_up.told)


def test_nothing_is_found_of_a_tray_that_stays(made_up: Rack) -> None:
    assert [made_up.findings() for _ in range(3)] == [[], [], []]
    assert not any(AWAY in each for each in made_up.told)


def test_the_reference_holds_no_marks(made_up: Rack) -> None:
    made_up.findings()
    path = made_up.snapshots.path
    assert set(json.loads(path.read_bytes())) == {"format", "service", "components", "integrity"}


def test_a_reference_file_that_is_changed_or_deleted_changes_nothing(made_up: Rack) -> None:
    """Both parties have signed it: it is held, whoever writes into the folder."""
    made_up.findings()
    inventory = RackInventory(
        made_up.snapshots, within=made_up_rack.within, wake=lambda: None, wait_s=5.0
    )
    inventory.pin()
    made_up_rack.put(made_up.tree, "tray-1", 9, seed=1)
    made_up.snapshots.path.unlink()
    found = {(each["id"], each["component"]) for each in made_up.findings()}
    assert {("component.swapped", SYSTEM), ("component.swapped", BMC)} <= found
    assert not made_up.snapshots.well and inventory.reference() == b""


def test_a_swap_has_the_inventory_read_at_once(made_up: Rack) -> None:
    """Ten minutes lie between two readings; a look at the marks comes each second."""
    came = rack.readings(made_up.service, lambda s: threading.Event().wait(s), poll_s=600.0)
    assert made_up.findings(next(came)) == []
    made_up.swap_for_a_moment()
    second = next(came)
    assert {each["path"] for each in json.loads(second)["flips"]} == {SYSTEM, BMC}
    assert {each["component"] for each in made_up.findings(second)} == {SYSTEM, BMC}


@pytest.mark.parametrize(
    ("away", "says"),
    [
        ({"path": SYSTEM, "State": "missing"}, "State missing, was Enabled"),
        ({"path": SYSTEM, "State": "Absent"}, "State Absent, was Enabled"),
        ({"path": SYSTEM, "State": "Enabled", "Intrusion": "HardwareIntrusion"},
         "Intrusion HardwareIntrusion, was -"),
    ],
)  # fmt: skip
def test_a_service_that_tells_no_resets_shows_what_a_look_saw(
    away: dict[str, str], says: str
) -> None:
    """It is back, and all as before, when the whole inventory is read."""
    there, presence = {"path": SYSTEM, "State": "Enabled"}, Presence()
    presence.take([], [there])
    seen = until_due(lambda _: False, lambda: [away], [there], poll_s=5.0, pulse_s=0.0)
    assert seen == [away]
    presence.take(seen, [there])
    (row,) = presence.findings()
    assert row["id"] == AWAY and "was" in row["what"]
    only = Presence()
    only.take([], [there])
    only.take(seen, [away])
    assert only.findings()[0]["what"] == says


def test_who_asks_is_not_kept_waiting_and_silence_is_left_to_the_reading() -> None:
    def fails() -> list[dict[str, str]]:
        raise ReaderError("silent.", remedy="none.")

    assert until_due(lambda _: True, fails, [], poll_s=60.0) == []
    assert until_due(lambda _: False, fails, [], poll_s=60.0, pulse_s=0.0) == []


def test_absences_are_told_apart_by_time_and_place() -> None:
    presence = Presence()
    presence.take([], [{"path": SYSTEM, "LastResetTime": "1"}, {"path": BMC, "LastResetTime": "1"}])
    presence.take([], [{"path": SYSTEM, "LastResetTime": "2"}, {"path": BMC, "LastResetTime": "1"}])
    began = presence.count
    presence.take([], [{"path": SYSTEM, "LastResetTime": "2"}, {"path": BMC, "LastResetTime": "2"}])
    assert presence.since(began, []) == [f"{AWAY} at {BMC}: LastResetTime 2, was 1"]
    assert presence.since(began, [BMC]) == [] and len(presence.since(0, [])) == 2
    assert len(presence.since(0, [f"{redfish.ROOT}/Systems/Tray_11"])) == 2  # another tray's path
    presence.settle([SYSTEM])
    assert [each["component"] for each in presence.findings()] == [BMC]


def test_a_resource_that_is_gone_is_looked_at_as_missing(made_up: Rack) -> None:
    gone = f"{redfish.ROOT}/Systems/Tray_7"
    found = redfish.look(made_up.service, [SYSTEM, gone])
    assert found[0]["LastResetTime"] == made_up_rack.BEGAN
    assert found[1] == {"path": gone, "State": "missing"}
