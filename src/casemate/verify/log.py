"""The log under the tokens: is it the one that was signed and witnessed, and by when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemate.attest.reference import Unit
from casemate.core import suites
from casemate.core.errors import FormatError, InputError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature, merkle
from casemate.translog import note as notes
from casemate.translog import policy as policies
from casemate.translog.bundle import Bundle
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.errors import QuorumError
from casemate.translog.note import Note, NoteKey
from casemate.translog.policy import Policy
from casemate.verify.findings import Notebook

_KINDS = {
    suites.ED25519: notes.ED25519,
    suites.ML_DSA_65: notes.ML_DSA_65,
    suites.ML_DSA_87: notes.ML_DSA_87,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A checkpoint that is that of the entries and that a quorum saw by `by_s`."""

    size: int
    by_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """What of the log is proven. seals: by size. roots: of the entries at the sizes asked for."""

    seals: tuple[Seal, ...]
    roots: dict[int, bytes]

    @property
    def proven(self) -> int:
        """Return how many entries, from the first, a quorum has seen."""
        return self.seals[-1].size if self.seals else 0

    @property
    def seen_s(self) -> int | None:
        """Return when a quorum saw the log last."""
        return max((each.by_s for each in self.seals), default=None)

    def known_s(self, size: int) -> int | None:
        """Return when a quorum saw the log at that very size; None if no seal says."""
        at = bisect_right(self.seals, size, key=lambda each: each.size) - 1
        found = self.seals[at] if at >= 0 else None
        return found.by_s if found is not None and found.size == size else None

    def by_s(self, index: int) -> int | None:
        """Return by when a quorum saw entry `index`."""
        at = bisect_right(self.seals, index, key=lambda each: each.size)
        return min((each.by_s for each in self.seals[at : at + 1]), default=None)


def view(
    bundle: Bundle,
    unit: Unit,
    policy: Policy,
    sizes: Iterable[int],
    since: Sequence[bytes],
    book: Notebook,
) -> LogView:
    """Return what of the log is proven; what is wrong with it goes into `book`.

    sizes: at which tokens and permits name roots. since: checkpoints that the inspector kept.
    InputError if one of those is not this log's.
    """
    keys = _log_keys(unit, policy)
    kept = [_kept(data, unit.origin, keys) for data in since]
    stated = [each for data in bundle.witnessed if (each := _read(data, book)) is not None]
    newest = _read(bundle.checkpoint, book) if bundle.checkpoint else None
    if not bundle.checkpoint:
        book.add("log.absent")
    named = [each for each, _ in (*stated, *kept, *([newest] if newest else []))]
    roots = _roots(bundle.entries, {*sizes, *(each.size for each in named)})
    size, seals, waiting = len(bundle.entries), [], ""
    for each in ([newest] if newest else []) + stated:
        if not _is_sound(each, size, roots, unit, keys, book, newest=each is newest):
            continue
        seal, why = _weigh(each, policy, keys, book)
        seals.extend([seal] if seal else [])
        waiting = waiting or why
    for checkpoint, _ in kept:
        _against(checkpoint, size, roots, book, whose="that you kept")
    if waiting:
        book.add("log.awaiting" if seals else "log.cosignatures", waiting)
    return LogView(seals=_ordered(seals, book), roots=roots)


def _roots(entries: Sequence[bytes], sizes: set[int]) -> dict[int, bytes]:
    frontier = merkle.Frontier()
    roots = {0: merkle.EMPTY_ROOT}
    for size, entry in enumerate(entries, start=1):
        frontier.push(merkle.leaf_hash(entry))
        if size in sizes:
            roots[size] = frontier.root()
    return roots


def _log_keys(unit: Unit, policy: Policy) -> list[tuple[NoteKey, ...]]:
    """Return sets of keys, one of which has to sign whole: the policy's, or the enrolled ones."""
    listed = tuple(key for key in policy.logs if key.name == unit.origin)
    if listed:
        return [listed]
    return [
        tuple(NoteKey(name=unit.origin, kind=_KINDS[k.alg], public=k) for k in each.keys)
        for each in unit.enrolments
    ]


def _read(data: bytes, book: Notebook) -> tuple[Checkpoint, Note] | None:
    try:
        return checkpoints.parse(data)
    except FormatError as error:
        book.add("log.malformed", error.message)
        return None


def _kept(data: bytes, origin: str, keys: list[tuple[NoteKey, ...]]) -> tuple[Checkpoint, Note]:
    checkpoint, note = checkpoints.parse(data)
    if checkpoint.origin != origin or not _signed(note, keys):
        raise InputError(
            "the checkpoint kept from before is not signed by this log.",
            remedy="pass a checkpoint of this log; a file that others can make proves nothing.",
            key="--since",
        )
    return checkpoint, note


def _signed(note: Note, keys: list[tuple[NoteKey, ...]]) -> bool:
    good, _ = cosignature.check(note, [key for each in keys for key in each])
    have = {each.key for each in good}
    return any(have.issuperset(each) for each in keys)


def _is_sound(
    read: tuple[Checkpoint, Note],
    size: int,
    roots: dict[int, bytes],
    unit: Unit,
    keys: list[tuple[NoteKey, ...]],
    book: Notebook,
    *,
    newest: bool,
) -> bool:
    """Return whether a checkpoint of the bundle is this log's, signed, and that of the entries."""
    stated, note = read
    if stated.origin != unit.origin:
        book.add("log.origin", f"{stated.origin}, not {unit.origin}")
    elif not _signed(note, keys):
        book.add("log.signature", f"at size {stated.size}")
    elif not newest:
        return _against(stated, size, roots, book, whose="in the bundle")
    elif roots.get(stated.size) != stated.root:
        book.add("log.altered", f"{stated.size} entries have another root")
    else:
        return True
    return False


def _weigh(
    read: tuple[Checkpoint, Note], policy: Policy, keys: list[tuple[NoteKey, ...]], book: Notebook
) -> tuple[Seal | None, str]:
    """Return the seal that a checkpoint is, or None and what it lacks."""
    stated, note = read
    try:
        met = policies.check(policy, note, logs=[key for each in keys for key in each])
    except QuorumError as error:
        return None, f"size {stated.size}: {error.message}"
    for bad in met.refused:
        book.add("log.witness-line", f"{bad.key.name}: {bad.why}", subject=bad.key.name)
    if met.by_s is None:
        return None, f"size {stated.size}: the policy asks for no witness"
    return Seal(size=stated.size, by_s=met.by_s), ""


def _against(
    stated: Checkpoint, size: int, roots: dict[int, bytes], book: Notebook, *, whose: str
) -> bool:
    """Hold a checkpoint that the log signed before against the entries; return whether they go."""
    if stated.size > size:
        book.add("log.rollback", f"{size} entries, and {stated.size} in a checkpoint {whose}")
    elif roots[stated.size] != stated.root:
        book.add("log.equivocation", f"another root at size {stated.size} {whose}")
    else:
        return True
    return False


def _ordered(seals: list[Seal], book: Notebook) -> tuple[Seal, ...]:
    """Return one seal a size, by size, each by the earliest time that it or a larger one names."""
    earliest: dict[int, int] = {}
    for each in seals:
        earliest[each.size] = min(each.by_s, earliest.get(each.size, each.by_s))
    out: list[Seal] = []
    bound: int | None = None
    for size in sorted(earliest, reverse=True):
        by_s = earliest[size]
        if bound is not None and by_s > bound:
            book.add("time.witness-order", f"size {size} after a larger one")
            by_s = bound
        bound = by_s
        out.append(Seal(size=size, by_s=by_s))
    return tuple(reversed(out))
