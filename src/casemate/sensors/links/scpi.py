"""An instrument that speaks SCPI, through VISA, with time limits and its error queue."""

from __future__ import annotations

import contextlib
from typing import Any

from casemate.core.errors import ReaderError

ERRORS_MAX = 32
"""Errors read from the queue at a time; SCPI-99 asks for a queue of at least 2."""


class Scpi:
    """A VISA session. Every method raises ReaderError, within `timeout_s`.

    resource: such as TCPIP::192.0.2.7::5025::SOCKET. backend: "@py" is pyvisa-py, "" a vendor's.
    """

    def __init__(self, resource: str, *, backend: str = "@py", timeout_s: float = 5.0) -> None:
        import pyvisa

        self.name = resource
        self._session: Any = None
        try:
            self._manager = pyvisa.ResourceManager(backend)
            self._session = self._manager.open_resource(
                resource,
                open_timeout=int(timeout_s * 1e3),
                read_termination="\n",
                write_termination="\n",
                timeout=int(timeout_s * 1e3),
            )
        except Exception as error:  # pyvisa's backends raise many unrelated types
            self.close()
            raise ReaderError(
                f"the instrument cannot be reached: {type(error).__name__}.",
                remedy="check its address, that it is on, and that no other program holds it.",
                reader=resource,
            ) from None

    def send(self, *commands: str) -> None:
        """Send commands that have no answer, as one message."""
        message = ";".join(commands)
        try:
            self._session.write(message)
        except Exception as error:  # as above
            raise self._failed(message, error) from None

    def ask(self, *commands: str) -> str:
        """Return the answer to the last of `commands`, a query, without white space at its ends.

        They go out as one message, as IEEE 488.2 allows: each starts with ":" or "*". On a socket,
        a message behind another that has no answer would wait some 40 ms for its acknowledgement.
        """
        query = ";".join(commands)
        try:
            return str(self._session.query(query)).strip()
        except Exception as error:  # as above
            raise self._failed(query, error) from None

    def errors(self) -> tuple[str, ...]:
        """Return and empty the instrument's error queue; () if it has none."""
        found = []
        for _ in range(ERRORS_MAX):
            answer = self.ask(":SYST:ERR?")
            code = answer.partition(",")[0].strip()
            if not code.lstrip("+-").isdigit():
                raise self._failed(":SYST:ERR?", ValueError(answer[:40]))
            if int(code) == 0:
                break
            found.append(answer)
        return tuple(found)

    def numbers(self, *commands: str, count: int) -> tuple[float, ...]:
        """Return `count` comma-separated numbers; ReaderError if the answer is none."""
        answer = self.ask(*commands)
        try:
            found = tuple(float(part) for part in answer.split(","))
        except ValueError:
            found = ()
        if len(found) != count:
            raise self._failed(
                commands[-1], ValueError(f"{count} numbers expected, not {answer[:40]!r}")
            )
        return found

    def close(self) -> None:
        """Let go of the instrument; never raises. The manager stays: other sessions share it."""
        session, self._session = self._session, None
        with contextlib.suppress(Exception):
            if session is not None:
                session.close()

    def _failed(self, command: str, error: Exception) -> ReaderError:
        return ReaderError(
            f"{command!r} failed: {type(error).__name__}: {str(error)[:120]}",
            remedy="check the connection and that the instrument speaks these commands.",
            reader=self.name,
        )
