"""A scanner of memory for tests of key holders."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from holder_scans import Scanner

from outside_programs import missing


@pytest.fixture
def scan() -> Iterator[Scanner]:
    """A scanner; only root sees the memory of a holder."""
    if os.geteuid() != 0:
        missing("root, who alone may read a holder's memory,", "is another user")
    scanner = Scanner()
    yield scanner
    scanner.close()
