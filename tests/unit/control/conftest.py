"""The whole world of machines, searched once."""

from __future__ import annotations

import pytest
from whole_world import World, whole_world


@pytest.fixture
def world() -> World:
    """Every machine that can be reached, with every event."""
    return whole_world()
