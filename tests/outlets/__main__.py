"""Has outsiders judge what the outlets send: `python tests/outlets [PAGE]`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PLACES = (TESTS, TESTS / "redfish", TESTS / "unit" / "fleet", TESTS / "unit" / "fleet" / "outlets")
"""Where the tests keep what is used here too."""


def main(page: Path | None) -> int:
    """Ask all, and return the exit code."""
    sys.path[:0] = [str(each) for each in PLACES]
    from asking import ask_all

    begun_s = time.monotonic()
    code = ask_all(page)
    print(f"{time.monotonic() - begun_s:.0f} s")
    return code


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
