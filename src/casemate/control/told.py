"""What a log tells a controller that starts: starts, items, checkpoints, the last state."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from casemate.attest import claims as c
from casemate.attest import token
from casemate.core.errors import FormatError


def items(entries: Sequence[bytes]) -> dict[str, int]:
    """Return the number of the next item of each stream."""
    found: dict[str, int] = {}
    for each in entries:
        with suppress(FormatError):
            body = token.peek(each)[1].body
            if isinstance(body, c.Payload):
                found[body.stream] = body.first + body.count
    return found


def named(entries: Sequence[bytes]) -> int:
    """Return the size of the newest checkpoint that a token names, 0 if there is none."""
    for each in reversed(entries):
        with suppress(FormatError):
            known = token.peek(each)[1].checkpoint
            if known is not None:
                return known.size
    return 0


def state_of(data: bytes) -> str:
    """Return the state that a token tells, "" if it is none."""
    try:
        return token.peek(data)[1].state
    except FormatError:
        return ""


def boot(data: bytes) -> c.Boot | None:
    """Return the start that a token tells of, None if it tells of none."""
    try:
        body = token.peek(data)[1].body
    except FormatError:
        return None
    return body if isinstance(body, c.Boot) else None
