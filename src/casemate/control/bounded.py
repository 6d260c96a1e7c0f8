"""A queue with an end, whose taker waits outside of Python.

`queue.Queue` wakes a taker through a condition of Python's own: some 10 us of processor time each,
and two such queues lie between a reader and the detector.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Bounded(Generic[Item]):
    """First in, first out, of `size` items at most: who puts one more waits."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._room = threading.Semaphore(size)
        self._wanted = 0
        self._enough = threading.Lock()  # held but for the moment in which enough has come
        self._enough.acquire()

    def put(self, item: Item) -> None:
        """Put an item, when there is room."""
        self._room.acquire()
        self._add(item)

    def put_nowait(self, item: Item) -> None:
        """Put an item; queue.Full if there is no room."""
        if not self._room.acquire(blocking=False):
            raise queue.Full
        self._add(item)

    def _add(self, item: Item) -> None:
        self._items.put(item)
        if 0 < self._wanted <= self._items.qsize():
            self._wanted = 0
            with suppress(RuntimeError):  # another has said so already
                self._enough.release()

    def wait_for(self, count: int, timeout: float) -> None:
        """Wait until `count` items are held, at most half of what there is room for, or so long.

        For one taker alone, who is woken once instead of for each item. It may return early.
        """
        self._wanted = min(count, max(self._size // 2, 1))
        if self._items.qsize() < self._wanted:
            self._enough.acquire(timeout=timeout)
        self._wanted = 0

    def get(self, timeout: float | None = None) -> Item:
        """Take the first item; queue.Empty if none comes within `timeout` seconds."""
        found = self._items.get(timeout=timeout)
        self._room.release()
        return found

    def qsize(self) -> int:
        """Return how many items wait."""
        return self._items.qsize()

    def full(self) -> bool:
        """Return whether who puts an item now would wait."""
        return self.qsize() >= self._size
