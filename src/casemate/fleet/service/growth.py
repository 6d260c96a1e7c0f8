"""How fast what the service keeps grows, so that a full disk is seen weeks before it comes.

The service notes once an hour what it keeps and what is free. Whoever looks (`doctor`) works out
for how many days that lasts, by the worst of three paces: a flood is seen within hours, and one
busy hour is no alarm.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemate.core.canonical import pretty_json
from casemate.core.whole_file import write_whole

FILE = "growth.json"
EVERY_S, KEPT_S = 3600, 15 * 86_400
"""Between notes, and for which they are kept (planning values): 360 of them, 15 kB."""
WINDOWS_S = (6 * 3600, 86_400, 7 * 86_400)
"""Over which a pace is taken (planning values). What others write counts in the longest alone: a
backup each night beside the service is no flood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """At a time: bytes that the service keeps, and bytes that are free on its disk."""

    at_s: int
    kept: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Bytes a day, over how many seconds that was seen, and of whom: "it" or "all on the disk"."""

    a_day: float
    over_s: int
    whose: str


class Grower:
    """Notes in a service's folder. free_bytes: of the disk under a path."""

    def __init__(
        self, folder: Path,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:  # fmt: skip
        self._folder, self._free_bytes = folder, free_bytes
        self._next_s = 0

    def tick(self, now_s: int) -> None:
        """Note how it stands, once an hour. OutputError if it cannot be written."""
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        old = [each for each in read(self._folder) if now_s - KEPT_S <= each.at_s < now_s]
        if old and now_s - old[-1].at_s < EVERY_S // 2:
            return  # it was started anew
        free = self._free_bytes(self._folder)
        new = Sample(at_s=now_s, kept=_kept(self._folder), free=free)
        rows = [[each.at_s, each.kept, each.free] for each in (*old, new)]
        write_whole(self._folder / FILE, pretty_json(rows))


def read(folder: Path) -> tuple[Sample, ...]:
    """Return what was noted, the oldest first; nothing if there is none, or it is torn."""
    try:
        rows = json.loads((folder / FILE).read_bytes())
        return tuple(Sample(at_s=int(a), kept=int(b), free=int(c)) for a, b, c in rows)
    except (OSError, ValueError, TypeError):
        return ()


def worst(samples: Sequence[Sample]) -> Pace | None:
    """Return the fastest pace; None if there is none, or less than the shortest window was seen."""
    paces = list(_paces(samples))
    return max(paces, key=lambda each: each.a_day, default=None)


def _paces(samples: Sequence[Sample]) -> Iterator[Pace]:
    if not samples:
        return
    last = samples[-1]
    for window_s in WINDOWS_S:
        before = [each for each in samples if last.at_s - each.at_s >= window_s - EVERY_S // 2]
        first = before[-1] if before else samples[0]
        over_s = last.at_s - first.at_s
        if over_s < WINDOWS_S[0] - EVERY_S // 2:
            continue
        yield Pace(a_day=(last.kept - first.kept) * 86_400 / over_s, over_s=over_s, whose="it")
        if before and window_s == WINDOWS_S[-1]:
            lost = (first.free - last.free) * 86_400 / over_s
            yield Pace(a_day=lost, over_s=over_s, whose="all on its disk")


def _kept(folder: Path) -> int:
    """Return the bytes of all files of a folder; one that goes meanwhile counts nothing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_size
            except FileNotFoundError:
                continue
    return total
