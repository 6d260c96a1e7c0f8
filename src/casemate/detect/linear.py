"""Linearity on the running path: what levels of amplitude tell of a keyed modality, by windows.

A challenge of signs has one level and brings nothing; one of amplitudes brings a sum a window and
feature (`checks.linearity`), held against the state that earlier windows left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from casemate.detect._live_kernel import levelled
from casemate.detect.anchor import Anchor, Real
from casemate.detect.checks import Check, linearity
from casemate.detect.stream import wipe
from casemate.detect.tracked import Tracked

Bool = npt.NDArray[np.bool_]
ONE_LEVEL = 1e-6
"""Share by which levels have to differ to be two."""


@dataclass(slots=True, kw_only=True)
class Linear:
    """Evidence of F features against a response that depends on the level of the drive.

    nats (F,): None until a window had levels. Owned by one stream.
    """

    anchor: Anchor
    check: Check | None = None
    nats: Real | None = None
    drive: list[Real] = field(default_factory=list)
    off: list[npt.NDArray[np.float32]] = field(default_factory=list)

    def copy(self) -> Linear:
        """Return a copy that goes its own way."""
        return Linear(
            anchor=self.anchor,
            check=None if self.check is None else self.check.copy(),
            nats=self.nats,
            drive=list(self.drive),
            off=list(self.off),
        )

    def take(self, drive: Real, off: npt.NDArray[np.float32]) -> None:
        """Take in loud chips (K,) and what they are off (K, F), in noises: of `Filling.add`."""
        self.drive.append(drive)
        self.off.append(off)

    def close(self, tracked: Tracked, blurred: Bool, *, use: bool) -> None:
        """End the window. tracked: as earlier windows left it. blurred (F,): lost for a value.

        use: whether states are known; if not, the window says nothing.
        """
        drive, off = self.drive, self.off
        self.drive, self.off = [], []
        if self.check is not None and blurred.any():
            wipe(self.check.evidence, blurred)
        if not (use and drive):
            return
        c = np.concatenate(drive) if len(drive) > 1 else drive[0]
        if not levelled(c, ONE_LEVEL):
            return
        if self.check is None:
            self.check = Check(self.anchor.noise * math.sqrt(c.size))
        x = np.concatenate(off).astype(np.float64)
        x[:, blurred] = np.nan
        _, tolerance = tracked.tolerances(self.anchor)
        share = c[:, None] * (x * self.anchor.noise)
        self.nats = self.check.add(linearity(c, share, tracked.own, tolerance))
