"""Bounded states: what surroundings do to an enclosure, followed no faster and no further than
physics allows, so that nothing is learnt from an adversary who moves slowly.

A state takes a fixed share of what a window shows, at most `rate` of it, and never leaves its
bound. It serves the sensitive test alone; the anchored test knows of the common modes only. Who
walks slowly is followed up to the bound, and caught there. Since a window moves a state by so
little, pulses that an adversary times between silent chips shake it within the test's tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.detect._bank_kernel import towards
from casemate.detect.anchor import NONE, Anchor, Real

MEMORY_S = 10.0
"""Of the tracked state: far above a window, far below what surroundings take (planning value)."""
COMMON_MEMORY_S = 0.3
"""Of common modes: many features tell of them (planning value)."""
RESTLESS = 2.0
"""Of loud chips' scatter over their noise's square, above which states are not followed well: 87
quiet chips reach it once in 10^8 windows (chi-square)."""


@dataclass(slots=True, kw_only=True)
class Tracked:
    """State of F features and G common modes; `doubt` as `_bank_kernel` says. Owned by one bank."""

    own: Real
    common: Real
    doubt: Real

    @classmethod
    def start(cls, anchor: Anchor) -> Tracked:
        """Return the state at commissioning."""
        count = len(anchor.names)
        return cls(own=np.zeros(count), common=np.zeros(anchor.common.size), doubt=np.zeros(count))

    def copy(self) -> Tracked:
        """Return a copy that goes its own way."""
        return Tracked(own=self.own.copy(), common=self.common.copy(), doubt=self.doubt.copy())

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
            shown, sound, seconds, MEMORY_S, COMMON_MEMORY_S, anchor.group, anchor.expected,
            anchor.bound, anchor.rate, anchor.common, anchor.common_rate, self.own, self.common,
        )  # fmt: skip
