"""The twin as a process of its own: the far side of readers, and a desk where moves are asked for.

It stands for hardware. The controller sees blocks of samples and nothing else of it; a move is
carried out here and never told to the controller.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from casemate.campaigns.live import live_reader
from casemate.campaigns.reader import TwinReader
from casemate.campaigns.ready import Ready, ready
from casemate.cli import twin_attack
from casemate.cli.twin_doors import Doors
from casemate.cli.twin_modules import Modules
from casemate.cli.twin_power import Power, stop_machine
from casemate.cli.twin_trays import Trays
from casemate.control.wires import challenge_of, frame, unframed
from casemate.core.challenge import Challenge
from casemate.core.local_socket import Desk
from casemate.core.randomness import new_secret
from casemate.core.samples import Block
from casemate.design.enclosure import Enclosure
from casemate.detect.anchor import AnyAnchor, anchor_bytes
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin, assemble
from casemate.twin.conditions import WINDOW_S
from casemate.twin.stage import Stage

SHARE = 0.9
"""Of the spec's false alarms that keyed evidence may use, as in `prove`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinOrder:
    """Which twin is to be run. desk: where moves are asked for. tiles: boards that are read.

    controller: process that ends when power does. rack: files of a made-up Redfish service, whose
    trays can then be swapped; None without one.
    """

    enclosure: Enclosure
    kind: str
    secret: bytes
    boards: Path
    site: str
    seed: int
    far_per_year: float
    desk: Path
    tiles: tuple[str, ...]
    controller: int
    rack: Path | None = None


def main(link: Connection, order: TwinOrder) -> None:
    """Assemble, say hello, and deliver windows at their time until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this process ends it
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _run(link, order)


def _run(link: Connection, order: TwinOrder) -> None:
    twin = assemble(
        order.enclosure, kind=order.kind, secret=order.secret, folder=order.boards,
        site=order.site, seed=order.seed,
    )  # fmt: skip
    made = ready(twin, far_per_year=order.far_per_year)
    sensed = made.sensed(order.tiles)
    stage, clock = Stage(twin, seed=order.seed), Clock()
    readers = {
        each.fitted.id: live_reader(
            twin, each.fitted, stage, seed=order.seed, first=lambda: clock.number
        )
        for each in sensed
    }
    _warm_up(twin, tuple(each.fitted for each in sensed), order.seed)
    anchors = tuple(each.anchor for each in sensed)
    wire = Wire(link)
    modules = Modules(
        anchors, enclosure=order.enclosure.name, serial=order.enclosure.serial,
        secret=order.secret, file=order.desk.with_name("fitted.json"), say=wire.say,
        trays=Trays(order.rack, seed=order.seed) if order.rack is not None else None,
    )  # fmt: skip
    hello = _hello(made, tuple(each.fitted for each in sensed), readers, anchors)
    hello["modules"], hello["parts"] = modules.identities(), modules.parts
    doors = Doors({each.face for each in order.enclosure.panels if each.door}, wire.say)
    link.send_bytes(json.dumps(hello).encode())
    streams: dict[str, Stream] = {}
    while True:
        message, _ = unframed(link.recv_bytes())
        if "configure" in message:
            _configure(streams, readers, challenge_of(message["configure"]), clock)
        elif "start" in message:
            break
    clock.start_s = float(message["start"])
    power = Power(wire.say, lambda: stop_machine(order.controller))
    desk = Desk(order.desk, Mover(order, stage, clock, modules, doors, power).answer)
    try:
        _deliver(wire, streams, readers, clock, modules, doors)
    finally:
        power.close()
        desk.close()


class Wire:
    """The pipe to the controller, which threads share."""

    def __init__(self, link: Connection) -> None:
        self.link = link
        self._lock = threading.Lock()

    def say(self, message: dict[str, Any], block: Block | None = None) -> None:
        """Send a message, and a block if there is one."""
        data = frame(message, block)
        with self._lock:
            self.link.send_bytes(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What answers one challenge, from the window at `begins_s` on."""

    blocks: Iterator[Block]
    epoch: int
    begins_s: float

    def next(self) -> Block:
        """Return the next block, on the enclosure's timebase."""
        block = next(self.blocks)
        return replace(block, t_s=block.t_s + self.begins_s)


def _configure(
    streams: dict[str, Stream], readers: dict[str, TwinReader], asked: Challenge, clock: Clock
) -> None:
    """Let a reader answer another challenge from the next window on: no chip is lost."""
    streams[asked.modality] = Stream(
        blocks=readers[asked.modality].configure(asked),
        epoch=asked.epoch,
        begins_s=clock.number * WINDOW_S,
    )


@dataclass(slots=True)
class Clock:
    """The stage's time: seconds since `start_s` of the monotonic clock. number: window to come."""

    start_s: float = 0.0
    number: int = 0

    def now_s(self) -> float:
        """Return the time."""
        return time.monotonic() - self.start_s


def _deliver(
    wire: Wire,
    streams: dict[str, Stream],
    readers: dict[str, TwinReader],
    clock: Clock,
    modules: Modules,
    doors: Doors,
) -> None:
    while True:
        made = [(name, each, modules.read(name, each.next())) for name, each in streams.items()]
        wait_s = (clock.number + 1) * WINDOW_S - clock.now_s()
        if wait_s > 0.0:
            time.sleep(wait_s)
        for name, each, block in made:
            wire.say({"modality": name, "epoch": each.epoch}, block)
        clock.number += 1
        doors.tick(clock.number * WINDOW_S)
        while wire.link.poll(0):  # EOFError ends it
            message, _ = unframed(wire.link.recv_bytes())
            clock.start_s += float(message.get("slip", 0.0))
            modules.take(message)
            if "configure" in message:
                _configure(streams, readers, challenge_of(message["configure"]), clock)


class Mover:
    """Carries out the moves that are asked for."""

    def __init__(
        self,
        order: TwinOrder,
        stage: Stage,
        clock: Clock,
        modules: Modules,
        doors: Doors,
        power: Power,
    ) -> None:
        self._order, self._stage, self._clock, self._modules = order, stage, clock, modules
        self._doors, self._power = doors, power
        self._count = 0

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Carry out a move, or put a module in; InputError if it cannot be."""
        if "swap" in question:
            alien = question.get("alien") is True
            return {"done": [self._modules.swap(str(question["swap"]), alien=alien)]}
        told = self._power.move(
            str(question.get("attack", "")), [str(each) for each in question.get("values", [])]
        )
        if told is not None:
            return {
                "done": [" ".join(f"{name} {value}" for name, value in told.items())],
                "effects": 0,
                "begins": time.monotonic(),
                "first_hole_s": None,
            }
        args = argparse.Namespace(
            attack=str(question.get("attack", "")),
            values=[str(each) for each in question.get("values", [])],
            tile=question.get("tile"),
            at=question.get("at"),
            near=str(question.get("near", "anywhere")),
        )
        attack = twin_attack.asked(args)
        if attack is None:
            return {"done": []}
        self._count += 1
        seed = int(question.get("seed", self._order.seed + self._count - 1))
        where = attack.placed(self._order.enclosure, np.random.default_rng([seed, 0]))
        scene = attack.scene(where)
        begins_s = self._clock.now_s()
        self._stage.begin(scene, begins_s)
        self._doors.begin(scene, begins_s)
        contact = [each.start_s for each in scene if type(each.effect).__name__ == "Hole"]
        return {
            "done": list(twin_attack.in_words(attack, where)),
            "effects": len(scene),
            "begins": self._clock.start_s + begins_s,
            "first_hole_s": min(contact, default=None),
        }


def _warm_up(twin: Twin, fitted: tuple[Fitted, ...], seed: int) -> None:
    """Let the kernels be compiled before time runs."""
    stage = Stage(twin, seed=seed, horizon_s=100.0)
    for each in fitted:
        reader = live_reader(twin, each, stage, seed=seed)
        asked = Challenge(
            key=new_secret(), modality=each.id, epoch=1, chip_s=each.chip_s, order=reader.order
        )
        for _ in itertools.islice(reader.configure(asked), 2):
            pass


def _hello(
    made: Ready,
    fitted: tuple[Fitted, ...],
    readers: dict[str, TwinReader],
    anchors: tuple[AnyAnchor, ...],
) -> dict[str, Any]:
    rows = [
        {
            "modality": each.id,
            "chip_s": each.chip_s,
            "order": readers[each.id].order,
            "channels": [
                [c.id, c.unit, c.tile, c.low, c.high, c.excited] for c in readers[each.id].channels
            ],
        }
        for each in fitted
    ]
    return {
        "readers": rows,
        "rekeys": True,
        "window_s": WINDOW_S,
        "features": made.policy.features,
        "anchors": anchor_bytes(anchors).decode(),
    }
