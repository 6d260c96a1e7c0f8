"""Order and pace of samples: what numbers and times alone say about a reader's health."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from casemate.core import _pace_kernel as pace_kernel
from casemate.core import _watch_kernel as kernel
from casemate.core.samples import Health

RESUME_SAMPLES = 8
"""That follow one another before a jump is believed; one wild time stamp then costs one sample."""


_RATE = int(Health.RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far a stream may stray. Times in seconds; `rate_share` over `rate_samples` chips."""

    chip_s: float
    slack_s: float
    silent_s: float
    rate_share: float
    rate_samples: int


@dataclass(slots=True)
class Order:
    """The last sample that was believed, and a run of samples that wants to be.

    numbered: whether samples carry the number of their chip; if not, they are counted.
    """

    pace: Pace
    numbered: bool
    _t_s: float = np.nan
    _chip: int = -1
    _run_t_s: float = np.nan
    _run_chip: int = -1
    _run: int = 0
    _counted: int = 0
    _window: tuple[float, int] | None = None
    _off_rate: bool = field(default=False)

    def calm(self, t_s: npt.NDArray[np.float64], chip: npt.NDArray[np.int64]) -> bool:
        """Take in samples (K,) if `flags` would find nothing about them; False: it has to look."""
        if not self.numbered or self._chip < 0 or self._run or self._off_rate or not t_s.size:
            return False
        if self._window is None:
            return False
        pace = self.pace
        found, from_s, from_chip = pace_kernel.paced(
            t_s, chip, self._t_s, self._chip, pace.chip_s, pace.slack_s, *self._window,
            pace.rate_samples, pace.rate_share,
        )  # fmt: skip
        if found:
            self._window = from_s, from_chip
            self._t_s, self._chip = float(t_s[-1]), int(chip[-1])
        return bool(found)

    def flags(
        self, t_s: npt.NDArray[np.float64], chip: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint16]:
        """Return Health flags (K,) of the next samples; never raises."""
        if not self.numbered:
            chip = np.arange(self._counted, self._counted + t_s.size, dtype=np.int64)
            self._counted += t_s.size
        if self._smooth(t_s, chip):
            return self._accepted_all(t_s, chip)
        pairs = zip(t_s.tolist(), chip.tolist(), strict=True)
        return np.array([self._flag(t, number) for t, number in pairs], dtype=np.uint16)

    def _smooth(self, t_s: npt.NDArray[np.float64], chip: npt.NDArray[np.int64]) -> bool:
        """Whether every sample follows the last one; the common case, without a loop."""
        if self._chip < 0 or self._run or not t_s.size:
            return False
        pace = self.pace
        return bool(kernel.follow(t_s, chip, self._t_s, self._chip, pace.chip_s, pace.slack_s))

    def _accepted_all(
        self, t_s: npt.NDArray[np.float64], chip: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint16]:
        out = np.zeros(t_s.size, dtype=np.uint16)
        at = 0
        while at < t_s.size:
            start = self._window[1] if self._window else int(chip[at])
            stop = min(t_s.size, at + max(1, start + self.pace.rate_samples - int(chip[at]) + 1))
            rate = self._rate(float(t_s[stop - 1]), int(chip[stop - 1]))
            if rate[0]:
                out[at : stop - 1] = _RATE
            if rate[1]:
                out[stop - 1] = _RATE
            at = stop
        self._t_s, self._chip = float(t_s[-1]), int(chip[-1])
        return out

    def _rate(self, t_s: float, chip: int) -> tuple[bool, bool]:
        """Whether the rate was off before this sample, and is with it."""
        before = self._off_rate
        if self._window is None:
            self._window = (t_s, chip)
        elif chip - self._window[1] >= self.pace.rate_samples:
            measured = (t_s - self._window[0]) / (chip - self._window[1])
            self._off_rate = abs(measured / self.pace.chip_s - 1.0) > self.pace.rate_share
            self._window = (t_s, chip)
        return before, self._off_rate

    def _flag(self, t_s: float, chip: int) -> int:
        if not np.isfinite(t_s) or chip < 0:
            self._run = 0
            return int(Health.OUT_OF_ORDER)
        flags = self._against_last(t_s, chip)
        believed = not flags & (Health.OUT_OF_ORDER | Health.RATE | Health.LATE)
        if believed or self._resumed(t_s, chip):
            if flags & Health.LATE:
                self._take_out(t_s - self._t_s, chip - self._chip)
            self._t_s, self._chip, self._run = t_s, chip, 0
            if self._rate(t_s, chip)[1]:
                flags |= Health.RATE
        return int(flags)

    def _take_out(self, step_s: float, chips: int) -> None:
        """Leave a pause out of the window. It goes on after it: a pause begins no new one, or a
        stream that pauses before each window is full would have any rate.
        """
        if self._window is not None:
            self._window = self._window[0] + step_s, self._window[1] + chips

    def _against_last(self, t_s: float, chip: int) -> Health:
        if self._chip < 0:
            return Health.GOOD if chip == 0 else Health.MISSING | Health.OUT_OF_ORDER
        if chip <= self._chip:
            again = Health.RESET if chip == 0 else Health.GOOD
            return Health.OUT_OF_ORDER | again
        flags = Health.GOOD if chip == self._chip + 1 else Health.MISSING
        step = t_s - self._t_s
        late = step - (chip - self._chip) * self.pace.chip_s
        if step <= 0.0:
            flags |= Health.OUT_OF_ORDER
        elif late > self.pace.slack_s:
            flags |= Health.LATE
        elif late < -self.pace.slack_s:
            flags |= Health.RATE
        if late > self.pace.silent_s:
            flags |= Health.STALLED
        return flags

    def _resumed(self, t_s: float, chip: int) -> bool:
        """Whether this sample ends a run long enough to be believed; old chips never are."""
        step = t_s - self._run_t_s
        follows = chip == self._run_chip + 1 and abs(step - self.pace.chip_s) <= self.pace.slack_s
        self._run = self._run + 1 if self._run and follows and step > 0.0 else 1
        self._run_t_s, self._run_chip = t_s, chip
        return self._run >= RESUME_SAMPLES and chip > self._chip
