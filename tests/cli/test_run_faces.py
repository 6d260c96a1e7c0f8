"""Watching in part or slowly: which boards are read, what evidence says, what is refused."""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import pytest

from casemate.cli import run_faces
from casemate.control import setting
from casemate.core.errors import InputError


def enclosure() -> Any:
    """Return faces and boards: two faces, a board each, and a strip that is bent over both."""
    bend = SimpleNamespace(faces=("top", "front"))
    return SimpleNamespace(
        faces=[SimpleNamespace(name=each) for each in ("top", "front", "rear")],
        tiles=[
            SimpleNamespace(id="top-1", face="top", bend=None),
            SimpleNamespace(id="front-1", face="front", bend=None),
            SimpleNamespace(id="rear-1", face="rear", bend=None),
            SimpleNamespace(id="edge", face="front", bend=bend),
        ],
    )


def test_all_is_watched_unless_asked() -> None:
    assert run_faces.tiles(enclosure(), "") == ("top-1", "front-1", "rear-1", "edge")
    assert run_faces.caveat(enclosure(), "", 3.0) == ""


def test_what_is_left_out_is_said() -> None:
    assert run_faces.tiles(enclosure(), "top") == ("top-1", "edge")
    assert run_faces.unwatched(enclosure(), "") == ()
    assert run_faces.unwatched(enclosure(), "top") == ("front", "rear")
    said = run_faces.caveat(enclosure(), "top, rear", 60.0)
    assert said == (
        "watched in part: 3 of 4 boards, not front; simulated readers may be late by 60 s"
    )


def test_a_face_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="no such face"):
        run_faces.tiles(enclosure(), "top,left")


@pytest.mark.parametrize("late_s", [0.0, 2.9, 121.0, float("nan")])
def test_a_patience_that_cannot_be_is_refused(late_s: float) -> None:
    with pytest.raises(InputError):
        run_faces.refuse(argparse.Namespace(late=late_s))


def test_the_usual_patience_is_that_of_the_setting() -> None:
    assert run_faces.SLOW_S == setting.SLOW_S
