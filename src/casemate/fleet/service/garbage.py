"""When unreachable objects are looked for: seldom, since nobody is answered meanwhile.

Python frees most objects at once. What refers to itself is looked for among all objects, which
takes a second with 10,000 enclosures in memory, and comes whenever a quarter as many are new. Here
young objects are looked through as ever, all of them each ten minutes, or once memory has grown.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

EVERY_S = 600.0
"""Between two looks at all objects (planning value)."""
GROWN_BYTES = 256_000_000
"""By which memory grows at most before one (planning value): who makes garbage fills no memory."""
_NEVER = 1 << 30


def resident_bytes(process: int | str = "self") -> int:
    """Return the memory that a process holds (Linux); 0 if that cannot be told."""
    with suppress(OSError, ValueError):
        text = Path(f"/proc/{process}/statm").read_text(encoding="ascii")
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


class Collector:
    """Looks at all objects when it is time to. clock: seconds. resident: bytes of memory."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic,
        resident: Callable[[], int] = resident_bytes,
    ) -> None:  # fmt: skip
        self._clock, self._resident = clock, resident
        self._at_s, self._held = clock(), resident()

    def look(self) -> bool:
        """Look at all objects if it is time to, or memory has grown; return whether it did."""
        grown = self._resident() - self._held
        if self._clock() - self._at_s < EVERY_S and grown < GROWN_BYTES:
            return False
        gc.collect()
        self._at_s, self._held = self._clock(), self._resident()
        return True


@contextmanager
def seldom() -> Iterator[Collector]:
    """Have all objects be looked at only by the collector that is yielded."""
    before = gc.get_threshold()
    gc.set_threshold(before[0], before[1], _NEVER)
    try:
        yield Collector()
    finally:
        gc.set_threshold(*before)
