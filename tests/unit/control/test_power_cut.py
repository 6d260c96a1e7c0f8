"""The way of a power cut: hold-up, sealed keys, the end of every process, a start, its evidence."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from live_faults import _until_free
from live_small import judged, tokens
from small_enclosure import SmallFar, pretty, wait_for, wanted

import casemate
from casemate.attest import beats
from casemate.attest import claims as c
from casemate.cli.twin_power import Power
from casemate.control import supply
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
from casemate.core.errors import CasemateError
from outside_programs import needs_tpm

HOLD_S = 4.0
LIFE = """
import os, sys, time
from pathlib import Path
sys.path += [{here!r}, {tests!r}]
import compiled_once
compiled_once.install()
from small_enclosure import SmallFar, wait_for, wanted
from casemate.cli.twin_power import Power, stop_machine
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
far = SmallFar()
live = Runtime(Setting(wanted(Path(sys.argv[1]), keys=sys.argv[2])), far,
               approve=False, recommission=False)
live.start()
assert wait_for(lambda: live.status()["state"] == "ARMED")
time.sleep(1.5)
Power(far.hear, lambda: stop_machine(os.getpid())).move("power-cut", [f"hold_s={hold_s} s"])
print(time.time(), flush=True)
time.sleep(60)
"""


def cut(folder: Path, keys: str) -> float:
    """Run a small enclosure until its power ends; return when the supply was cut, Unix time."""
    code = LIFE.format(
        here=str(Path(__file__).parent), tests=str(Path(__file__).parents[2]), hold_s=HOLD_S
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), keys], capture_output=True, text=True,
        timeout=120, env=os.environ | {"PYTHONPATH": str(Path(casemate.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    assert "the supply has ended" in done.stderr
    _until_free(folder)
    return float(done.stdout)


def started(folder: Path, keys: str, *, approve: bool = False) -> tuple[Runtime, SmallFar]:
    far = SmallFar()
    live = Runtime(Setting(wanted(folder, keys=keys)), far, approve=approve, recommission=False)
    live.start()
    return live, far


def before_the_end(folder: Path, cut_s: float) -> None:
    """Heartbeats say that it runs on; keys are sealed, and that is told, before power ends."""
    found = tokens(folder)
    flags = [
        bool(beat.health & beats.HOLD_UP)
        for each in found
        if isinstance(each.body, c.Heartbeats)
        for beat in beats.unpack(each.body)
    ]
    assert not flags[0] and any(flags)
    changes = [each for each in found if isinstance(each.body, c.Change)]
    assert changes[-1].state == "UNKNOWN"
    assert changes[-1].body.reason == "keys are sealed: hold-up ends"  # type: ignore[union-attr]
    assert changes[-1].time_s <= cut_s + HOLD_S


def test_power_ends_and_a_start_guards_nothing(tmp_path: Path) -> None:
    """Keys that lived in a process are gone with it: UNKNOWN, and no approval arms it."""
    folder = tmp_path / "small"
    folder.mkdir()
    before_the_end(folder, cut(folder, "process"))
    live, _ = started(folder, "process", approve=True)
    try:
        assert wait_for(lambda: live.status()["verdict"] == "NORMAL"), pretty(live.status())
        status = live.status()
        assert (status["state"], status["keys"]) == ("UNKNOWN", "GONE"), pretty(status)
    finally:
        live.close()
    found = judged(folder)
    assert found.state == "UNKNOWN"
    assert [each.id for each in found.findings if each.severity == "alarm"] == []
    assert "proven" in {each.kind for each in found.intervals}


@pytest.mark.slow
def test_keys_of_a_tpm_stay_sealed_until_both_parties_open_them(tmp_path: Path) -> None:
    needs_tpm()
    folder = tmp_path / "small"
    folder.mkdir()
    before_the_end(folder, cut(folder, "tpm"))
    live, _ = started(folder, "tpm", approve=True)
    try:
        assert wait_for(lambda: live.status()["keys"] == "SEALED"), pretty(live.status())
        assert wait_for(lambda: live.status()["state"] == "ARMED"), pretty(live.status())
        time.sleep(2.0)
    finally:
        live.close()
    found = judged(folder)
    assert [each.id for each in found.findings if each.severity == "alarm"] == []


def test_hold_up_gets_no_longer_and_power_that_is_back_ends_it() -> None:
    said: list[dict[str, Any]] = []
    ended: list[float] = []
    power = Power(said.append, lambda: ended.append(time.monotonic()))
    assert power.move("drill", []) is None and said == []
    with pytest.raises(CasemateError):
        power.move("power-cut", ["hold_s=long"])
    began_s = time.monotonic()
    power.move("power-cut", ["hold_s=0.3 s"])
    power.move("power-cut", ["hold_s=30 s"])
    assert wait_for(lambda: bool(ended), 5.0) and ended[0] - began_s >= 0.3
    power.close()
    power.move("power-cut", ["hold_s=0.4 s"])
    power.move("power-back", [])
    time.sleep(0.6)
    assert len(ended) == 1
    assert said[-2:] == [supply.cut(0.4), supply.back()]


def test_deadlines_wait_for_no_reader(tmp_path: Path) -> None:
    """A simulated reader may be late by 3 s; keys are sealed before hold-up ends all the same."""
    live, far = started(tmp_path, "process")
    try:
        assert wait_for(lambda: live.status()["state"] == "ARMED"), pretty(live.status())
        far.stalled = "plates"
        time.sleep(0.3)  # the window under way is late now
        began_s = time.monotonic()
        far.hear(supply.cut(1.5))
        assert wait_for(lambda: live.status()["keys"] == "SEALED", 10.0), pretty(live.status())
        assert time.monotonic() - began_s < 1.5
    finally:
        far.stalled = ""
        live.close()


TREE = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
twin = "import os; from casemate.cli.twin_power import stop_machine; stop_machine(os.getppid())"
print(child.pid, flush=True)
subprocess.run([sys.executable, "-c", twin])
"""


def test_a_machine_stops_with_all_that_it_started() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TREE], capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path(casemate.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == -9
    child = Path(f"/proc/{int(done.stdout)}/stat")
    assert wait_for(lambda: not child.exists() or child.read_text().split()[2] == "Z", 5.0)
