"""The whole NVL72 rack: `casemate build`, wall time, memory of all its processes, hole bound."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.frame import ROOT, Figure

SPEC = ROOT / "examples" / "nvl72" / "enclosure.toml"
LIMIT_S = float(os.environ.get("CASEMATE_BENCH_RACK_LIMIT_S", "540"))
POLL_S = 0.25
HOLE_PROPERTIES = ("hole.", "rim.")


def run() -> list[Figure]:
    """Build the rack in a child and return its time, memory, disk and certified hole bound."""
    folder = Path(tempfile.mkdtemp(prefix="casemate-rack-"))
    try:
        return _measure(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path) -> list[Figure]:
    (folder / "secret").write_text(bytes(range(32)).hex() + "\n", encoding="ascii")
    out = folder / "out"
    command = [
        sys.executable, "-m", "casemate", "build", str(SPEC), "-o", str(out), "--json",
        "--serial", "BENCH-0001", "--secret-file", str(folder / "secret"),
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    with (folder / "stdout").open("w") as stdout, (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=stdout, stderr=stderr, start_new_session=True
        )
        try:
            peak = _watch(process, begin)
        except TimeoutError as error:
            tiles = len(list(folder.rglob("fabrication.json")))
            raise TimeoutError(f"{error}; {tiles} tiles written") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)  # our own session, nobody else's
                process.wait(30)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode not in (0, 1) or not (out / "proof.json").exists():
        said = (folder / "stderr").read_text(errors="replace")[-2000:]
        raise RuntimeError(
            f"build ended with {process.returncode} after {wall:.0f} s, {cpu:.0f} s CPU, peak "
            f"{peak / 1e9:.2f} GB, and wrote no proof:\n{said}"
        )
    return _figures(out, wall, cpu, peak, process.returncode)


def _figures(out: Path, wall: float, cpu: float, peak: int, code: int) -> list[Figure]:
    proof = json.loads((out / "proof.json").read_text())
    rows = [row for tile in proof["tiles"] for row in tile["properties"]]
    holes = [row for row in rows if row["id"].startswith(HOLE_PROPERTIES)]
    seconds = sum(row["seconds"] for row in holes)
    cells = sum(tile["fine_cells"] for tile in proof["tiles"])
    stored = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    worst = max(row["figure"] for row in rows if row["id"] == "hole.severing.any_direction")
    failing = sorted({row["id"] for row in rows if not row["holds"]})
    cores = len(os.sched_getaffinity(0))
    name = "rack"
    return [
        Figure(benchmark=name, name="wall time", value=wall, unit="s", target=300.0, wall=True,
               note=f"{cores} cores, load {os.getloadavg()[0]:.1f}, exit code {code}"),
        Figure(benchmark=name, name="CPU time / 2 cores", value=cpu / 2, unit="s", target=300.0,
               note="wall time that two idle cores would need, evenly loaded"),
        Figure(benchmark=name, name="peak memory, all processes", value=peak / 1e9, unit="GB",
               target=4.0, note=f"sum of resident sets every {POLL_S} s; shared pages count twice"),
        Figure(benchmark=name, name="certified hole bound, CPU of all tiles", value=seconds,
               unit="s", target=60.0, note=f"wall share on 2 cores {seconds / 2:.1f} s"),
        Figure(benchmark=name, name="hole bound itself", value=worst * 1e3, unit="mm"),
        Figure(benchmark=name, name="fine cells", value=cells / 1e6, unit="M"),
        Figure(benchmark=name, name="fine cells a CPU second", value=cells / cpu / 1e6,
               unit="M/s"),
        Figure(benchmark=name, name="tiles", value=len(proof["tiles"]), unit="tiles"),
        Figure(benchmark=name, name="properties not holding", unit="properties",
               value=sum(not row["holds"] for row in rows), note=", ".join(failing)),
        Figure(benchmark=name, name="stored files", value=stored / 1e6, unit="MB"),
    ]  # fmt: skip


def _watch(process: subprocess.Popen[bytes], begin: float) -> int:
    """Wait for a process; return the largest sum of resident sets of its session, in bytes."""
    peak = 0
    while process.poll() is None:
        if time.perf_counter() - begin > LIMIT_S:
            raise TimeoutError(f"not done within {LIMIT_S:.0f} s; peak so far {peak / 1e9:.2f} GB")
        peak = max(peak, _resident_bytes(process.pid))
        time.sleep(POLL_S)
    return peak


def _resident_bytes(session: int) -> int:
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == session:
                total += int((entry / "statm").read_text().split()[1]) * page
        except (OSError, IndexError, ValueError):
            continue  # it ended while we looked
    return total
