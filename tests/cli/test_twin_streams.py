"""Fresh keys at a twin's own loop of delivery: each window comes once, answered under one key."""

from __future__ import annotations

import json
import multiprocessing
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from casemate.cli import run_twin
from casemate.cli.twin_doors import Doors
from casemate.control.readers import HELD, Arrived, Far, Pump
from casemate.control.wires import challenge_of, unframed
from casemate.core.challenge import Challenge, chips
from casemate.core.randomness import new_secret
from casemate.core.samples import Block
from casemate.twin.conditions import WINDOW_S

sys.path.append(str(Path(__file__).parents[1] / "unit" / "control"))
import far_process
from far_process import CHIP_S, COUNT, NAMES
from small_enclosure import wait_for

CHIPS = round(WINDOW_S / CHIP_S)


class Quick:
    """A reader as `TwinReader` is one: each stream counts its windows from 0."""

    def configure(self, asked: Challenge) -> Iterator[Block]:
        number = 0
        while True:
            chip = number * CHIPS + np.arange(CHIPS)
            drawn = chips(asked, int(chip[0]), CHIPS)
            yield Block(
                t_s=np.asarray(chip * CHIP_S), chip=chip,
                values=np.repeat(drawn.drive.real[:, None], COUNT, axis=1),
                health=np.zeros((CHIPS, COUNT), np.uint16),
            )  # fmt: skip
            number += 1


def deliver(link: Any) -> None:
    """What a twin does once it is assembled."""
    readers: Any = {name: Quick() for name in NAMES}
    streams: dict[str, run_twin.Stream] = {}
    clock = run_twin.Clock()
    modules: Any = SimpleNamespace(read=lambda _name, block: block, take=lambda _message: None)
    wire = run_twin.Wire(link)
    while len(streams) < len(NAMES):
        message, _ = unframed(link.recv_bytes())
        run_twin._configure(streams, readers, challenge_of(message["configure"]), clock)
    clock.start_s = time.monotonic()
    with suppress(EOFError, OSError):
        run_twin._deliver(wire, streams, readers, clock, modules, Doors((), wire.say))


def test_keys_change_over_between_windows() -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(json.dumps(far_process.hello()).encode())
    far = Far(ours, timeout_s=10.0)
    out: queue.Queue[Arrived] = queue.Queue(HELD)
    pumps = []
    for name in NAMES:
        asked = Challenge(key=new_secret(), modality=name, epoch=1, chip_s=CHIP_S, order=1)
        pumps.append(Pump(far.readers[name], asked, out))
    threading.Thread(target=deliver, args=(theirs,), daemon=True).start()
    came: dict[str, list[Arrived]] = {name: [] for name in NAMES}

    def take() -> None:
        while True:
            found = out.get()
            came[found.modality].append(found)

    threading.Thread(target=take, daemon=True).start()
    for epoch in (1, 2, 3):
        assert wait_for(lambda e=epoch: all(each.answers == e for each in pumps), 30.0)
        assert epoch == 3 or [each.renew() for each in pumps] == [True, True]
    assert wait_for(lambda: all(rows[-1].chips.epoch == 3 for rows in came.values()), 30.0)
    theirs.close()
    for rows in came.values():
        windows = [round(float(each.block.t_s[0]) / WINDOW_S) for each in rows]
        assert windows == list(range(len(windows)))
        epochs = [each.chips.epoch for each in rows]
        assert epochs == sorted(epochs) and set(epochs) >= {1, 2, 3}
        for each in rows:  # what came is what that key asked for
            assert np.array_equal(each.block.values[:, 0].real, each.chips.drive.real)
