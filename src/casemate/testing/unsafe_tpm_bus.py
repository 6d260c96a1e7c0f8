"""A TPM's bus that somebody can disturb: a socket before a software TPM's, for tests alone."""

from __future__ import annotations

import socket
import tempfile
import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from shutil import rmtree

_HEADER = 10
_RETRY, _FAILURE = 0x922, 0x101
_COMMANDS_MOST = 4096


class BusFault(StrEnum):
    """What the TPM does to commands: nothing, is busy for each once, fails all, or never answers.

    BUSY: TPM_RC_RETRY to every command when it first comes. FAILING: TPM_RC_FAILURE, as in failure
    mode. DEAF: takes commands, and neither carries them out nor answers.
    """

    NONE = "none"
    BUSY = "busy"
    FAILING = "failing"
    DEAF = "deaf"


class UnsafeTpmBus:
    """Passes commands on to the TPM at `real`, which may be set anew, as `fault` says.

    struck: commands that met a fault.
    """

    def __init__(self, real: str) -> None:
        self.real, self.fault, self.struck = real, BusFault.NONE, 0
        self._folder = Path(tempfile.mkdtemp(prefix="casemate-bus-"))  # sun_path has 107 bytes
        self.address = str(self._folder / "tpm")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.address)
        self._listener.listen(8)
        self._open = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self._open.append(link)
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        """Serve one connection; it ends with that to the TPM."""
        behind, address, before = None, "", b""
        try:
            while command := _message(link):
                if self.fault is BusFault.DEAF:
                    self.struck += 1
                    continue
                if code := self._code(command, before):
                    self.struck += 1
                    before = command
                    link.sendall(_answer(code))
                    continue
                before = b""
                if behind is None or address != self.real:
                    if behind is not None:
                        behind.close()
                    address = self.real
                    behind = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    behind.connect(address)
                behind.sendall(command)
                answer = _message(behind)
                if not answer:
                    break
                link.sendall(answer)
        except OSError:
            pass
        finally:
            if behind is not None:
                behind.close()
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _code(self, command: bytes, before: bytes) -> int:
        if self.fault is BusFault.FAILING:
            return _FAILURE
        return _RETRY if self.fault is BusFault.BUSY and command != before else 0


def _message(link: socket.socket) -> bytes:
    """Return a whole command or response; b"" at the end."""
    got = b""
    while len(got) < _HEADER or len(got) < int.from_bytes(got[2:6], "big"):
        more = link.recv(_COMMANDS_MOST)
        if not more:
            return b""
        got += more
    return got


def _answer(code: int) -> bytes:
    return bytes.fromhex("8001 0000000a") + code.to_bytes(4, "big")
