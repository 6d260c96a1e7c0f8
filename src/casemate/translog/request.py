"""The request of tlog-witness, `add-checkpoint`: its form, and the judgement on it. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.errors import FormatError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature, merkle
from casemate.translog import note as notes
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.errors import TreeError
from casemate.translog.note import Note, NoteKey
from casemate.translog.proof import MOST_HASHES, parse_hashes

MOST_BYTES = notes.MOST_BYTES + 4096
"""Longest request: a note, and 63 hashes of 45 bytes."""

OK, MALFORMED, UNSIGNED, UNKNOWN, CONFLICT, UNPROVEN = 200, 400, 403, 404, 409, 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An old size, a consistency proof from it, and a checkpoint."""

    old: int
    hashes: tuple[bytes, ...]
    stated: Checkpoint
    note: Note

    def encode(self) -> bytes:
        """Return the request's body."""
        rows = [f"old {self.old}", *(base64.b64encode(each).decode() for each in self.hashes)]
        return ("\n".join(rows) + "\n\n").encode() + self.note.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A status of HTTP and why. 200 means: may be cosigned, once it is stored."""

    status: int
    why: str


def parse(body: bytes) -> Request:
    """Return the request in a body. FormatError if it is none."""
    if len(body) > MOST_BYTES:
        raise _wrong("it is too long")
    head, gap, rest = body.partition(b"\n\n")
    if not gap:
        raise _wrong("it has no empty line")
    try:
        rows = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _wrong("its head is not ASCII") from None
    if not rows[0].startswith("old "):
        raise _wrong("it names no old size")
    if len(rows) - 1 > MOST_HASHES:
        raise _wrong(f"it has more than {MOST_HASHES} hashes")
    stated, note = checkpoints.parse(rest)
    return Request(
        old=notes.strict_decimal(rows[0].removeprefix("old ")),
        hashes=parse_hashes(rows[1:]),
        stated=stated,
        note=note,
    )


def authenticate(request: Request, keys: Sequence[NoteKey]) -> Judged:
    """Judge whose the checkpoint is. keys: those trusted for its origin, none if unknown."""
    if not keys:
        return Judged(status=UNKNOWN, why=f"the log {request.stated.origin!r} is not known here")
    good, bad = cosignature.check(request.note, keys)
    if not good or bad:
        why = bad[0].why if bad else "no key trusted for this log has signed"
        return Judged(status=UNSIGNED, why=why)
    if request.old > request.stated.size:
        return Judged(status=MALFORMED, why="the old size is above that of the checkpoint")
    return Judged(status=OK, why="")


def judge(request: Request, latest: Checkpoint) -> Judged:
    """Judge whether an authentic checkpoint continues `latest`, the last one cosigned."""
    if request.old != latest.size:
        return Judged(status=CONFLICT, why=f"the last size cosigned is {latest.size}")
    stated = request.stated
    if stated.size == latest.size and stated.root != latest.root:
        return Judged(status=CONFLICT, why=f"another root was cosigned at size {latest.size}")
    try:
        merkle.check_consistency(latest.size, stated.size, request.hashes, latest.root, stated.root)
    except TreeError as error:
        return Judged(status=UNPROVEN, why=error.message)
    return Judged(status=OK, why="")


def _wrong(what: str) -> FormatError:
    return FormatError(f"this is no request to a witness: {what}.", remedy="see C2SP tlog-witness.")
