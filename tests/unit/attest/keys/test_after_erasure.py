"""No key is left: memory and core dumps, for each kind of key that there is.

The TPM's part is in test_tpm.py, memory of living holders in test_process_memory.py. A dump of all
mappings (`gcore -a`) of a living process is the plant: it has the seeds.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from holder_scans import Scanner
from test_process_memory import LIVES_ON

from casemate.attest.keys import cell as cells
from casemate.attest.keys.cell import Cell
from casemate.control.custody import LogKey
from casemate.core.suites import DEFAULT_SUITE, ED25519
from casemate.testing.keyholders import CHECKPOINT, FRAME, LAST
from outside_programs import program

Made = tuple[Cell, Callable[[], object]]


def made(kind: str, folder: Path) -> Made:
    """A cell of that kind, and what makes it use its keys."""
    if kind == "log":
        log = LogKey(folder / "run" / "log.key")
        return log._cell, lambda: log.sign(CHECKPOINT)
    if kind == "manifest":  # as adapters/c2pa_manifest.py makes it
        cell = Cell((ED25519,))
        return cell, lambda: cell.sign(b"a claim")
    if kind == "last word":
        word = Cell(DEFAULT_SUITE.algorithms, once=True)
        return word, lambda: word.sign(LAST)
    evidence = Cell(DEFAULT_SUITE.algorithms)
    return evidence, lambda: evidence.sign(FRAME)


KINDS = ("evidence", "last word", "log", "manifest")


@pytest.fixture
def lives_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let processes erase and not end, so that they can be looked at."""
    monkeypatch.setattr(cells, "_RUN", LIVES_ON)
    yield


def dumped(pid: int, folder: Path, *flags: str) -> Path:
    gcore = program("gcore", "gdb")
    core = folder / f"core{''.join(flags)}"
    subprocess.run(
        [gcore, *flags, "-o", str(core), str(pid)], check=True, capture_output=True,
        env={"PATH": os.environ["PATH"], "DEBUGINFOD_URLS": ""},
    )  # fmt: skip
    return Path(f"{core}.{pid}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of(kind: str, scan: Scanner, tmp_path: Path, lives_on: None) -> None:
    cell, use = made(kind, tmp_path)
    try:
        scan("holder", cell.pid)
        before = scan("scan", cell.pid)
        assert "seed 1" in before, "the plant: a living process has its seeds"
        assert scan("file", dumped(cell.pid, tmp_path, "-a")), "and so has a dump of all of it"
        assert scan("file", dumped(cell.pid, tmp_path)) == {}, "a usual dump leaves the page out"
        assert scan("scan", os.getpid()) == {}, "the controller has none"
        use()
        cell.overwrite()
        assert cell.await_word(2.0) and not cell.dead
        assert scan("scan", cell.pid) == {}
        (tmp_path / "after").mkdir()
        assert scan("file", dumped(cell.pid, tmp_path / "after", "-a")) == {}
    finally:
        cell.close()


@pytest.mark.slow
def test_seed_of_the_log_lies_in_its_file_and_in_one_process(scan: Scanner, tmp_path: Path) -> None:
    """A controller that reads the file itself is the plant."""
    key = LogKey(tmp_path / "run" / "log.key")
    try:
        scan("holder", key._cell.pid)
        assert scan("scan", os.getpid()) == {}
        assert scan("folder", tmp_path / "run") == {"seed 1": 1}
        held = (tmp_path / "run" / "log.key").read_bytes()
        assert "seed 1" in scan("scan", os.getpid()) and len(held) == 32
    finally:
        key.close()
