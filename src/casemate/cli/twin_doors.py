"""Doors of a twin that runs: a switch at each tells when it stands open.

It stands for hardware. What opens a door is a scene; the switch follows it, on the stage's time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

from casemate.attacks.door import WIPE_M
from casemate.twin.effects import Aperture, Scene


class Doors:
    """Switches of doors. names: faces that are doors. say: sends a message to the controller."""

    def __init__(self, names: Collection[str], say: Callable[[dict[str, Any]], None]) -> None:
        self._names, self._say = frozenset(names), say
        self._due: list[tuple[float, str, bool]] = []
        self._open: dict[str, int] = {}
        self._lock = threading.Lock()

    def begin(self, scene: Scene, now_s: float) -> None:
        """Note when a scene that begins at `now_s` opens doors, by more than contacts wipe."""
        found = []
        for each in scene:
            gap = each.effect
            if not isinstance(gap, Aperture) or gap.face not in self._names:
                continue
            if gap.width_m > WIPE_M:
                off_s = each.start_s + each.rise_s * WIPE_M / gap.width_m
                found += [(now_s + off_s, gap.face, True), (now_s + each.stop_s, gap.face, False)]
        with self._lock:
            self._due = sorted(self._due + found)

    def tick(self, now_s: float) -> None:
        """Say what has opened or closed until `now_s`; a door that two hold open closes once."""
        with self._lock:
            came = [each for each in self._due if each[0] <= now_s]
            self._due = self._due[len(came) :]
        for _, face, opens in came:
            before = self._open.get(face, 0)
            self._open[face] = before + (1 if opens else -1)
            if before == (0 if opens else 1):
                self._say({"face": face, "open": opens})
