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
        open_a_door(live)
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
    live.change(OTHER, SerialNumber="OTHER")
    assert measured(live)
    seen["neighbour too"] = refused(live, lambda: re_anchor(live))
    made_up_rack.put(live.tree, "tray-2", 0, seed=1)
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


def open_a_door(live: LiveRack) -> None:
    """Open a door under a permit that has none in its scope."""
    use(live, signed_permit(live, **{**WORK, "faces": ()}))
    time.sleep(SECOND_S)
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
    assert len(inside) == 7 and len(found) == 8  # a system of four GPUs, two CPUs; its chassis


def test_the_evidence_names_tray_key_and_inventory(story: dict[str, Any]) -> None:
    bodies = [each.body for each in tokens(story["folder"])]
    (found,) = [each for each in bodies if getattr(each, "act", "") == "re-anchored"]
    assert isinstance(found, c.PermitUse)
    data = (story["folder"] / "anchor" / "rack.json").read_bytes()
    assert (found.module, len(found.keys)) == ("tray-1", 1)
    assert found.note == f"inventory {digest_of(data).hex()}"


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
