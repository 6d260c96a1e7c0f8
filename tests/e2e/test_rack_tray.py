"""A rack's tray swapped, and power cut, by the commands alone, on a twin with its real readers.

The rack is small: the enclosure of another example's shape, with eighteen made-up trays in it. The
rack of the example itself takes hours on a small computer; decision 23 has what was seen there.
"""

from __future__ import annotations

import json
import shutil
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from run_steps import Run, Work, casemate, verified

from casemate.control.adapters import rack
from shared_builds import Built, built

pytestmark = pytest.mark.slow

SCOPE = (
    "--face", "top", "--module", "tray-7", "--module", "rf_cavity", "--module", "environment",
    "--action", "open", "--action", "replace", "--action", "re-anchor",
)  # fmt: skip
DOOR = ("door", "--set", "open_s=3s", "--set", "air_s=2s", "--set", "ajar_m=30mm")


@pytest.fixture(scope="module")
def small_rack(small_spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("rack")
    spec = home / "enclosure.toml"
    text = small_spec.read_text()
    assert 'kind = "sensor"' in text
    spec.write_text(text.replace('kind = "sensor"', 'kind = "rack"'))
    return built(spec, home)


@pytest.fixture
def folder(small_rack: Built, tmp_path: Path) -> Path:
    place = tmp_path / "small"
    shutil.copytree(small_rack.folder, place)
    return place


def alarms(found: dict[str, Any]) -> list[str]:
    return [each["id"] for each in found["findings"] if each["severity"] == "alarm"]


def test_a_tray_is_swapped_while_the_rest_stays_armed(small_rack: Built, folder: Path) -> None:
    """One signature, an unknown tray, and the tray of the spares; then the door without permit."""
    run, home = Run(small_rack, folder, "--late", "60"), folder.parent
    place = str(folder)
    try:
        run.reaches("ARMED")
        run.says("this reading is the reference until both parties sign one")
        work = Work(run, home, *SCOPE)
        code, _, why = work.use("half")
        assert code != 0 and "inspector" in why
        work.sign_by_the_other()
        assert work.use()[0] == 0
        assert run.status()["state"] == "MAINTENANCE"
        assert casemate("attack", place, *DOOR, "--wait", "1")[0] == 0
        assert casemate("permit", "swap", place, "tray-7", "--alien")[0] == 0
        run.says("does not prove its identity")
        code, _, why = work.re_anchor()
        assert code != 0 and "proved its identity" in why
        assert casemate("permit", "swap", place, "tray-7")[0] == 0
        run.says("closed top")
        run.says("component.swapped: /redfish/v1/Systems/Tray_7")
        code, _, told = work.re_anchor()
        assert code == 0, told
        assert told.count("component.swapped") == 9 and "rf_cavity" in told
        code, said, why = work.close()
        assert code == 0 and "\nARMED" in said, (said, why)
        time.sleep(12.0)  # a batch of heartbeats
        found = verified(folder)[1]
        well = [each for each in found["continuity"] if each["cause"] != "heartbeats missing"]
        kinds = [kind for kind, _ in groupby(each["kind"] for each in well if each["seconds"] > 0)]
        first = kinds.index("proven")
        assert kinds[first : first + 3] == ["proven", "maintenance", "proven"]
        assert found["state"] == "ARMED" and alarms(found) == []
        assert casemate("attack", place, *DOOR, "--wait", "30")[0] == 0
        run.reaches("TAMPERED", 60.0)
        time.sleep(2.0)
    finally:
        code = run.ends()
    assert code == 1
    assert alarms(verified(folder)[1]) == ["state.tampered"]
    changed = rack.differences(
        rack.load_reference(folder / "anchor" / "rack.json"),
        rack.load_reference(folder / "anchor" / "rack-1.json"),
    )
    assert len(changed) == 9 and {each["id"] for each in changed} == {"component.swapped"}


def test_power_is_cut_and_a_start_is_unknown(small_rack: Built, folder: Path) -> None:
    """It runs on, seals its keys, and ends with all it started; then it is UNKNOWN."""
    run = Run(small_rack, folder, "--late", "60")
    run.reaches("ARMED")
    time.sleep(2.0)
    assert (
        casemate("attack", str(folder), "power-cut", "--set", "hold_s=20s", "--wait", "1")[0] == 0
    )
    assert run.status()["state"] == "ARMED"
    assert run.process.wait(timeout=90) == -9
    assert "keys are sealed: hold-up ends" in run.lines()
    before = verified(folder)[1]
    assert before["state"] == "UNKNOWN" and alarms(before) == []
    run = Run(small_rack, folder, "--late", "60")
    try:
        run.reaches("UNKNOWN")
        time.sleep(3.0)
        status = run.status()
        assert (status["state"], status["keys"] in ("SEALED", "GONE")) == ("UNKNOWN", True)
    finally:
        assert run.ends() == 3
    found = verified(folder)[1]
    assert found["state"] == "UNKNOWN" and alarms(found) == []
    assert "proven" in {each["kind"] for each in found["continuity"]}, json.dumps(found)
