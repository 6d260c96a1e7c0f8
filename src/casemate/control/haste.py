"""What makes a thread of Python late, and what is done against it while an enclosure is watched.

Two things hold up the hot loop for longer than its own work takes (decision 26). The collector of
cycles looks at every object of the process, some 50 ms once it holds the twin's and numpy's
modules: what is there at the start is put out of its sight. And a thread that computes gives up the
interpreter only when another has waited for the switching interval, 5 ms by default, and each of
the loop's waits for a block ends in such a wait.
"""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from typing import Self

SWITCH_S = 0.5e-3
"""After which a waiting thread gets the interpreter: a tenth of the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Haste:
    """The interpreter in a hurry, and how it was before."""

    switch_s: float

    @classmethod
    def begin(cls) -> Self:
        """Collect once, keep what is left from the collector, and switch threads sooner."""
        found = cls(switch_s=sys.getswitchinterval())
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(SWITCH_S)
        return found

    def end(self) -> None:
        """Put the interpreter back as it was."""
        sys.setswitchinterval(self.switch_s)
        gc.unfreeze()
