"""The service as the process that `casemate fleet serve` is, and a person who reads its pages."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from casemate.core.errors import ReaderError
from casemate.fleet.service.garbage import resident_bytes

START_S = 120.0
"""In which the service has to answer (planning value)."""
_END_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A service that runs. url: where it answers."""

    process: subprocess.Popen[str]
    url: str

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port."""
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def cpu_s(self) -> float:
        """Return the processor time that it has used, in seconds (Linux)."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self) -> int:
        """Return its resident memory."""
        return resident_bytes(self.process.pid)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_END_S)


@contextmanager
def serving(folder: Path, *, port: int = 0) -> Iterator[Child]:
    """Yield the service of a folder, on this machine alone; it ends with the block."""
    told = subprocess.Popen(
        [sys.executable, "-m", "casemate", "fleet", "serve", str(folder), "--json", "--listen",
         f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert told.stdout is not None
        line = told.stdout.readline()
        if not line:
            raise ReaderError(
                "the service did not start.", remedy="see what it said.", reader=str(folder)
            )
        yield Child(process=told, url=str(json.loads(line)["url"]))
    finally:
        if told.poll() is None:
            told.terminate()
        try:
            told.wait(_END_S)
        except subprocess.TimeoutExpired:
            told.kill()
            told.wait(_END_S)


class Reader:
    """A person who has signed in and reads the page of the fleet over and over."""

    def __init__(self, url: str, ca: Path, code: str) -> None:
        self._parts = urlsplit(url)
        self._context = ssl.create_default_context(cafile=str(ca))
        answer, _ = self._ask("POST", "/sign-in", urlencode({"code": code}), {})
        cookie = answer.getheader("set-cookie", "") or ""
        if answer.status != 303 or not cookie:
            raise ReaderError("nobody could sign in.", remedy="make a new code.", reader=url)
        self._headers = {"Cookie": cookie.partition(";")[0]}

    def fleet_s(self) -> float:
        """Return how long the page of the fleet took, in seconds."""
        begun = time.monotonic()
        answer, _ = self._ask("GET", "/fleet", None, self._headers)
        if answer.status != 200:
            raise ReaderError(
                f"the page of the fleet: {answer.status}.", remedy="see the service.", reader="page"
            )
        return time.monotonic() - begun

    def states(self) -> dict[str, int]:
        """Return how many enclosures are shown in each state."""
        _, data = self._ask("GET", "/fleet.json", None, self._headers)
        row: dict[str, Any] = json.loads(data)
        return {name: int(count) for name, count in row["counts"].items() if count}

    def _ask(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        link = http.client.HTTPSConnection(
            str(self._parts.hostname), int(self._parts.port or 0), timeout=60,
            context=self._context,
        )  # fmt: skip
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        try:
            link.request(method, path, body=body, headers={**headers, **kind})
            answer = link.getresponse()
            return answer, answer.read()
        finally:
            link.close()
