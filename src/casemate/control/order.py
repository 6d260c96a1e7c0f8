"""The order of a step: keys first, then memory that outlasts a power cut, then what has effect.

Destroying and sealing keys waits for nothing. All else that a power cut could leave done and
forgotten comes after the memory that knows of it: records go through the writer's queue behind the
memory's own item; keys that are made or opened and locks wait here until the disk has it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from casemate.control import actions as do
from casemate.control import memory_file
from casemate.control.actions import Action
from casemate.control.states import Machine
from casemate.core.errors import OutputError
from casemate.translog.disk import Disk

AT_ONCE = (do.Zeroise, do.Seal)
FIRST = (do.Zeroise, do.Seal, do.Unlock)
"""At the head of a step; `Unlock` stands there in an emergency alone, which nothing blocks."""
WAITS = (do.MakeKeys, do.Unseal, do.SubmitPermit, do.Unlock, do.Lock)
"""What has its effect at once, outside of the writer's queue."""

_LASTING = (
    "state", "keys", "anchor", "open", "replaced", "alien", "emergency", "forgot", "last_word",
    "count", "used",
)  # fmt: skip


def carry_out(
    actions: Iterable[Action], act: Callable[[Action], None], keep: Callable[[bool], None]
) -> None:
    """Carry out a step's actions in order, its memory kept once, before the first that has effect.

    keep: has the memory kept; True asks it to return only when the disk has it. An error of `act`
    or `keep` ends the step.
    """
    rest = list(actions)
    while rest and isinstance(rest[0], FIRST):
        act(rest.pop(0))
    if rest and any(not isinstance(each, AT_ONCE) for each in rest):
        keep(any(isinstance(each, WAITS) for each in rest))
    for action in rest:
        act(action)


class Keeper:
    """The newest memory, and what of it the disk has. Any thread may write it.

    path: of the file. entries: tells the log's length. disk: of its folder, for tests.
    """

    def __init__(self, path: Path, entries: Callable[[], int], *, disk: Disk | None = None) -> None:
        self._path, self._entries, self._disk = path, entries, disk
        self._lock = threading.Lock()
        self._newest: tuple[tuple[object, ...], Machine] | None = None
        self._written: tuple[object, ...] = ()

    def note(self, now: Machine) -> bool:
        """Take the newest machine; return whether what lasts of it has changed."""
        noted = tuple(getattr(now, name) for name in _LASTING)
        if self._newest is not None and noted == self._newest[0]:
            return False
        self._newest = noted, now
        return True

    def write(self) -> None:
        """Make the newest memory durable; OutputError if the disk does not take it."""
        with self._lock:
            if self._newest is None or self._newest[0] == self._written:
                return
            noted, now = self._newest
            try:
                memory_file.keep(self._path, now, entries=self._entries(), disk=self._disk)
            except OSError as error:
                raise OutputError(
                    f"the controller's memory cannot be kept: {error.strerror or error}.",
                    remedy="mend the disk or free space, then start anew.",
                ) from None
            self._written = noted
