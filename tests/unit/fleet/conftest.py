"""Fixtures of the fleet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("alembic")

from fleet_kit import Kit, kit_in


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    """A service with people of every role and no enclosure."""
    with kit_in(tmp_path) as made:
        yield made
