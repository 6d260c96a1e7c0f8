"""Starts: what a second process pays for compiled kernels, and how fast --help answers."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.frame import ROOT, Figure, child

HELP_RUNS = 7


def run_second_start() -> list[Figure]:
    """Return compilations and time of the first tile of a process, kernels cached or not."""
    with tempfile.TemporaryDirectory() as folder:
        cache = {"NUMBA_CACHE_DIR": folder}
        first = child(["-m", "benchmarks.start"], environment=cache)
        second = child(["-m", "benchmarks.start"], environment=cache)
        third = child(["-m", "benchmarks.start"], environment=cache)
    best = min(second, third, key=lambda row: float(row["first_cpu"]))
    name = "second-start"
    extra = best["first_cpu"] - best["next_cpu"]
    return [
        Figure(benchmark=name, name="kernels compiled, empty cache", value=first["compiled"],
               unit="kernels"),
        Figure(benchmark=name, name="kernels compiled, second start", unit="kernels", target=0.0,
               value=max(second["compiled"], third["compiled"]),
               note="; ".join(best["names"])[:120]),
        Figure(benchmark=name, name="first tile, empty cache", value=first["first_cpu"], unit="s",
               note="CPU time, imports included"),
        Figure(benchmark=name, name="first tile, second start", value=best["first_cpu"], unit="s",
               note="CPU time, imports included"),
        Figure(benchmark=name, name="of it imports and loading", value=extra, unit="s"),
        Figure(benchmark=name, name="empty cache / second start", unit="x",
               value=first["first_cpu"] / best["first_cpu"]),
    ]  # fmt: skip


def run_help() -> list[Figure]:
    """Return how long `casemate --help` takes, and its ratio to a bare Python start."""
    help_wall, help_cpu = _starts(["-m", "casemate", "--help"])
    bare_wall, bare_cpu = _starts(["-c", "pass"])
    name = "help"
    return [
        Figure(benchmark=name, name="casemate --help, best", value=min(help_wall), unit="s",
               target=0.3, wall=True, note=f"median {median(help_wall):.3f} s of {HELP_RUNS}"),
        Figure(benchmark=name, name="casemate --help, CPU", value=min(help_cpu), unit="s",
               target=0.3),
        Figure(benchmark=name, name="casemate --help / bare Python", unit="x",
               value=min(help_cpu) / min(bare_cpu), note=f"bare start {min(bare_wall):.3f} s"),
    ]  # fmt: skip


def _starts(arguments: list[str]) -> tuple[list[float], list[float]]:
    """Return wall and CPU seconds of HELP_RUNS fresh processes."""
    walls, cpus = [], []
    for _ in range(HELP_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        walls.append(time.perf_counter() - begin)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return walls, cpus


def main() -> None:
    """Make a small tile twice in this process and count compilations, as the child process."""
    import numba.core.event as event

    compiled: list[str] = []

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            compiled.append(str(event.data["dispatcher"].py_func.__qualname__))

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        from benchmarks.samples import SECRET, SERIAL, rectangle
        from casemate.fabricate.bundle import BundleOptions, make_tile

        options = BundleOptions(serial=SERIAL, secret=SECRET, kicad="all")
        tile = rectangle(0.04, 0.03, name="bench-small")
        spent: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            jobs: list[Callable[[], object]] = [
                lambda: make_tile(Path(folder) / "first", tile, options),
                lambda: make_tile(Path(folder) / "next", tile, options),
            ]
            for job in jobs:
                begin = 0.0 if not spent else time.process_time()
                job()
                spent.append(time.process_time() - begin)
    summary = {
        "compiled": len(compiled),
        "names": compiled,
        "first_cpu": spent[0],
        "next_cpu": spent[1],
        "cache": os.environ.get("NUMBA_CACHE_DIR", ""),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
