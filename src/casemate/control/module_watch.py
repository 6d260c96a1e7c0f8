"""Modules of a running enclosure: who announces itself is asked who it is, and the machine is told.

A module that answers wrongly, or not in time, has not proved its identity; one that nobody knows
for its place is never anchored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from casemate.control import module_identity as identity
from casemate.control.events import Event, Replaced
from casemate.core.errors import CasemateError
from casemate.core.suites import PublicKey


class Place(Protocol):
    """Which enclosure it is."""

    @property
    def enclosure(self) -> str:
        """Return its name."""
        ...

    @property
    def serial(self) -> str:
        """Return its serial."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    nonce: bytes
    timer: threading.Timer


class ModuleWatch:
    """Asks modules who they are, and the known ones to measure. known: keys for a place.

    ask: sends a question to the far side.
    post: takes what the machine has to know. `proven`: keys of modules that were put in and have
    proved who they are, until `forget`.
    """

    def __init__(
        self,
        place: Place,
        *,
        known: Callable[[str], tuple[PublicKey, ...]],
        ask: Callable[[dict[str, Any]], None],
        post: Callable[[Event], None],
        answer_s: float = identity.ANSWER_S,
    ) -> None:
        self._place, self._known, self._ask, self._post = place, known, ask, post
        self._answer_s = answer_s
        self._asked: dict[str, _Asked] = {}
        self._lock = threading.Lock()
        self.proven: dict[str, PublicKey] = {}

    def announced(self, module: str) -> None:
        """Ask a module that was put in who it is; one question at a time."""
        nonce = identity.new_nonce()
        timer = threading.Timer(self._answer_s, self._end, (module, nonce, None))
        timer.daemon = True
        with self._lock:
            before = self._asked.get(module)
            self._asked[module] = _Asked(nonce, timer)
            self.proven.pop(module, None)
        if before is not None:
            before.timer.cancel()
        timer.start()
        self._ask({"identify": module, "nonce": nonce.hex()})

    def answered(self, module: str, nonce: bytes, signature: bytes) -> None:
        """Take an answer; only the first one to the question of now counts."""
        key = None
        try:
            asked = identity.message(self._place.enclosure, self._place.serial, module, nonce)
            key = identity.prover(self._known(module), asked, signature)
        except (CasemateError, ValueError):
            key = None
        self._end(module, nonce, key)

    def forget(self) -> None:
        """Forget who has proved what: another permit begins."""
        with self._lock:
            self.proven.clear()

    def close(self) -> None:
        """Wait for no answer any more."""
        with self._lock:
            for each in self._asked.values():
                each.timer.cancel()
            self._asked.clear()

    def _end(self, module: str, nonce: bytes, key: PublicKey | None) -> None:
        with self._lock:
            asked = self._asked.get(module)
            if asked is None or asked.nonce != nonce:
                return
            del self._asked[module]
            asked.timer.cancel()
            if key is not None:
                self.proven[module] = key
        self._post(Replaced(module=module, proven=key is not None))
        if key is not None:
            self._ask({"measure": module})
