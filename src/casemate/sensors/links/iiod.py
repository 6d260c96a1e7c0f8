"""A client of iiod, the server of libiio, by its text protocol over TCP.

A command is a line. The answer is a number on a line: negative is an errno, else a length or 0;
what has a length follows. libiio 1.x servers still speak it.
"""

from __future__ import annotations

import os
import socket
import time

from casemate.core.errors import ReaderError

PORT = 30431
"""iiod's, as registered in libiio."""
LINE_BYTES_MAX = 64
ERRNO_MAX = 4095
"""Linux's."""
ANSWER_BYTES_MAX = 16 << 20


class Iiod:
    """A connection. Every method ends within `timeout_s` and raises ReaderError."""

    def __init__(self, host: str, *, port: int = PORT, timeout_s: float = 2.0) -> None:
        self.name = f"{host}:{port}"
        self._timeout_s = timeout_s
        self._rest = b""
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as error:
            raise ReaderError(
                f"no IIO server answers: {error}.",
                remedy="check the address, and that iiod runs there.",
                reader=self.name,
            ) from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def version(self) -> str:
        """Return what the server calls itself."""
        self._send("VERSION")
        return self._line(time.monotonic() + self._timeout_s).strip()

    def context(self) -> bytes:
        """Return the XML that describes the server's devices."""
        return self._text("PRINT")

    def time_limit(self, seconds: float) -> None:
        """Tell the server how long it may wait for its hardware."""
        self._number(f"TIMEOUT {round(seconds * 1e3)}")

    def read(self, device: str, attribute: str, *, channel: str = "", output: bool = False) -> str:
        """Return an attribute of a device, or of one of its channels."""
        middle = f"{'OUTPUT' if output else 'INPUT'} {channel} " if channel else ""
        raw = self._text(f"READ {device} {middle}{attribute}")
        return raw.decode("ascii", "replace").strip("\0\n ")

    def read_number(
        self, device: str, attribute: str, *, channel: str = "", output: bool = False
    ) -> float:
        """Return an attribute that is a number; ReaderError if it is none."""
        text = self.read(device, attribute, channel=channel, output=output)
        try:
            return float(text.split()[0])
        except (ValueError, IndexError):
            raise self._failed(f"{channel or device} {attribute} is {text[:40]!r}") from None

    def write(
        self, device: str, attribute: str, value: str, *, channel: str = "", output: bool = False
    ) -> None:
        """Set an attribute of a device, or of one of its channels."""
        middle = f"{'OUTPUT' if output else 'INPUT'} {channel} " if channel else ""
        raw = value.encode("ascii") + b"\0"
        self._number(f"WRITE {device} {middle}{attribute} {len(raw)}", raw)

    def open(self, device: str, samples: int, mask: int, channels: int) -> None:
        """Open a device's buffer for the channels of `mask` (bit 0: scan index 0)."""
        words = max(1, -(-channels // 32))
        self._number(f"OPEN {device} {samples} {mask:0{8 * words}x}")

    def shut(self, device: str) -> None:
        """Close a device's buffer."""
        self._number(f"CLOSE {device}")

    def read_buffer(self, device: str, count: int, channels: int) -> bytes:
        """Return up to `count` bytes of an open buffer."""
        limit_s = time.monotonic() + self._timeout_s
        self._send(f"READBUF {device} {count}")
        out = b""
        while len(out) < count:
            size = self._answer(limit_s, "READBUF")
            if size == 0:
                break
            if size > count - len(out):
                raise self._failed("READBUF: more than was asked for")
            if not out:
                self._exactly(8 * max(1, -(-channels // 32)) + 1, limit_s)  # mask, line end
            out += self._exactly(size, limit_s)
        return out

    def close(self) -> None:
        """Hang up; again does nothing."""
        self._socket.close()

    def _number(self, command: str, payload: bytes = b"") -> int:
        self._send(command, payload)
        return self._answer(time.monotonic() + self._timeout_s, command)

    def _text(self, command: str) -> bytes:
        limit_s = time.monotonic() + self._timeout_s
        self._send(command)
        size = self._answer(limit_s, command)
        if size > ANSWER_BYTES_MAX:
            raise self._failed(f"{command}: an answer of {size} bytes")
        return self._exactly(size + 1, limit_s)[:size]

    def _answer(self, limit_s: float, command: str) -> int:
        line = self._line(limit_s)
        try:
            number = int(line)
        except ValueError:
            raise self._failed(f"{command}: {line[:40]!r} is no number") from None
        if number < -ERRNO_MAX:
            raise self._failed(f"{command}: {number} is no error code")
        if number < 0:
            raise self._failed(f"{command}: {os.strerror(-number)}")
        return number

    def _send(self, command: str, payload: bytes = b"") -> None:
        try:
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(command.encode("ascii") + b"\r\n" + payload)
        except OSError as error:
            raise self._failed(f"{command}: {error}") from None

    def _line(self, limit_s: float) -> str:
        while b"\n" not in self._rest:
            if len(self._rest) > LINE_BYTES_MAX:
                raise self._failed("a line that does not end")
            self._more(limit_s)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("ascii", "replace")

    def _exactly(self, count: int, limit_s: float) -> bytes:
        while len(self._rest) < count:
            self._more(limit_s)
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def _more(self, limit_s: float) -> None:
        left = limit_s - time.monotonic()
        if left <= 0.0:
            raise self._failed("no answer in time")
        try:
            self._socket.settimeout(left)
            got = self._socket.recv(65_536)
        except OSError as error:
            raise self._failed(str(error)) from None
        if not got:
            raise self._failed("the server hung up")
        self._rest += got

    def _failed(self, what: str) -> ReaderError:
        return ReaderError(
            f"{what}.", remedy="check the IIO server and its device.", reader=self.name
        )
