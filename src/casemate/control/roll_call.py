"""All modules are asked who they are, whether or not one has announced itself.

At commissioning the enclosure learns which key is fitted in each place. Before work ends and before
sealed keys are opened, each place has to answer with that key, or with the one that both parties
have signed for it since: a module that was swapped and said nothing does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from casemate.control import module_identity as identity
from casemate.control.module_watch import Place
from casemate.core.errors import CasemateError, PermitError
from casemate.core.suites import PublicKey


class RollCall:
    """Asks every place whose keys are enrolled. May be called by any thread but that of answers.

    known: keys for a place. ask: sends a question to the far side. places: of now. `fitted`: key by
    place, since this controller has started.
    """

    def __init__(
        self,
        place: Place,
        *,
        places: Callable[[], Collection[str]],
        known: Callable[[str], tuple[PublicKey, ...]],
        ask: Callable[[dict[str, Any]], None],
        answer_s: float = identity.ANSWER_S,
    ) -> None:
        self._place, self._places, self._known, self._ask = place, places, known, ask
        self._answer_s = answer_s
        self._calling, self._lock = threading.Lock(), threading.Lock()
        self._asked: dict[bytes, str] = {}
        self._found: dict[str, PublicKey] = {}
        self._all = threading.Event()
        self.fitted: dict[str, PublicKey] = {}

    def learn(self) -> None:
        """Take the keys that answer now for those that are fitted; PermitError unless all do."""
        self.fitted = self._answers()

    def check(self) -> None:
        """Refuse unless each place answers with the key that is fitted; PermitError names one.

        After a start of the controller any key that is known for a place will do: it is learnt.
        """
        found = self._answers()
        for name, key in found.items():
            if self.fitted.setdefault(name, key) != key:
                raise _refused(f"another module than before is in the place of {name}")

    def replaced(self, proven: Mapping[str, PublicKey]) -> None:
        """Take what both parties have signed."""
        self.fitted |= proven

    def answered(self, module: str, nonce: bytes, signature: bytes) -> bool:
        """Take an answer; return whether the question was one of these.

        A wrong one is an answer too: nobody waits for a better one.
        """
        with self._lock:
            if self._asked.get(nonce) != module:
                return False
        key: PublicKey | None = None
        try:
            asked = identity.message(self._place.enclosure, self._place.serial, module, nonce)
            key = identity.prover(self._known(module), asked, signature)
        except CasemateError:
            pass
        with self._lock:
            if self._asked.pop(nonce, None) != module:
                return True  # too late, or told twice
            if key is not None:
                self._found[module] = key
            if not self._asked:
                self._all.set()
        return True

    def _answers(self) -> dict[str, PublicKey]:
        with self._calling:
            asked = {identity.new_nonce(): name for name in sorted(self._places())}
            with self._lock:
                self._asked, self._found = dict(asked), {}
                self._all.clear()
            for nonce, name in asked.items():
                self._ask({"identify": name, "nonce": nonce.hex()})
            if asked:
                self._all.wait(self._answer_s)
            with self._lock:
                self._asked, found = {}, dict(self._found)
        missing = sorted(set(asked.values()) - set(found))
        if missing:
            raise _refused(f"{missing[0]} does not prove who it is")
        return found


def _refused(why: str) -> PermitError:
    return PermitError(
        f"a module is not the one that both parties know: {why}.",
        remedy="put back what was there, or replace it under a permit that names it.",
    )
