"""Subcommands of `casemate fleet` that measure a service and look after it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path


def declare_hammer(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `casemate fleet hammer`."""
    parser.add_argument("--enclosures", type=int, default=10_000, metavar="N")
    parser.add_argument(
        "--period", type=int, default=360, metavar="S", help="between tokens of an enclosure"
    )
    parser.add_argument("--for", dest="for_s", type=float, default=60.0, metavar="S")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="a new folder that stays; default: a passing one"
    )


def hammer(args: argparse.Namespace) -> int:
    """Run a service here under the load of many simulated enclosures, and print how it fares.

    Exit code 1 if it does not keep up, or refuses anything.
    """
    from casemate.fleet import hammer as hammers

    plan = hammers.Plan(enclosures=args.enclosures, period_s=args.period, for_s=args.for_s)

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            print(text, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="casemate-hammer-") as passing:
        folder = args.folder or Path(passing) / "fleet"
        found = hammers.run(hammers.prepare(folder, plan, tell), plan, tell)
    row = found.as_json()
    if args.json:
        print(json.dumps(row, ensure_ascii=False))
    else:
        print("\n".join(f"{name:22} {value}" for name, value in row.items()))
    return 0 if found.keeps_up else 1
