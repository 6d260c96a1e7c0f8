"""Fresh keys of challenges while readers run: what detection's wish for more chips comes to.

The stream that answers the old key ends where the one for the new key begins, so no window is lost.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from casemate.control.readers import Pump
from casemate.core.errors import CasemateError

if TYPE_CHECKING:
    from casemate.control.runtime import Runtime

REKEY_S = 10.0
"""Between two fresh keys of challenges, however long detection asks for them (planning value)."""


class Rekeying:
    """Gives fresh keys to all readers that can change over. `more_chips` waits for nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._last_s = runtime, -math.inf

    def more_chips(self) -> bool:
        """Ask readers anew, each with a fresh key; False where readers cannot change over.

        Chip time and share of silence stay: they are the reader's, and the meter's.
        """
        runtime, now_s = self._runtime, time.monotonic()
        if runtime.far.hello.get("rekeys") is not True:
            return False
        if now_s - self._last_s >= REKEY_S:
            self._last_s = now_s
            left_out = runtime.watching.machine.masked.modules
            due = [each for each in runtime.pumps if each.excited and each.modality not in left_out]
            threading.Thread(target=_renewed, args=(due,), daemon=True).start()
        return True


def _renewed(pumps: list[Pump]) -> None:
    for each in pumps:
        with suppress(CasemateError):  # readers that have ended are silent, and that is told
            each.renew()
