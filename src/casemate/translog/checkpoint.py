"""Checkpoints: the origin, size and root of a log at one moment, as a note's text.

Pure. Reference: C2SP tlog-checkpoint. Extension lines are refused: ML-DSA cosignatures do not
cover them, so nothing may depend on them.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache

from casemate.core.errors import FormatError
from casemate.translog import note as notes
from casemate.translog.merkle import HASH_BYTES
from casemate.translog.note import Note

MOST_ORIGIN_BYTES = 255
"""Longest origin that an ML-DSA-44 cosignature can name (C2SP tlog-cosignature)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log states: its origin, its number of entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text, three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@lru_cache(maxsize=64)
def parse_text(text: str) -> Checkpoint:
    """Return the checkpoint that is `text`. FormatError if it is none."""
    rows = text.split("\n")
    if len(rows) != 4 or rows[3]:
        raise FormatError(
            "a checkpoint's text has not three lines.",
            remedy="get the checkpoint again; extension lines are not taken.",
        )
    check_origin(rows[0])
    root = notes.strict_base64(rows[2])
    if len(root) != HASH_BYTES:
        raise FormatError("a root is not of 32 bytes.", remedy="get the checkpoint again.")
    return Checkpoint(origin=rows[0], size=notes.strict_decimal(rows[1]), root=root)


def parse(data: bytes) -> tuple[Checkpoint, Note]:
    """Return the checkpoint in a signed note, and the note; no signature is checked."""
    note = notes.parse(data)
    return parse_text(note.text), note


def check_origin(origin: str) -> None:
    """Raise FormatError unless `origin` may name a log: as a key's name, at most 255 bytes."""
    notes.check_name(origin)
    if len(origin.encode()) > MOST_ORIGIN_BYTES:
        raise FormatError("an origin is longer than 255 bytes.", remedy="shorten the origin.")
