"""Sample to verdict and detection's share of a core, on readers of the camera's size in real time.

Run as a module it is the child process: pumps and hot loop as `casemate run` has them, behind a
pipe whose far side, another process, delivers blocks of 0.1 s at their time.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.frame import Figure, child

SECONDS = 40.0
START_S = 2.0
WINDOW_S, CHIP_S, NOISE = 0.1, 1e-3, 1e-3
LOOPS, NETS, LINKS, TONES, SENSORS = 192, 584, 6, 48, 13
"""Of the camera example, as `casemate run` builds it."""
GROUPS = 54
MEMORY = 24
LATENCY_MOST_MS, SHARE_MOST = 10.0, 2.0


def run() -> list[Figure]:
    """Return latencies of the verdict and shares of a core."""
    got = child(["-m", "benchmarks.live"])
    note = f"{got['windows']} windows, {LOOPS} + {NETS} + {LINKS} + {SENSORS} channels"
    return [
        _row("sample to verdict, p50", got["p50"] * 1e3, "ms", note=note),
        _row("sample to verdict, p99", got["p99"] * 1e3, "ms", LATENCY_MOST_MS,
             "from the last block of a window until its verdict"),
        _row("detection, share of a core", got["share"] * 100.0, "%", SHARE_MOST,
             "pumps and hot loop"),
        _row("the whole controller, share of a core", got["process"] * 100.0, "%",
             note="with the pipe from the readers"),
    ]  # fmt: skip


def _row(name: str, value: float, unit: str, target: float | None = None, note: str = "") -> Figure:
    return Figure(
        benchmark="live", name=name, value=value, unit=unit, target=target, note=note, wall=True
    )


def _names(modality: str, count: int) -> tuple[str, ...]:
    return tuple(f"{modality}/{k}" for k in range(count))


def _keyed(name: str, count: int, *, pairs: bool) -> Any:
    import numpy as np

    from casemate.detect.anchor import Anchor

    ones, at = np.ones(count), np.arange(count)
    if pairs:
        first, second = at - at % 2, at - at % 2 + 1
        weight = np.stack([0.5 * ones, 0.5 * np.where(at % 2 == 0, 1.0, -1.0)], axis=1)
        group = np.where(at % 2 == 0, at * GROUPS // count, -1)
    else:
        first, second, group = at, np.full(count, -1), at * GROUPS // count
        weight = np.stack([ones, 0.0 * ones], axis=1)
    return Anchor(
        modality=name, chip_s=CHIP_S, visits=1.0, channels=_names(name, count),
        tiles=tuple(f"tile-{k // 32}" for k in range(count)), names=_names(name, count),
        nominal=ones, first=first, second=second, weight=weight, group=group, noise=NOISE * ones,
        bound=5e-3 * ones, step=1e-3 * ones, must=0.5 * ones, rate=1e-4 * ones,
        common=np.full(GROUPS, 0.02), common_rate=np.full(GROUPS, 1e-3),
    )  # fmt: skip


def anchors() -> tuple[Any, ...]:
    """Return made-up anchors of the camera's kinds and sizes."""
    import numpy as np

    from casemate.detect.anchor import FieldAnchor, PassiveAnchor

    generator = np.random.default_rng(1)
    square = generator.standard_normal((LINKS, 2 * TONES, 3))
    shapes = np.ascontiguousarray(np.linalg.qr(square)[0].transpose(0, 2, 1))
    link, one = np.ones(LINKS), np.ones(SENSORS)
    turned = np.exp(2j * np.pi * generator.random((LINKS, TONES)))
    kinds = ("temperature",) * 6 + ("humidity",) + ("acceleration",) * 6
    coefficients = np.zeros((SENSORS, MEMORY))
    coefficients[:, 0], coefficients[:, -1] = 0.5, 0.1
    return (
        _keyed("loop_resistance", LOOPS, pairs=True),
        _keyed("mesh_capacitance", NETS, pairs=False),
        FieldAnchor(
            modality="rf_cavity", chip_s=CHIP_S, visits=0.5 / TONES, names=_names("link", LINKS),
            field=turned, shapes=shapes, noise=0.03 * link, bound=0.05 * link, step=0.03 * link,
            must=0.5 * link,
        ),
        PassiveAnchor(
            modality="environment", chip_s=WINDOW_S, names=_names("sensor", SENSORS),
            tiles=("",) * SENSORS, kind=kinds, nominal=one, spread=0.1 * one,
            log=np.zeros(SENSORS, dtype=np.bool_),
            contrast=np.array([kind == "temperature" for kind in kinds]),
            coefficients=coefficients, innovation=0.8 * one, slack=0.1 * one, bound=8.0 * one,
            noise=0.1 * one,
        ),
    )  # fmt: skip


def far(link: Connection) -> None:
    """Deliver what the anchors read, with noise, at its time, until the pipe ends."""
    import numpy as np

    from casemate.control import warm_up
    from casemate.control.wires import challenge_of, frame, unframed
    from casemate.core.samples import Block

    made = {each.modality: each for each in anchors()}
    asked = {}
    generator = np.random.default_rng(2)
    link.send_bytes(json.dumps({"readers": [_hello(each) for each in made.values()]}).encode())
    while "start" not in (message := unframed(link.recv_bytes())[0]):
        given = challenge_of(message["configure"])
        asked[given.modality] = given
    for number in itertools.count():
        frames = []
        for name, challenge in asked.items():
            block = warm_up._block(made[name], challenge, number, WINDOW_S, generator)
            noise = NOISE * generator.standard_normal(block.values.shape)
            frames.append(frame({"modality": name}, Block(
                t_s=block.t_s, chip=block.chip, values=block.values + noise, health=block.health
            )))  # fmt: skip
        time.sleep(max(0.0, message["start"] + (number + 1) * WINDOW_S - time.monotonic()))
        try:
            for each in frames:
                link.send_bytes(each)
        except OSError:
            return


def _hello(anchor: Any) -> dict[str, Any]:
    order = anchor.field.shape[1] if hasattr(anchor, "field") else 1
    excited = not hasattr(anchor, "coefficients")
    names = getattr(anchor, "channels", anchor.names)
    return {
        "modality": anchor.modality, "chip_s": anchor.chip_s, "order": order,
        "channels": [[name, "1", "", -9.0, 9.0, excited] for name in names],
    }  # fmt: skip


def main() -> None:
    """Run for SECONDS; print latencies and shares as JSON."""
    from casemate.control.bounded import Bounded
    from casemate.control.readers import HELD, Arrived, Far, Pump
    from casemate.control.states import Machine
    from casemate.control.warm_up import warm_up
    from casemate.control.watching import Watching
    from casemate.core.challenge import Challenge
    from casemate.core.randomness import new_secret
    from casemate.detect.detector import Detector
    from casemate.detect.response import policy

    made = anchors()
    features = sum(len(each.names) for each in made[:3])
    detector = Detector.unsafe_unsigned(
        made, policy(far_per_year=0.01, features=features, window_s=WINDOW_S)
    )
    warm_up(detector, WINDOW_S)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=far, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    readers = Far(ours, timeout_s=60.0)
    blocks: Bounded[Arrived] = Bounded(HELD)
    start_s = time.monotonic() + START_S
    pumps = [
        Pump(reader, Challenge(key=new_secret(), modality=name, epoch=1, chip_s=reader.chip_s,
                               order=reader.order), blocks)
        for name, reader in readers.readers.items()
    ]  # fmt: skip
    told: list[str] = []
    machine = Machine(
        enclosure="bench", serial="UNIT-1", faces=frozenset(("front",)),
        modules=frozenset(readers.readers), boot=bytes(16),
    )  # fmt: skip
    boards = {name: [k.tile for k in each.channels] for name, each in readers.readers.items()}
    loop = Watching(
        detector, machine, blocks, boards,
        window_s=WINDOW_S, start_s=start_s, slow_s=0.0, slipped=lambda _late: None,
        boot_s=time.monotonic(), act=lambda _action, _machine: None, failed=lambda: None,
        seen=lambda _seen: None, keep=lambda _machine, _wait: None, tell=told.append, anchor=b"",
    )  # fmt: skip
    readers.send({"start": start_s})
    print(json.dumps(_measured(loop, pumps) | {"told": told}))
    ours.close()


def _measured(loop: Any, pumps: list[Any]) -> dict[str, Any]:
    """Run a loop; return latencies and shares of a core, s and 1."""
    time.sleep(START_S)
    loop.start()
    time.sleep(START_S)  # caches fill
    loop.figures.verdict.clear()
    used_s, began_s, from_s = time.process_time(), time.monotonic(), _cpu_s(loop, pumps)
    time.sleep(SECONDS)
    took_s = time.monotonic() - began_s
    found = {
        "windows": len(loop.figures.verdict), "p50": loop.figures.quantile(0.5),
        "p99": loop.figures.quantile(0.99), "share": (_cpu_s(loop, pumps) - from_s) / took_s,
        "process": (time.process_time() - used_s) / took_s, "incomplete": loop.figures.incomplete,
        "verdict": loop.judged.verdict.value if loop.judged else None,
    }  # fmt: skip
    loop.close()
    return found


def _cpu_s(loop: Any, pumps: list[Any]) -> float:
    return float(loop.figures.cpu_s + sum(each.cpu_s for each in pumps))


if __name__ == "__main__":
    main()
