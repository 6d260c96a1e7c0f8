"""The chain of tokens: nothing left out, put in, told twice, or told to somebody else."""

from __future__ import annotations

from casemate.attest.claims import Boot
from casemate.verify.findings import Notebook
from casemate.verify.tokens import Step


class Chain:
    """What the next token has to follow."""

    def __init__(self, roots: dict[int, bytes], origin: str, book: Notebook) -> None:
        self._roots, self._origin, self._book = roots, origin, book
        self._places: dict[bytes, int] = {}
        self._last = b""
        self._next = self._boot = self._known = 0

    def is_new(self, step: Step) -> bool:
        """Return whether a token comes for the first time."""
        first = self._places.setdefault(step.digest, step.index)
        if first != step.index:
            self._book.add("token.replayed", f"first as entry {first}")
        return first == step.index

    def take(self, step: Step) -> None:
        """Note where a token does not follow the one before it."""
        self._place(step)
        self._knowledge(step)
        self._start(step)

    def _place(self, step: Step) -> None:
        number, expected, last = step.token.sequence, self._next, self._last
        self._next, self._last = number + 1, step.digest
        if number != expected:
            self._book.add("token.order", f"number {number} where {expected} comes next")
        before = self._places.get(step.token.previous, step.index)
        if step.token.previous != last and before < step.index:
            self._book.add("token.fork", f"it follows entry {before}, which another follows")
        elif step.token.previous != last:
            self._book.add("token.chain")

    def _knowledge(self, step: Step) -> None:
        known = step.token.checkpoint
        if known is None:
            return
        if known.origin != self._origin or self._roots.get(known.size) != known.root:
            self._book.add("token.split", f"{known.origin}, size {known.size}")
        elif known.size < self._known:
            self._book.add("token.rollback", f"size {known.size} after {self._known}")
        else:
            self._known = known.size

    def _start(self, step: Step) -> None:
        found, starts = step.token.boot, isinstance(step.token.body, Boot)
        expected, self._boot = self._boot + starts, found
        if expected == 0:
            self._book.add("boot.absent")
        elif found != expected:
            self._book.add("boot.counter", f"start {found} where {expected} is expected")
