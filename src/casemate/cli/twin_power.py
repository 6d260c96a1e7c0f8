"""The supply of a twin that runs: when hold-up ends, everything on this machine stops at once.

It stands for hardware. Nobody is asked and nothing is written: processes are killed, as by a cut.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from casemate.control import supply


class Power:
    """What the controller runs on. say: sends a message to it. ends: called once hold-up is over.

    A second cut never makes hold-up longer; power that is back in time ends it.
    """

    def __init__(self, say: Callable[[dict[str, Any]], None], ends: Callable[[], None]) -> None:
        self._say, self._ends = say, ends
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []

    def move(self, move: str, values: list[str]) -> dict[str, Any] | None:
        """Carry out a move of the supply, and return what was said; None if it is another move.

        InputError for a value that is none.
        """
        told = supply.asked(move, values)
        if told is None:
            return None
        with self._lock:
            if told["supply"] == "back":
                self.close()
            else:
                timer = threading.Timer(float(told["hold_s"]), self._ends)
                timer.daemon = True
                self._timers.append(timer)
                timer.start()
        self._say(told)
        return told

    def close(self) -> None:
        """Let no cut end any more."""
        for each in self._timers:
            each.cancel()
        self._timers.clear()


def stop_machine(controller: int) -> None:
    """Kill a controller and all that it has started, this process last; no return.

    The controller goes first: it can neither write nor say anything of it.
    """
    print("the supply has ended: everything stops", file=sys.stderr, flush=True)
    mine = os.getpid()
    doomed = [controller, *(each for each in _descendants(controller) if each != mine), mine]
    for each in doomed:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _descendants(process: int) -> list[int]:
    """Return the processes that one has started, and theirs."""
    parents: dict[int, list[int]] = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parent = int(each.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(each.parent.name))
    found, waiting = [], [process]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found
