"""The whole world of machines, searched once; keys of tests from the room of evidence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "attest"))

from whole_world import World, whole_world


@pytest.fixture
def world() -> World:
    """Every machine that can be reached, with every event."""
    return whole_world()
