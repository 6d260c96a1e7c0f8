"""One tile, 200 x 300 mm at 0.2 mm pitch, two layers: drawn, proved, written.

Run as a module it is the child process: it warms up on a small tile, does the large one RUNS
times and prints JSON.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.frame import Figure, child, peak_memory_bytes

RUNS = 2
KIMESH_SECONDS = 44.9
KIMESH_BYTES = 981e6
"""kimesh 1.1.0, bare pattern of one layer of this tile, stub board, another machine: stored figures
of the reference (mesh.md section 1.1), not measured in this run."""


def run() -> list[Figure]:
    """Return time and memory of the tile, its stages, and ratios to a plain Python generator."""
    got = child(["-m", "benchmarks.tile"])
    best = min(got["runs"], key=lambda row: row["cpu"])
    name = "tile"
    walls = ", ".join(f"{row['wall']:.2f}" for row in got["runs"])
    seconds = got["baseline_seconds"] / got["baseline_cells"] * got["cells"]
    figures = [
        Figure(benchmark=name, name="wall time, best run", unit="s", target=3.0, wall=True,
               value=min(row["wall"] for row in got["runs"]), note=f"runs: {walls}"),
        Figure(benchmark=name, name="CPU time, best run", value=best["cpu"], unit="s",
               target=3.0, note="what an idle machine's one core would need"),
        Figure(benchmark=name, name="peak memory", value=got["peak_bytes"] / 1e6, unit="MB",
               target=500.0, note="whole process, libraries included"),
        Figure(benchmark=name, name="fine cells", value=got["cells"], unit="cells"),
        Figure(benchmark=name, name="segments written", value=got["segments"], unit="segments"),
    ]  # fmt: skip
    for stage in ("draw", "prove", "write"):
        figures.append(
            Figure(benchmark=name, name=f"CPU share of {stage}", unit="of the run",
                   value=best[stage] / best["cpu"])
        )  # fmt: skip
    return [
        *figures,
        Figure(benchmark=name, name="all of it / plain Python pattern", unit="x",
               value=best["cpu"] / seconds,
               note="same run, same fine cells; the baseline draws both layers, proves nothing"),
        Figure(benchmark=name, name="kimesh time / ours, per fine cell", unit="x",
               value=KIMESH_SECONDS / 1.5e6 / (best["cpu"] / got["cells"]),
               note="stored figure 44.9 s, other machine; its pattern against our whole chain"),
        Figure(benchmark=name, name="kimesh memory / ours", unit="x",
               value=KIMESH_BYTES / got["peak_bytes"], note="stored figure 981 MB, one layer"),
    ]  # fmt: skip


def _timed(module: Any, name: str, clock: dict[str, float], stage: str) -> None:
    """Replace module.name by itself with a clock (CPU seconds added to clock[stage])."""
    inner: Callable[..., Any] = getattr(module, name)

    def outer(*args: Any, **kwargs: Any) -> Any:
        begin = time.process_time()
        try:
            return inner(*args, **kwargs)
        finally:
            clock[stage] = clock.get(stage, 0.0) + time.process_time() - begin

    setattr(module, name, outer)


def main() -> None:
    """Measure, as the child process."""
    import casemate.fabricate
    import casemate.mesh.generate
    import casemate.mesh.prove
    from benchmarks.baseline import pattern
    from benchmarks.samples import SECRET, SERIAL, rectangle
    from casemate.fabricate.bundle import BundleOptions, make_tile

    options = BundleOptions(serial=SERIAL, secret=SECRET)
    clock: dict[str, float] = {}
    _timed(casemate.mesh.generate, "draw_tile", clock, "draw")
    _timed(casemate.mesh.prove, "prove_tile", clock, "prove")
    _timed(casemate.fabricate, "write_tile", clock, "write")
    large = rectangle(0.2, 0.3, name="bench-large")
    runs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        make_tile(Path(folder) / "warm", rectangle(0.04, 0.03, name="bench-warm"), options)
        for number in range(RUNS):
            clock.clear()
            wall, cpu = time.perf_counter(), time.process_time()
            result = make_tile(Path(folder) / str(number), large, options)
            spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
            runs.append({**spent, **clock})
    peak = peak_memory_bytes()
    begin = time.process_time()
    cells = pattern(250, 375, 2, 1)
    baseline = time.process_time() - begin
    holds = {row["id"]: row["holds"] for row in result["proof"]["properties"]}
    summary = {
        "runs": runs,
        "peak_bytes": peak,
        "cells": result["proof"]["fine_cells"],
        "segments": sum(row["segments"] for row in result["files"]),
        "not_holding": [name for name, good in holds.items() if not good],
        "baseline_cells": cells,
        "baseline_seconds": baseline,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
