"""The chain of tokens: nothing left out, put in, told twice, or told to somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from casemate.attest.claims import Boot
from casemate.verify.findings import Notebook
from casemate.verify.tokens import Step

Faults = Iterator[tuple[str, str]]
"""Kinds of findings, with details."""


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
        faults = [*self._place(step), *self._knowledge(step), *self._start(step)]
        for each in faults:
            self._book.add(*each)
        return not faults

    def _place(self, step: Step) -> Faults:
        number, expected, last = step.token.sequence, self._next, self._last
        self._next, self._last = number + 1, step.digest
        if number != expected:
            yield "token.order", f"number {number} where {expected} comes next"
        before = self._places.get(step.token.previous, step.index)
        if step.token.previous != last and before < step.index:
            yield "token.fork", f"it follows entry {before}, which another follows"
        elif step.token.previous != last:
            yield "token.chain", ""

    def _knowledge(self, step: Step) -> Faults:
        known = step.token.checkpoint
        if known is None:
            return
        if known.origin != self._origin or self._roots.get(known.size) != known.root:
            yield "token.split", f"{known.origin}, size {known.size}"
        elif known.size < self._known:
            yield "token.rollback", f"size {known.size} after {self._known}"
        else:
            self._known = known.size

    def _start(self, step: Step) -> Faults:
        found, starts = step.token.boot, isinstance(step.token.body, Boot)
        expected, self._boot = self._boot + starts, found
        if expected == 0:
            yield "boot.absent", ""
        elif found != expected:
            yield "boot.counter", f"start {found} where {expected} is expected"
