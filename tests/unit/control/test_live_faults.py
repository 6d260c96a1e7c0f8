"""Faults of a live enclosure and of its time, each as docs/faults.md has it."""

from __future__ import annotations

import re
from pathlib import Path

import faults_page
import live_faults
import pytest
import timed_faults
from live_faults import Life

QUICK = ("clock_steps", "clones", "snapshot", "busy_signer", "flood")


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_of_time_or_copies(tmp_path: Path, name: str) -> None:
    assert getattr(timed_faults, name)(tmp_path).points >= 1


def test_witnesses_come_back_after_hours(tmp_path: Path) -> None:
    timed_faults.partition(tmp_path, 2 * 3600)


@pytest.mark.slow
def test_keys_that_are_killed_leave_unknown(tmp_path: Path) -> None:
    live_faults.killed_helper(tmp_path, "keys")


@pytest.mark.slow
@pytest.mark.parametrize("which", ["last word", "witness"])
def test_a_process_that_is_killed_stops_no_alarm(tmp_path: Path, which: str) -> None:
    live_faults.killed_helper(tmp_path, which)


@pytest.mark.slow
def test_the_controller_killed_at_moments_of_its_life(tmp_path: Path) -> None:
    moments = (("start", 0.0), ("armed", 1.5), ("cut", 0.3))
    live_faults.killed_controller(tmp_path, moments)


@pytest.mark.slow
def test_each_file_damaged_in_turn(tmp_path: Path) -> None:
    live_faults.corrupt_files(tmp_path / "all")


@pytest.mark.slow
def test_a_flood_of_one_reader_hides_no_cut(tmp_path: Path) -> None:
    life = Life(tmp_path)
    try:
        life.reaches("ARMED")
        life.far.start_s -= 30.0  # readers hurry through 300 windows
        life.far.cut = True
        life.reaches("TAMPERED", "UNKNOWN")
        assert life.runtime.status()["keys"] in ("GONE", "SEALED")
    finally:
        life.close()


def test_the_page_has_a_row_for_each_fault() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", faults_page.PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows[1:] == [name for name, _, _ in faults_page.ROWS]
