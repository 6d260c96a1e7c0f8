"""A tray of a small rack swapped under a permit: door, tray, inventory; and what must not pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from live_small import judged, tokens
from permit_play import finish, measured, re_anchor, refused, signed_permit, told, use
from small_enclosure import pretty, wait_for
from small_rack import LiveRack

from casemate.attest import claims as c
from casemate.attest.approval import TYPE
from casemate.attest.approval import peek as peek_approval
from casemate.attest.reference import load
from casemate.control.adapters import made_up_rack, rack, redfish
from casemate.control.parts import digest_of

GPU = f"{redfish.ROOT}/Systems/Tray_1/Processors/GPU_0"
OTHER = f"{redfish.ROOT}/Systems/Tray_2/Processors/GPU_0"
WORK: dict[str, Any] = {
    "faces": ("back",), "modules": ("coils", "tray-1"), "actions": ("open", "re-anchor", "replace"),
}  # fmt: skip
SECOND_S = 1.1
"""For the verifier, whose times are seconds."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Armed; door, wrong trays, the right one, signed, door, closed, armed; then a door again."""
    folder = tmp_path_factory.mktemp("tray") / "small"
    folder.mkdir()
    live, seen = LiveRack(folder), {"folder": folder}
    try:
        swap(live, seen)
        open_a_door(live, seen)
    finally:
        live.close()
    yield seen


def swap(live: LiveRack, seen: dict[str, Any]) -> None:
    """Swap a tray under a permit; what was seen goes into `seen`."""
    far, reference = live.far, live.folder / "anchor" / "rack.json"
    live.reaches("ARMED")
    seen["before"] = reference.read_bytes()
    time.sleep(3.0 * SECOND_S)  # armed for some heartbeats, before there is a permit
    signed = signed_permit(live, **WORK)
    use(live, signed)
    far.hear({"face": "back", "open": True})
    far.place, far.cut = 3, True  # boards of the door stand open
    time.sleep(SECOND_S)
    seen["open"] = live.runtime.status()
    far.swap("tray-1", 9)
    assert told(live, "does not prove its identity")
    far.hear({"face": "back", "open": False})
    far.cut = False
    seen["alien signed"] = refused(live, lambda: re_anchor(live))
    live.lies.add("tray-1")
    made_up_rack.put(live.tree, "tray-1", 0, seed=1)
    far.swap("tray-1", 1)
    assert measured(live), pretty(live.runtime.status())
    seen["same inventory"] = refused(live, lambda: re_anchor(live))
    live.lies.clear()
    far.swap("tray-1", 1)
    assert told(live, "rack: component.swapped")
    was = live.change(OTHER, SerialNumber="OTHER")
    assert measured(live)
    seen["neighbour too"] = refused(live, lambda: re_anchor(live))
    live.change(OTHER, SerialNumber=was["SerialNumber"])
    live.change(GPU, FirmwareVersion="6.66")
    seen["other firmware"] = refused(live, lambda: re_anchor(live))
    live.change(GPU, FirmwareVersion="1.0")
    seen["not signed"] = refused(live, lambda: re_anchor(live, inventory=False))
    seen["closed early"] = refused(live, lambda: finish(live, signed))
    seen["signed"] = re_anchor(live)
    assert wait_for(lambda: reference.read_bytes() != seen["before"])
    seen["finished"] = finish(live, signed)
    time.sleep(SECOND_S)
    seen["after"] = live.runtime.status()


def open_a_door(live: LiveRack, seen: dict[str, Any]) -> None:
    """Swap what says nothing, and open a door, under a permit that has none in its scope."""
    again = signed_permit(live, **{**WORK, "faces": ()})
    use(live, again)
    for number in (9, 1):  # another reader, and a spare; neither announces itself
        live.far.numbers["plates"] = number
        seen[f"plates {number}"] = refused(live, lambda: finish(live, again))
    live.far.numbers["plates"] = 0
    for number in (9, 0):  # another tray, and its own again, before anybody reads
        made_up_rack.put(live.tree, "tray-2", number, seed=1)
    seen["neighbour away"] = refused(live, lambda: finish(live, again))
    time.sleep(2.0 * SECOND_S)  # in which heartbeats come on time, whatever the desk did
    live.far.hear({"face": "back", "open": True})
    live.reaches("TAMPERED")
    assert wait_for(lambda: "state.tampered" in alarms(live.folder)), alarms(live.folder)


def alarms(folder: Path) -> list[str]:
    return [each.id for each in judged(folder).findings if each.severity == "alarm"]


def test_the_door_opens_under_the_permit(story: dict[str, Any]) -> None:
    found = story["open"]
    assert (found["state"], found["verdict"]) == ("MAINTENANCE", "NORMAL"), pretty(found)
    assert found["keys"] == "LIVE"


def test_a_tray_that_nobody_knows_is_never_signed(story: dict[str, Any]) -> None:
    assert "proved its identity" in story["alien signed"]


def test_the_inventory_has_to_show_that_tray_and_no_other(story: dict[str, Any]) -> None:
    assert "tray-1 is the one that was there before" in story["same inventory"]
    assert "Tray_2/Processors/GPU_0" in story["neighbour too"]
    assert "GPU_0 has FirmwareVersion 6.66, not 1.0" in story["other firmware"]


def test_work_does_not_end_before_both_have_signed_the_inventory(story: dict[str, Any]) -> None:
    assert "the inventory is not signed" in story["not signed"]
    assert "tray-1 is not anchored" in story["closed early"]


def test_work_does_not_end_with_a_reader_that_was_swapped_and_said_nothing(
    story: dict[str, Any],
) -> None:
    assert "plates does not prove who it is" in story["plates 9"]
    assert "another module than before is in the place of plates" in story["plates 1"]


def test_work_does_not_end_if_another_tray_was_away_meanwhile(story: dict[str, Any]) -> None:
    assert "component.away at" in story["neighbour away"]
    assert "_2: LastResetTime" in story["neighbour away"]


def test_it_ends_armed_with_the_new_tray(story: dict[str, Any]) -> None:
    assert story["finished"]["state"] == "ARMED", pretty(story["finished"])
    assert (story["after"]["state"], story["after"]["verdict"]) == ("ARMED", "NORMAL")
    anchor = story["folder"] / "anchor"
    assert (anchor / "rack-1.json").read_bytes() == story["before"]
    found = rack.differences(
        rack.load_reference(anchor / "rack.json"), rack.load_reference(anchor / "rack-1.json")
    )
    inside = [each for each in found if "/Tray_1" in each["component"]]
    assert {each["id"] for each in found} == {"component.swapped"}
    # a system of four GPUs, two CPUs; its chassis and its management controller
    assert len(inside) == 7 and len(found) == 9


def test_the_evidence_names_tray_key_and_inventory(story: dict[str, Any]) -> None:
    bodies = [each.body for each in tokens(story["folder"])]
    (found,) = [each for each in bodies if getattr(each, "act", "") == "re-anchored"]
    assert isinstance(found, c.PermitUse)
    data = (story["folder"] / "anchor" / "rack.json").read_bytes()
    assert (found.module, len(found.keys)) == ("tray-1", 1)
    assert found.inventory == digest_of(data)


def test_both_parties_sign_the_first_inventory_before_it_is_armed(story: dict[str, Any]) -> None:
    bodies = [each.body for each in tokens(story["folder"])]
    (armed,) = [each for each in bodies if isinstance(each, c.Change) and each.inventory]
    assert armed.inventory == digest_of(story["before"])
    signed = [peek_approval(each.read_bytes())[1] for each in
              (story["folder"] / "run" / "approvals").glob("*.cbor")
              if TYPE.encode() in each.read_bytes()]  # fmt: skip
    about = [each for each in signed if each.subject == armed.inventory]
    assert [each.purpose for each in about] == ["commission"]
    assert about[0].challenge in {each.challenge for each in signed if each not in about}
    trust = load((story["folder"] / "trust" / "reference.json").read_bytes())
    first, _with_the_other_tray = trust.units[0].inventories
    assert first.digest == armed.inventory


def test_the_verifier_says_so_and_the_door_outside_the_scope(story: dict[str, Any]) -> None:
    found = judged(story["folder"])
    # a computer that others use too may be late with heartbeats, which is told
    well = [each for each in found.intervals if each.cause != "heartbeats missing"]
    kinds = [kind for kind, _ in groupby(each.kind for each in well if each.length_s > 0)]
    first = kinds.index("proven")
    assert kinds[first:][:5] == ["proven", "maintenance", "proven", "maintenance", "interfered"]
    assert alarms(story["folder"]) == ["state.tampered"]
    # what stands open on the door while it may is no fault of a sensor
    assert "sensor.fault" not in {each.id for each in found.findings}
