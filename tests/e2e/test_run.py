"""`casemate run`, `attack` and `verify` as a user has them: three programs and a folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casemate.core.errors import CasemateError
from casemate.core.local_socket import ask
from shared_builds import Built

pytestmark = pytest.mark.slow


def casemate(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "casemate", *arguments], capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout


class Running:
    """`casemate run` in a process."""

    def __init__(self, build: Built, folder: Path, *options: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "casemate", "run", str(folder), "--spec", str(build.spec),
             "--secret-file", str(build.secret), "--batch", "10", *options],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        try:
            return ask(self.folder / "run" / "control.sock", {})
        except CasemateError:
            return {"state": ""}

    def reaches(self, state: str, seconds: float = 240.0) -> None:
        until = time.monotonic() + seconds
        while self.status()["state"] != state:
            assert time.monotonic() < until and self.process.poll() is None, self.status()
            time.sleep(0.2)

    def ends(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def folder(dpa_build: Built, tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "dpa"
    shutil.copytree(dpa_build.folder, place)
    yield place


def verified(folder: Path) -> tuple[int, dict[str, Any]]:
    code, said = casemate("verify", str(folder / "evidence"), "--trust", str(folder / "trust"),
                          "--json")  # fmt: skip
    return code, json.loads(said)


def test_drilled_tampered_and_told(dpa_build: Built, folder: Path) -> None:
    live = Running(dpa_build, folder)
    try:
        live.reaches("ARMED")
        code, said = casemate("attack", str(folder), "drill", "--json", "--wait", "40")
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
    live = Running(dpa_build, folder)
    live.reaches("ARMED")
    os.kill(live.process.pid, signal.SIGKILL)
    live.process.communicate()
    live = Running(dpa_build, folder)
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
