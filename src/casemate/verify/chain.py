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

    def take(self, step: Step) -> bool:
        """Return whether a token follows the one before it without a break."""
        return all([self._order(step), self._link(step), self._knowledge(step), self._start(step)])

    def _order(self, step: Step) -> bool:
        number, expected = step.token.sequence, self._next
        self._next = number + 1
        if number != expected:
            self._book.add("token.order", f"number {number} where {expected} comes next")
        return number == expected

    def _link(self, step: Step) -> bool:
        previous, last = step.token.previous, self._last
        self._last = step.digest
        if previous == last:
            return True
        before = self._places.get(previous, step.index)
        if before < step.index:
            self._book.add("token.fork", f"it follows entry {before}, which another follows")
        else:
            self._book.add("token.chain")
        return False

    def _knowledge(self, step: Step) -> bool:
        known = step.token.checkpoint
        if known is None:
            return True
        right = known.size <= step.token.sequence and self._roots.get(known.size) == known.root
        if known.origin != self._origin or not right:
            self._book.add("token.split", f"{known.origin}, size {known.size}")
            return False
        if known.size < self._known:
            self._book.add("token.rollback", f"size {known.size} after {self._known}")
            return False
        self._known = known.size
        return True

    def _start(self, step: Step) -> bool:
        found, starts = step.token.boot, isinstance(step.token.body, Boot)
        expected = self._boot + starts
        self._boot = found
        if expected == 0:
            self._book.add("boot.absent")
        elif found != expected:
            self._book.add("boot.counter", f"start {found} where {expected} is expected")
        return found == expected
