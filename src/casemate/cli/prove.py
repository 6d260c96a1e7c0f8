"""Build, attack the twin, and argue the security case: what is detected, and how rarely it errs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.case.results import Results
    from casemate.cli.prove_run import Proving

WEAKNESSES = ("leaked-challenge", "adaptive-baseline", "bare-rim")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", type=Path, help="enclosure.toml")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True)
    parser.add_argument("--serial", default="UNIT-0001", help="serial of the unit")
    parser.add_argument("--secret-file", metavar="FILE", type=Path, help="as for build")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all trials")
    parser.add_argument("--site", default="", help="rack, camera pole or laboratory")
    parser.add_argument("--effort", choices=("full", "quick", "glance"), default="full",
                        help="quick: a tenth of the trials, glance: a few")  # fmt: skip
    parser.add_argument("--rerun", metavar="ID", default="",
                        help="do one part of a case in DIR again from nothing and compare: a "
                        "move, false-alarms, reaction or red-team")  # fmt: skip
    parser.add_argument("--without", action="append", default=[], metavar="MODALITY",
                        help="switch a modality off, to see what the case says")  # fmt: skip
    parser.add_argument("--weaken", action="append", default=[], choices=WEAKNESSES,
                        help="put a weakness in, to see what the case says")  # fmt: skip
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes (0: all)")
    parser.add_argument("--dask", metavar="ADDRESS", default="",
                        help="of a Dask scheduler whose workers share DIR, instead of processes "
                        "here")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print case.json")


def run(args: argparse.Namespace) -> int:
    """Prove; exit code 0 if the case holds, 1 if a requirement is not met or in doubt."""
    _refuse(args)
    from casemate.cli.prove_run import proving
    from casemate.core.progress import Progress

    progress = Progress()
    begin = time.monotonic()
    try:
        work = proving(args, progress)
        if args.rerun:
            return _again(work, args)
        results = work.case()
        files = work.write(results)
    finally:
        progress.close()
    return _told(results, files, args, time.monotonic() - begin)


def _refuse(args: argparse.Namespace) -> None:
    for name, least in (("--seed", 0), ("--workers", 0)):
        value = getattr(args, name.lstrip("-"))
        if value < least:
            raise InputError(
                f"{name} is below {least}.", remedy=f"give {least} or more.", key=name, value=value
            )
    if args.workers == 0:
        args.workers = os.cpu_count() or 1


def _told(results: Results, files: tuple[Path, ...], args: argparse.Namespace, took: float) -> int:
    from casemate.case import case_document, case_text, overall
    from casemate.core.canonical import pretty_json

    if args.json:
        sys.stdout.write(pretty_json(case_document(results)))
    else:
        print(case_text(results, [str(file) for file in files]))
        print(f"{took:.0f} s")
    return 0 if overall(results) == "met" else 1


def _again(work: Proving, args: argparse.Namespace) -> int:
    """Do one part again and say whether it gives the same figures; 1 if not."""
    from casemate.cli.prove_again import again
    from casemate.core.canonical import pretty_json

    rows = again(work, args.rerun)
    if args.json:
        sys.stdout.write(pretty_json([row.as_json() for row in rows]))
    else:
        for row in rows:
            print(row.told())
        same = all(row.same for row in rows)
        print("the same figures as in case.json" if same else "figures differ from case.json")
    return 0 if all(row.same for row in rows) else 1
