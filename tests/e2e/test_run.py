"""`casemate run`, `attack` and `verify` as a user has them: three programs and a folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_steps import Run, casemate, verified

from shared_builds import Built

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(dpa_build: Built, tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "dpa"
    shutil.copytree(dpa_build.folder, place)
    yield place


def test_drilled_tampered_and_told(dpa_build: Built, folder: Path) -> None:
    live = Run(dpa_build, folder)
    try:
        live.reaches("ARMED")
        code, said, _ = casemate("attack", str(folder), "drill", "--json", "--wait", "40")
        assert code == 0
        enclosure = json.loads(said)["enclosure"]
        assert (enclosure["state"], enclosure["verdict"]) == ("TAMPERED", "TAMPER")
        assert enclosure["keys"] in ("GONE", "SEALED")
    finally:
        code = live.ends()
    assert code == 1
    code, verdict = verified(folder)
    assert (code, verdict["state"]) == (1, "TAMPERED")
    assert [each["id"] for each in verdict["findings"] if each["severity"] == "alarm"] == [
        "state.tampered"
    ]


def test_killed_and_started_again_it_is_unknown(dpa_build: Built, folder: Path) -> None:
    live = Run(dpa_build, folder)
    live.reaches("ARMED")
    os.kill(live.process.pid, signal.SIGKILL)
    live.process.wait()
    live = Run(dpa_build, folder)
    try:
        live.reaches("UNKNOWN")
        time.sleep(3.0)
        assert live.status()["state"] == "UNKNOWN"
        assert live.status()["keys"] in ("SEALED", "GONE")
    finally:
        code = live.ends()
    assert code == 3
    _, said = verified(folder)
    assert said["state"] == "UNKNOWN"
    assert "alarm" not in {each["severity"] for each in said["findings"]}
