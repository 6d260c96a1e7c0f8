"""Entries that are durable and not yet under a checkpoint: the format of `pending/`. Pure.

A segment is a header and frames; a frame holds a batch of entries. The header names the index of
the first entry and a random mark; a frame names its own offset and ends in a check over the mark
and itself. A frame is written only after the one before it was synced, so damage before a good
frame is corruption, and damage after the last good one is a torn tail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.errors import FormatError
from casemate.translog.tiles import MOST_ENTRY_BYTES, pack_entries

HEAD = b"casemate pending 1\n"
MARK_BYTES = 16
FRAME = b"\xf7frm"
CHECK_BYTES = 16
MOST_TRIES = 64
"""Beginnings of frames that are tried behind damage; a random one stands in 4 GB."""
_OFFSET, _COUNT, _LENGTH = 8, 4, 4
_FRAME_HEAD = len(FRAME) + _OFFSET + _COUNT + _LENGTH
HEADER_BYTES = len(HEAD) + 8 + MARK_BYTES + CHECK_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What a segment holds: index of its first entry, entries, good bytes, and the torn rest."""

    first: int
    entries: tuple[bytes, ...]
    good_bytes: int
    torn: bytes


def header(first: int, mark: bytes) -> bytes:
    """Return a segment's header; `mark` is of 16 random bytes."""
    head = HEAD + first.to_bytes(8, "big") + mark
    return head + _check(b"", head)


def frame(mark: bytes, offset: int, entries: Sequence[bytes]) -> bytes:
    """Return a frame at `offset` of its segment."""
    body = pack_entries(entries)
    head = (
        FRAME
        + offset.to_bytes(_OFFSET, "big")
        + len(entries).to_bytes(_COUNT, "big")
        + len(body).to_bytes(_LENGTH, "big")
    )
    return head + body + _check(mark, head + body)


def parse_name(name: str) -> int:
    """Return the first index in a segment's file name. FormatError if it is none."""
    if len(name) != 20 or not (name.isascii() and name.isdigit()):
        raise FormatError(f"{name!r} is not a segment's name.", remedy="remove the file.")
    return int(name)


def segment_name(first: int) -> str:
    """Return the file name of the segment whose first entry has index `first`."""
    return f"{first:020d}"


def parse(data: bytes, first: int) -> Segment:
    """Return what a segment of first index `first` holds; what is torn stands in `torn`.

    FormatError where a good frame follows damage: then acknowledged entries are lost.
    """
    mark = _mark(data, first)
    if mark is None:
        return Segment(first=first, entries=(), good_bytes=0, torn=data)
    entries: list[bytes] = []
    at = HEADER_BYTES
    while (found := _frame_at(data, at, mark)) is not None:
        batch, at = found
        entries.extend(batch)
    after = _next_good(data, at, mark)
    if after is not None:
        raise FormatError(
            f"entries from {first + len(entries)} on were acknowledged and are damaged "
            f"(bytes {at} to {after} of segment {segment_name(first)}).",
            remedy="keep the file as it is, restore the entries from a copy, and report the loss.",
        )
    return Segment(first=first, entries=tuple(entries), good_bytes=at, torn=data[at:])


def join(segments: Sequence[Segment], size: int) -> tuple[bytes, ...]:
    """Return the entries from index `size` on that lie in segments, sorted by their first index.

    A cut can bring back a segment whose entries were written anew elsewhere; they are the same.
    FormatError where they are not, or where one is missing in between.
    """
    entries: list[bytes] = []
    for part in segments:
        skipped = part.entries[max(size - part.first, 0) :]
        at = max(part.first, size) - size
        if skipped and at > len(entries):
            raise FormatError(
                f"entries from {size + len(entries)} on are missing in pending/.",
                remedy="restore the segment from a copy, and report the loss.",
            )
        both = min(len(entries) - at, len(skipped))
        if both > 0 and tuple(entries[at : at + both]) != skipped[:both]:
            raise FormatError(
                f"two segments in pending/ disagree from {size + at} on.",
                remedy="keep both files; restore the log from a copy.",
            )
        entries.extend(skipped[max(both, 0) :])
    return tuple(entries)


def _mark(data: bytes, first: int) -> bytes | None:
    end = HEADER_BYTES - CHECK_BYTES
    head = data[:end]
    good = head.startswith(HEAD) and data[end:HEADER_BYTES] == _check(b"", head)
    if not good:
        return None
    if int.from_bytes(head[len(HEAD) : len(HEAD) + 8], "big") != first:
        raise FormatError("a segment names another index than its file.", remedy="restore it.")
    return head[-MARK_BYTES:]


def _frame_at(data: bytes, at: int, mark: bytes) -> tuple[list[bytes], int] | None:
    """Return the entries of the frame at `at` and where it ends, or None if it is not good."""
    head = data[at : at + _FRAME_HEAD]
    if len(head) < _FRAME_HEAD or not head.startswith(FRAME):
        return None
    offset_end = len(FRAME) + _OFFSET
    if int.from_bytes(head[len(FRAME) : offset_end], "big") != at:
        return None
    count = int.from_bytes(head[offset_end : offset_end + _COUNT], "big")
    body_end = at + _FRAME_HEAD + int.from_bytes(head[-_LENGTH:], "big")
    end = body_end + CHECK_BYTES
    if end > len(data) or data[body_end:end] != _check(mark, data[at:body_end]):
        return None
    entries = _unpack(data[at + _FRAME_HEAD : body_end])
    return (entries, end) if len(entries) == count else None


def _unpack(body: bytes) -> list[bytes]:
    entries: list[bytes] = []
    at = 0
    while at < len(body):
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        entries.append(body[at + 2 : end])
        at = end
    return entries


def _next_good(data: bytes, start: int, mark: bytes) -> int | None:
    """Return where a good frame begins at or after `start`, None if none does.

    FormatError where there are more beginnings than damage explains: each costs a hash, and the
    bytes may be an adversary's.
    """
    at = data.find(FRAME, start)
    for _ in range(MOST_TRIES):
        if at == -1:
            return None
        if _frame_at(data, at, mark) is not None:
            return at
        at = data.find(FRAME, at + 1)
    raise FormatError(
        f"a segment has more than {MOST_TRIES} beginnings of frames in its damage.",
        remedy="keep the file as it is, and restore the entries from a copy.",
    )


def _check(mark: bytes, data: bytes) -> bytes:
    return hashlib.sha256(mark + data).digest()[:CHECK_BYTES]


__all__ = [
    "HEADER_BYTES",
    "MARK_BYTES",
    "MOST_ENTRY_BYTES",
    "Segment",
    "frame",
    "header",
    "join",
    "parse",
    "parse_name",
    "segment_name",
]
