"""The guide "verify it yourself": the wheel with cbor2 and cryptography, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from alone_steps import ALONE, alone

from casemate.attest import reference_write
from casemate.testing import honest_enclosure as honest


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence from the host, trust and a kept checkpoint from one's own side."""
    folder = tmp_path_factory.mktemp("visit")
    told = honest.armed()
    honest.write_bundle(told.bundle(), folder / "evidence")
    (folder / "kept-checkpoint").write_bytes(told.notes[2])
    (folder / "trust").mkdir()
    (folder / "trust/reference.json").write_text(reference_write.as_json(honest.reference()))
    (folder / "trust/policy").write_bytes(honest.policy_text())
    return folder


def now(seconds: int = 20) -> str:
    return str(honest.armed().now_s + seconds)


def test_good_evidence(visit: Path) -> None:
    done = alone(
        "verify", str(visit / "evidence"), "--trust", str(visit / "trust"),
        "--since", str(visit / "kept-checkpoint"), "--now", now(),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ARMED, proven since 2027-01-15T08:00:30Z")


def test_json_and_stale_evidence(visit: Path) -> None:
    done = alone(
        "verify", str(visit / "evidence"), "--trust", str(visit / "trust"), "--now", now(9000),
        "--json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout)["findings"][0]["id"] == "time.stale"


def test_help_and_errors(visit: Path) -> None:
    assert alone("verify", "--help").returncode == 0
    done = alone("verify", str(visit / "nothing"), "--trust", str(visit / "trust"))
    assert done.returncode == 2 and "there is no bundle" in done.stderr


def test_a_command_that_needs_more_says_what(visit: Path) -> None:
    (visit / "some.toml").write_text("")
    done = alone("check", str(visit / "some.toml"))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "needs pydantic, which is not installed" in done.stderr and "Remedy:" in done.stderr


def test_what_is_blocked_is_blocked() -> None:
    """The block itself: a command that needs numpy does not get it."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE.replace("from casemate.cli.main", "import numpy #")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "numpy is not here" in done.stderr
