"""Manifests for frames as they are signed: a process that has their key while the enclosure guards.

The key is gone within a second after nothing guards any more: the process that makes manifests ends
that of the key, or is killed, at which the key's overwrites its page and ends too. It is not the
evidence key, whose erasure takes no such time.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from casemate.control.adapters.apart import Apart
from casemate.control.adapters.payload import PROOF
from casemate.core.errors import CasemateError, InputError
from casemate.detect.response import ALERT

FOLDER, ISSUERS = "c2pa", "issuers.pem"
"""In the folder of frames: those with manifests, and what their reader has to trust."""
_LOOK_S = 0.1
_WAITING = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Where frames are, and whose they are."""

    folder: Path
    enclosure: str
    serial: str


def refuse() -> None:
    """Refuse if there is no library: InputError."""
    if find_spec("c2pa") is None:
        raise InputError(
            "c2pa-python is missing.", remedy="install the extra `c2pa`.", key="--c2pa"
        )


def work(link: Connection, order: Order) -> None:
    """Make a manifest for each frame that is named, in a process of its own."""
    from casemate.control.adapters.c2pa_manifest import Maker

    maker = Maker(order.enclosure, order.serial)
    try:
        out = order.folder / FOLDER
        out.mkdir(exist_ok=True)
        with (out / ISSUERS).open("a", encoding="ascii") as file:
            file.write(maker.root)
        while True:
            name = link.recv_bytes().decode()
            try:
                data = (order.folder / name).read_bytes()
                proof = json.loads((order.folder / f"{name}{PROOF}").read_bytes())
                part = out / f".{name}.part"
                part.write_bytes(maker.made(data, proof))
                os.replace(part, out / name)
            except (CasemateError, OSError, ValueError) as error:
                link.send_bytes(f"{name} has no manifest: {error}".encode())
    finally:
        maker.close()


class Manifests:
    """Names of frames go in by `put`, which never waits. tell: gets lines, with their level."""

    def __init__(
        self, order: Order, *, guards: Callable[[], bool], tell: Callable[[str, int], None]
    ) -> None:
        self._order, self._guards, self._tell = order, guards, tell
        self._names: queue.Queue[str] = queue.Queue(maxsize=_WAITING)
        self.left_out = 0
        self._apart: Apart | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="manifests", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Return the process that makes manifests, None while nothing guards."""
        apart = self._apart
        return apart.pid if apart is not None else None

    def put(self, names: Sequence[str]) -> None:
        """Take names of frames whose proofs are there; those beyond what can wait are left out."""
        for each in names:
            if each.endswith(".jpg"):
                try:
                    self._names.put_nowait(each)
                except queue.Full:
                    self.left_out += 1

    def close(self) -> None:
        """End, without what waits."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._turn()
        finally:
            self._drop()

    def _turn(self) -> None:
        if not self._guards():
            self._drop()
            self._stop.wait(_LOOK_S)
            return
        try:
            if self._apart is None:
                self._apart = Apart(work, self._order)
                self._hear = self._apart.messages(0.0)
            with suppress(queue.Empty):
                self._apart.send(self._names.get(timeout=_LOOK_S).encode())
            said = next(self._hear)
            if said is not None:
                self._tell(f"camera: {said.decode(errors='replace')}", ALERT)
        except (CasemateError, OSError) as error:
            self._tell(f"camera: no manifests are made: {error}", ALERT)
            self._drop()
            self._stop.wait(10.0)

    def _drop(self) -> None:
        if self._apart is not None:
            self._apart.close()
            self._apart = None
