"""A cut supply: what the far side says is an event, heartbeats tell it, keys are sealed in time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from small_enclosure import SmallFar, pretty, wait_for, wanted

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest.token import peek
from casemate.control import supply
from casemate.control.events import SupplyBack, SupplyLost
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
from casemate.core.errors import InputError
from casemate.translog.bundle import read_bundle


@pytest.mark.parametrize(
    ("said", "event"),
    [
        (supply.cut(8.0), SupplyLost(hold_s=8.0)),
        (supply.back(), SupplyBack()),
        ({"supply": "cut"}, SupplyLost(hold_s=0.0)),
        ({"supply": "cut", "hold_s": "long"}, SupplyLost(hold_s=0.0)),
        ({"supply": "cut", "hold_s": True}, SupplyLost(hold_s=0.0)),
        ({"supply": "cut", "hold_s": float("inf")}, SupplyLost(hold_s=0.0)),
        ({"supply": "cut", "hold_s": 10**400}, SupplyLost(hold_s=0.0)),
        ({"supply": "cut", "hold_s": -5}, SupplyLost(hold_s=0.0)),
        ({"supply": "more"}, None),
        ({"slip": 1.0}, None),
    ],
)
def test_what_is_said_is_an_event(said: dict[str, Any], event: object) -> None:
    assert supply.event_of(said) == event


def test_others_hear_what_is_not_of_the_supply() -> None:
    far, heard, posted = SmallFar(), [], []
    far.hear = heard.append
    supply.listen(far, posted.append)
    far.hear({"module": "loops"})
    far.hear(supply.back())
    assert heard == [{"module": "loops"}] and posted == [SupplyBack()]


def test_a_move_of_the_supply_is_read() -> None:
    assert supply.asked("power-cut", ["hold_s=2 s"]) == supply.cut(2.0)
    assert supply.asked("power-cut", []) == supply.cut(supply.HOLD_S)
    assert supply.asked("power-back", []) == supply.back()
    assert supply.asked("drill", []) is None
    for wrong in ("hold=2 s", "hold_s=2 m", "hold_s"):
        with pytest.raises(InputError):
            supply.asked("power-cut", [wrong])


@pytest.mark.slow
def test_a_cut_supply_runs_on_says_so_and_seals_before_power_ends(tmp_path: Path) -> None:
    far = SmallFar()
    live = Runtime(Setting(wanted(tmp_path)), far, approve=False, recommission=False)
    live.start()
    try:
        assert wait_for(lambda: live.status()["state"] == "ARMED"), pretty(live.status())
        time.sleep(1.5)
        cut_s = time.monotonic()
        far.hear(supply.cut(5.0))
        time.sleep(2.0)
        assert live.status()["state"] == "ARMED"
        assert wait_for(lambda: live.status()["keys"] == "SEALED", 10.0)
        assert time.monotonic() - cut_s < 4.8
        assert live.status()["state"] == "UNKNOWN"
    finally:
        live.close()
    bodies = [peek(each)[1].body for each in _entries(tmp_path)]
    flags = [
        beat.health & beats.HOLD_UP
        for each in bodies
        if isinstance(each, c.Heartbeats)
        for beat in beats.unpack(each)
    ]
    assert not flags[0] and sum(map(bool, flags)) >= 2
    reasons = [each.reason for each in bodies if isinstance(each, c.Change)]
    assert reasons[-1] == "keys are sealed: hold-up ends"


def _entries(folder: Path) -> tuple[bytes, ...]:
    found = read_bundle(folder / "evidence")
    return (*found.entries, *found.pending)
