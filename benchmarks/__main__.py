"""Run the benchmarks: a table on stdout, JSON with --json FILE. Exit code 1 if one is missed.

--load-page FILE puts the figures of the fleet's load into that page (docs/fleet-load.md).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from benchmarks import (
    detect,
    evidence,
    fleet,
    fleet_page,
    keys,
    live,
    log,
    pattern,
    rack,
    ramp,
    rarity,
    redfish,
    search,
    start,
    tdr,
    tile,
    twin,
    verify,
    writer,
)
from benchmarks.frame import Benchmark, Figure, table

BENCHMARKS = (
    Benchmark(name="help", help="casemate --help", run=start.run_help),
    Benchmark(name="pattern", help="trees and tours alone, cells a second", run=pattern.run),
    Benchmark(name="tile", help="200 x 300 mm tile with proofs and files", run=tile.run),
    Benchmark(name="gerber", help="our Gerber writer against gerbonara", run=writer.run),
    Benchmark(name="tdr", help="reflectometry: attack episodes a second", run=tdr.run),
    Benchmark(name="twin", help="drill episodes and quiet streams a second", run=twin.run),
    Benchmark(name="rarity", help="a false alarm in 2.5e16 samples", run=rarity.run),
    Benchmark(name="ramp", help="where ramps are convicted, and a control", run=ramp.run),
    Benchmark(name="search", help="what searches and engines cost by themselves", run=search.run),
    Benchmark(name="detect", help="detectors in blocks and ticks, other packages beside them",
              run=detect.run),
    Benchmark(name="verify", help="tokens verified a second, and the bare library beside them",
              run=verify.run),
    Benchmark(name="evidence", help="tokens signed and read a second, a day's bytes",
              run=evidence.run),
    Benchmark(name="keys", help="keys gone, tokens signed", run=keys.run),
    Benchmark(name="live", help="sample to verdict, detection's share of a core", run=live.run),
    Benchmark(name="log", help="appends, checkpoints and cosignatures a second", run=log.run),
    Benchmark(name="fleet", help="pushes and pages of the service under load", run=fleet.run),
    Benchmark(name="redfish", help="1,000 enclosures by $expand and by GETs one by one",
              run=redfish.run),
    Benchmark(name="second-start", help="compilations of a second start",
              run=start.run_second_start),
    Benchmark(name="rack", help="the whole NVL72 build and its hole bound", run=rack.run,
              slow=True),
    Benchmark(name="fleet-large", help="the service with 10,000 enclosures", run=fleet.run_large,
              slow=True),
)  # fmt: skip
LOADS = {"fleet", "fleet-large"}
"""Benchmarks whose figures stand on the page of the fleet's load."""


def main() -> int:
    """Run what is asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME",
                        help=f"one of {', '.join(names)}; may be repeated")  # fmt: skip
    parser.add_argument("--slow", action="store_true",
                        help="also the whole rack and 10,000 enclosures (an hour)")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--load-page", type=Path, metavar="FILE", help="the page of the fleet")
    args = parser.parse_args()
    chosen = [
        benchmark for benchmark in BENCHMARKS
        if (benchmark.name in args.only if args.only else args.slow or not benchmark.slow)
    ]  # fmt: skip
    figures: list[Figure] = []
    load = os.getloadavg()[0]
    for benchmark in chosen:
        print(f"{benchmark.name}: {benchmark.help} ...", file=sys.stderr, flush=True)
        figures += benchmark.run()
    print(table(figures))
    if args.load_page and (loads := LOADS & {benchmark.name for benchmark in chosen}):
        fleet_page.write(args.load_page, figures, loads, load)
    missed = [figure for figure in figures if figure.met is False]
    print(f"\nload before: {load:.1f} on {os.cpu_count()} cores; wall times count what others run.")
    if args.json:
        args.json.write_text(json.dumps(_document(figures, load), indent=2) + "\n")
    return 1 if missed else 0


def _document(figures: list[Figure], load: float) -> dict[str, object]:
    return {
        "format": "casemate/benchmarks/1",
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": load,
        "figures": [figure.as_json() for figure in figures],
    }


if __name__ == "__main__":
    raise SystemExit(main())
