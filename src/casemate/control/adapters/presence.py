"""Trays that go and come back between two readings of a rack's inventory.

A tray that was away is reset: the time of its last reset is another one, whatever else it says.
These marks are read more often than the whole inventory, and go from one signed snapshot to the
next, so that an absence shows itself afterwards. They are the word of its management controller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from casemate.control.adapters import redfish
from casemate.core.errors import CasemateError

PULSE_S = 1.0
"""From one look at the marks to the next; twice what a look takes, if that is longer (planning
value)."""
AWAY = "component.away"
Mark = dict[str, str]


def until_due(
    asked: Callable[[float], bool],
    look: Callable[[], list[Mark]],
    marks: Sequence[Mark],
    *,
    poll_s: float,
    pulse_s: float = PULSE_S,
) -> list[Mark]:
    """Wait for `poll_s`, or until somebody asks; return the marks that have changed meanwhile.

    asked: waits so many seconds for a question. look: reads the marks. A change ends the wait, and
    so does a service that does not answer: the reading that follows tells it.
    """
    end_s, pause_s = time.monotonic() + poll_s, pulse_s
    while (left_s := end_s - time.monotonic()) > 0.0:
        if asked(min(pause_s, left_s)):
            return []
        began_s = time.monotonic()
        try:
            changed = [each for each in look() if each not in marks]
        except CasemateError:
            return []
        if changed:
            return changed
        pause_s = max(pulse_s, 2.0 * (time.monotonic() - began_s))
    return []


class Presence:
    """What was away since the controller has started, by one reading after the other.

    `count`: of absences that were noted, for `since`.
    """

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self._found: dict[str, tuple[int, str]] = {}
        self.count = 0

    def take(self, flips: Sequence[Mark], marks: Sequence[Mark]) -> None:
        """Go on by a reading: marks that changed before it, in their order, and its own."""
        for row in (*flips, *marks):
            path = row["path"]
            before = self._marks.get(path, row)
            if row != before:
                self.count += 1
                self._found[path] = self.count, _changed(row, before)
            self._marks[path] = row

    def findings(self) -> list[dict[str, str]]:
        """Return what was away and nobody has settled, as findings of a snapshot."""
        found = sorted(self._found.items())
        return [{"id": AWAY, "component": path, "what": what} for path, (_, what) in found]

    def since(self, count: int, within: Collection[str]) -> list[str]:
        """Return what was away after so many absences, but for those `within` these paths."""
        found = sorted(self._found.items())
        return [
            f"{AWAY} at {path}: {what}"
            for path, (number, what) in found
            if number > count and not any(redfish.inside(path, root) for root in within)
        ]

    def settle(self, within: Collection[str]) -> None:
        """Forget absences within these paths: both parties have signed what is there now."""
        for path in list(self._found):
            if any(redfish.inside(path, root) for root in within):
                del self._found[path]


def _changed(row: Mark, before: Mark) -> str:
    names = sorted(name for name in row.keys() | before.keys() if row.get(name) != before.get(name))
    return "; ".join(f"{n} {row.get(n, '-')}, was {before.get(n, '-')}" for n in names)
