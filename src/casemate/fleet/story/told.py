"""What an enclosure's evidence tells of, token by token: told, not appraised.

Entries never change, so each is read once; afterwards only what came since. Whether what is told is
so is for the appraisal alone: pages show this beside it, never instead of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from casemate.attest import claims as c
from casemate.attest import token as tokens
from casemate.attest.token import Token
from casemate.core.errors import FormatError
from casemate.fleet.appraisal import evidence
from casemate.fleet.story.read_once import ReadOnce

KINDS = ("start", "change", "permit", "disturbed", "last word")
MOST_EVENTS = 10_000
"""Kept of an enclosure, the newest (planning value)."""
MOST_ENCLOSURES = 256
"""Of which events are kept in memory (planning value); others are read anew."""
_MOST_TEXT = 200
_LOOKED_AT = 64
"""Newest tokens in which health is looked for: payload is between (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a token tells of. number: its own. at_s: the enclosure's own clock; None: it has none.

    act: of a permit, or the state after. permit: digest, hex. place: module or face. text: the
    enclosure's own words, printable and short. unwatched: places.
    """

    number: int
    at_s: int | None
    kind: str
    act: str = ""
    permit: str = ""
    place: str = ""
    text: str = ""
    unwatched: tuple[str, ...] = ()


class Told(ReadOnce[Event]):
    """Events of enclosures, read as they are asked for."""

    def __init__(self, *, enclosures: int = MOST_ENCLOSURES, events: int = MOST_EVENTS) -> None:
        super().__init__(events_in, enclosures=enclosures, most=events)


def last_watch(link: Connection, enclosure_id: int) -> tuple[int, Token] | None:
    """Return the newest token that tells of health and verdict, with its number.

    None if there is none since the last start, or among the newest tokens: it is not known then.
    """
    end = evidence.next_number(link, enclosure_id)
    first = max(end - _LOOKED_AT, 0)
    data = evidence.entries(link, enclosure_id, first, _LOOKED_AT)
    for at in range(len(data) - 1, -1, -1):
        try:
            _, token = tokens.peek(data[at])
        except FormatError:
            return None
        if token.health is not None and token.verdict is not None:
            return first + at, token
        if isinstance(token.body, c.Boot):
            return None
    return None


def events_in(data: Sequence[bytes], first: int) -> list[Event]:
    """Return what entries from number `first` on tell of; one that is no token tells nothing."""
    found = []
    for at, each in enumerate(data):
        try:
            _, token = tokens.peek(each)
        except FormatError:
            continue
        event = _event(token, first + at)
        if event is not None:
            found.append(event)
    return found


def _event(token: Token, number: int) -> Event | None:
    body, at_s = token.body, token.time_s
    match body:
        case c.Boot():
            return Event(number=number, at_s=at_s, kind="start", act=token.state,
                         text=plain(body.reason), unwatched=body.unwatched)  # fmt: skip
        case c.Change():
            return Event(number=number, at_s=at_s, kind="change", act=body.after,
                         text=plain(body.reason), permit=token.permit.hex())  # fmt: skip
        case c.PermitUse():
            return Event(number=number, at_s=at_s, kind="permit", act=body.act,
                         permit=body.permit.hex(), place=plain(body.module),
                         text=plain(body.note))  # fmt: skip
        case c.LastWord():
            return Event(number=number, at_s=at_s, kind="last word", act="TAMPERED",
                         text=plain(body.reason))  # fmt: skip
    if token.verdict is not None and token.verdict.verdict != "NORMAL":
        return Event(number=number, at_s=at_s, kind="disturbed", act=token.verdict.verdict)
    return None


def plain(text: str) -> str:
    """Return a text that no terminal or page obeys: what is not printable is shown as escapes."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= _MOST_TEXT else shown[: _MOST_TEXT - 1] + "…"
