"""The pattern alone: trees and tours of one layer, cells a second of one core."""

from __future__ import annotations

import json
import time

from benchmarks.frame import Figure, child

RUNS = 5
WIDTH_M, HEIGHT_M = 0.6, 0.6


def run() -> list[Figure]:
    """Return cells a second of trees and tours, and ratios to the plain Python generator."""
    got = child(["-m", "benchmarks.pattern"])
    name = "pattern"
    fine = got["fine_cells"] / got["best"]
    plain = got["plain_cells"] / got["plain_seconds"]
    trees = got["tree_share"]
    return [
        Figure(benchmark=name, name="fine cells a CPU second", value=fine / 1e6, unit="M/s",
               target=10.0, sense=">=",
               note=f"best of {RUNS}, trees and tours, {got['fine_cells'] / 1e6:.1f} M fine cells"),
        Figure(benchmark=name, name="coarse cells a CPU second", unit="M/s",
               value=got["coarse_cells"] / got["best"] / 1e6,
               note="a tree's cells; 16 fine cells each at two lanes"),
        Figure(benchmark=name, name="slowest run / best run", value=got["worst"] / got["best"],
               unit="x", note="how noisy this machine was"),
        Figure(benchmark=name, name="share of time in trees", value=trees, unit="of the pattern"),
        Figure(benchmark=name, name="plain Python, same run", value=plain / 1e6, unit="M/s",
               note="depth-first tree and corners of the walk; no keystream, no uniform tree"),
        Figure(benchmark=name, name="ours / plain Python", value=fine / plain, unit="x"),
        Figure(benchmark=name, name="ours / kimesh", unit="x", value=fine / (1.5e6 / 44.9),
               note="stored figure, other machine (reference mesh.md 1.1)"),
    ]  # fmt: skip


def main() -> None:
    """Measure, as the child process."""
    import numpy as np

    from benchmarks.baseline import pattern
    from casemate.mesh.tours import tour_links
    from casemate.mesh.trees import grow_trees
    from casemate.mesh.zones import plan_zones

    lanes = 2
    side = 2 * lanes
    shape = (round(HEIGHT_M / (side * 0.2e-3)), round(WIDTH_M / (side * 0.2e-3)))
    draw = np.random.default_rng(1).integers(0, 256, 1 << 16, dtype=np.uint8)

    def plan(rows: int, columns: int):  # type: ignore[no-untyped-def]
        inside = np.zeros((rows, columns), dtype=np.bool_)
        inside[1:-1, 1:-1] = True
        return plan_zones(inside, cells_per_side_max=13_000, rib_share=0.009, spine_shift=0,
                          draw=draw)  # fmt: skip

    def spend(planned) -> tuple[float, float]:  # type: ignore[no-untyped-def]
        begin = time.process_time()
        tree = grow_trees(planned, key=bytes(32), pattern="tree")
        middle = time.process_time()
        tour_links(tree, planned.rib != -1, lanes)
        end = time.process_time()
        return middle - begin, end - middle

    spend(plan(60, 60))
    planned = plan(*shape)
    runs = [spend(planned) for _ in range(RUNS)]
    coarse = int((planned.rib != -1).sum())
    begin = time.process_time()
    plain = pattern(250, 375, lanes, 1)
    seconds = time.process_time() - begin
    totals = [sum(row) for row in runs]
    best = min(runs, key=sum)
    summary = {
        "coarse_cells": coarse,
        "fine_cells": coarse * side * side,
        "best": sum(best),
        "worst": max(totals),
        "tree_share": best[0] / sum(best),
        "plain_cells": plain,
        "plain_seconds": seconds,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
