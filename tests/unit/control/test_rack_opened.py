"""A rack is armed, and its keys are opened, only as what both parties have signed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live_small import Live, judged
from small_enclosure import PARTS, pretty, wait_for
from small_rack import LiveRack

from casemate.control.adapters import made_up_rack
from casemate.control.states import State

SECOND_S = 1.1


def told(live: Live, text: str) -> bool:
    return wait_for(lambda: any(text in each.text for each in live.runtime.told), 20.0)


def put(live: LiveRack, number: int) -> None:
    """Put another tray in, and let it say nothing."""
    made_up_rack.put(live.tree, "tray-1", number, seed=1)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Armed; a tray swapped and put back; an emergency, used for a swap; at last as signed."""
    folder = tmp_path_factory.mktemp("opened") / "small"
    folder.mkdir()
    live, seen = LiveRack(folder, approve=True), {"folder": folder}
    reference = folder / "anchor" / "rack.json"
    try:
        live.reaches("ARMED")
        time.sleep(3.0 * SECOND_S)
        put(live, 1)
        assert told(live, "rack: component.swapped")
        time.sleep(2.0 * SECOND_S)
        put(live, 0)
        live.runtime._approve = False  # nobody opens keys before the swap
        live.runtime.answer({"permit": "emergency", "cause": "smoke"})
        live.reaches("UNKNOWN")
        signed = reference.read_bytes()
        put(live, 1)
        live.runtime._approve = True
        seen["swapped"] = told(live, "not armed: the inventory is not the one"), live.state()
        reference.unlink()  # what is read next becomes the reference
        seen["deleted"] = told(live, "have not signed the reference"), live.state()
        put(live, 0)
        reference.write_bytes(signed)
        live.reaches("ARMED")
        assert wait_for(lambda: "permit.emergency" in found(folder)), found(folder)
        seen["findings"] = found(folder)
    finally:
        live.close()
    yield seen


def found(folder: Path) -> dict[str, str]:
    return {each.id: each.severity for each in judged(folder).findings}


def test_a_tray_swapped_in_an_emergency_keeps_keys_sealed(story: dict[str, Any]) -> None:
    assert story["swapped"] == (True, "UNKNOWN")


def test_a_reference_that_the_host_makes_anew_keeps_keys_sealed(story: dict[str, Any]) -> None:
    assert story["deleted"] == (True, "UNKNOWN")


def test_the_verifier_sees_the_swap_without_a_snapshot(story: dict[str, Any]) -> None:
    assert story["findings"]["inventory.differs"] == "warning"
    assert "inventory.unsigned" not in story["findings"]
    assert "alarm" not in story["findings"].values()


def test_a_rack_whose_inventory_nobody_reads_is_not_commissioned(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    live = Live(tmp_path / "small", parts=PARTS)
    try:
        assert told(live, "not armed: nothing reads the inventory")
        assert live.state() == "COMMISSIONING", pretty(live.runtime.status())
        parts, now = live.runtime.upkeep.parts, live.runtime.watching.machine
        assert not parts.flag(now) and parts.flag(replace(now, state=State.ARMED))
        assert not parts.flag(replace(now, state=State.MAINTENANCE))
    finally:
        live.close()
