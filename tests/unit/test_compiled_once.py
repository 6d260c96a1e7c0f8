"""Two processes that need a kernel: one compiles it, the other loads it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from numba import float64

from compiled_once import alone

KERNEL = """
from numba import njit

@njit(cache=True)
def inner(x):
    return 2.0 * x

@njit(cache=True)
def outer(x):
    return inner(x) + 1.0
"""
ASKS = """
import sys
sys.path[:0] = [{tests!r}, {home!r}]
import compiled_once
if {waits}:
    compiled_once.install()
import kernel
print("asks", flush=True)
assert kernel.outer(1.0) == 3.0
print(sum(kernel.outer.stats.cache_misses.values()), flush=True)
"""


def child(home: Path, *, waits: bool) -> subprocess.Popen[str]:
    """Start a process that asks for the kernel, and is about to have it compiled."""
    tests = str(Path(__file__).parents[1])
    code = ASKS.format(tests=tests, home=str(home), waits=waits)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "asks\n"
    return process


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "kernel.py").write_text(KERNEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "kernel", raising=False)
    import kernel

    yield kernel
    del sys.modules["kernel"]


def test_a_kernel_that_another_compiles_is_waited_for_and_loaded(
    kernel: Any, tmp_path: Path
) -> None:
    index = Path(kernel.outer._cache._cache_file._index_path)
    with alone(index):
        process = child(tmp_path, waits=True)
        time.sleep(1.0)
        assert process.poll() is None
        compiles = type(kernel.outer).compile
        getattr(compiles, "alone", compiles)(kernel.outer, (float64,))  # the lock is taken
    assert process.communicate(timeout=60)[0] == "0\n"
    assert process.returncode == 0


def test_without_it_both_compile(kernel: Any, tmp_path: Path) -> None:
    with alone(Path(kernel.outer._cache._cache_file._index_path)):
        assert child(tmp_path, waits=False).communicate(timeout=60)[0] == "1\n"


REFUSED = """
import sys
sys.path.insert(0, {tests!r})
import compiled_once
compiled_once.install()
import numpy as np
from numba import njit
from casemate.core._rows_kernel import put, put_rows, raise_by
from casemate.core.samples import to_read

@njit
def total(values):
    return values.sum()

@njit
def assigned(into, values):
    into[:] = values

@njit
def by_hand(into, rows):
    put(into[0], rows[1])
    put_rows(into[1:], rows)
    raise_by(into[0], 2.0)

total.py_func.__module__ = "casemate.planted"
rows = np.arange(6.0).reshape(2, 3)
assert total(rows[0]) == 3.0
for planted, given in ((total, (to_read(rows[0]),)), (assigned, (rows[0], rows[1]))):
    try:
        planted(*given)
    except Exception as error:
        print(type(error).__name__, str(error).splitlines())
    else:
        print("passes")
into = np.zeros((3, 3))
by_hand(into, rows)
print(into.tolist())
"""


def test_what_is_compiled_for_nobody_is_refused() -> None:
    """A second kind of arguments, which cannot be written; the words of an error, for a slice."""
    code = REFUSED.format(tests=str(Path(__file__).parents[1]))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    twice, words, rows = done.stdout.strip().split("\n")
    assert twice.startswith("CompiledTwiceError") and "total is compiled for 2 kinds" in twice
    assert "assigned to a slice" in words
    assert rows == "[[5.0, 6.0, 7.0], [0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]"
