"""A proof that an entry is in a log, in one text file that is checked offline.

Pure. Reference: C2SP tlog-proof.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.errors import FormatError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import merkle
from casemate.translog import note as notes
from casemate.translog import policy as policies
from casemate.translog.merkle import HASH_BYTES
from casemate.translog.note import NoteKey
from casemate.translog.policy import Met, Policy

HEAD = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63
"""Longest proof of a tree below 2^63 leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """An entry's index, the hashes up to the root, and the checkpoint's bytes.

    extra: bytes that nothing vouches for, or None.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def encode(self) -> bytes:
        """Return the proof as a file."""
        rows = [HEAD]
        if self.extra is not None:
            rows.append(f"extra {base64.b64encode(self.extra).decode()}")
        rows.append(f"index {self.index}")
        rows.extend(base64.b64encode(each).decode() for each in self.hashes)
        return ("\n".join(rows) + "\n\n").encode() + self.checkpoint


def parse(data: bytes) -> LogProof:
    """Return the proof in a file. FormatError if it is none; nothing is verified."""
    if len(data) > 2 * notes.MOST_BYTES:
        raise _wrong("it is too long")
    head, gap, checkpoint = data.partition(b"\n\n")
    if not gap:
        raise _wrong("it has no checkpoint")
    try:
        rows = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _wrong("its head is not ASCII") from None
    if rows[0] != HEAD:
        raise _wrong("its first line is another")
    rows = rows[1:]
    extra = None
    if rows and rows[0].startswith("extra "):
        extra = notes.strict_base64(rows.pop(0).removeprefix("extra "))
    if not rows or not rows[0].startswith("index "):
        raise _wrong("it names no index")
    index = notes.strict_decimal(rows.pop(0).removeprefix("index "))
    if len(rows) > MOST_HASHES:
        raise _wrong("it has too many hashes")
    checkpoints.parse(checkpoint)
    return LogProof(index=index, hashes=parse_hashes(rows), checkpoint=checkpoint, extra=extra)


def parse_hashes(rows: Sequence[str]) -> tuple[bytes, ...]:
    """Return hashes written one a line in base64. FormatError on any other length than 32."""
    hashes = tuple(notes.strict_base64(row) for row in rows)
    if any(len(each) != HASH_BYTES for each in hashes):
        raise _wrong("a hash is not of 32 bytes")
    return hashes


def verify(proof: LogProof, entry: bytes, policy: Policy, *, logs: Sequence[NoteKey] = ()) -> Met:
    """Return how the checkpoint meets the policy, once `entry` is shown to be under it.

    TreeError or QuorumError if not.
    """
    stated, note = checkpoints.parse(proof.checkpoint)
    merkle.check_inclusion(
        merkle.leaf_hash(entry), proof.index, stated.size, proof.hashes, stated.root
    )
    return policies.check(policy, note, logs=logs)


def _wrong(what: str) -> FormatError:
    return FormatError(
        f"this is no proof of a log: {what}.", remedy="get the proof again from its source."
    )
