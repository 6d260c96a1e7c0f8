"""Drill episodes on the camera and quiet streams of a rack's channels, on one core.

Run as a module it is the child process, kept on one core, and prints JSON. The rack's channels are
the camera's, repeated to the rack's numbers: drawing its boards takes minutes and changes no time.
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.frame import Figure, child
from benchmarks.samples import SECRET, SERIAL

CHUNKS = 20
BLOCKS = 20
RACK = {"loop_resistance": 9_488, "mesh_capacitance": 32_754}
"""Channels of the NVL72 example."""


def run() -> list[Figure]:
    """Return episodes and channel-samples a CPU second, and the memory they took."""
    got = child(["-m", "benchmarks.twin"])
    rows = [
        Figure(benchmark="twin", name="drill episodes a CPU second", value=got["episodes"],
               unit="1/s", target=1e4, sense=">=",
               note="loops, capacitances and radio that a tool touches, 100 chips each"),
    ]  # fmt: skip
    for name, rate in got["streams"].items():
        rows.append(
            Figure(benchmark="twin", name=f"{name} channel-samples a CPU second", value=rate,
                   unit="1/s", target=1e6, sense=">=", note=f"{RACK[name]} channels"),
        )  # fmt: skip
    rows.append(
        Figure(benchmark="twin", name="peak memory", value=got["bytes"] / 1e6, unit="MB",
               note="streams hold one block at a time"),
    )  # fmt: skip
    return rows


def main() -> None:
    """Measure, as the child process."""
    import numpy as np

    from casemate.campaigns.episodes import CHUNK, chunk, ready
    from casemate.campaigns.streams import blocks, quiet_capacitances, quiet_loops
    from casemate.core.challenge import Challenge
    from casemate.design import design_enclosure
    from casemate.spec import load_spec
    from casemate.twin.assembly import assemble

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    spec = load_spec(Path("examples/camera/enclosure.toml"))
    enclosure = design_enclosure(spec, serial=SERIAL, explained=False)
    with tempfile.TemporaryDirectory() as folder:
        twin = assemble(enclosure, kind="camera", secret=SECRET, folder=Path(folder), workers=1)
        range_ = ready(twin)
        for board in range_.boards:
            board.copper()
        chunk(range_, seed=1, number=0)
        begin = time.process_time()
        for number in range(1, CHUNKS + 1):
            chunk(range_, seed=1, number=number)
        episodes = CHUNKS * CHUNK / (time.process_time() - begin)
    streams = {}
    for quiet in (quiet_loops(range_.loop), quiet_capacitances(range_.capacitance)):
        name = quiet.channels[0].modality
        pick = np.arange(RACK[name]) % len(quiet.channels)
        wide = replace(
            quiet, channels=tuple(quiet.channels[k] for k in pick), nominal=quiet.nominal[pick],
            noise=quiet.noise[pick], group=np.arange(pick.size), own_spread=quiet.own_spread[pick],
        )  # fmt: skip
        asked = Challenge(key=bytes(32), modality=name, epoch=0, chip_s=quiet.chip_s)
        next(iter(blocks(wide, asked, seed=1, count=1)))
        begin, count = time.process_time(), 0
        for each in blocks(wide, asked, seed=1, first=1, count=BLOCKS):
            count += each.values.size
        streams[name] = count / (time.process_time() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"episodes": episodes, "streams": streams, "bytes": peak}))


if __name__ == "__main__":
    main()
