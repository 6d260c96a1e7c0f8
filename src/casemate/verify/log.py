"""The log under the tokens: is it the one that was signed and witnessed, and by when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from casemate.attest.reference import Unit
from casemate.attest.token import CheckpointRef
from casemate.core.errors import FormatError, InputError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature, merkle
from casemate.translog import policy as policies
from casemate.translog.bundle import Bundle
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.errors import QuorumError
from casemate.translog.note import Note, NoteKey
from casemate.translog.policy import Met, Policy
from casemate.translog.signers import log_key
from casemate.verify.findings import Notebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A checkpoint that is that of the entries and that a quorum saw by `by_s`."""

    size: int
    by_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """What of the log is proven. seals: by size. roots: of the entries at the sizes asked for.

    echoes: size, and since when a quorum's lines exist, by size and digest of a checkpoint's note:
    who names it does so later.
    """

    seals: Sequence[Seal]
    roots: dict[int, bytes]
    echoes: dict[tuple[int, bytes], tuple[int, int]]

    @property
    def seen_s(self) -> int | None:
        """Return when a quorum saw the log last."""
        return self.seals[-1].by_s if self.seals else None

    def known(self, named: CheckpointRef | None) -> tuple[int, int] | None:
        """Return size of the cosigned checkpoint that a token names, and since when it is known."""
        return self.echoes.get((named.size, named.note)) if named is not None else None

    def by_s(self, index: int) -> int | None:
        """Return by when a quorum saw entry `index`."""
        at = bisect_right(self.seals, index, key=lambda each: each.size)
        return self.seals[at].by_s if at < len(self.seals) else None


def view(
    bundle: Bundle,
    unit: Unit,
    policy: Policy,
    named: Sequence[CheckpointRef],
    since: Sequence[bytes],
    book: Notebook,
) -> LogView:
    """Return what of the log is proven; what is wrong with it goes into `book`.

    named: by tokens and permits. since: checkpoints that the inspector kept.
    InputError if one of those is not this log's.
    """
    (log := Ledger(unit, policy, book)).name(named)
    kept = [log.kept(data) for data in since]
    newest = log.read(bundle.checkpoint) if bundle.checkpoint else []
    if not bundle.checkpoint:
        book.add("log.absent")
    others = [each for data in bundle.witnessed for each in log.read(data)]
    stated = list(dict.fromkeys((*newest, *others)))
    sizes = {each.size for each in named} | {each.size for each in kept}
    log.take(bundle.entries, sizes | {each.size for each, _ in stated})
    seals = [seal for each in stated for seal in log.weigh(*each, newest=each in newest)]
    for checkpoint in kept:
        log.against(checkpoint, "that you kept")
    if log.waiting:
        book.add("log.awaiting" if seals else "log.cosignatures", log.waiting)
    return LogView(seals=_ordered(seals, book), roots=log.roots, echoes=log.echoes)


class Ledger:
    """Entries with their roots, and the keys that sign for them. It can grow.

    One set of keys has to sign whole: those of the policy, or, if it names none, enrolled ones.
    """

    def __init__(self, unit: Unit, policy: Policy, book: Notebook) -> None:
        self._origin, self._policy, self.book = unit.origin, policy, book
        self._named: dict[int, set[bytes]] = {}
        listed = frozenset(key for key in policy.logs if key.name == unit.origin)
        enrolled = [
            frozenset(log_key(unit.origin, k) for k in each.keys) for each in unit.enrolments
        ]
        self._sets = [listed] if listed else enrolled
        self._keys = [key for each in self._sets for key in each]
        self.roots = {0: merkle.EMPTY_ROOT}
        self.echoes: dict[tuple[int, bytes], tuple[int, int]] = {}
        self.frontier = merkle.Frontier()
        self.waiting = ""

    def name(self, named: Sequence[CheckpointRef]) -> None:
        """Take the checkpoints that tokens and permits name."""
        for each in named:
            self._named.setdefault(each.size, set()).add(each.note)

    def take(self, entries: Sequence[bytes], sizes: Container[int]) -> None:
        """Go on by entries; work out the roots at these sizes."""
        for entry in entries:
            self.frontier.push(merkle.leaf_hash(entry))
            if self.frontier.size in sizes:
                self.roots[self.frontier.size] = self.frontier.root()

    def read(self, data: bytes) -> list[tuple[Checkpoint, Note]]:
        """Return the checkpoint of the bundle, if it is one."""
        try:
            return [checkpoints.parse(data)]
        except FormatError as error:
            self.book.add("log.malformed", error.message)
            return []

    def kept(self, data: bytes) -> Checkpoint:
        """Return a checkpoint that the inspector kept; InputError if it is not this log's."""
        checkpoint, note = checkpoints.parse(data)
        if checkpoint.origin != self._origin or not self.is_signed(note):
            raise InputError(
                "the checkpoint kept from before is not signed by this log.",
                remedy="pass one of this log; what others can make too proves nothing.",
                key="--since",
            )
        return checkpoint

    def weigh(self, stated: Checkpoint, note: Note, *, newest: bool) -> list[Seal]:
        """Return the seal that a checkpoint of the bundle is, if it is one."""
        if stated.origin != self._origin:
            self.book.add("log.origin", f"{stated.origin}, not {self._origin}")
            return []
        try:
            met = policies.check(self._policy, note, logs=self._keys)
            signed = self._is_whole(each.key for each in met.logs)
        except QuorumError as error:
            met, signed = None, self.is_signed(note)
            self.waiting = self.waiting or f"size {stated.size}: {error.message}"
        if not signed:
            self.book.add("log.signature", f"at size {stated.size}")
            return []
        if newest and self.roots.get(stated.size) != stated.root:
            self.book.add("log.altered", f"{stated.size} entries have another root")
            return []
        if not self.against(stated, "in the bundle") or met is None or met.by_s is None:
            return []
        for bad in met.refused:
            self.book.add("log.witness-line", f"{bad.key.name}: {bad.why}", subject=bad.key.name)
        self._echo(stated.size, note, met)
        return [Seal(size=stated.size, by_s=met.by_s)]

    def _echo(self, size: int, note: Note, met: Met) -> None:
        """Take the digests that tokens name of a note: whole, or from before later lines came.

        A line counts if it fits: one made up, before those that fit, is known to whoever made it.
        """
        whole = note.digest
        self.echoes[size, whole] = size, met.after_s or 0
        if not self._named.get(size, set()) - {whole, b""}:
            return
        names = {each.key: name for name, each in met.witnesses.items()}
        have: dict[str, int] = {}
        for count, line in enumerate(note.lines[:-1], start=1):
            alone = Note(text=note.text, lines=(line,))
            for each in cosignature.check(alone, names)[0]:
                have[names[each.key]] = met.witnesses[names[each.key]].time_s or 0
            if policies.holds(self._policy, self._policy.quorum, have):
                part = Note(text=note.text, lines=note.lines[:count])
                self.echoes[size, part.digest] = size, min(have.values())

    def against(self, stated: Checkpoint, whose: str) -> bool:
        """Return whether a checkpoint that the log signed is that of the entries."""
        if stated.size > (held := self.frontier.size):
            told = f"{held} entries, and {stated.size} in a checkpoint {whose}"
            self.book.add("log.rollback", told)
        elif self.roots[stated.size] != stated.root:
            self.book.add("log.equivocation", f"another root at size {stated.size} {whose}")
        else:
            return True
        return False

    def is_signed(self, note: Note) -> bool:
        """Return whether all keys of the log have signed."""
        return self._is_whole(each.key for each in cosignature.check(note, self._keys)[0])

    def _is_whole(self, keys: Iterable[NoteKey]) -> bool:
        have = set(keys)
        return any(each and have >= each for each in self._sets)


def _ordered(seals: list[Seal], book: Notebook) -> tuple[Seal, ...]:
    """Return one seal a size, by size, each by the earliest time that it or a larger one names."""
    out: list[Seal] = []
    for seal in sorted(seals, key=lambda x: (-x.size, x.by_s)):
        by_s = min(seal.by_s, out[-1].by_s) if out else seal.by_s
        if out and seal.size == out[-1].size:
            continue
        if by_s < seal.by_s:
            book.add("time.witness-order", f"size {seal.size} after a larger one")
        out.append(Seal(size=seal.size, by_s=by_s))
    return tuple(reversed(out))
