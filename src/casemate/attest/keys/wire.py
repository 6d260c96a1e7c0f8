"""Messages between the controller and a key holder's process.

A socket pair that keeps the borders of messages (SOCK_SEQPACKET), one deterministic CBOR map a
message. A request is {"do": verb, ...}, the answer {"ok": value} or {"error": kind, "say": what,
"remedy": what to do}. One request at a time.
"""

from __future__ import annotations

import socket
from typing import Any

from casemate.attest.keys.protocol import (
    MESSAGE_MOST,
    CustodyError,
    KeysGoneError,
    SealedError,
)
from casemate.core import cbor
from casemate.core.errors import CasemateError, FormatError

FRAME_MOST = 3 * MESSAGE_MOST
"""Bytes of a frame: the most is a request to sign one message for each of two keys."""
_KINDS: dict[str, type[CustodyError]] = {
    each.__name__: each for each in (CustodyError, KeysGoneError, SealedError)
}


def send(link: socket.socket, value: dict[str, Any]) -> None:
    """Send one map; OSError if the other side is gone."""
    link.send(cbor.encode(value))


def receive(link: socket.socket) -> dict[str, Any] | None:
    """Return the next map, None at the end; FormatError if it is not one."""
    data = link.recv(FRAME_MOST + 1)
    if not data:
        return None
    value = cbor.decode(data, most=FRAME_MOST)
    if type(value) is not dict:
        raise FormatError("a frame is not a map.", remedy="use one version on both sides.")
    return value


def refuse(link: socket.socket, error: CasemateError) -> None:
    """Send an error as the first answer, and wait until the other side has read it and closed.

    Whoever closes with a frame unread takes its own answer back (unix(7), ECONNRESET).
    """
    send(link, error_frame(error))
    while link.recv(1):
        pass


def error_frame(error: CasemateError) -> dict[str, Any]:
    """Return the answer that carries an error."""
    kind = type(error).__name__
    return {
        "error": kind if kind in _KINDS else CustodyError.__name__,
        "say": error.message,
        "remedy": error.remedy,
    }


def opened(answer: dict[str, Any] | None) -> Any:
    """Return the value of an answer, or raise the error that it carries."""
    match answer:
        case {"ok": value, **others} if not others:
            return value
        case {"error": str(kind), "say": str(say), "remedy": str(remedy)} if (
            kind in _KINDS and say and remedy
        ):
            raise _KINDS[kind](say, remedy=remedy)
    raise FormatError("an answer of the key holder is malformed.", remedy="restart both sides.")
