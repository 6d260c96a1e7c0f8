"""A device at the far end of a pseudo-terminal, in a thread."""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from types import TracebackType
from typing import Protocol


class Device(Protocol):
    """What an emulator does with bytes and with time; both return bytes to send."""

    def received(self, data: bytes, now_s: float) -> bytes:
        """Return the answer to what came."""
        ...

    def tick(self, now_s: float) -> bytes:
        """Return what is sent unasked; called about every millisecond."""
        ...


class Pty:
    """Runs a device while the context lasts; `name` is the port to open."""

    def __init__(self, device: Device, *, tick_s: float = 0.001) -> None:
        self.device = device
        self._tick_s = tick_s
        self._stop = threading.Event()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        tty.setraw(self._master)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._run, daemon=True, name="emulated reader")

    def __enter__(self) -> Pty:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unplug()

    def unplug(self) -> None:
        """Take the device away, as pulling its cable would."""
        if self._stop.is_set():
            return
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        os.close(self._master)
        os.close(self._slave)

    def _run(self) -> None:
        out = b""
        while not self._stop.is_set():
            ready, _, _ = select.select([self._master], [], [], self._tick_s)
            now_s = time.monotonic()
            if ready:
                try:
                    out += self.device.received(os.read(self._master, 4096), now_s)
                except OSError:
                    time.sleep(self._tick_s)
            out += self.device.tick(now_s)
            if out:
                try:
                    out = out[os.write(self._master, out[:1024]) :]
                except BlockingIOError:
                    out = out[-65_536:]  # a device without flow control drops what nobody takes
