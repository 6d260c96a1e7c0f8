"""A folder is held by one process, and given back whatever ends it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from casemate.core.alone import LOCK, alone
from casemate.core.errors import InputError, OutputError

HOLDS = """
import sys, time
from pathlib import Path
from casemate.core.alone import alone
with alone(Path(sys.argv[1]), what="held.", remedy="wait."):
    print("held", flush=True)
    time.sleep(60.0)
"""


def held(folder: Path) -> None:
    with alone(folder, what="it runs already.", remedy="end it."):
        pass


def test_another_process_is_told_until_the_first_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None and first.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="runs already") as caught:
            held(tmp_path)
        assert (caught.value.exit_code, caught.value.remedy) == (2, "end it.")
        first.kill()
        first.wait()
    held(tmp_path)


def test_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path, what="held.", remedy="wait."):
        raise ZeroDivisionError
    held(tmp_path)


def test_no_child_keeps_it(tmp_path: Path) -> None:
    with alone(tmp_path, what="held.", remedy="wait."):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60.0)"])
    try:
        held(tmp_path)
    finally:
        child.kill()
        child.wait()


def test_a_folder_without_room_says_so(tmp_path: Path) -> None:
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="cannot be written") as caught:
        held(tmp_path)
    assert caught.value.remedy and not (tmp_path / "elsewhere").exists()
