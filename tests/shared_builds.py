"""Builds that several rooms' tests look at."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pickle
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

if TYPE_CHECKING:
    import pytest

    from casemate.design.enclosure import Enclosure

EXAMPLE = Path(__file__).parent.parent / "examples" / "dpa" / "enclosure.toml"
SECRET_HEX = "5e" * 16 + "c7" * 16
READY = "CASEMATE_SMALL_CASE"
"""Environment variable: folder in which this run's `warm_up.py` has left the small case."""


ENDED = "ended"
"""File in that folder: the small case is whole, or has failed. Tests begin while it is argued."""
ENDED_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A built enclosure: its spec, its secret's file, its folder, exit code and what it printed."""

    spec: Path
    secret: Path
    folder: Path
    code: int
    printed: str


def small_text() -> str:
    """The dpa example shrunk to 45 x 40 x 25 mm and 1 W."""
    text = EXAMPLE.read_text()
    for old, new in (
        ('["100 mm", "70 mm", "25 mm"]', '["45 mm", "40 mm", "25 mm"]'),
        ('name = "dpa"', 'name = "small"'),
        ('heat_to_air = "5 W"', 'heat_to_air = "1 W"'),
        ('\npower = "5 W"', '\npower = "1 W"'),
    ):
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def of_the_run(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder that all workers of a run have, one at a time: what one has drawn, others load."""
    home = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        home = home.parent
    folder = home / name
    folder.mkdir(exist_ok=True)
    with (home / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def designed(factory: pytest.TempPathFactory, name: str, spec: Path) -> Enclosure:
    """The design of a spec as UNIT-0001, without reasons; made once a run, by name."""
    from casemate.design import design_enclosure
    from casemate.spec import load_spec

    with of_the_run(factory, f"{name}-design") as folder:
        kept = folder / "pickle"
        if not kept.exists():
            made = design_enclosure(load_spec(spec), serial="UNIT-0001", explained=False)
            kept.write_bytes(pickle.dumps(made))
        found: Enclosure = pickle.loads(kept.read_bytes())
        return found


def proved(home: Path) -> None:
    """Prove the small spec with a handful of trials, in this process: the folder `home`/out.

    Without recordings: readers of some come with the packages for tests, which CI has not yet.
    """
    from casemate.cli import main

    (home / "enclosure.toml").write_text(small_text())
    (home / "secret").write_text(SECRET_HEX + "\n")
    with contextlib.redirect_stdout(io.StringIO()), patch.dict(os.environ):
        os.environ.pop("CASEMATE_DATA", None)
        code = main(["prove", str(home / "enclosure.toml"), "-o", str(home / "out"),
                     "--secret-file", str(home / "secret"), "--effort", "glance",
                     "--workers", "1"])  # fmt: skip
    assert code == 1, "a handful of trials leaves doubt, always"


def small_case_of(factory: pytest.TempPathFactory) -> Path:
    """A folder with enclosure.toml, secret and the small case in `out`, argued once a run.

    `.ci/run` has argued it before the tests; `--rerun` refuses a case of other code.
    """
    with of_the_run(factory, "small-case") as home:
        if not (home / "done").exists():
            if os.environ.get(READY):
                _wait_for(Path(os.environ[READY]) / ENDED)
                assert (Path(os.environ[READY]) / "out" / "case.json").exists(), "see the warm-up"
                shutil.copytree(os.environ[READY], home, dirs_exist_ok=True)
            else:
                proved(home)
            (home / "done").touch()
        return home


def _wait_for(file: Path) -> None:
    """Wait until another process has made a file; TimeoutError after ENDED_S."""
    until_s = time.monotonic() + ENDED_S
    while not file.exists():
        if time.monotonic() > until_s:
            raise TimeoutError(f"{file} was not made: see what tests/warm_up.py printed")
        time.sleep(0.5)


def built(spec: Path, home: Path, name: str = "out", *options: str) -> Built:
    """Build in this process, as the command line would."""
    from casemate.cli import main

    secret = home / "unit.secret"
    secret.write_text(SECRET_HEX + "\n")
    folder = home / name
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main(["build", str(spec), "-o", str(folder), "--secret-file", str(secret),
                     "--workers", "1", *options])  # fmt: skip
    return Built(spec=spec, secret=secret, folder=folder, code=code, printed=printed.getvalue())
