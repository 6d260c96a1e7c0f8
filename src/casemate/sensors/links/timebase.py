"""A reader's clock on the enclosure's timebase. Pure: times are passed in."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.core.samples import Health

SLEW = 200e-6
"""How fast the two clocks may part, relative: two crystals of 100 ppm, hot and cold."""
WINDOW_S = 10.0
"""Beyond it a difference of rates is no longer excused by the time that has passed."""


@dataclass(slots=True, kw_only=True)
class Timebase:
    """Maps device times to the enclosure's, and notices when they part.

    late_s: how long after its end a sample may arrive. share, slack_s: clocks that have parted by
    more than slack_s + share x elapsed, of WINDOW_S at most, run at different rates. Transport that
    slows down by less than SLEW cannot be told from a slow crystal: over a day that hides 17 s, so
    whoever needs an answer sooner bounds the chips that a reader holds ahead, not its clock.
    """

    late_s: float = 0.5
    share: float = 0.02
    slack_s: float = 0.25
    _offset_s: float | None = None
    _start_s: float = 0.0
    _last_s: float = 0.0

    def placed(self, begin_s: float, end_s: float, arrival_s: float) -> tuple[float, Health]:
        """Return when a stretch of the device's time began, and what its arrival says.

        begin_s, end_s: on the device's clock. arrival_s: on the enclosure's.
        """
        if self._offset_s is None:
            self._offset_s, self._start_s = arrival_s - end_s, begin_s
            self._last_s = end_s
            return begin_s + self._offset_s, Health.GOOD
        elapsed = max(0.0, end_s - self._last_s)
        lag = arrival_s - end_s - self._offset_s
        reach = SLEW * min(elapsed, WINDOW_S)
        self._offset_s += max(-reach, min(reach, lag))
        self._last_s = max(self._last_s, end_s)
        flags = Health.LATE if lag > self.late_s else Health.GOOD
        since = min(abs(end_s - self._start_s), WINDOW_S)
        if abs(lag) > self.slack_s + self.share * since:
            flags |= Health.RATE
        return begin_s + self._offset_s, flags
