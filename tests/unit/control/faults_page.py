"""Plays every fault of docs/faults.md and writes the page: `python tests/faults docs/faults.md`.

Rows are functions that raise if anything is lost or guards where it must not. All are played, also
after one that goes wrong; the page is written only if none does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

import killed
import live_faults
import timed_faults
import tpm_faults

from casemate.core.whole_file import write_whole
from casemate.testing.faults import DISK_FAULTS, Found
from casemate.testing.key_store_faults import cut_key_store
from outside_programs import tpm_there

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
POINTS, STORE_POINTS = 1000, 12

Play = Callable[[Path], Found]
Row = tuple[str, str, Play]
AT_STEPS = "as it starts, armed, and while a cut is told"
ROWS: tuple[Row, ...] = (
    *((f.name, f.what, lambda _folder, f=f: f.play(POINTS)) for f in DISK_FAULTS),
    ("key store, power cut", "software TPM's file old, mixed, cut off or gone",
     lambda folder: cut_key_store(STORE_POINTS, folder)),
    ("wall clock", "a year ahead and back while the monotonic clock goes on",
     timed_faults.clock_steps),
    ("partition", "a week without witnesses, then all at once", timed_faults.partition),
    ("clones", "the folder is copied while it runs, and both go on", timed_faults.clones),
    ("snapshot", "the folder is put back as it was an hour before", timed_faults.snapshot),
    ("signer busy", "the key holder fails to sign for 400 s", timed_faults.busy_signer),
    ("flood", "a reader sends 500 blocks at once", timed_faults.flood),
    *((f"kill -9, {which}", f"{what}; {AT_STEPS}", lambda folder, w=which: killed.killed(folder, w))
      for which, what in (("keys", "process of the evidence keys"),
                          ("last word", "process of the last word's keys"),
                          ("log key", "process that signs checkpoints"),
                          ("witnesses", "both at once"))),
    ("kill -9, readers", f"each of three processes; {AT_STEPS}", killed.killed_readers),
    *((f"TPM {fault}", f"{what}; {AT_STEPS}",
       lambda folder, f=fault: tpm_faults.tpm_faults(folder, f))
      for fault, what in (("killed", "kill -9 of swtpm"),
                          ("busy", "answers every command with TPM_RC_RETRY once"),
                          ("failing", "answers every command with TPM_RC_FAILURE"),
                          ("deaf", "takes commands and never answers"),
                          ("reset", "loses power alone, and is back"))),
    ("kill -9, controller", "at six steps, from its start to its last word; then a start",
     live_faults.killed_controller),
    ("kill -9, controller with a TPM", "the same, with the keys' seeds in a software TPM",
     lambda folder: live_faults.killed_controller(folder, keys="tpm")),
    ("damaged files", "each file cut to its half; then a start",
     lambda folder: live_faults.corrupt_files(folder / "all", live_faults.DAMAGES[1:2])),
)  # fmt: skip

LONG = (
    "damaged files", "kill -9, readers", "kill -9, controller", "kill -9, controller with a TPM",
    "partition", "TPM deaf",
)  # fmt: skip
"""Rows that are begun first."""

HEAD = (
    "# Faults\n"
    "\n"
    "Made by `make validate` (`python tests/faults docs/faults.md`) in one run of all rows, on"
    " {day}, {minutes} minutes; do not edit. A row that goes wrong leaves the page as it was. Disks"
    " are those of [unsafe_disk.py](../src/casemate/testing/unsafe_disk.py): what was not synced is"
    " dropped, reordered or torn. The enclosure is a small one with three readers; faults of"
    " time run on the production writer, log and cosigner with time passed in.\n"
    "\n"
    "| fault | what is done | times | found |\n"
    "|---|---|---|---|\n"
)
TAIL = (
    "\n"
    "Elsewhere, with tests of their own: erasure scanned in memory, core dump and TPM "
    "([test_process_memory.py](../tests/unit/attest/keys/test_process_memory.py)); "
    "readers that stall, lie or restart "
    "([test_watch.py](../tests/unit/core/test_watch.py)); copied state, from evidence "
    "alone ([verdict.md](formats/verdict.md)).\n"
    "\n"
    "Not modelled: sectors torn within; a disk that lies about syncs, or a software TPM's"
    " host that loses power before its file is synced. A key store put back on disk as it"
    " was brings keys back; memory that knows of their erasure destroys them again, and "
    "witnesses tell the copy. A TPM that is away while keys are destroyed keeps its seeds until the"
    " next start: until then, who has the TPM and runs the measured software after a reset has"
    " them.\n"
)


def main(arguments: list[str], rows: tuple[Row, ...] = ROWS) -> int:
    """Play all rows, or those that --only names; write the page if all of them went well."""
    parser = argparse.ArgumentParser(prog="python tests/faults")
    parser.add_argument("file", type=Path, nargs="?", help="the page; none: only play")
    parser.add_argument("--only", action="append", default=[], choices=[name for name, *_ in rows])
    parser.add_argument("--jobs", type=int, default=1, help="rows at once")
    args = parser.parse_args(arguments)
    if args.file and args.only:
        parser.error("a page is of all rows")
    os.environ.setdefault("TSS2_LOG", "all+none")
    if not tpm_there():
        raise SystemExit("the page needs swtpm and tpm2-pytss")
    begun_s = time.monotonic()
    chosen = [row for row in rows if not args.only or row[0] in args.only]
    lines = _lines(chosen, args.jobs)
    wrong = [name for name, *_ in chosen if name not in lines]
    if wrong:
        print(f"went wrong: {', '.join(wrong)}", file=sys.stderr)
        return 1
    if args.file:
        head = HEAD.format(
            day=f"{datetime.now(UTC):%-d %B %Y}", minutes=round((time.monotonic() - begun_s) / 60)
        )
        table = "\n".join(lines[name] for name, *_ in rows)
        write_whole(args.file, f"{head}{table}\n{TAIL}")
    return 0


def _lines(rows: list[Row], jobs: int) -> dict[str, str]:
    """Play rows, some at once; return the lines of those that went well, by name."""
    lines: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        order = sorted(rows, key=lambda row: row[0] not in LONG)
        done = {pool.submit(_line, row, alone=jobs == 1): row[0] for row in order}
        for number, each in enumerate(as_completed(done), start=1):
            line, said = each.result()
            print(f"[{number}/{len(rows)}] {done[each]}", file=sys.stderr, flush=True)
            print(said, flush=True)
            if line:
                lines[done[each]] = line
    return lines


def _line(row: Row, *, alone: bool) -> tuple[str, str]:
    """Play a row, in a process of its own unless it is alone; return its line and what to print."""
    name, what, play = row
    begun_s = time.monotonic()
    try:
        found = played(play) if alone else _apart(name)
    except Exception:  # whatever it is, the other rows are wanted too
        return "", f"{name} WENT WRONG\n{traceback.format_exc()}"
    line = f"| {name} | {what} | {found.points} | {found.found} |"
    return line, f"{line} {time.monotonic() - begun_s:.0f} s"


def _apart(name: str) -> Found:
    """Play a row of this page in a process of its own: what it kills are its own children."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import faults_page as page;"
        "found = page.played(next(r[2] for r in page.ROWS if r[0] == sys.argv[2]));"
        "print('FOUND', found.points, found.found, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("FOUND "):
            _, points, found = line.split(" ", 2)
            return Found(points=int(points), found=found)
    raise AssertionError(done.stderr[-4000:])


def played(play: Play) -> Found:
    """Return what a row finds, in a folder of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "play"
        folder.mkdir()
        return play(folder)
