"""What a controller brings at once: entries that follow one another, and checkpoints, as CBOR."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.core import cbor
from casemate.core.errors import FormatError
from casemate.fleet.errors import RefusedError
from casemate.translog.tiles import MOST_ENTRY_BYTES

MOST_BYTES = 8_000_000
"""Longest submission read (planning value): 2,000 tokens of two signatures."""
MOST_ENTRIES, MOST_NOTES = 4096, 64
"""Of a submission (planning values)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a controller brings: entries from number `first` on, and checkpoints."""

    first: int
    entries: tuple[bytes, ...]
    notes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was acknowledged: the number that comes next, and how the enclosure stands."""

    next_number: int
    state: str
    headline: str


def encode(brought: Submission) -> bytes:
    """Return a submission as CBOR."""
    return cbor.encode([brought.first, list(brought.entries), list(brought.notes)])


def decode(data: bytes) -> Submission:
    """Return the submission in CBOR bytes; RefusedError if it is none."""
    try:
        rows = cbor.decode(data, most=MOST_BYTES, depth=3)
    except FormatError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None
    if not (
        isinstance(rows, list)
        and len(rows) == 3
        and type(rows[0]) is int
        and 0 <= rows[0] < 1 << 53
        and _are_bytes(rows[1], MOST_ENTRIES, MOST_ENTRY_BYTES)
        and _are_bytes(rows[2], MOST_NOTES, 1_000_000)
    ):
        raise RefusedError(
            "this is no submission of evidence.",
            remedy="send [first, [entries], [checkpoints]] in CBOR, docs/formats/fleet.md.",
        )
    return Submission(first=rows[0], entries=tuple(rows[1]), notes=tuple(rows[2]))


def _are_bytes(value: object, count: int, most: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= count
        and all(type(each) is bytes and len(each) <= most for each in value)
    )
