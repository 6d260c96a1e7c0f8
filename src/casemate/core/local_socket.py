"""One question and one answer, a line of JSON each, over a socket in a folder of this machine.

Root and this user may ask: the folder's rights say so, and the kernel's word on who asks. Names are
resolved through a descriptor of the folder, since an address has room for 107 bytes only.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from casemate.core.errors import CasemateError, InputError
from casemate.core.private_folder import private_folder

MOST_BYTES = 1 << 20
TIMEOUT_S = 10.0
"""Longest wait for bytes (planning value)."""

Answer = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def _address(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def ask(path: Path, question: dict[str, Any], *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Return the answer; InputError if nobody answers there."""
    try:
        with socket.socket(socket.AF_UNIX) as link, _address(path) as address:
            link.settimeout(timeout_s)
            link.connect(address)
            link.sendall(json.dumps(question).encode() + b"\n")
            found = read_object(link)
    except (OSError, ValueError):
        found = None
    if found is None:
        raise InputError(
            "nothing that runs answers there.",
            remedy="start it with `casemate run DIR`, and wait until it says ARMED.",
            file=str(path),
        )
    return found


class Desk:
    """Answers questions at a socket, in threads of its own, until it is closed.

    An answer that raises an error of ours says so under "error".
    """

    def __init__(self, path: Path, answer: Answer) -> None:
        self._path, self._answer = path, answer
        private_folder(path.parent)
        with suppress(FileNotFoundError):
            path.unlink()
        self._socket = socket.socket(socket.AF_UNIX)
        with _address(path) as address:
            self._socket.bind(address)
        path.chmod(0o600)
        self._socket.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(link,), daemon=True).start()

    def _one(self, link: socket.socket) -> None:
        with link, suppress(OSError, ValueError):
            link.settimeout(TIMEOUT_S)
            if _user(link) not in (0, os.geteuid()):
                return
            question = read_object(link)
            if question is None:
                return
            try:
                found = self._answer(question)
            except CasemateError as error:
                found = {"error": error.message, "remedy": error.remedy}
            link.sendall(json.dumps(found).encode() + b"\n")


def _user(link: socket.socket) -> int:
    """Return the user at the other end (unix(7), SO_PEERCRED), as it was at its connect."""
    _, user, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(user)


def read_object(link: socket.socket) -> dict[str, Any] | None:
    """Return the JSON object in the next line, None if there is none; OSError."""
    try:
        found = json.loads(_line(link))
    except (ValueError, RecursionError):  # a few kB of brackets are nested too deeply
        return None
    return found if isinstance(found, dict) else None


def _line(link: socket.socket) -> bytes:
    held = b""
    while not held.endswith(b"\n") and len(held) < MOST_BYTES:
        part = link.recv(65_536)
        if not part:
            break
        held += part
    return held
