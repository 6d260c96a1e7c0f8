"""What is wrong with the checkpoints of a log, kept as it comes: the verifier's own findings.

A log in which something is odd goes on token by token like any other. What is odd about a
checkpoint stands beside the walk: it changes nothing there but by what a quorum has seen (`Seals`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from casemate.fleet.appraisal.notes import Held, read_note
from casemate.verify.findings import Finding, Notebook
from casemate.verify.log import Seal

MOST_PROOFS = 100
"""Checkpoints with another root than that of the entries, without a quorum, that are kept as proof
(planning value)."""
Rank = tuple[int, int, bytes, int]
"""In which order the verifier looks at checkpoints: size, length, bytes; then its findings."""
Rows = tuple[tuple[tuple[str, str], Finding], ...]


def rows_of(book: Notebook) -> Rows:
    """Return findings with what tells them apart, in the order in which they were made."""
    return tuple(book._found.items())


class Oddities:
    """Findings about checkpoints. The verifier begins with the newest one, and goes on by size."""

    def __init__(self) -> None:
        self._of: dict[bytes, tuple[Rows, Rows]] = {}
        """By checkpoint: what is found if it is the newest one, and what if it is not."""
        self._old: dict[tuple[str, str], tuple[Rank, Finding]] = {}
        """Of those that nothing changes any more: the first of each kind, which counts them."""

    def __bool__(self) -> bool:
        return bool(self._of or self._old)

    def __contains__(self, data: bytes) -> bool:
        return data in self._of

    def put(self, data: bytes, newest: Rows, other: Rows) -> None:
        """Take what is found about a checkpoint, in place of what was."""
        self._of.pop(data, None)
        if newest or other:
            self._of[data] = newest, other

    def drop(self, data: bytes) -> None:
        """Forget a checkpoint that is part of another by now, or that need not be kept."""
        self._of.pop(data, None)

    def fold(self, held: Held) -> None:
        """Say that nothing about a checkpoint changes any more: it is not the newest one."""
        _, rows = self._of.pop(held.data, ((), ()))
        for at, (key, found) in enumerate(rows):
            rank = (held.stated.size, len(held.data), held.data, at)
            before = self._old.get(key)
            self._old[key] = (rank, found) if before is None else _first(before, (rank, found))

    def found(self, newest: Held | None) -> list[tuple[tuple[str, str], Finding]]:
        """Return all, in the verifier's order, equal ones counted. newest: the newest one."""
        if not self:
            return []
        out = dict(self._old)
        for data, (as_newest, as_other) in self._of.items():
            is_newest = newest is not None and data == newest.data
            size = -1 if is_newest else read_note(data).stated.size
            for at, (key, each) in enumerate(as_newest if is_newest else as_other):
                one = (size, len(data), data, at), each
                out[key] = _first(out[key], one) if key in out else one
        return [(key, each) for key, (_, each) in sorted(out.items(), key=lambda x: x[1][0])]


def _first(one: tuple[Rank, Finding], other: tuple[Rank, Finding]) -> tuple[Rank, Finding]:
    """Return which of two is told first; it counts both."""
    first = min(one, other, key=lambda each: each[0])
    return first[0], replace(first[1], times=one[1].times + other[1].times)


class Awaiting:
    """Checkpoints that lack a quorum, and what the verifier says of them: of one alone."""

    def __init__(self) -> None:
        self._of: dict[bytes, tuple[int, str]] = {}
        self._proofs = 0
        """How many of these nothing changes any more, for they prove that there are two stories."""
        self._first: tuple[int, int, bytes, str] | None = None
        """The first of these: size, length, bytes, and what it lacks."""

    def put(self, held: Held, told: str) -> None:
        """Take what a checkpoint lacks by now, "" for nothing."""
        self._of.pop(held.data, None)
        if told:
            self._of[held.data] = held.stated.size, told

    def drop(self, data: bytes) -> None:
        """Forget a checkpoint that is part of another by now."""
        self._of.pop(data, None)

    def needless(self, newest: Held | None, odd: Oddities) -> list[bytes]:
        """Forget those that a larger one follows, but for what is a proof; return which."""
        found, proofs = [], self._proofs
        size = newest.stated.size if newest is not None else 0
        for data in [data for data, (its, _) in self._of.items() if its < size]:
            if data in odd and proofs < MOST_PROOFS:
                proofs += 1
                continue
            found.append(data)
            del self._of[data]
            odd.drop(data)
        return found

    def fold(self, held: Held) -> None:
        """Say that nothing about a checkpoint changes any more."""
        size, told = self._of.pop(held.data, (0, ""))
        if told:
            self._proofs += 1
            rank = (size, len(held.data), held.data, told)
            self._first = min(self._first or rank, rank)

    def told(self, newest: Held | None) -> str:
        """Return what is lacking, "" for nothing: of the newest one, else of the first."""
        if newest is not None and newest.data in self._of:
            return self._of[newest.data][1]
        ranked = [(size, len(data), data, told) for data, (size, told) in self._of.items()]
        ranked += [self._first] if self._first is not None else []
        return min(ranked)[3] if ranked else ""


class Seals:
    """What a quorum has seen of a log, by size, by the earliest time that it or a larger one names.

    held: the latest of them, of which none is ever replaced by another list.
    """

    def __init__(self) -> None:
        self.held: list[Seal] = []
        self._own: dict[int, int] = {}
        """By size: the time that its own quorum names."""
        self._late: list[int] = []
        """Sizes in `held` of which a larger one was seen earlier."""
        self._count, self._most = 0, 0
        """How many there ever were of these, and the largest."""

    @property
    def out_of_order(self) -> int:
        """Return how many were seen after a larger one."""
        return self._count

    def add(self, found: Sequence[Seal], settled: int) -> bool:
        """Take the seals of one size. settled: entries that were walked through with what is here.

        Return False if one of these entries was seen at another time than they were walked with.
        """
        if not found:
            return True
        best = min(found, key=lambda each: each.by_s)
        if best.size in self._own:
            return self._own[best.size] == best.by_s
        if self.held and best.size < self.held[-1].size:
            return False
        later = [at for at, each in enumerate(self.held) if each.by_s > best.by_s]
        if later and self.held[later[0]].size <= settled:
            return False
        for at in later:
            size = self.held[at].size
            self.held[at] = Seal(size=size, by_s=best.by_s)
            if size not in self._late:
                self._late.append(size)
                self._count, self._most = self._count + 1, max(self._most, size)
        self.held.append(best)
        self._own[best.size] = best.by_s
        return True

    def tell(self, book: Notebook) -> None:
        """Note what is out of order, as the verifier does."""
        if self._count:
            book.add("time.witness-order", f"size {self._most} after a larger one")
            key = ("time.witness-order", "")
            book._found[key] = replace(book._found[key], times=self._count)

    def forget(self, keep: int) -> None:
        """Keep the last of them alone: what waits is of none before."""
        del self.held[:-keep]
        sizes = {each.size for each in self.held}
        self._own = {size: by_s for size, by_s in self._own.items() if size in sizes}
        self._late = [size for size in self._late if size in sizes]
