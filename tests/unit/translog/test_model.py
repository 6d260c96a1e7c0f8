"""The model of the witness: spin searches all of it, and finds each fault that is planted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from outside_programs import program

MODEL = Path(__file__).parents[3] / "models" / "log_witness.pml"


def searched(folder: Path, *defines: str) -> str:
    """Return what spin's search of the whole model reports."""
    for each in ("spin", "gcc"):
        program(each)
    for command in (
        ["spin", *defines, "-a", str(MODEL)],
        ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"],
        ["./pan", "-m20000", "-E"],
    ):
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "max search depth too small" not in done.stdout
    return done.stdout


@pytest.mark.external
@pytest.mark.parametrize("fault", ["RACE", "REPLY_FIRST", "NO_OLD"])
def test_spin_finds_the_fault_that_is_planted(tmp_path, fault):
    """RACE is the lost update that C2SP tlog-witness warns of."""
    found = searched(tmp_path, f"-D{fault}")
    assert "errors: 1" in found
    assert "assertion violated ((told[0]<=1)||(told[1]<=1))" in found


@pytest.mark.slow
@pytest.mark.external
def test_the_witness_never_cosigns_two_stories(tmp_path):
    assert "errors: 0" in searched(tmp_path)
