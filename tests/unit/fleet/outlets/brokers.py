"""mosquitto on 127.0.0.1, and somebody who hears all that is published there."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from outlets_kit import program
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from receivers import identity


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@dataclass(slots=True)
class Mosquitto:
    """A broker that can be stopped and started. extra: lines of its configuration."""

    folder: Path
    port: int
    extra: str = "allow_anonymous true"
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        file = self.folder / "mosquitto.conf"
        file.write_text(f"listener {self.port} 127.0.0.1\n{self.extra}\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("mosquitto"), "-c", str(file)], stdout=log, stderr=log
            )
        until(lambda: answers(self.port))

    def stop(self) -> None:
        """Stop it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


def answers(port: int) -> bool:
    """Return whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds; fail after 20 s."""
    end_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


@contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """Yield a broker without TLS."""
    held = Mosquitto(folder, free_port())
    held.start()
    try:
        yield held
    finally:
        held.stop()


@contextmanager
def mosquitto_tls(folder: Path, user: str, password: str) -> Iterator[Mosquitto]:
    """Yield a broker with TLS that lets one user in. Run as root it becomes another user."""
    place = identity(folder / "broker")
    passwords = folder / "passwords"
    passwords.write_text(f"{user}:{password}\n")
    subprocess.run([program("mosquitto_passwd"), "-U", str(passwords)], check=True, timeout=30)
    extra = (
        f"allow_anonymous false\npassword_file {passwords}\ncafile {place / 'ca.pem'}\n"
        f"certfile {place / 'certificate.pem'}\nkeyfile {place / 'key.pem'}\nuser root"
    )
    held = Mosquitto(folder, free_port(), extra)
    held.start()
    try:
        yield held
    finally:
        held.stop()


@dataclass(slots=True)
class Ear:
    """Hears all. got: topic, payload, whether it was retained, in order."""

    got: list[tuple[str, bytes, bool]] = field(default_factory=list)
    client: Client | None = None

    def of(self, part: str) -> list[bytes]:
        """Return what came under topics with a part."""
        return [payload for topic, payload, _ in list(self.got) if part in topic]

    def last(self, topic: str) -> bytes | None:
        """Return what came last under a topic."""
        found = [payload for name, payload, _ in list(self.got) if name == topic]
        return found[-1] if found else None


@contextmanager
def ear(port: int) -> Iterator[Ear]:
    """Yield somebody who hears all that a broker has, from now on."""
    held, ready = Ear(), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, m: held.got.append((m.topic, m.payload, m.retain))
    client.on_connect = lambda c, *_: c.subscribe("#", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    held.client = client
    try:
        assert ready.wait(20)
        yield held
    finally:
        client.disconnect()
        client.loop_stop()
