"""A serial port with time limits and one kind of error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from casemate.core.errors import ReaderError

if TYPE_CHECKING:
    import serial


class Port(Protocol):
    """Bytes to and from a device. Every method raises ReaderError if the device is gone."""

    name: str

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting at most `timeout_s` for a first byte; b"" if none did."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of `data`, or raise within the port's time limit."""
        ...

    def close(self) -> None:
        """Let go of the device; again does nothing."""
        ...


class SerialPort:
    """A serial port by pyserial, exclusive to this process."""

    def __init__(self, name: str, *, baud: int = 115_200, write_timeout_s: float = 1.0) -> None:
        import serial

        self.name = name
        try:
            self._serial: serial.Serial = serial.Serial(
                name, baud, timeout=0, write_timeout=write_timeout_s, exclusive=True
            )
        except (OSError, ValueError) as error:
            raise ReaderError(
                f"the port cannot be opened: {error}.",
                remedy="plug the reader in, name its port, and close other programs that use it.",
                reader=name,
            ) from None

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting at most `timeout_s`; ReaderError if the device is gone."""
        import termios

        try:
            if self._serial.timeout != timeout_s:
                self._serial.timeout = timeout_s
            first = self._serial.read(1)
            return bytes(first + self._serial.read(self._serial.in_waiting)) if first else b""
        except (OSError, TypeError, termios.error) as error:  # TypeError: closed under a read
            raise self._gone(error) from None

    def write(self, data: bytes) -> None:
        """Send all of `data`; ReaderError if the device is gone or does not take it in time."""
        import termios

        try:
            self._serial.write(data)
        except (OSError, TypeError, termios.error) as error:
            raise self._gone(error) from None

    def close(self) -> None:
        """Close the port."""
        self._serial.close()

    def _gone(self, error: Exception) -> ReaderError:
        return ReaderError(
            f"the reader is gone: {error}.", remedy="plug the reader in again.", reader=self.name
        )
