"""Entries of the log as tokens: their form, and what the walk through them passes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from casemate.attest import cose, permit
from casemate.attest import token as tokens
from casemate.attest.claims import PermitUse
from casemate.attest.reference import Enrolment
from casemate.attest.token import CheckpointRef, Token
from casemate.core.errors import FormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the log. item, token: None if it is malformed, and `why`. Nothing is checked."""

    index: int
    data: bytes
    item: cose.Signed | None = None
    token: Token | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A token whose signatures fit, and when it was made.

    enrolment: whose keys signed. digest: of its bytes, by the hash of its suite. when_s: by when it
    was made, now if no quorum has seen it. lower_s, upper_s: bounds by witnesses, None if there is
    none. at_s: the likeliest time between.
    """

    index: int
    data: bytes
    digest: bytes
    token: Token
    enrolment: Enrolment
    when_s: int
    lower_s: int | None
    upper_s: int | None
    at_s: int


def read(entries: Sequence[bytes]) -> list[Entry]:
    """Return each entry, taken apart."""
    out = []
    for index, data in enumerate(entries):
        try:
            item, found = tokens.peek(data)
            out.append(Entry(index=index, data=data, item=item, token=found))
        except FormatError as error:
            out.append(Entry(index=index, data=data, why=error.message))
    return out


def named(entries: Sequence[Entry]) -> Iterator[CheckpointRef]:
    """Yield the checkpoints that tokens and permits name."""
    for token in (each.token for each in entries if each.token is not None):
        if token.checkpoint is not None:
            yield token.checkpoint
        if isinstance(token.body, PermitUse):
            with suppress(FormatError):  # there is none, or permits.py says so
                yield permit.peek(token.body.signed)[1].checkpoint
