"""Bounded states: what surroundings do to an enclosure, followed no faster and no further than
physics allows, so that nothing is learnt from an adversary who moves slowly.

A state takes a fixed share of what a window shows, at most `rate`, and never leaves its bound. It
serves the sensitive test alone; the anchored test does not know of it. Who walks slowly is
followed up to the bound, and caught there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.detect._bank_kernel import towards
from casemate.detect.anchor import NONE, Anchor, Real

MEMORY_S = 10.0
"""Of the tracked state: far above a window, far below what surroundings take (planning value)."""


@dataclass(slots=True, kw_only=True)
class Tracked:
    """State of F features and G common modes. Owned by one bank."""

    own: Real
    common: Real

    @classmethod
    def start(cls, anchor: Anchor) -> Tracked:
        """Return the state at commissioning."""
        return cls(own=np.zeros(len(anchor.names)), common=np.zeros(anchor.common.size))

    def copy(self) -> Tracked:
        """Return a copy that goes its own way."""
        return Tracked(own=self.own.copy(), common=self.common.copy())

    def shared(self, anchor: Anchor) -> Real:
        """Return what common modes do to each feature, (F,)."""
        if not anchor.common.size:
            return np.zeros(self.own.size)
        found = np.where(anchor.group == NONE, 0.0, self.common[anchor.group])
        return np.asarray(found * anchor.expected)

    def towards(
        self, anchor: Anchor, shown: Real, sound: npt.NDArray[np.bool_], seconds: float
    ) -> None:
        """Move towards what is shown (F,), relative, where it is `sound` (F,), for a time."""
        towards(
            shown, sound, seconds, MEMORY_S, anchor.group, anchor.expected, anchor.bound,
            anchor.rate, anchor.common, anchor.common_rate, self.own, self.common,
        )  # fmt: skip
