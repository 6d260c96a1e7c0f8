"""Fixtures of the fleet. Without the extra `fleet` its tests are not collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outside_programs import not_collected

if TYPE_CHECKING:
    from fleet_kit import Kit

NEEDED = ("alembic", "sqlalchemy", "starlette", "uvicorn", "webauthn")
collect_ignore_glob = not_collected(*NEEDED)

STORES = os.environ.get("CASEMATE_TEST_POSTGRES", "") if not collect_ignore_glob else ""
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser of this machine, one a file of tests; they are skipped where there is none."""
    from browser_kit import chromium

    with chromium() as found:
        yield found
