"""What taking evidence may cost: a share of processor time an enclosure, and one for all beyond.

Nobody is held up while there is time to spare: who has used up the share of its own goes on out of
a common one. Where many use that up, whoever has kept within its own notices nothing of it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from casemate.fleet.errors import TooManyError

OWN, OWN_S = 0.004, 20.0
"""Of a core that is an enclosure's own, and seconds of it that may be saved up (planning values): a
token each six minutes takes 0.00004, one each 20 s 0.0009; 20 s are ten thousand tokens."""
COMMON, COMMON_S = 0.5, 30.0
"""Of a core that is there for all who go beyond their own, and seconds saved (planning values)."""
MOST_BEYOND = 2
"""Submissions at once of those who go beyond their own (planning value)."""
MOST_WALKS, SHORT = 2, 256
"""Walks anew at once, for who brings evidence, and entries up to which one is not counted (planning
values). Whoever waited for them would hold a thread that others need."""
MOST_KNOWN = 20_000
"""Accounts that are kept; of more, the one charged longest ago is forgotten (planning value)."""


class Account:
    """Seconds that fill by a share of a core up to what may be saved; work is charged when done."""

    def __init__(self, share: float, most_s: float, now_s: float) -> None:
        self._share, self._most_s = share, most_s
        self._left_s, self._at_s = most_s, now_s

    def left_s(self, now_s: float) -> float:
        """Return what is left, below zero what is owed."""
        filled = self._left_s + max(now_s - self._at_s, 0.0) * self._share
        return min(self._most_s, filled)

    def charge(self, spent_s: float, now_s: float) -> None:
        """Take what was spent; more than is there may be owed."""
        self._left_s, self._at_s = self.left_s(now_s) - spent_s, now_s

    def wait_s(self, now_s: float) -> float:
        """Return after which time there is something again."""
        return max(-self.left_s(now_s), 0.0) / self._share


class Shares:
    """Accounts by enclosure, and the common one. spent_s: processor time of the calling thread."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic,
        spent_s: Callable[[], float] = time.thread_time,
    ) -> None:  # fmt: skip
        self._clock, self._spent_s = clock, spent_s
        self._lock = threading.Lock()
        self._own: OrderedDict[int, Account] = OrderedDict()
        self._common = Account(COMMON, COMMON_S, clock())
        self._beyond = self._walks = 0
        self._here = threading.local()

    @contextmanager
    def taking(self, enclosure_id: int) -> Iterator[None]:
        """Work for an enclosure, and charge what it took, whatever came of it.

        TooManyError if nothing is left for it; no work is done then.
        """
        is_beyond = self._admit(enclosure_id)
        before_s, self._here.is_taking = self._spent_s(), True
        try:
            yield
        finally:
            self._here.is_taking = False
            self._charge(enclosure_id, self._spent_s() - before_s, is_beyond=is_beyond)

    @contextmanager
    def walking(self, entries: int) -> Iterator[None]:
        """Walk through so many entries anew. TooManyError if too many of such as bring evidence do.

        What time, a page or a command asks for is not held up.
        """
        counts = getattr(self._here, "is_taking", False) and entries > SHORT
        with self._lock:
            if counts and self._walks >= MOST_WALKS:
                raise TooManyError(
                    "all of this enclosure's evidence has to be appraised anew, and that of others "
                    "is just now.",
                    remedy="bring it again in a minute; nothing of it was taken.",
                )
            self._walks += counts
        try:
            yield
        finally:
            with self._lock:
                self._walks -= counts

    def _admit(self, enclosure_id: int) -> bool:
        """Return whether the common account pays. TooManyError if none does."""
        now_s = self._clock()
        with self._lock:
            own = self._own.get(enclosure_id)
            if own is None or own.left_s(now_s) > 0:
                return False
            if self._common.left_s(now_s) > 0 and self._beyond < MOST_BEYOND:
                self._beyond += 1
                return True
            wait_s = own.wait_s(now_s)
        raise TooManyError(
            "the evidence of this enclosure took more time than its share.",
            remedy=f"it is taken again in {wait_s:.0f} s at the latest, or as soon as others leave "
            "room; ask why so much came, or why it was odd.",
        )

    def _charge(self, enclosure_id: int, spent_s: float, *, is_beyond: bool) -> None:
        now_s = self._clock()
        with self._lock:
            if is_beyond:
                self._beyond -= 1
                self._common.charge(spent_s, now_s)
                return
            own = self._own.pop(enclosure_id, None) or Account(OWN, OWN_S, now_s)
            own.charge(spent_s, now_s)
            self._own[enclosure_id] = own
            while len(self._own) > MOST_KNOWN:
                self._own.popitem(last=False)
