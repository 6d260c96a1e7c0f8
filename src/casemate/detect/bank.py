"""One modality's detectors side by side: what a window shows, feature by feature."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from casemate.detect._bank_kernel import windows
from casemate.detect._court_kernel import told
from casemate.detect._live_kernel import all_sound, outcome
from casemate.detect.anchor import NONE, Anchor, Real
from casemate.detect.evidence import Evidence, Sums
from casemate.detect.silence import Silence, information
from casemate.detect.tracked import COMMON_MEMORY_S, MEMORY_S, RESTLESS, WIDE, Tracked

LEVELS = 26
"""Of windows of 0.1 s: the longest is 2^25 of them, 39 days."""
CHIPS_WEIGHT = 0.5
"""Of the chip-level evidence in a feature's mean. It begins at chips, of which a year has more than
windows, so it counts as `CHIPS_WEIGHT` of M over the chips of a window: then the mean still grows
by at most one a window. Windows' tests pay ln 2 for it, chips ln 200 at 1 kHz: 8 chips more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What F features of a modality show after a window.

    anchored, step (F,): nats of evidence of a change beyond all that surroundings may do, and
    faster than they may, less what chips are paid (`CHIPS_WEIGHT`). interference (F,): nats that
    something is there without drive. information (F,): nats that the window of `window_s` could
    bring; healthy (F,): when all is well. open_, lost (F,). off (F,): last estimate of the relative
    change against the anchor, nan where nothing sound came. at_bound (F,): the tracked state stands
    at its limit. nonlinear (F,): nats that the response depends on the level of the drive, None if
    no challenge had levels. shared (F,): the feature follows a common mode, as heat and humidity
    move all of a board.
    """

    modality: str
    names: tuple[str, ...]
    tiles: tuple[str, ...]
    anchored: Real
    step: Real
    interference: Real
    information: Real
    healthy: Real
    window_s: float
    open_: npt.NDArray[np.bool_]
    lost: npt.NDArray[np.bool_]
    off: Real
    at_bound: npt.NDArray[np.bool_]
    shared: npt.NDArray[np.bool_]
    nonlinear: Real | None = None
    _nats: Real | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_nats", None)

    @property
    def nats(self) -> Real:
        """Return ln of the mean of both tests' evidence, (F,)."""
        if self._nats is None:
            with np.errstate(invalid="ignore"):
                nats = np.logaddexp(self.anchored, self.step) - math.log(2.0)
            object.__setattr__(self, "_nats", np.asarray(nats))
        assert self._nats is not None
        return self._nats

    def with_chips(self, chips: Real, weight: float, nonlinear: Real | None) -> Shown:
        """Return the same with `weight` times the evidence of chips (F,) besides."""
        anchored, nats = np.empty(chips.size), np.empty(chips.size)
        told(self.anchored, self.step, chips, weight, anchored, nats)
        found = replace(self, anchored=anchored, nonlinear=nonlinear)
        object.__setattr__(found, "_nats", nats)
        return found


class Bank:
    """Detectors of one excited modality; its state is its own and copyable."""

    def __init__(self, anchor: Anchor, *, window_s: float, levels: int = LEVELS) -> None:
        self.anchor = anchor
        self.window_s = window_s
        count = len(anchor.names)
        self.tracked = Tracked.start(anchor)
        self.anchored = Evidence.start(count, levels)
        self.step = Evidence.start(count, levels)
        self.silence = Silence.start(anchor.noise)
        loud, _ = chips_of(anchor.chip_s, anchor.visits, window_s)
        self.scale = anchor.noise * np.sqrt(loud)
        self.grouped = anchor.group != NONE
        self.healthy = information(
            anchor, sound_sums(anchor, window_s), np.ones(count), Tracked.settled(anchor)
        )

    def copy(self) -> Bank:
        """Return a copy that goes its own way."""
        found = Bank.__new__(Bank)
        found.anchor, found.window_s = self.anchor, self.window_s
        found.healthy, found.scale, found.grouped = self.healthy, self.scale, self.grouped
        found.tracked = self.tracked.copy()
        found.anchored, found.step = self.anchored.copy(), self.step.copy()
        found.silence = self.silence.copy()
        return found

    def beyond(self, off: Real) -> bool:
        """Return whether changes `off` (F,) lie beyond what either test allows, noise apart."""
        shared = self.tracked.shared(self.anchor)
        anchored, sudden = self.tracked.tolerances(self.anchor)
        left = off - shared
        far = (np.abs(left) > anchored) | (np.abs(left - self.tracked.own) > sudden)
        return bool(far.any())

    def add(self, sums: Sums) -> Shown:
        """Take in K windows on end; return what the last one shows.

        Each is held against the state that earlier ones left. What is not finite is lost.
        """
        anchor, one, two, tracked = self.anchor, self.anchored, self.step, self.tracked
        sums = finite(sums)
        windows(
            sums.s1, sums.s2, sums.loud, sums.open_, self.window_s, MEMORY_S, COMMON_MEMORY_S,
            anchor.group, tracked.expected, anchor.bound, anchor.step, anchor.rate, anchor.common,
            anchor.common_rate, tracked.own, tracked.common, tracked.doubt, tracked.common_doubt,
            tracked.heard, anchor.noise, math.sqrt(RESTLESS), WIDE, one.rates, one.level,
            one.count, self.scale, one.r, one.held, one.spent, one.tails, two.r, two.held,
            two.spent, two.tails,
        )  # fmt: skip
        one.count += sums.s1.shape[0]
        two.count += sums.s1.shape[0]
        self.silence.add(sums)
        kept, size = math.log(1.0 - CHIPS_WEIGHT), len(anchor.names)
        off, at_bound = np.empty(size), np.empty(size, dtype=np.bool_)
        outcome(sums.s1[-1], sums.loud[-1], tracked.own, anchor.bound, off, at_bound)
        return Shown(
            modality=anchor.modality,
            names=anchor.names,
            tiles=anchor.tiles,
            anchored=one.nats() + kept,
            step=two.nats() + kept,
            interference=self.silence.nats(),
            information=information(anchor, sums, self.silence.louder(), self.tracked),
            healthy=self.healthy,
            window_s=self.window_s,
            open_=sums.open_[-1],
            lost=sums.lost[-1],
            off=off,
            at_bound=at_bound,
            shared=self.grouped,
        )


def finite(sums: Sums) -> Sums:
    """Return sums in which features that are not finite, or below 0 chips, are lost."""
    parts = (sums.s1, sums.s2, sums.loud, sums.quiet_power, sums.quiet)
    if all_sound(*parts):
        return sums
    bad = ~np.isfinite(np.stack(parts)).all(axis=0) | (sums.loud < 0.0) | (sums.quiet < 0.0)
    if not bad.any():
        return sums
    s1, s2, loud, power, quiet = (np.where(bad, 0.0, each) for each in parts)
    return replace(
        sums, s1=s1, s2=s2, loud=loud, quiet_power=power, quiet=quiet, lost=sums.lost | bad
    )


SILENT = 0.125
"""Share of chips that drive nothing (`core.challenge`)."""


def chips_of(chip_s: float, visits: float, window_s: float) -> tuple[int, int]:
    """Return how many loud and silent chips a feature gets in a window, at least one of each."""
    count = max(2, round(window_s / chip_s * visits))
    quiet = max(1, round(SILENT * count))
    return count - quiet, quiet


def sound_sums(anchor: Anchor, window_s: float) -> Sums:
    """Return a window in which nothing happens and nothing is heard, without noise."""
    loud, quiet = chips_of(anchor.chip_s, anchor.visits, window_s)
    shape = (1, len(anchor.names))
    no = np.zeros(shape, dtype=np.bool_)
    return Sums(
        s1=np.zeros(shape),
        s2=np.zeros(shape),
        loud=np.full(shape, float(loud)),
        quiet_power=np.ones(shape),
        quiet=np.full(shape, float(quiet)),
        open_=no,
        lost=no,
    )
