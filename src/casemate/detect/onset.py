"""Since when, and how far: exact FOCuS on what windows show beyond what is followed.

It carries no claim on false alarms; it dates what the keyed evidence has found. Up to `MOST`
streams: one a feature, or if there are more one a board, of how far its features stand out
together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.detect import focus
from casemate.detect._live_kernel import limited
from casemate.detect.anchor import Real

MOST = 1000
"""Streams of one enclosure: FOCuS takes 70 ns each a window (reference/detect.md 5)."""
CLIP = 8.0
"""Noises that one window counts for at most."""
CORNERS = 512
"""Kept before FOCuS begins anew: a convex series would keep all of its points."""
SPEAKS = 8.0
"""Nats from which a stream dates a change (planning value)."""
Whole = npt.NDArray[np.int64]


@dataclass(slots=True, kw_only=True)
class Onset:
    """FOCuS of one modality. zone (F,): stream of each feature; single: one a feature."""

    state: focus.FocusState
    zone: Whole
    members: Real
    single: bool

    @classmethod
    def start(cls, tiles: tuple[str, ...], *, single: bool) -> Onset:
        """Return FOCuS at rest for features on these boards."""
        known: dict[str, int] = {}
        zone = np.array([known.setdefault(each, len(known)) for each in tiles], dtype=np.int64)
        zone = np.arange(len(tiles)) if single else zone
        members = np.bincount(zone).astype(np.float64)
        return cls(state=focus.start(members.size), zone=zone, members=members, single=single)

    def copy(self) -> Onset:
        """Return a copy that goes its own way."""
        return replace(self, state=self.state.copy())

    def add(self, z: Real) -> None:
        """Take in one window: how far each feature (F,) lies beyond what is followed, in noises."""
        x = np.empty(z.size)
        limited(z, CLIP, x)
        self.take(x)

    def take(self, x: Real) -> None:
        """Take in what is a number within -CLIP .. CLIP, (F,)."""
        if not self.single:
            # mean square less 1 over its standard deviation, were the features normal and apart
            power = np.bincount(self.zone, weights=x**2, minlength=self.members.size)
            gone = (power - self.members) / np.sqrt(2.0 * self.members)
            x = np.clip(gone, 0.0, CLIP)
        state = self.state
        if state.times.shape[2] >= CORNERS and int(state.counts.max()) >= CORNERS:
            self.state = state = focus.start(self.members.size)
        focus.advance_finite(state, x[None, :])

    def since(self, feature: int) -> tuple[float, int, float]:
        """Return nats, windows since the change and its size (noises) of a feature's stream.

        Size is nan where the stream is a board's.
        """
        k = int(self.zone[feature])
        state = self.state
        one = focus.FocusState(
            samples=state.samples, totals=state.totals[k : k + 1], counts=state.counts[k : k + 1],
            times=state.times[k : k + 1], sums=state.sums[k : k + 1],
        )  # fmt: skip
        found = focus.change(one)
        size = float(found.size[0]) if self.single else math.nan
        return float(found.nats[0]), state.samples - int(found.time[0]), size
