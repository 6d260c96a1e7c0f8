"""A scanner of memory for tests of key holders."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from holder_scans import Scanner, skip_or_fail


@pytest.fixture
def scan() -> Iterator[Scanner]:
    """A scanner; only root sees the memory of a holder."""
    if os.geteuid() != 0:
        skip_or_fail("only root may read a holder's memory")
    scanner = Scanner()
    yield scanner
    scanner.close()
