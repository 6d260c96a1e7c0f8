"""Bounded states: what surroundings do to an enclosure, followed no faster and no further than
physics allows, so that nothing is learnt from an adversary who moves slowly.

A state takes a fixed share of what a window shows, at most `rate` of it, and never leaves its
bound. Who walks slowly is followed up to the bound, and caught there.

Beside each state stands its doubt: how much further than in quiet it may be off by now. A window's
mean is off by no more than a few times what its chips' scatter says, whatever is injected by who
does not know the challenge (Hoeffding); doubt follows that figure as the state follows the mean. In
a jam it grows as fast as surroundings and state may part, over lost windows as fast as surroundings
may move, and it goes as fast as the state comes back: at once for common modes, in a memory for a
feature's own. Tolerances are opened by it, so a state that was led astray convicts nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.detect._bank_kernel import towards
from casemate.detect._live_kernel import shared_of
from casemate.detect.anchor import NONE, Anchor, Real

MEMORY_S = 10.0
"""Of the tracked state: far above a window, far below what surroundings take (planning value)."""
COMMON_MEMORY_S = 0.3
"""Of common modes: many features tell of them (planning value)."""
STOOD_S = 1e6
"""For which surroundings have stood still where states `stand`."""
RESTLESS = 2.0
"""Of loud chips' scatter over their noise's square, which tolerances allow for by themselves: 87
quiet chips reach it once in 10^8 windows (chi-square)."""
WIDE = 8.0
"""Standard deviations of a window's mean that it may be off: once in 4e13, exp(-WIDE^2/2) twice."""


@dataclass(slots=True, kw_only=True)
class Tracked:
    """State of F features and G common modes, relative. Owned by one bank.

    own, doubt (F,), common, common_doubt (G,): states, and how much further than in quiet they may
    be off. heard (F,): by how much more than in quiet a window's mean may be off, of late.
    expected (F,): the anchor's, which is summed up at each call.
    """

    own: Real
    common: Real
    doubt: Real
    common_doubt: Real
    heard: Real
    expected: Real

    @classmethod
    def start(cls, anchor: Anchor) -> Tracked:
        """Return the state of who has seen nothing yet: truth may lie anywhere within bounds."""
        found = cls.settled(anchor)
        found.doubt[:], found.common_doubt[:] = anchor.bound, anchor.common
        return found

    @classmethod
    def settled(cls, anchor: Anchor) -> Tracked:
        """Return the state at commissioning, when nothing has moved."""
        count, groups = len(anchor.names), anchor.common.size
        return cls(
            own=np.zeros(count), common=np.zeros(groups), doubt=np.zeros(count),
            common_doubt=np.zeros(groups), heard=np.zeros(count), expected=anchor.expected,
        )  # fmt: skip

    def copy(self) -> Tracked:
        """Return a copy that goes its own way."""
        return Tracked(
            own=self.own.copy(), common=self.common.copy(), doubt=self.doubt.copy(),
            common_doubt=self.common_doubt.copy(), heard=self.heard.copy(), expected=self.expected,
        )  # fmt: skip

    def shared(self, anchor: Anchor) -> Real:
        """Return what common modes do to each feature, (F,)."""
        found = np.empty(anchor.group.size)
        shared_of(anchor.group, self.expected, self.common, found)
        return found

    def tolerances(self, anchor: Anchor) -> tuple[Real, Real]:
        """Return how far a feature may be off by itself, (F,): from the anchor, from the state."""
        unsure = _by_feature(anchor, self.common_doubt) * np.abs(self.expected)
        return anchor.bound + unsure, anchor.step + unsure + self.doubt

    def towards(
        self,
        anchor: Anchor,
        shown: Real,
        sound: npt.NDArray[np.bool_],
        seconds: float,
        window_s: float,
    ) -> None:
        """Move towards what is shown without noise (F,), where it is `sound` (F,), for a time.

        window_s: of the windows that are held against the state afterwards.
        """
        towards(
            shown, sound, np.zeros(shown.size), seconds, window_s, MEMORY_S, COMMON_MEMORY_S,
            anchor.group, self.expected, anchor.bound, anchor.rate, anchor.common,
            anchor.common_rate, self.own, self.common, self.doubt, self.common_doubt,
        )  # fmt: skip

    def stand(self, anchor: Anchor, shown: Real, sound: npt.NDArray[np.bool_]) -> None:
        """Stand where surroundings have been for long."""
        self.towards(anchor, shown, sound, STOOD_S, 0.0)


def _by_feature(anchor: Anchor, common: Real) -> Real:
    """Return each feature's common mode (F,), 0 where it has none."""
    if not common.size:
        return np.zeros(anchor.group.size)
    return np.asarray(np.where(anchor.group == NONE, 0.0, common[anchor.group]))
