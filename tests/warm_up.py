"""Compile once what many tests run: the small spec is built and its case argued, then thrown away.

`.ci/run` starts it while packages are still being installed. Without it both workers of the tests
compile the same functions at the same time.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

from shared_builds import SECRET_HEX, small_text


def main() -> None:
    """Run `casemate prove` with a handful of trials."""
    from casemate.cli import main as casemate

    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        home = Path(name)
        (home / "enclosure.toml").write_text(small_text())
        (home / "secret").write_text(SECRET_HEX + "\n")
        given = ["prove", str(home / "enclosure.toml"), "--secret-file", str(home / "secret")]
        code = casemate([*given, "-o", str(home / "out"), "--effort", "glance", "--workers", "1"])
    assert code == 1, "a handful of trials leaves doubt, always"


if __name__ == "__main__":
    main()
