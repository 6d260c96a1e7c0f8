"""An enclosure of two modalities with four channels each, whose readers live in this process."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from casemate.control.setting import Wanted
from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block, Channel, Health
from casemate.detect.anchor import Anchor, anchor_bytes

WINDOW_S, CHIP_S, NOISE, COUNT = 0.1, 0.001, 1e-3, 4
NAMES = ("loops", "plates")


def anchor(name: str) -> Anchor:
    """Return an anchor whose channels read 1."""
    one, none = np.ones(COUNT), np.full(COUNT, -1, dtype=np.int64)
    weight = np.zeros((COUNT, 2))
    weight[:, 0] = 1.0
    ids = tuple(f"{name}/{k}" for k in range(COUNT))
    return Anchor(
        modality=name, chip_s=CHIP_S, visits=1.0, channels=ids, tiles=("front",) * COUNT,
        names=ids, nominal=one, first=np.arange(COUNT), second=none, weight=weight, group=none,
        noise=NOISE * one, bound=0.02 * one, step=0.01 * one, must=0.3 * one, rate=1e-3 * one,
        common=np.empty(0), common_rate=np.empty(0),
    )  # fmt: skip


class SmallReader:
    """Reads 1 with noise; cut: channel 0 stands open in loops, and is off in plates."""

    def __init__(self, far: SmallFar, name: str) -> None:
        self._far, self.modality, self.chip_s, self.order = far, name, CHIP_S, 1
        self._open = True

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels."""
        return tuple(
            Channel(id=f"{self.modality}/{k}", modality=self.modality, unit="1", low=0.0, high=9.0)
            for k in range(COUNT)
        )

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return a stream in real time."""
        generator = np.random.default_rng(len(self.modality))
        count = round(WINDOW_S / CHIP_S)
        self._far.begun.wait()
        for number in itertools.count():
            drawn = chips(challenge, number * count, count)
            quantity, health = np.ones(COUNT), np.zeros((count, COUNT), dtype=np.uint16)
            if self._far.cut:
                quantity[0] = 2.0
            values = drawn.drive.real[:, None] * quantity
            values += NOISE * generator.standard_normal(values.shape)
            if self._far.cut and self.modality == "loops":
                health[:, 0] = Health.CLIPPED
                values[:, 0] = np.where(values[:, 0] >= 0.0, 9.0, -9.0)
            wait_s = self._far.start_s + (number + 1) * WINDOW_S - time.monotonic()
            time.sleep(max(wait_s, 0.0))
            while self._far.stalled == self.modality:
                time.sleep(0.01)
            if not self._open:
                return
            chip = number * count + np.arange(count)
            t_s = np.asarray(chip * CHIP_S, dtype=np.float64)
            yield Block(t_s=t_s, chip=chip, values=values, health=health)

    def close(self) -> None:
        """End the stream."""
        self._open = False


class SmallFar:
    """What `readers.Far` is to a twin."""

    def __init__(self) -> None:
        self.readers = {name: SmallReader(self, name) for name in NAMES}
        self.hello: dict[str, Any] = {}
        self.begun, self.start_s = threading.Event(), 0.0
        self.cut, self.stalled = False, ""
        self.hear: Any = lambda _said: None

    def send(self, message: dict[str, Any]) -> None:
        """Take the start, and for how long time stands still."""
        if "start" in message or "slip" in message:
            self.start_s = float(message.get("start", self.start_s)) + message.get("slip", 0.0)
        if "start" in message:
            self.begun.set()


def wanted(folder: Path, **changes: Any) -> Wanted:
    """Return what the small enclosure is."""
    given: dict[str, Any] = {
        "folder": folder, "enclosure": "small", "serial": "UNIT-1", "faces": frozenset({"front"}),
        "modules": frozenset(NAMES), "far_per_year": 0.1, "simulated": True,
        "features": COUNT * len(NAMES), "window_s": WINDOW_S,
        "anchors": anchor_bytes(tuple(map(anchor, NAMES))), "keys": "process", "batch_s": 10,
    }  # fmt: skip
    return Wanted(**{**given, **changes})


def wait_for(what: Any, seconds: float = 60.0) -> bool:
    """Return whether something becomes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.05)
    return False


def pretty(found: dict[str, Any]) -> str:
    """Return a status for a failed assertion."""
    return json.dumps(found, indent=1)
