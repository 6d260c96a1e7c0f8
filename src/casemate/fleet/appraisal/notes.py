"""Notes and entries of an enclosure's log as they come, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from casemate.translog import checkpoint as checkpoints
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.note import Note
from casemate.verify import tokens
from casemate.verify.tokens import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A note of the log, and what it states. Its lines, as large again, are read when asked for."""

    data: bytes
    stated: Checkpoint

    @property
    def note(self) -> Note:
        """Return the note with its lines."""
        return _parsed(self.data)[1]


@lru_cache(maxsize=256)
def _parsed(data: bytes) -> tuple[Checkpoint, Note]:
    return checkpoints.parse(data)


def read_note(data: bytes) -> Held:
    """Return a note, taken apart; FormatError if it is no checkpoint."""
    return Held(data=data, stated=_parsed(data)[0])


@lru_cache(maxsize=64)
def taken_apart(data: bytes) -> Entry:
    """Return an entry, taken apart: it is looked at before it is taken, and then again."""
    return tokens.read([data])[0]


def is_part(shorter: bytes, longer: bytes) -> bool:
    """Return whether a note is another with fewer lines: it says nothing that the other does not.

    Both are notes to the letter, so a beginning ends with a line.
    """
    return len(shorter) < len(longer) and longer.startswith(shorter)


def whole(notes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the notes that are not part of another, by size, then length, then bytes.

    So the same evidence reads the same, in whatever order it came.
    """
    held = sorted(set(notes))  # whatever begins with a note comes next to it
    kept = [each for each, after in pairwise((*held, b"")) if not is_part(each, after)]
    return tuple(sorted(kept, key=lambda x: (read_note(x).stated.size, len(x), x)))
