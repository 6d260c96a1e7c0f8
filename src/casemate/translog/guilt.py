"""Proof that a log has signed two stories: two checkpoints that cannot both be true.

Pure. Of equal size the roots differ. Of different sizes a consistency proof leads from the larger
one to another root at the smaller size than the one that was signed. Anyone who has the log's
public keys can check it, offline.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.core.errors import FormatError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature, merkle, plain_json
from casemate.translog import note as notes
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.errors import EquivocationError, TreeError
from casemate.translog.merkle import HASH_BYTES, Node
from casemate.translog.note import Note, NoteKey
from casemate.translog.proof import MOST_HASHES, parse_hashes

FORMAT = "casemate-log-guilt-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guilt:
    """Two signed checkpoints, smaller first.

    root: what the larger tree has at the smaller size; b"" where sizes are equal. hashes: the
    consistency proof for it.
    """

    first: bytes
    second: bytes
    root: bytes = b""
    hashes: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Return the proof as a JSON file."""
        row = {
            "format": FORMAT,
            "first": self.first.decode(),
            "second": self.second.decode(),
            "root": base64.b64encode(self.root).decode(),
            "hashes": [base64.b64encode(each).decode() for each in self.hashes],
        }
        return (json.dumps(row, indent=2, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a proof shows: the two statements, and witnesses that have cosigned both."""

    first: Checkpoint
    second: Checkpoint
    witnesses: tuple[NoteKey, ...]

    @property
    def statement(self) -> str:
        """One sentence that names both states."""
        one, two = self.first, self.second
        return (
            f"log {one.origin} has signed root {one.root.hex()[:16]}… at size {one.size} and "
            f"root {two.root.hex()[:16]}… at size {two.size}, which cannot both be true"
        )


def parse(data: bytes) -> Guilt:
    """Return the proof in a JSON file. FormatError if it is none; nothing is verified."""
    row = plain_json.loads(data, "a proof of guilt")
    if set(row) != {"format", "first", "second", "root", "hashes"}:
        raise _wrong("it has not the five keys")
    texts = [row["format"], row["first"], row["second"], row["root"]]
    hashes = row["hashes"]
    if not all(isinstance(each, str) for each in texts) or not isinstance(hashes, list):
        raise _wrong("a value is of the wrong kind")
    if row["format"] != FORMAT or len(hashes) > MOST_HASHES:
        raise _wrong("its format is another, or it has too many hashes")
    if not all(isinstance(each, str) for each in hashes):
        raise _wrong("a hash is no text")
    root = notes.strict_base64(row["root"])
    if len(root) not in (0, HASH_BYTES):
        raise _wrong("its root is not of 32 bytes")
    try:
        first, second = row["first"].encode(), row["second"].encode()
    except UnicodeEncodeError:
        raise _wrong("a checkpoint is not UTF-8") from None
    return Guilt(first=first, second=second, root=root, hashes=parse_hashes(hashes))


def verify(guilt: Guilt, keys: Sequence[NoteKey], *, witnesses: Sequence[NoteKey] = ()) -> Shown:
    """Return what the proof shows, once it holds.

    keys: of the log, from reference values. SignatureError where one of the checkpoints is not the
    log's; EquivocationError where the two go together, so that nobody is guilty.
    """
    (one, first), (two, second) = checkpoints.parse(guilt.first), checkpoints.parse(guilt.second)
    for note in (first, second):
        cosignature.require(note, keys)
    if one.origin != two.origin or {key.name for key in keys} != {one.origin}:
        raise _innocent("they are of different logs, or the keys are of another")
    if one.size > two.size:
        raise _innocent("the larger comes first")
    if one.size == two.size:
        if one.root == two.root or guilt.root or guilt.hashes:
            raise _innocent("they state the same root")
    else:
        _check_prefix(guilt, one, two)
    return Shown(first=one, second=two, witnesses=_both(first, second, witnesses))


def find(first: bytes, second: bytes, node: Node | None = None) -> Guilt | None:
    """Return the proof that two checkpoints of one log do not go together, or None if they do.

    node: of the tree of the larger checkpoint; needed where sizes differ (TreeError without).
    Signatures are not looked at: see `verify`.
    """
    (one, _), (two, _) = checkpoints.parse(first), checkpoints.parse(second)
    if one.size > two.size:
        first, second, one, two = second, first, two, one
    if one.size == two.size:
        return Guilt(first=first, second=second) if one.root != two.root else None
    if one.size == 0:
        return None
    if node is None:
        raise TreeError(
            "sizes differ and the larger tree is not at hand.", remedy="pass its tiles."
        )
    root = merkle.tree_root(node, one.size)
    if root == one.root:
        return None
    hashes = merkle.consistency_proof(node, one.size, two.size)
    return Guilt(first=first, second=second, root=root, hashes=hashes)


def _check_prefix(guilt: Guilt, one: Checkpoint, two: Checkpoint) -> None:
    if guilt.root == one.root:
        raise _innocent("the larger continues the smaller")
    if one.size == 0 or not guilt.root:
        raise _innocent("it names no other root at the smaller size")
    merkle.check_consistency(one.size, two.size, guilt.hashes, guilt.root, two.root)


def _both(first: Note, second: Note, witnesses: Sequence[NoteKey]) -> tuple[NoteKey, ...]:
    of_first, _ = cosignature.check(first, witnesses)
    of_second, _ = cosignature.check(second, witnesses)
    later = {each.key for each in of_second}
    return tuple(each.key for each in of_first if each.key in later)


def _innocent(why: str) -> EquivocationError:
    return EquivocationError(
        f"the two checkpoints prove nothing: {why}.",
        remedy="compare two checkpoints of one log that do not go together.",
    )


def _wrong(what: str) -> FormatError:
    return FormatError(
        f"this is no proof of guilt: {what}.", remedy="get the proof again from its source."
    )
