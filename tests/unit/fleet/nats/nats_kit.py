"""nats-server on 127.0.0.1, as `casemate fleet broker` sets it up, and controllers that use it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brokers import answers, free_port, until
from fleet_kit import Brought, Kit, enter
from outlets_kit import program

from casemate.fleet.access import certificates
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.nats import settings as brokers
from casemate.fleet.nats.door import Door
from casemate.fleet.nats.receive import Receiver
from casemate.fleet.nats.send import NatsPusher
from casemate.fleet.nats.settings import Broker
from casemate.fleet.service import broker_files
from casemate.fleet.service.home import Home
from casemate.fleet.service.identity import write_identity
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import write_bundle


@dataclass(slots=True)
class NatsServer:
    """A broker that can be killed and started again. Its messages lie on disk."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("nats-server"), "-c", str(self.folder / broker_files.CONFIG)],
                stdout=log, stderr=log,
            )  # fmt: skip
        until(lambda: answers(self.port))

    def kill(self) -> None:
        """Kill it, as a power cut of its machine would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@dataclass(slots=True)
class Carried:
    """A service with a broker before it, and one controller."""

    kit: Kit
    place: Home
    server: NatsServer
    broker: Broker
    brought: Brought
    identity: Path
    folder: Path

    def write(self) -> None:
        """Write the story's evidence as its controller would."""
        story = self.brought.story
        shutil.rmtree(self.folder, ignore_errors=True)
        entries, size = story.entries, read_note(story.notes[-1]).stated.size
        write_bundle(story.bundle(entries=entries[:size], pending=entries[size:]), self.folder)
        self.kit.clock.now_s = story.now_s + 5

    def pusher(self, identity: Path | None = None, answer_s: float = 10.0) -> NatsPusher:
        """Return a controller's side."""
        url = f"tls://127.0.0.1:{self.server.port}"
        return NatsPusher(self.folder, url, identity or self.identity, answer_s=answer_s)

    @contextmanager
    def receiver(self, door: Door | None = None) -> Iterator[Receiver]:
        """Yield the service's side, connected."""
        held = door or Door(self.kit.service, self.place.folder / "nats")
        made = Receiver(self.broker, held, ack_wait_s=2.0)
        try:
            until(lambda: not made.failed)
            yield made
        finally:
            made.close()

    def stored(self) -> int:
        """Return how many entries the service has."""
        with self.kit.service.store.read() as link:
            return evidence.next_number(link, self.brought.enclosure_id)


@contextmanager
def carried(kit: Kit, folder: Path) -> Iterator[Carried]:
    """Yield a service, a broker and a controller with a story."""
    program("nats-server")
    store = str(kit.service.store.engine.url)
    place = Home(folder=folder, name="fleet.test", store=store)
    certificates.make_authority(place.tls, place.name)
    brought = enter(kit, honest.armed(1))
    made = certificates.issue(place.tls, honest.SERIAL)
    with kit.service.store.write() as link:
        evidence.let(link, brought.enclosure_id, made.fingerprint, 0)
    write_identity(place, folder / "identity", made)
    port = free_port()
    broker_files.write(place, folder / "broker", "127.0.0.1", port=port)
    row = {"host": "127.0.0.1", "port": port, "ca": "nats/ca.pem",
           "certificate": "nats/certificate.pem", "key": "nats/key.pem"}  # fmt: skip
    broker = brokers.read(row, folder, folder / "fleet.json")
    assert broker is not None
    server = NatsServer(folder / "broker", port)
    server.start()
    try:
        yield Carried(kit, place, server, broker, brought, folder / "identity", folder / "brought")
    finally:
        server.kill()
