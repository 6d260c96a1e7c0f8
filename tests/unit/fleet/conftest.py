"""Fixtures of the fleet. Without the extra `fleet` its tests are not collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fleet_kit import Kit

NEEDED = ("alembic", "sqlalchemy", "starlette", "uvicorn", "webauthn")
LACKING = [each for each in NEEDED if not find_spec(each)]
if LACKING and os.environ.get("CASEMATE_REQUIRE_ALL"):
    raise ModuleNotFoundError(f"tests of the fleet need {', '.join(LACKING)}")
collect_ignore_glob = ["test_*.py"] if LACKING else []

STORES = os.environ.get("CASEMATE_TEST_POSTGRES", "") if not LACKING else ""
"""A server on which stores are kept: set by `test_postgresql.py` alone."""


@pytest.fixture(autouse=True)
def store_of_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the databases of a test, where stores are kept on PostgreSQL."""
    folder: Path | None = request.getfixturevalue("tmp_path") if STORES else None
    yield
    if folder is not None:
        HELD.drop(folder)


if STORES:
    from postgres_kit import keep_stores_there

    HELD = keep_stores_there(STORES)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    """A service with people of every role and no enclosure."""
    from fleet_kit import kit_in

    with kit_in(tmp_path) as made:
        yield made
