"""Signature lines on checkpoints: what is signed, how a line is made, and its check.

Pure but for the signer that is passed in. A log signs the note's text (Ed25519, and ML-DSA-65 or
-87 of its evidence suite); a witness, or a log for public witnesses, signs with a time: Ed25519
cosignature/v1, or ML-DSA-44 subtree/v1. Reference: C2SP signed-note, tlog-cosignature.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemate.core import suites
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import Signer
from casemate.translog import checkpoint as checkpoints
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.note import (
    COSIGNATURE_ED25519,
    COSIGNATURE_ML_DSA_44,
    Line,
    Note,
    NoteKey,
)

TIME_BYTES = 8
LATEST_S = (1 << 63) - 1
"""Last time that a cosignature can name."""

SUBTREE_LABEL = b"subtree/v1\n\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature that has been checked: the key, and the time it names (None: it names none)."""

    key: NoteKey
    time_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A line of a known key that does not fit the text, and why."""

    key: NoteKey
    why: str


def message(key: NoteKey, text: str, time_s: int) -> bytes:
    """Return the bytes that `key` signs for a note of this text at `time_s` (Unix seconds).

    FormatError where the text is no checkpoint and `key` is a cosigner's.
    """
    if not key.cosigns:
        return text.encode()
    if not 0 <= time_s <= LATEST_S:
        raise FormatError(
            "a cosignature's time is out of range.", remedy="set the clock of the signer."
        )
    stated = checkpoints.parse_text(text)
    if key.kind == COSIGNATURE_ED25519:
        return f"cosignature/v1\ntime {time_s}\n{text}".encode()
    return subtree_message(key.name, stated, time_s)


def subtree_message(cosigner: str, stated: Checkpoint, time_s: int) -> bytes:
    """Return the bytes of `cosigned_message` for the whole tree of a checkpoint."""
    return b"".join(
        (
            SUBTREE_LABEL,
            _short(cosigner),
            time_s.to_bytes(8, "big"),
            _short(stated.origin),
            (0).to_bytes(8, "big"),
            stated.size.to_bytes(8, "big"),
            stated.root,
        )
    )


def sign(key: NoteKey, signer: Signer, text: str, time_s: int) -> Line:
    """Return the line of `signer`, whose public key is in `key`; `time_s` is used if it cosigns."""
    made = signer.sign(message(key, text, time_s))
    head = time_s.to_bytes(TIME_BYTES, "big") if key.cosigns else b""
    return Line(name=key.name, key_id=key.id, blob=head + made)


def check_line(key: NoteKey, text: str, line: Line) -> Signed:
    """Check that `line` is `key`'s on this text. SignatureError or FormatError if not."""
    if (line.name, line.key_id) != (key.name, key.id):
        raise SignatureError("the line is of another key.", remedy="name the key that signed.")
    time_s: int | None = None
    made = line.blob
    if key.cosigns:
        time_s, made = int.from_bytes(made[:TIME_BYTES], "big"), made[TIME_BYTES:]
    suites.verify(key.public, message(key, text, time_s or 0), made)
    return Signed(key=key, time_s=time_s)


def check(note: Note, keys: Iterable[NoteKey]) -> tuple[tuple[Signed, ...], tuple[Refused, ...]]:
    """Return which of `keys` signed the note, and lines of theirs that do not fit.

    Lines of unknown keys are passed over, as the format asks. A key with several good lines
    counts once, with its earliest time.
    """
    known = {(key.name, key.id): key for key in keys}
    good: dict[NoteKey, Signed] = {}
    bad: list[Refused] = []
    for line in note.lines:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        try:
            found = check_line(key, note.text, line)
        except (SignatureError, FormatError) as error:
            bad.append(Refused(key=key, why=error.message))
            continue
        before = good.get(key)
        if before is None or (found.time_s or 0) < (before.time_s or 0):
            good[key] = found
    return tuple(good.values()), tuple(bad)


def require(note: Note, keys: Sequence[NoteKey]) -> tuple[Signed, ...]:
    """Return the signatures of `keys` on the note, at least one and none that does not fit.

    SignatureError otherwise.
    """
    good, bad = check(note, keys)
    if bad:
        raise SignatureError(
            f"a signature of {bad[0].key.name} does not fit: {bad[0].why}",
            remedy="treat the note as forged or damaged; get it again from its source.",
        )
    if not good:
        raise SignatureError(
            "none of the trusted keys has signed the note.",
            remedy="name the keys of the log, from its reference values.",
        )
    return good


def _short(text: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise FormatError(
            "a name in a cosignature is not of 1 to 255 bytes.", remedy="shorten the name."
        )
    return bytes((len(data),)) + data


__all__ = [
    "COSIGNATURE_ED25519",
    "COSIGNATURE_ML_DSA_44",
    "Refused",
    "Signed",
    "check",
    "check_line",
    "message",
    "require",
    "sign",
    "subtree_message",
]
