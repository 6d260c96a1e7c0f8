"""An enclosure of three modalities with four channels each, two on each of two faces.

Its readers live in this process.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ed25519

from casemate.attest.reference import Module
from casemate.control import module_identity
from casemate.control.setting import Wanted
from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block, Channel, Health
from casemate.core.suites import ED25519, PublicKey
from casemate.detect.anchor import Anchor, anchor_bytes

WINDOW_S, CHIP_S, NOISE, COUNT = 0.1, 0.001, 1e-3, 4
TILES = ("front", "front", "back", "back")
NAMES = ("loops", "plates", "coils")
PARTS = ("tray-1", "tray-2")
"""Places of trays, which are no readers; of the enclosure that `parts` makes a rack."""


def anchor(name: str) -> Anchor:
    """Return an anchor whose channels read 1."""
    one, none = np.ones(COUNT), np.full(COUNT, -1, dtype=np.int64)
    weight = np.zeros((COUNT, 2))
    weight[:, 0] = 1.0
    ids = tuple(f"{name}/{k}" for k in range(COUNT))
    return Anchor(
        modality=name, chip_s=CHIP_S, visits=1.0, channels=ids, tiles=TILES,
        names=ids, nominal=one, first=np.arange(COUNT), second=none, weight=weight, group=none,
        noise=NOISE * one, bound=0.02 * one, step=0.01 * one, must=0.3 * one, rate=1e-3 * one,
        common=np.empty(0), common_rate=np.empty(0),
    )  # fmt: skip


class SmallReader:
    """Reads its gain with noise; cut: a channel stands open in loops, and is off in the others."""

    def __init__(self, far: SmallFar, name: str) -> None:
        self._far, self.modality, self.chip_s, self.order = far, name, CHIP_S, 1
        self._open = True
        self._begins: dict[int, int] = {}

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels."""
        return tuple(
            Channel(
                id=f"{self.modality}/{k}", modality=self.modality, unit="1", tile=TILES[k],
                low=0.0, high=9.0,
            )
            for k in range(COUNT)
        )  # fmt: skip

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return a stream in real time; once it runs, from the next window but one on."""
        first = 0
        if self._far.begun.is_set():
            first = int((time.monotonic() - self._far.start_s) / WINDOW_S) + 2
        self._begins[challenge.epoch] = first
        return self._stream(challenge, first)

    def _stream(self, challenge: Challenge, first: int) -> Iterator[Block]:
        generator = np.random.default_rng(len(self.modality))
        count = round(WINDOW_S / CHIP_S)
        self._far.begun.wait()
        for number in itertools.count(first):
            if number >= self._begins.get(challenge.epoch + 1, number + 1):
                return
            drawn = chips(challenge, (number - first) * count, count)
            quantity = np.full(COUNT, self._far.gains[self.modality])
            health = np.zeros((count, COUNT), dtype=np.uint16)
            place = self._far.place
            if self._far.cut and self.modality not in self._far.spared:
                quantity[place] = 2.0
            values = drawn.drive.real[:, None] * quantity
            values += NOISE * generator.standard_normal(values.shape)
            if self._far.cut and self.modality == "loops":
                health[:, place] = Health.CLIPPED
                values[:, place] = np.where(values[:, place] >= 0.0, 9.0, -9.0)
            wait_s = self._far.start_s + (number + 1) * WINDOW_S - time.monotonic()
            time.sleep(max(wait_s, 0.0))
            while self._far.stalled == self.modality:
                time.sleep(0.01)
            if not self._open:
                return
            chip = (number - first) * count + np.arange(count)
            t_s = np.asarray((first * count + chip) * CHIP_S, dtype=np.float64)
            yield Block(t_s=t_s, chip=chip, values=values, health=health)

    def close(self) -> None:
        """End the stream."""
        self._open = False


class SmallFar:
    """What `readers.Far` is to a twin. `swap` puts another module in; every module has a key.

    cut: at channel `place` (0 on the front, 3 on the back) of all modalities but `spared`.
    """

    def __init__(self) -> None:
        self.readers = {name: SmallReader(self, name) for name in NAMES}
        self.hello: dict[str, Any] = {"rekeys": True}
        self.begun, self.start_s = threading.Event(), 0.0
        self.cut, self.stalled = False, ""
        self.place, self.spared = 0, frozenset[str]()
        self.gains, self.numbers = dict.fromkeys(NAMES, 1.0), dict.fromkeys((*NAMES, *PARTS), 0)
        self.hear: Callable[[dict[str, Any]], None] = lambda _said: None
        self.unlocked: set[str] = set()
        self.change: dict[str, Any] = {}
        self.swapped: Callable[[str, int], None] = lambda _name, _number: None

    def send(self, message: dict[str, Any]) -> None:
        """Take the start, for how long time stands still, and questions to modules."""
        if "start" in message or "slip" in message:
            self.start_s = float(message.get("start", self.start_s)) + message.get("slip", 0.0)
        if "start" in message:
            self.begun.set()
        self.unlocked |= set(message.get("unlock", ()))
        self.unlocked -= set(message.get("lock", ()))
        if "identify" in message:
            name, nonce = message["identify"], bytes.fromhex(message["nonce"])
            asked = module_identity.message("small", "UNIT-1", name, nonce)
            signature = module_key(name, self.numbers[name]).sign(asked).hex()
            self.hear({"identified": name, "nonce": nonce.hex(), "signature": signature})
        if "measure" in message:
            self.hear({"measured": self.measured().decode()})

    def measured(self) -> bytes:
        """Return anchors with what modules read; `change`: of what a lying one alters besides."""
        made = []
        for name in NAMES:
            new = replace(anchor(name), nominal=self.gains[name] * np.ones(COUNT))
            made.append(replace(new, **self.change) if self.numbers[name] else new)
        return anchor_bytes(tuple(made))

    def swap(self, name: str, number: int = 1, gain: float = 1.05) -> None:
        """Put module `number` in a place; 9 is one that nobody knows."""
        self.numbers[name], self.gains[name] = number, gain
        self.swapped(name, number)
        self.hear({"announced": name})


def module_key(name: str, number: int) -> Any:
    """Return the key of a module; 0 was delivered fitted, 1 is the spare."""
    seed = hashlib.sha256(f"{name} {number}".encode()).digest()
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def identities() -> tuple[Module, ...]:
    """Return what is fitted, and a spare each."""
    return tuple(
        Module(name=name, key=PublicKey(ED25519, module_key(name, k).public_key()
               .public_bytes_raw()))
        for name in (*NAMES, *PARTS) for k in (0, 1)
    )  # fmt: skip


def wanted(folder: Path, **changes: Any) -> Wanted:
    """Return what the small enclosure is."""
    given: dict[str, Any] = {
        "folder": folder, "enclosure": "small", "serial": "UNIT-1", "faces": frozenset(TILES),
        "modules": frozenset(NAMES), "far_per_year": 0.1, "simulated": True,
        "features": COUNT * len(NAMES), "window_s": WINDOW_S,
        "anchors": anchor_bytes(tuple(map(anchor, NAMES))), "keys": "process", "batch_s": 10,
        "identities": identities(),
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
