"""Attack episodes of reflectometry: one fault, one keyed capture of its pair with noise, one core.

Run as a module it is the child process, kept on one core, and prints JSON.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

from benchmarks.frame import Figure, child
from benchmarks.samples import RULES, SECRET, SERIAL, rectangle

RUNS = 5
CHUNK = 32
CHUNKS = 8


def run() -> list[Figure]:
    """Return episodes a second of the tile's longest pair, and where the time goes."""
    got = child(["-m", "benchmarks.tdr"])
    name, count = "tdr", CHUNK * CHUNKS
    best = min(got["runs"])
    return [
        Figure(benchmark=name, name="episodes a CPU second", value=count / best, unit="1/s",
               target=300.0, sense=">=",
               note=f"pair of {got['length_m']:.2f} m, {got['bins']} bins, "
                    f"{got['frequencies']} frequencies"),
        Figure(benchmark=name, name="slowest run / best run", value=max(got["runs"]) / best,
               unit="x", note="how noisy this machine was"),
        Figure(benchmark=name, name="reflections alone", value=count / got["reflections"],
               unit="1/s", note="the algebra over frequency, without time and noise"),
        Figure(benchmark=name, name="channel and fingerprint made", value=got["prepare"],
               unit="s", note="once a pair and unit"),
    ]  # fmt: skip


def main() -> None:
    """Measure, as the child process."""
    import numpy as np

    from casemate.mesh.generate import draw_tile
    from casemate.sensors.tdr import physics
    from casemate.twin import pair_faults
    from casemate.twin.pair_reflection import reflected
    from casemate.twin.pair_tile import lanes_of

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    tile = replace(rectangle(0.1, 0.08, name="tdr"), mesh=replace(RULES, net_length_max_m=4.0))
    mesh = draw_tile(tile, secret=SECRET, serial=SERIAL).mesh
    longest = max(lanes_of(mesh), key=lambda lanes: lanes.length_m)
    begin = time.process_time()
    tdr = physics.tdr_of(
        tile, mesh, physics.card_reader(), unit=1, only=(physics.channel_id(tile.id, longest),)
    )
    of = tdr.channels[0]
    prepared = physics.fingerprint(of)
    prepare = time.process_time() - begin
    challenge = physics.asked(tdr, SECRET, 1)
    places = np.linspace(0.01, 0.95, CHUNK) * of.pair.length_m
    kinds = (
        pair_faults.nick(places, 0, ohm=2e-3, henry=3e-11),
        pair_faults.probe(places, 1, farad=1e-13, leak_ohm=1e6),
        pair_faults.cut(places, 0),
        pair_faults.jumper(places, 1, span_m=0.01, ohm=0.01, henry=1e-9),
    )

    def spend(whole: bool) -> float:
        start = time.process_time()
        for chunk in range(CHUNKS):
            faults = kinds[chunk % len(kinds)]
            if whole:
                physics.episodes(tdr, of, faults, challenge, seed=7, chunk=chunk, prepared=prepared)
            else:
                reflected(of.pair, of.termination, faults, z_ref_ohm=50.0, ripple=prepared)
        return time.process_time() - start

    spend(True)
    found = {
        "runs": [spend(True) for _ in range(RUNS)],
        "reflections": min(spend(False) for _ in range(RUNS)),
        "prepare": prepare,
        "length_m": of.pair.length_m,
        "bins": tdr.bins,
        "frequencies": int(tdr.laplace_1_s.size),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
