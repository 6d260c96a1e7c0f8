"""What is read out of enclosures' entries, kept in memory: entries never change, so each once."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from casemate.fleet.appraisal import evidence

T = TypeVar("T")
_AT_ONCE = 1000
"""Entries that are read together."""


class ReadOnce(Generic[T]):
    """What `read` finds in entries, given them and the number of the first. For several threads.

    enclosures: of which it is kept; others are read anew. most: kept of an enclosure, the newest.
    tokens: newest entries of a log that are looked at, None for all.
    """

    def __init__(
        self, read: Callable[[Sequence[bytes], int], Sequence[T]], *, enclosures: int, most: int,
        tokens: int | None = None,
    ) -> None:  # fmt: skip
        self._read, self._enclosures, self._most, self._tokens = read, enclosures, most, tokens
        self._lock = threading.Lock()
        self._held: OrderedDict[int, tuple[int, tuple[T, ...]]] = OrderedDict()

    def of(self, link: Connection, enclosure_id: int) -> tuple[T, ...]:
        """Return what an enclosure's entries hold, in the order of its log."""
        with self._lock:
            before, held = self._held.get(enclosure_id, (0, ()))
        new: deque[T] = deque(held, maxlen=self._most)
        number = before
        if self._tokens is not None:
            number = max(number, evidence.next_number(link, enclosure_id) - self._tokens)
        while data := evidence.entries(link, enclosure_id, number, _AT_ONCE):
            new.extend(self._read(data, number))
            number += len(data)
        held = tuple(new) if number > before else held
        with self._lock:
            if number >= self._held.get(enclosure_id, (0, ()))[0]:
                self._held[enclosure_id] = (number, held)
            self._held.move_to_end(enclosure_id)
            if len(self._held) > self._enclosures:
                self._held.popitem(last=False)
        return held
