"""Writes docs/faults.md from a run, in some minutes. In tests/unit/control:

    python -c "import faults_page; faults_page.main([])"

Not as a program of its own: each process that it starts would load all of it again.

Rows are functions that raise if anything is lost or guards where it must not.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "faults.md"
sys.path.append(str(HERE))

import live_faults  # noqa: E402
import timed_faults  # noqa: E402

from casemate.testing.faults import DISK_FAULTS, Found  # noqa: E402
from casemate.testing.key_store_faults import cut_key_store  # noqa: E402

POINTS, STORE_POINTS = 1000, 12
MOMENTS = (("start", 0.5), ("armed", 0.5), ("cut", 0.3))

Play = Callable[[Path], Found]
ROWS: tuple[tuple[str, str, Play], ...] = (
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
    ("kill -9, key holder", "process of the evidence keys",
     lambda folder: live_faults.killed_helper(folder, "keys")),
    ("kill -9, last word", "process of the last word's keys, then a cut",
     lambda folder: live_faults.killed_helper(folder, "last word")),
    ("kill -9, witnesses", "both, then a cut",
     lambda folder: live_faults.killed_helper(folder, "witness")),
    ("kill -9, controller", "while it starts, armed, and while it tells of a cut; then a start",
     lambda folder: live_faults.killed_controller(folder, MOMENTS)),
    ("damaged files", "each file cut to its half; then a start",
     lambda folder: live_faults.corrupt_files(folder / "all", live_faults.DAMAGES[1:2])),
)  # fmt: skip

HEAD = (
    "# Faults\n"
    "\n"
    "Made by `faults_page.py` in tests/unit/control, which plays each fault and stops"
    " at the first that goes wrong; do not edit. Disks are those of "
    "[unsafe_disk.py](../src/casemate/testing/unsafe_disk.py): what was not synced is "
    "dropped, reordered or torn. The enclosure is a small one with two readers; faults of"
    " time run on the production writer, log and cosigner with time passed in.\n"
    "\n"
    "| fault | what is done | times | found |\n"
    "|---|---|---|---|\n"
)
TAIL = (
    "\n"
    "Elsewhere, with tests of their own: a TPM that is busy, is gone or was reset "
    "([test_tpm.py](../tests/unit/attest/keys/test_tpm.py)); erasure scanned in memory, "
    "core dump and TPM "
    "([test_process_memory.py](../tests/unit/attest/keys/test_process_memory.py)); "
    "readers that stall, lie or restart "
    "([test_watch.py](../tests/unit/core/test_watch.py)); copied state, from evidence "
    "alone ([verdict.md](formats/verdict.md)).\n"
    "\n"
    "Not modelled: sectors torn within; a disk that lies about syncs, or a software TPM's"
    " host that loses power before its file is synced. A key store put back on disk as it"
    " was brings keys back; memory that knows of their erasure destroys them again, and "
    "witnesses tell the copy.\n"
)


def main(names: list[str]) -> int:
    """Play all faults, or those whose names are given, and write the page (all only)."""
    os.environ.setdefault("TSS2_LOG", "all+none")
    lines = []
    for name, what, play in ROWS:
        if names and name not in names:
            continue
        if name.startswith("key store") and not _tpm():
            raise SystemExit("the page needs swtpm and tpm2-pytss")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "play"
            folder.mkdir()
            found = play(folder)
        lines.append(f"| {name} | {what} | {found.points} | {found.found} |")
        print(lines[-1], flush=True)
    if not names:
        PAGE.write_text(HEAD + "\n".join(lines) + "\n" + TAIL, encoding="utf-8")
    return 0


def _tpm() -> bool:
    return shutil.which("swtpm") is not None and bool(importlib.util.find_spec("tpm2_pytss"))
