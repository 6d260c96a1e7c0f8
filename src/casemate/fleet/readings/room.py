"""Room for readings: what all enclosures have together is bounded, and the disk keeps some free.

Room is made by who has most, so that one who brings much pushes out nobody but itself.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from casemate.core.errors import OutputError
from casemate.core.private_folder import private_folder
from casemate.fleet.errors import RefusedError
from casemate.fleet.readings import day_files

MOST_KEPT_BYTES = 200_000_000
"""Of an enclosure; a day alone may not have more either (planning value)."""
MOST_ALL_BYTES = 50_000_000_000
"""Of all enclosures together (planning value)."""
FREE_BYTES = 2_000_000_000
"""That stays free on the disk: evidence and the audit log come first (planning value)."""
_MOST_TRIMMED = 64
"""Enclosures whose days go to make room for one write (planning value)."""


class Room:
    """What the readings in a folder take up. Of one process.

    lock: of an enclosure, by its id. most_bytes: of its readings. all_bytes: of all, with their
    summaries. free_bytes: of the disk, that stay free. free: returns how many are.
    """

    def __init__(
        self, folder: Path, lock: Callable[[int], AbstractContextManager[object]], *,
        most_bytes: int, all_bytes: int, free_bytes: int, free: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._lock = folder, lock
        self._most, self._all, self._kept = most_bytes, all_bytes, free_bytes
        self._free = free or (lambda: shutil.disk_usage(folder).free)
        self._sizes: dict[int, int] | None = None
        self._sizing = threading.Lock()

    def make(self, enclosure_id: int, newest: str) -> None:
        """Drop the oldest days of who has most, until there is room. RefusedError if there is none.

        newest: day of what is brought. Who has no more than its share, of what all may have, loses
        nothing to others. Of one that has its latest day alone, and that beyond its bound, no more
        of that day is taken: a day as full as that holds up no other one.
        """
        try:
            private_folder(self._folder)
            sizes = dict(self._sized())
            over = max(sum(sizes.values()) - self._all, self._kept - self._free())
            share = max(sum(sizes.values()) - over, 0) / max(len(sizes), 1)
            largest = sorted(sizes, key=lambda x: -sizes[x]) if over > 0 else []
            for each in largest[:_MOST_TRIMMED]:
                if over <= 0 or sizes[each] <= share:
                    break
                with self._lock(each):
                    held = day_files.size(day_files.files(self._of(each)))
                    day_files.trim(self._of(each), max(held - over, 0))
                    over -= sizes[each] - self.measure(each)
            found = day_files.files(self._of(enclosure_id))
            full = bool(found) and day_files.size(found) > self._most
            greedy = over > 0 and self._sized().get(enclosure_id, 0) > share
            scarce = self._free() < self._kept // 2
        except OSError as error:
            raise OutputError(
                f"readings cannot be kept: {error}.", remedy="see that its disk has room."
            ) from None
        if (full and newest <= found[-1].parent.name) or greedy or scarce:
            raise RefusedError(
                "there is no room for more readings of it.", remedy="bring fewer a day."
            )

    def measure(self, enclosure_id: int) -> int:
        """Count what an enclosure has now; return how many bytes that are."""
        size = day_files.whole_size(self._of(enclosure_id))
        sizes = self._sized()
        with self._sizing:
            sizes[enclosure_id] = size
        return size

    def _of(self, enclosure_id: int) -> Path:
        return self._folder / str(enclosure_id)

    def _sized(self) -> dict[int, int]:
        """Return how many bytes each enclosure has; what is on the disk counts, at first."""
        with self._sizing:
            if self._sizes is None:
                found = (each.name for each in self._folder.iterdir() if each.name.isdigit())
                self._sizes = {
                    int(each): day_files.whole_size(self._of(int(each))) for each in found
                }
            return self._sizes
