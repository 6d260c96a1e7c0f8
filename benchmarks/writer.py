"""The Gerber writer against gerbonara, which reads (and writes) the same file in the same run."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.frame import Figure, child


def run() -> list[Figure]:
    """Return segments a second of our writer, of gerbonara's reader and writer, and ratios."""
    got = child(["-m", "benchmarks.writer"])
    rates = {key: got["segments"] / got[key] for key in ("ours", "read", "save")}
    name = "gerber"
    return [
        Figure(benchmark=name, name="segments in the file", value=got["segments"], unit="segments",
               note=f"gerbonara reads back {got['seen']} lines"),
        Figure(benchmark=name, name="lines that gerbonara misses", unit="lines", target=0.0,
               value=abs(got["segments"] - got["seen"])),
        Figure(benchmark=name, name="our writer", value=rates["ours"] / 1e6, unit="M segments/s",
               note="CPU time, hash included"),
        Figure(benchmark=name, name="our writer / gerbonara reading", unit="x",
               value=rates["ours"] / rates["read"]),
        Figure(benchmark=name, name="our writer / gerbonara writing", unit="x",
               value=rates["ours"] / rates["save"]),
    ]  # fmt: skip


def _spent(job: Any) -> tuple[float, Any]:
    begin = time.process_time()
    result = job()
    return time.process_time() - begin, result


def main() -> None:
    """Measure, as the child process."""
    from gerbonara import GerberFile
    from gerbonara.graphic_objects import Line

    from benchmarks.samples import SECRET, SERIAL, rectangle
    from casemate.fabricate.board import lay_out
    from casemate.fabricate.gerber import write_gerbers
    from casemate.mesh.generate import draw_tile

    tile = rectangle(0.08, 0.06, name="bench-gerber")
    board = lay_out(tile, draw_tile(tile, secret=SECRET, serial=SERIAL).mesh)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: list[dict[str, Any]] = []
        write_gerbers(folder / "warm", board, rows, compress=False)
        ours = []
        for number in range(3):
            rows = []
            target = folder / str(number)
            spent, _ = _spent(lambda: write_gerbers(target, board, rows, compress=False))  # noqa: B023
            ours.append(spent)
        copper = [row for row in rows if row["path"].endswith(("In1_Cu.gbr", "In2_Cu.gbr"))]
        segments = sum(row["segments"] for row in copper)
        read, files = _spent(lambda: [GerberFile.open(target / row["path"]) for row in copper])
        seen = sum(isinstance(thing, Line) for file in files for thing in file.objects)
        save, _ = _spent(lambda: [file.save(folder / f"{k}.gbr") for k, file in enumerate(files)])
    print(json.dumps({"segments": segments, "seen": seen, "ours": min(ours), "read": read,
                      "save": save}))  # fmt: skip


if __name__ == "__main__":
    main()
