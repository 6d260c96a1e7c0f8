"""One stream of a microcontroller reader: which drive it is owed, which samples it owes. No I/O.

The key stays here. The reader is given its chips a little ahead of time and no further, so that
whoever steals or probes it learns `ahead` chips of the future and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block, Channel, Health, kept
from casemate.sensors.links.frames import (
    NO_NUMBER,
    Drive,
    Hello,
    Samples,
    Status,
)
from casemate.sensors.links.timebase import Timebase

CHUNK = 64
"""Chips a DRIVE frame: 661 bytes, which the smallest buffers hold."""
ROWS_MAX = 4096
"""Rows of missing chips a block, so that a long silence costs no memory."""
STATUS_HEALTH = {
    Status.RESET: Health.RESET,
    Status.OVERRUN: Health.MISSING,
    Status.SUPPLY: Health.CLIPPED,  # the range's ends moved with the supply
    Status.STARVED: Health.LATE,  # the drive came too late, so the chip was not the challenge's
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Times that a reader is given. ahead_s: how much of the future it holds at most.

    silent_s: after that long with nothing, chips that are due are reported as stalled. Planning
    values for a USB serial port, whose latency is about 1 ms and whose hiccups reach 100 ms.
    """

    ahead_s: float = 0.25
    silent_s: float = 0.5
    late_s: float = 0.5


class Session:
    """The memory of one stream. Times are passed in, in seconds of the enclosure's clock."""

    def __init__(
        self,
        *,
        hello: Hello,
        channels: tuple[Channel, ...],
        challenge: Challenge,
        stream: int,
        allowance: Allowance,
    ) -> None:
        self.stream = stream
        self._hello = hello
        self._challenge = challenge
        self._chip_s = challenge.chip_s
        self._columns = len(channels)
        self._allowance = allowance
        self._scale = np.array([c.scale for c in hello.channels])
        self._offset = np.array([c.offset for c in hello.channels])
        self._low = np.array([c.code_low for c in hello.channels])
        self._high = np.array([c.code_high for c in hello.channels])
        self._ahead = min(hello.depth, max(8, int(allowance.ahead_s / self._chip_s)))
        self._timebase = Timebase(late_s=allowance.late_s)
        self._next = self._done = self._sent = 0
        self._anchor = (0.0, 0)
        self._in_step_s = 0.0
        self._extra = Health.GOOD
        self._refused = False

    def begin(self, now_s: float) -> int:
        """Start, or start again after a reset; return the chip that the reader begins with."""
        first = max(self._next, self._due(now_s) + 1) if self._next else 0
        self._done = self._sent = first
        self._timebase = Timebase(late_s=self._allowance.late_s)
        self.started(now_s, first)
        return first

    def started(self, now_s: float, first: int) -> None:
        """Take note that the reader was told to begin with chip `first` now."""
        self._anchor = (now_s, first)
        self._in_step_s = now_s

    def again(self, hello: Hello) -> bool:
        """Take note of a HELLO in the midst of the stream; return whether to start it again.

        One that differs from the first in more than its count of starts is another reader, or one
        that was tampered with: the stream stays down, whatever is said later.
        """
        if hello.boot != self._hello.boot:
            self._extra |= Health.RESET
        if replace(hello, boot=self._hello.boot) != self._hello:
            self._refused = True
        if self._refused:
            self._extra |= Health.UNIT
        self._hello = replace(self._hello, boot=hello.boot)
        return not self._refused

    def lost_s(self, now_s: float) -> float:
        """Return for how long no chip has come that had not been given up."""
        return now_s - self._in_step_s

    def owed(self) -> list[Drive]:
        """Return the drive to send now: whole chunks, at most `ahead` chips beyond the reader."""
        out: list[Drive] = []
        while True:
            room = self._done + self._ahead - self._sent
            size = min(CHUNK, max(1, self._ahead // 4))  # a full table never waits to run dry
            if room < size:
                return out
            drawn = chips(self._challenge, self._sent, size)
            out.append(
                Drive(stream=self.stream, first=self._sent, drive=drawn.drive, place=drawn.place)
            )
            self._sent += size

    def take(self, samples: Samples, now_s: float) -> Block | None:
        """Return the block of these samples, with rows for chips that were skipped.

        None if they are of another stream or of other columns: their chips then go missing.
        """
        count = samples.codes.shape[0]
        if (
            self._refused
            or samples.stream != self.stream
            or samples.codes.shape[1] != self._columns
            or not count
        ):
            return None
        device_s = samples.device_us * 1e-6
        t_s, flags = self._timebase.placed(device_s, device_s + count * self._chip_s, now_s)
        for bit, meaning in STATUS_HEALTH.items():
            if samples.status & bit:
                flags |= meaning
        values, health = self._converted(samples.codes, flags)
        number = samples.first + np.arange(count, dtype=np.int64)
        if samples.first > self._furthest(now_s):
            health |= int(Health.OUT_OF_ORDER)
            return self._block(t_s, number, values, health)
        health[number < self._next] |= int(Health.OUT_OF_ORDER)
        gap = max(0, samples.first - self._next)
        start = samples.first - min(gap, ROWS_MAX)
        if gap:
            lost = np.full((samples.first - start, self._columns), np.nan)
            values = np.vstack([lost, values])
            why = np.full(lost.shape, int(Health.MISSING | self._extra), dtype=np.uint16)
            health = np.vstack([why, health])
            number = start + np.arange(number.size + lost.shape[0], dtype=np.int64)
        t_s -= (samples.first - number[0]) * self._chip_s
        self._done = max(self._done, samples.first + count)
        if samples.first + count > self._next:
            self._next = samples.first + count
            self._anchor = (now_s - count * self._chip_s, samples.first)
            self._in_step_s, self._extra = now_s, Health.GOOD
        return self._block(t_s, number, values, health)

    def overdue(self, now_s: float) -> Block | None:
        """Return rows for chips that should have come long ago, if there are any."""
        stop = self._due(now_s - self._allowance.silent_s)
        count = min(stop - self._next, ROWS_MAX)
        if count <= 0:
            return None
        number = self._next + np.arange(count, dtype=np.int64)
        t_s = self._anchor[0] + (self._next - self._anchor[1]) * self._chip_s
        why = int(Health.STALLED | Health.MISSING | self._extra)
        shape = (count, self._columns)
        self._next += count
        return self._block(
            t_s, number, np.full(shape, np.nan), np.full(shape, why, dtype=np.uint16)
        )

    def _due(self, now_s: float) -> int:
        return self._anchor[1] + int((now_s - self._anchor[0]) / self._chip_s)

    def _furthest(self, now_s: float) -> int:
        """Return the last chip that a reader can be at by now; one beyond it is made up."""
        slack = 8 + int((0.02 * (now_s - self._anchor[0]) + 0.05) / self._chip_s)
        return max(self._due(now_s), self._next) + slack

    def _converted(
        self, codes: npt.NDArray[np.int32], flags: Health
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint16]]:
        health = np.full(codes.shape, int(flags), dtype=np.uint16)
        none = codes == NO_NUMBER
        health[none] |= int(Health.NOT_A_NUMBER)
        ends = ~none & ((codes <= self._low) | (codes >= self._high))
        health[ends] |= int(Health.CLIPPED)
        with np.errstate(over="ignore"):
            values = codes * self._scale + self._offset
        health[~np.isfinite(values)] |= int(Health.NOT_A_NUMBER)
        if flags & Health.CLIPPED:
            values[~ends] = np.nan  # the supply moved the ends: what lies between them has no scale
        return values, health

    def _block(
        self,
        t_s: float,
        number: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        health: npt.NDArray[np.uint16],
    ) -> Block:
        times = np.asarray(t_s + np.arange(number.size) * self._chip_s, dtype=np.float64)
        return Block(t_s=times, chip=number, values=kept(values, health), health=health)
