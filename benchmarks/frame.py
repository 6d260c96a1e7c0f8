"""What every benchmark shares: rows of figures, child processes, memory as the kernel counts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CHILD_SECONDS = 900
"""Hard limit for one child process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. target: what it must reach, with its sense "<=" or ">="; None: for information.

    wall: the figure depends on how busy the machine is, so a miss may be the machine's.
    """

    benchmark: str
    name: str
    value: float
    unit: str
    target: float | None = None
    sense: str = "<="
    note: str = ""
    wall: bool = False

    @property
    def met(self) -> bool | None:
        """Return whether the target is met, None if there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.sense == "<=" else self.value >= self.target

    def as_json(self) -> dict[str, Any]:
        """Return the figure as plain data."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A benchmark: `run` returns its figures. slow: only with --slow."""

    name: str
    help: str
    run: Callable[[], list[Figure]]
    slow: bool = False


def child(
    code_or_module: list[str], *, environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run this Python with arguments in a fresh process; return the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, *code_or_module],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(code_or_module)} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def peak_memory_bytes() -> int:
    """Return the largest resident set of this process so far (VmHWM, Linux).

    Not ru_maxrss: that one survives exec, so it would count the parent too.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmHWM in /proc/self/status; this benchmark needs Linux")


def table(figures: list[Figure]) -> str:
    """Return figures as a text table."""
    rows = [("benchmark", "figure", "value", "unit", "target", "met", "note")]
    for figure in figures:
        target = "" if figure.target is None else f"{figure.sense} {figure.target:g}"
        met = {True: "yes", False: "NO", None: ""}[figure.met]
        value = f"{figure.value:.4g}" if abs(figure.value) < 1e5 else f"{figure.value:,.0f}"
        rows.append((figure.benchmark, figure.name, value, figure.unit, target, met, figure.note))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[6]])
        .rstrip()
        for row in rows
    )  # fmt: skip
