"""Programs that tests need and Python's packages do not bring: found, skipped, or required."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

_ALSO = "/usr/sbin:/sbin:/usr/lib/postgresql/15/bin"
"""Where Debian puts programs that are on nobody's path."""


def missing(what: str) -> NoReturn:
    """Skip, or fail where every outside tool is required."""
    if os.environ.get("CASEMATE_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is required here and missing")
    pytest.skip(f"{what} is not installed")


def program(name: str) -> str:
    """Return where a program is; skip, or fail where all are required."""
    return shutil.which(name) or shutil.which(name, path=_ALSO) or missing(name)
