"""A device that speaks lines over TCP on this machine, in threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol


class Conversation(Protocol):
    """One client's talk with a device."""

    def answer(self, line: str, payload: Callable[[int], bytes]) -> bytes | None:
        """Return what a line is answered with; None hangs up. `payload` reads bytes after it."""
        ...


class TcpServer:
    """Serves while the context lasts, on `port` of 127.0.0.1; each client talks for itself."""

    def __init__(self, converse: Callable[[], Conversation]) -> None:
        self._converse = converse
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> TcpServer:
        self._launch(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on everybody, as a power cut would."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2.0)
        self._listener.close()

    def _launch(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True, name="emulated instrument")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                continue
            self._launch(lambda client=client: self._talk(client))  # type: ignore[misc]

    def _talk(self, client: socket.socket) -> None:
        talk, rest = self._converse(), b""

        def more() -> None:
            nonlocal rest
            while not self._stop.is_set():
                try:
                    got = client.recv(4096)
                except TimeoutError:
                    continue
                if not got:
                    raise ConnectionError
                rest += got
                return
            raise ConnectionError

        def payload(count: int) -> bytes:
            nonlocal rest
            while len(rest) < count:
                more()
            taken, rest = rest[:count], rest[count:]
            return taken

        client.settimeout(0.05)
        with client:
            try:
                while not self._stop.is_set():
                    while b"\n" not in rest:
                        more()
                    line, _, rest = rest.partition(b"\n")
                    answer = talk.answer(line.decode("ascii", "replace").strip(), payload)
                    if answer is None:
                        return
                    client.sendall(answer)
            except OSError:
                return
