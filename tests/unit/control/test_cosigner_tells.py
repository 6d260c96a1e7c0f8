"""People are told which witness does not cosign and why: once, not at each try."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from casemate.control import cosigner
from casemate.testing.evidence_day import Day


def wait_for(true: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + 20.0
    while not true() and time.monotonic() < end_s:
        time.sleep(0.02)
    return true()


def test_a_witness_that_fails_is_told_once_and_when_it_cosigns_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigner, "_RETRY_S", 0.05)
    day = Day(tmp_path)
    try:
        cut = day.links[0]
        cut.cut = True
        for _ in range(3):  # sizes grow, and what is told is the same
            cut.asked.clear()
            day.sign_frames()
            assert cut.asked.wait(20.0)
        assert wait_for(lambda: day.said == ["the network is cut. Remedy: wait."]), day.said
        cut.cut = False
        assert wait_for(lambda: len(day.said) > 1)
        assert day.said[1:] == ["witness north cosigns again"]
    finally:
        day.close()


def test_what_lasts_is_told_anew_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigner, "_RETRY_S", 0.05)
    monkeypatch.setattr(cosigner, "_TOLD_AGAIN_S", 0.2)
    day = Day(tmp_path)
    try:
        day.links[1].cut = True
        day.sign_frames()
        assert wait_for(lambda: len(day.said) >= 3)
        assert set(day.said) == {"the network is cut. Remedy: wait."}
    finally:
        day.close()
