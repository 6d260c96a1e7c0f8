"""Faults of a live enclosure and of its time, each as docs/faults.md has it."""

from __future__ import annotations

import re
from pathlib import Path

import faults_page
import killed
import live_faults
import pytest
import timed_faults
import tpm_faults
from live_faults import Life
from readers_apart import FarApart

from casemate.attest.keys.cell import Cell
from casemate.attest.keys.tpm_link import Link
from casemate.control.watching import Watching
from casemate.core.errors import ReaderError
from casemate.testing.faults import Found
from outside_programs import needs_tpm

QUICK = ("clock_steps", "clones", "snapshot", "busy_signer", "flood")
FAULTS_OF_TPM = ("killed", "busy", "failing", "deaf", "reset")


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_of_time_or_copies(tmp_path: Path, name: str) -> None:
    assert getattr(timed_faults, name)(tmp_path).points >= 1


def test_witnesses_come_back_after_hours(tmp_path: Path) -> None:
    timed_faults.partition(tmp_path, 2 * 3600)


@pytest.mark.slow
@pytest.mark.parametrize("which", killed.AFTER)
def test_a_process_that_is_killed_stops_no_alarm(tmp_path: Path, which: str) -> None:
    killed.killed(tmp_path, which, ("armed",))


@pytest.mark.slow
@pytest.mark.parametrize("step", killed.STEPS)
def test_a_reader_that_is_killed_is_missed(tmp_path: Path, step: str) -> None:
    killed.killed_readers(tmp_path, ("plates",), (step,))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS_OF_TPM)
def test_a_tpm_that_is_not_there_leaves_no_keys(tmp_path: Path, fault: str) -> None:
    needs_tpm()
    tpm_faults.tpm_faults(tmp_path, fault, ("armed",))


@pytest.mark.slow
def test_the_controller_killed_at_steps_of_its_life(tmp_path: Path) -> None:
    live_faults.killed_controller(tmp_path)


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
        life.keys_go()
    finally:
        life.close()


def test_readers_that_have_ended_are_an_error_of_ours() -> None:
    far = FarApart()
    try:
        far.kill("loops")
        with pytest.raises(ReaderError, match="ended"):
            far.send({"slip": 1.0})
    finally:
        far.close()


# -- planted --


@pytest.mark.slow
def test_a_link_that_takes_busy_for_an_answer_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_tpm()
    monkeypatch.setattr(Link, "settled", lambda self, _command, wait_s: self.receive(wait_s))
    with pytest.raises(AssertionError):
        tpm_faults.tpm_faults(tmp_path, "busy", ("armed",))


@pytest.mark.slow
def test_a_watch_that_does_not_miss_a_reader_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watching, "_silences", lambda self, _now_s: None)
    monkeypatch.setattr(live_faults, "WAIT_S", 20.0)
    with pytest.raises(AssertionError):
        killed.killed_readers(tmp_path, ("plates",), ("armed",))


@pytest.mark.slow
def test_a_holder_that_does_not_notice_its_death_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cell, "dead", property(lambda self: False))
    monkeypatch.setattr(live_faults, "WAIT_S", 20.0)
    with pytest.raises(AssertionError):
        killed.killed(tmp_path, "keys", ("armed",))


def test_a_row_that_goes_wrong_is_told_and_leaves_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults_page, "tpm_there", lambda: True)

    def bad(_folder: Path) -> Found:
        raise AssertionError("keys are back")

    def good(_folder: Path) -> Found:
        return Found(points=3, found="nothing was lost")

    page = tmp_path / "faults.md"
    page.write_text("old")
    rows = (("one", "struck", bad), ("two", "struck", good))
    assert faults_page.main([str(page)], rows) == 1
    said = capsys.readouterr()
    assert page.read_text() == "old" and "keys are back" in said.out
    assert "[2/2] two" in said.err and "| two | struck | 3 |" in said.out
    assert faults_page.main([str(page)], rows[1:]) == 0
    assert "| two | struck | 3 | nothing was lost |\n" in page.read_text()


@pytest.mark.slow
def test_rows_play_in_processes_of_their_own() -> None:
    found = faults_page._apart("flood")
    assert found.points == 500 and "in order" in found.found
    with pytest.raises(AssertionError, match="StopIteration"):
        faults_page._apart("no such row")


def test_the_page_has_a_row_for_each_fault_and_each_was_played() -> None:
    page = faults_page.PAGE.read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)[1:]
    assert [name for name, *_ in rows] == [name for name, *_ in faults_page.ROWS]
    assert all(int(times) > 0 for _, times, _ in rows)
