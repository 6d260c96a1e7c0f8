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
        self._next = 0
        self._boot = 0
        self._known = 0

    def is_new(self, step: Step) -> bool:
        """Return whether a token comes for the first time."""
        if step.digest in self._places:
            self._book.add("token.replayed", f"first as entry {self._places[step.digest]}")
            return False
        self._places[step.digest] = step.index
        return True

    def take(self, step: Step) -> bool:
        """Return whether a token follows the one before it without a break."""
        token = step.token
        follows = self._order(step)
        if token.previous != self._last:
            follows = False
            before = self._places.get(token.previous)
            if before is not None and before < step.index:
                self._book.add("token.fork", f"it follows entry {before}, which another follows")
            else:
                self._book.add("token.chain")
        self._last = step.digest
        known = self._knowledge(step)
        counted = self._counter(step)
        return follows and known and counted

    def _order(self, step: Step) -> bool:
        number, expected = step.token.sequence, self._next
        self._next = number + 1
        if number != expected:
            self._book.add("token.order", f"number {number} where {expected} comes next")
        return number == expected

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

    def _counter(self, step: Step) -> bool:
        token = step.token
        if isinstance(token.body, Boot):
            expected, self._boot = self._boot + 1, token.boot
            return self._right("boot.counter", token.boot, expected)
        if self._boot == 0:
            self._boot = token.boot
            self._book.add("boot.absent")
            return False
        expected = self._boot
        self._boot = token.boot
        return self._right("boot.counter", token.boot, expected)

    def _right(self, kind: str, found: int, expected: int) -> bool:
        if found != expected:
            self._book.add(kind, f"start {found} where {expected} is expected")
        return found == expected
