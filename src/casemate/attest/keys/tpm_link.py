"""The way to a TPM: commands and responses as bytes, by a device or a socket. No TPM library.

An address is the path of a character device ("/dev/tpmrm0", which several processes may open) or of
a socket (swtpm, which serves one connection at a time).
"""

from __future__ import annotations

import os
import select
import socket
import stat
import threading
import time
from types import TracebackType
from typing import Self

from casemate.attest.keys.protocol import CustodyError

ANSWER_S = 30.0
"""A hardware TPM makes a key in some seconds. A planning value."""
_MOST = 4096
_HEADER = 10
RC_HANDLE = 0x18B
"""Response: the first handle names nothing (part 2, TPM_RC_HANDLE with TPM_RC_1)."""
_BUSY = (0x908, 0x90A, 0x922)
"""TPM_RC_YIELDED, _TESTING and _RETRY: the command was not carried out, and is to be sent again
(part 2, table of warnings)."""
_AGAIN_S = 1e-3
OWNER = 0x40000001


class Link:
    """One connection. CustodyError if the TPM cannot be reached or does not answer.

    Hold `lock` from a command to its response: a TPM does one thing at a time.
    """

    def __init__(self, address: str) -> None:
        self.lock = threading.Lock()
        self.address = address
        try:
            if stat.S_ISSOCK(os.stat(address).st_mode):
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                    link.connect(address)
                    self._descriptor = link.detach()
            else:
                # without O_NONBLOCK the kernel carries a command out within the write
                self._descriptor = os.open(address, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise self._broken(error.strerror or "no reason given") from None

    def transmit(self, command: bytes) -> None:
        """Send a command."""
        try:
            if os.write(self._descriptor, command) != len(command):
                raise self._broken("a command went in part")
        except OSError as error:
            raise self._broken(error.strerror or "no reason given") from None

    def receive(self, wait_s: float = ANSWER_S) -> bytes:
        """Return the response to the command before."""
        got, until = b"", time.monotonic() + wait_s
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        while len(got) < _HEADER or len(got) < int.from_bytes(got[2:6], "big"):
            left = until - time.monotonic()
            if left <= 0.0 or not poll.poll(left * 1e3):
                raise self._broken("it does not answer")
            try:
                more = os.read(self._descriptor, _MOST)
            except OSError as error:
                raise self._broken(error.strerror or "no reason given") from None
            if not more:
                raise self._broken("it ended the connection")
            got += more
        return got

    def exchange(self, command: bytes, wait_s: float = ANSWER_S) -> bytes:
        """Send a command, again while the TPM is busy, and return its response."""
        with self.lock:
            self.transmit(command)
            return self.settled(command, wait_s)

    def settled(self, command: bytes, wait_s: float) -> bytes:
        """Return the response to a command that was sent, which is sent again while it is busy.

        With the lock held. A TPM that is busy for all of wait_s gives that response.
        """
        until = time.monotonic() + wait_s
        answer = self.receive(wait_s)
        while response_code(answer) in _BUSY and time.monotonic() < until:
            time.sleep(_AGAIN_S)
            self.transmit(command)
            answer = self.receive(max(until - time.monotonic(), _AGAIN_S))
        return answer

    def close(self) -> None:
        """End the connection."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _broken(self, why: str) -> CustodyError:
        return CustodyError(
            f"the TPM at {self.address} cannot be used: {why}.",
            remedy="see that it runs, that nothing else uses it and that this user may.",
        )


def undefine_command(index: int) -> bytes:
    """Return TPM2_NV_UndefineSpace(owner, index) with an empty owner password, made beforehand."""
    session = bytes.fromhex("40000009 0000 01 0000")
    body = (
        (0x122).to_bytes(4, "big")
        + OWNER.to_bytes(4, "big")
        + index.to_bytes(4, "big")
        + len(session).to_bytes(4, "big")
        + session
    )
    return b"\x80\x02" + (6 + len(body)).to_bytes(4, "big") + body


def read_public_command(index: int) -> bytes:
    """Return TPM2_NV_ReadPublic(index)."""
    return bytes.fromhex("8001 0000000e 00000169") + index.to_bytes(4, "big")


def flush_stale(link: Link) -> None:
    """Flush objects and sessions that a process left in the TPM as it was killed.

    A TPM has room for some three of each. Behind a resource manager (/dev/tpmrm0) there are none of
    others to be seen; on a bare socket all are of processes before us.
    """
    for first in (0x8000_0000, 0x0200_0000):  # transient objects, loaded sessions
        answer = link.exchange(bytes.fromhex("8001 00000016 0000017a 00000001")
                               + first.to_bytes(4, "big") + (64).to_bytes(4, "big"))  # fmt: skip
        handles = answer[19:] if response_code(answer) == 0 else b""
        for at in range(0, len(handles), 4):
            link.exchange(bytes.fromhex("8001 0000000e 00000165") + handles[at : at + 4])


def response_code(response: bytes) -> int:
    """Return what a TPM answered: 0 is success."""
    return int.from_bytes(response[6:10], "big")
