"""Detectors on one core: blocks against memory's bandwidth, ticks of 4096 channels, other packages.

Run as a module it is the child process, kept on one core, and prints JSON. Times are CPU seconds,
the best of several rounds, since other programs share the machine's caches and memory.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from benchmarks.frame import Figure, child

CHANNELS = 4096
CAMERA = 702
"""Features of the camera example that are asked at every chip."""
ROUNDS = 7
LEVELS = 35
WINDOW = 16
"""Chips a window where the pyramid takes windows."""
NEAR = 256
"""Channels whose states the nearest cache holds."""
PUT_BACK = 13 + 6 + 4
"""Values a channel and tick that are fetched and put back: keyed processes and a gain, level 0 of
the pyramid; two sums, a held sample and a best score of one further level, on average."""


def run() -> list[Figure]:
    """Return rates of blocks and ticks, and of packages beside ours in the same run."""
    got = child(["-m", "benchmarks.detect"])
    read = got["read"]
    rows = [
        _row("memory read", read / 1e9, "GB/s", note="sum of 512 MB of float32, the same core"),
        _row("CUSUM block over memory read", got["cusum"] / read, "1", 0.7,
             f"{got['cusum'] / 4e9:.2f} G samples/s, two-sided"),
        _row("pyramid block over memory read", got["pyramid"] / read, "1", 0.2,
             f"{got['pyramid'] / 4e6:.0f} M samples/s, {LEVELS} levels, blocks of 64 MB"),
        _row("pyramid block, a score a sample", got["scores"] / 4e6, "M samples/s"),
        _row("keyed block", got["keyed"] / 4e6, "M chips/s", note="12 processes a channel"),
    ]  # fmt: skip
    rows += [
        _row(f"tick of {CHANNELS} channels, {name}", got["ticks"][name] / 1e3, "kHz", target, note)
        for name, target, note in (
            ("keyed", None, ""),
            ("pyramid", None, ""),
            ("keyed and pyramid", 100.0, "the pyramid too at every chip, one call for both"),
            ("keyed and pyramid, two calls", None, ""),
            ("keyed and pyramid, arithmetic alone", None, "the same channels, 256 at a time"),
            ("what both put back, copied", None, "in the second cache, nothing computed"),
            ("keyed, pyramid on windows", None, f"a window is {WINDOW} chips"),
        )
    ]  # fmt: skip
    rows.append(_row("FOCuS", got["focus"] / 1e6, "M samples/s", note="exact, 1000 streams"))
    rows += [
        _row(f"detector of {channels} channels at 1 kHz", got["running"][str(channels)],
             "times real time", target, note)
        for channels, target, note in (
            (CAMERA, 50.0, "the camera's nets; 50 times is 2 % of a core"),
            (CHANNELS, None, "blocks of 0.1 s, one verdict each"),
        )
    ]  # fmt: skip
    for name, (rate, ours, than) in got["others"].items():
        rows.append(
            _row(f"{than} over {name}", ours / rate, "times", note=f"{name}: {rate:,.0f} samples/s")
        )
    return rows


def _row(name: str, value: float, unit: str, target: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="detect", name=name, value=value, unit=unit, target=target, sense=">=",
                  note=note, wall=True)  # fmt: skip


def _seconds(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Return the least CPU seconds of a call, after one that compiles."""
    work()
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


def _blocks() -> dict[str, float]:
    """Return bytes a second: reading memory, CUSUM, pyramid, keyed."""
    import numpy as np
    from numba import njit

    from casemate.detect import cusum, keyed, pyramid

    @njit(fastmath=True)  # type: ignore[untyped-decorator]
    def total(values: Any) -> Any:
        found = np.float32(0.0)
        for k in range(values.size):
            found += values[k]
        return found

    x = np.random.default_rng(1).standard_normal((32_768, CHANNELS), dtype=np.float32)
    read = x.nbytes / _seconds(lambda: total(x.reshape(-1)), 3)
    sums = cusum.start(CHANNELS, 0.5)
    quick = x.nbytes / _seconds(lambda: cusum.advance(sums, x), 3)
    few, many = np.ascontiguousarray(x[:256]), x[:4096]
    out = np.empty_like(few)
    levels = pyramid.start(CHANNELS, LEVELS)
    bets = keyed.start(np.zeros(CHANNELS))
    return {
        "read": read,
        "cusum": quick,
        "pyramid": many.nbytes / _seconds(lambda: pyramid.peaks(levels, many)),
        "scores": few.nbytes / _seconds(lambda: pyramid.advance(levels, few, out=out)),
        "keyed": few.nbytes / _seconds(lambda: keyed.advance(bets, few, out)),
    }


def _ticks() -> dict[str, float]:
    """Return ticks a second, one call a detector and tick unless said otherwise."""
    import numpy as np

    from casemate.detect import keyed, pyramid, tick

    x = np.random.default_rng(2).standard_normal((64, CHANNELS), dtype=np.float32)
    rows = [x[t : t + 1] for t in range(64)]
    out = np.empty((2, 1, CHANNELS), dtype=np.float32)
    levels = pyramid.start(CHANNELS, LEVELS)
    bets = keyed.start(np.zeros(CHANNELS))

    def ticks(with_keyed: bool, every: int) -> Callable[[], None]:
        def work() -> None:
            for _ in range(16):
                for t, row in enumerate(rows):
                    if with_keyed:
                        keyed.advance(bets, row, out[0])
                    if every and t % every == 0:
                        pyramid.advance(levels, row, out=out[1])

        return work

    def in_one_call() -> None:
        for _ in range(16):
            for row in rows:
                tick.advance(bets, levels, row, out)

    return {
        "keyed": 1024.0 / _seconds(ticks(True, 0)),
        "pyramid": 1024.0 / _seconds(ticks(False, 1)),
        "keyed and pyramid": 1024.0 / _seconds(in_one_call),
        "keyed and pyramid, two calls": 1024.0 / _seconds(ticks(True, 1)),
        "keyed, pyramid on windows": 1024.0 / _seconds(ticks(True, WINDOW)),
        "keyed and pyramid, arithmetic alone": _near(x),
        "what both put back, copied": _copied(),
    }


def _near(x: Any) -> float:
    """Return ticks a second of both, were all channels' states as near as those of 256 are.

    x (K, F): 256 channels are given K chips at once, so that states stay in the nearest cache and
    a call is paid once.
    """
    import numpy as np

    from casemate.detect import keyed, pyramid, tick

    few = np.ascontiguousarray(x[:, :NEAR])
    levels, bets = pyramid.start(NEAR, LEVELS), keyed.start(np.zeros(NEAR))
    out = np.empty((2, *few.shape), dtype=np.float32)
    seconds = _seconds(lambda: tick.advance(bets, levels, few, out), 64)
    return float(few.shape[0] / (seconds * CHANNELS / NEAR))


def _copied() -> float:
    """Return how often a second all that a tick of both puts back can be fetched and put back."""
    import numpy as np
    from numba import njit

    from casemate.detect import _aligned
    from casemate.detect._wide import LANES, load, plus, store

    @njit  # type: ignore[untyped-decorator]
    def over(values: Any, times: Any) -> None:
        for _ in range(times):
            one = load(values, 0)
            for k in range(0, values.size, LANES):
                store(values, k, plus(load(values, k), one))

    room = _aligned.copy(np.zeros(PUT_BACK * CHANNELS, dtype=np.float32))
    return 64.0 / _seconds(lambda: over(room, 64))


def _running(channels: int) -> float:
    """Return seconds of a stream that the whole detector takes in a second of CPU."""
    import numpy as np

    from casemate.core.challenge import Challenge, chips
    from casemate.core.samples import Block
    from casemate.detect.anchor import Anchor
    from casemate.detect.detector import Detector
    from casemate.detect.response import policy

    ones, none = np.ones(channels), np.full(channels, -1)
    anchor = Anchor(
        modality="nets", chip_s=1e-3, visits=1.0, channels=tuple(map(str, range(channels))),
        tiles=tuple(str(k // 50) for k in range(channels)),
        names=tuple(map(str, range(channels))), nominal=ones, first=np.arange(channels),
        second=none, weight=np.stack([ones, 0.0 * ones], axis=1), group=none, noise=1e-3 * ones,
        bound=5e-3 * ones, step=1e-3 * ones, must=0.5 * ones, rate=1e-4 * ones,
        common=np.empty(0), common_rate=np.empty(0),
    )  # fmt: skip
    mine = policy(far_per_year=0.01, features=channels, window_s=0.1)
    detector = Detector.unsafe_unsigned((anchor,), mine)
    asked = Challenge(key=bytes(32), modality="nets", epoch=1, chip_s=1e-3)
    generator, stream = np.random.default_rng(5), []
    for k in range(200):
        drawn = chips(asked, 100 * k, 100)
        noise = 1e-3 * generator.standard_normal((100, channels), dtype=np.float32)
        number = 100 * k + np.arange(100, dtype=np.int64)
        t_s = np.asarray(number * 1e-3, dtype=np.float64)
        block = Block(t_s=t_s, chip=number, values=drawn.drive.real[:, None] + noise,
                      health=np.zeros((100, channels), dtype=np.uint16))  # fmt: skip
        stream.append((block, drawn))
    best = 0.0
    for first in range(20, 200, 20):
        if first == 20:
            for k in range(20):
                detector.add("nets", *stream[k])
                detector.judge(0.1 * (k + 1))
        begin = time.process_time()
        for k in range(first, first + 20):
            detector.add("nets", *stream[k])
            detector.judge(0.1 * (k + 1))
        best = max(best, 2.0 / (time.process_time() - begin))
    return best


def _others(blocks: dict[str, float]) -> tuple[float, dict[str, tuple[float, float, str]]]:
    """Return FOCuS's samples a second, and packages: their rate, ours, and which of ours."""
    import changepoint_online
    import gridcp.scores
    import numpy as np
    import river.drift

    from casemate.detect import focus

    x = np.random.default_rng(3).standard_normal((500, 1000))
    hulls = focus.start(1000)
    exact = x.size / _seconds(lambda: focus.advance(hulls, x), 3)
    series = x[:, 0].tolist()

    def one_by_one(make: Callable[[], Any]) -> float:
        def work() -> None:
            detector = make()
            for value in series:
                detector.update(value)

        return len(series) / _seconds(work, 3)

    def grid() -> None:
        detector = gridcp.GridDetector(gridcp.scores.CUSUM(n_features=CHANNELS))
        state = detector.init_state()
        for row in wide:
            state, _ = detector.update(state, row)

    wide = np.random.default_rng(4).standard_normal((200, CHANNELS))
    gauss = changepoint_online.Gaussian(loc=0)
    pyramid, cusum = blocks["pyramid"] / 4.0, blocks["cusum"] / 4.0
    return exact, {
        "changepoint-online Focus": (
            one_by_one(lambda: changepoint_online.Focus(gauss)), exact, "FOCuS"),
        "river PageHinkley": (one_by_one(river.drift.PageHinkley), cusum, "CUSUM"),
        "river ADWIN": (one_by_one(river.drift.ADWIN), pyramid, "pyramid"),
        "gridcp CUSUM": (wide.size / _seconds(grid, 3), pyramid, "pyramid"),
    }  # fmt: skip


def main() -> None:
    """Measure, as the child process."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    blocks = _blocks()
    exact, others = _others(blocks)
    running = {n: _running(n) for n in (CAMERA, CHANNELS)}
    found = {"ticks": _ticks(), "focus": exact, "others": others, "running": running}
    print(json.dumps({**blocks, **found}))


if __name__ == "__main__":
    main()
