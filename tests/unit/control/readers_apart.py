"""The small enclosure's readers, each in a process of its own behind a pipe, so that it can die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from small_enclosure import NAMES, SmallFar

from casemate.control.readers import Far
from casemate.control.wires import challenge_of, frame, unframed

START_S = 120.0


def serve(link: Connection, name: str) -> None:
    """Be the process of one reader until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    far, lock, told = SmallFar(), threading.Lock(), threading.Event()
    reader = far.readers[name]

    def say(data: bytes) -> None:
        with suppress(OSError), lock:
            link.send_bytes(data)

    def stream(asked: Any) -> None:
        for block in reader.configure(asked):
            cut = far.cut
            say(frame({"modality": name, "epoch": asked.epoch}, block))
            if cut and not told.is_set():
                told.set()
                say(frame({"telling": name}))

    row = {
        "modality": name, "chip_s": reader.chip_s, "order": reader.order,
        "channels": [[c.id, c.unit, c.tile, c.low, c.high, c.excited] for c in reader.channels],
    }  # fmt: skip
    far.hear = lambda said: say(frame(said))
    say(frame({"readers": [row], "rekeys": True}))
    with suppress(EOFError, OSError):
        while True:
            message, _ = unframed(link.recv_bytes())
            if "configure" in message:
                asked = challenge_of(message["configure"])
                threading.Thread(target=stream, args=(asked,), daemon=True).start()
            elif "cut" in message:
                far.cut = True
            else:
                far.send(message)


class FarApart:
    """What `readers.Far` is, of as many processes as there are readers. `kill` ends one of them."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._fars: dict[str, Far] = {}
        self._processes = {}
        links = {}
        for name in NAMES:
            links[name], theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, name), daemon=True)
            process.start()
            theirs.close()
            self._processes[name] = process
        for name, link in links.items():
            self._fars[name] = Far(link, timeout_s=START_S)
            self._fars[name].hear = self._heard
        self._links = links
        self.readers = {name: far.readers[name] for name, far in self._fars.items()}
        self.hello: dict[str, Any] = {"rekeys": True}
        self.hear: Callable[[dict[str, Any]], None] = lambda _said: None
        self.telling: set[str] = set()

    def _heard(self, said: dict[str, Any]) -> None:
        if "telling" in said:
            self.telling.add(said["telling"])
        else:
            self.hear(said)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to all of them."""
        for each in self._fars.values():
            each.send(message)

    @property
    def cut(self) -> bool:
        """Return nothing of use; set it to cut."""
        return bool(self.telling)

    @cut.setter
    def cut(self, _value: bool) -> None:
        for name, each in self._fars.items():
            if self._processes[name].is_alive():
                each.send({"cut": True})

    def kill(self, name: str) -> None:
        """Kill the process of a reader."""
        pid = self._processes[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self._processes[name].join()

    def close(self) -> None:
        """End all of them."""
        for name, link in self._links.items():
            self._processes[name].kill()
            self._processes[name].join()
            link.close()
