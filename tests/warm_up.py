"""Compile once what many tests run: the small spec is built and its case argued.

`.ci/run` starts it while packages are still being installed. Without it both workers of the tests
compile the same functions at the same time. The case stays in the folder that CASEMATE_SMALL_CASE
names, for the tests that look at it; without that it is thrown away.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import compiled_once
from shared_builds import ENDED, READY, proved


def main() -> None:
    """Run `casemate prove` with a handful of trials."""
    compiled_once.install()
    if os.environ.get(READY):
        try:
            proved(Path(os.environ[READY]))
        finally:
            (Path(os.environ[READY]) / ENDED).touch()
        return
    with tempfile.TemporaryDirectory() as name:
        proved(Path(name))


if __name__ == "__main__":
    main()
