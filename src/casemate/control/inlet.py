"""Messages of a pipe to readers as bytes, each taken from the system in one piece.

What `Connection.recv_bytes` returns, whose frames these are (a length, then so many bytes). That
takes what has come so far, piece by piece, and puts the pieces together: a rack's window of 40 MB
is then copied three times.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Iterator
from multiprocessing.connection import Connection

MOST_BYTES = 1 << 30
"""Of a message; a longer one is taken for the end (planning value: a rack's window has 4e7)."""


def messages(link: Connection) -> Iterator[bytes]:
    """Yield messages until the other end is closed, or this one: EOFError or OSError."""
    if not stat.S_ISSOCK(os.fstat(link.fileno()).st_mode):
        while True:
            yield link.recv_bytes()
    inlet = socket.socket(fileno=link.fileno())
    try:
        while not link.closed:
            (size,) = struct.unpack("!i", _whole(inlet, 4))
            if size < 0:
                (size,) = struct.unpack("!Q", _whole(inlet, 8))
            if size > MOST_BYTES:
                raise EOFError
            yield _whole(inlet, size)
        raise OSError("the pipe was closed at this end")
    finally:
        inlet.detach()  # the number is the pipe's, which closes it


def _whole(inlet: socket.socket, size: int) -> bytes:
    """Return the next `size` bytes."""
    found = inlet.recv(size, socket.MSG_WAITALL) if size else b""
    while len(found) < size:  # a signal has come, or the end
        more = inlet.recv(size - len(found), socket.MSG_WAITALL)
        if not more:
            raise EOFError
        found += more
    return found
