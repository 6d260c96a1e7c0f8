"""Clocks of the enclosure against the times of witnesses, and its silence."""

from __future__ import annotations

import math

from casemate.attest import beats
from casemate.attest.claims import Boot, Change, Heartbeats
from casemate.attest.reference import Enrolment, Timing
from casemate.attest.token import Token
from casemate.core.suites import SUITES
from casemate.verify.continuity import Interval
from casemate.verify.findings import Notebook
from casemate.verify.log import LogView
from casemate.verify.tokens import Entry, Step

TOLERANCE_S = 30
"""That clocks of witnesses and of an enclosure may differ: a planning value."""
DRIFT = 10_000
"""An enclosure's oscillator errs by less than one part in so many: a planning value (100 ppm)."""


class Window:
    """Bounds by witnesses on when each token was made; they grow with the log.

    A token is younger than cosignatures whose digest it names: nobody knows that before the
    witnesses have signed. Size and root alone bound nothing; who has the keys works them out ahead.
    """

    def __init__(self, log: LogView) -> None:
        self._log = log
        self._lower: int | None = None
        self._at = 0

    def step(self, entry: Entry, token: Token, enrolment: Enrolment, when_s: int) -> Step:
        """Return the step that a token is. Its likeliest time is no earlier than that before."""
        known, upper = self._log.known(token.checkpoint), self._log.by_s(entry.index)
        if known is not None:
            self._lower = max(known[1], self._lower or 0)
        told = (token.time_s, upper, self._lower, when_s)
        at_s = next(each for each in told if each is not None)
        self._at = max(min(at_s, when_s), self._lower or 0, self._at)
        return Step(
            index=entry.index, data=entry.data, token=token, enrolment=enrolment, when_s=when_s,
            digest=SUITES[enrolment.suite].digest(entry.data),
            lower_s=self._lower, upper_s=upper, at_s=self._at,
        )  # fmt: skip


class Clocks:
    """What one run of the controller says about time, held against witnesses."""

    def __init__(self, timing: Timing, book: Notebook) -> None:
        self._book, self._timing, self.halted = book, timing, False
        self._start(0)

    def _start(self, uptime_s: int) -> None:
        self._uptime = self._begun = uptime_s
        self._first, self._last = -math.inf, math.inf  # bounds on when the controller started
        self._offset: int | None = None

    def take(self, step: Step) -> None:
        """Go on by one token."""
        token, uptime, self.halted = step.token, step.token.uptime_s, False
        if isinstance(token.body, Boot):
            self._start(uptime)
        elif uptime < self._uptime:
            self._book.add("clock.back", f"{self._uptime} s, then {uptime} s")
            self._start(uptime)
        room = TOLERANCE_S + (uptime - self._begun) // DRIFT
        if step.lower_s is not None:
            self._first = max(self._first, step.lower_s - uptime)
            self._cross("clock.slow", room, uptime)
        if step.upper_s is not None:
            self._last = min(self._last, step.upper_s - uptime)
            self._cross("clock.fast", room, uptime)
        self._wall(step, room)
        self._uptime = uptime

    def _cross(self, kind: str, room: int, uptime: int) -> None:
        if self._first > self._last + room:
            self._book.add(kind, f"by {self._first - self._last:.0f} s")
            self.halted = kind == "clock.slow"
            self._start(uptime)

    def _wall(self, step: Step, room: int) -> None:
        said = step.token.time_s
        if said is None:
            return
        offset = said - step.token.uptime_s
        if self._offset is not None and abs(offset - self._offset) > room:
            self._book.add("clock.step", f"by {offset - self._offset} s")
        self._offset = offset
        early = step.lower_s is not None and said < step.lower_s - TOLERANCE_S
        if early or said > step.when_s + TOLERANCE_S:
            self._book.add("clock.wall", f"{said} is not in {step.lower_s} to {step.when_s}")

    def is_narrow(self, step: Step) -> bool:
        """Return whether a token was witnessed when it was made; a quorum has to have seen it."""
        if step.lower_s is None or step.upper_s is None:
            return False
        return step.upper_s - step.lower_s <= self._timing.batch_s + 2 * self._timing.cosigned_s


class Pulse:
    """Heartbeats of one run of the controller: chained, on time, none missing."""

    def __init__(self, timing: Timing, book: Notebook) -> None:
        self._timing, self._book = timing, book
        self._head, self._next, self._end_ms, self._zero_s = b"", 0, 0, 0
        self._room_ms = timing.heartbeat_ms + timing.late_ms

    def take(self, step: Step) -> list[Interval]:
        """Return the times that heartbeats, or their absence, show not to be proven."""
        token, body = step.token, step.token.body
        now_ms, self._zero_s = token.uptime_s * 1000, step.at_s - token.uptime_s
        if isinstance(body, Boot):
            self._head, self._next, self._end_ms = beats.start(step.data), 0, now_ms
        if isinstance(body, Change) and body.before not in _WATCHED:
            self._end_ms = max(self._end_ms, now_ms)
        batch = beats.of(token.body)
        if batch is not None:
            self._follow(batch)
            found = [] if self._is_calm(batch) else self._each(batch)
            if self._end_ms >= now_ms + 1000:  # a token names whole seconds
                self._book.add("beats.ahead", f"by {(self._end_ms - now_ms) / 1000:.1f} s")
                self._end_ms = now_ms
            return found
        quiet = now_ms - self._end_ms > 1000 * self._timing.batch_s + self._room_ms
        return self._miss(now_ms) if quiet and token.state in _WATCHED else []

    def _follow(self, body: Heartbeats) -> None:
        if body.period_ms != self._timing.heartbeat_ms:
            self._book.add("beats.period", f"{body.period_ms} ms")
        if beats.chain(self._head, body.beats) != body.head or body.first != self._next:
            self._book.add("beats.chain")
        self._head, self._next = body.head, body.first + len(body.beats) // beats.BEAT_BYTES

    def _until(self, end_ms: int, kind: str, cause: str) -> list[Interval]:
        """Return the time since the last heartbeat, in whole seconds."""
        start_s, end_s = self._zero_s + self._end_ms // 1000, self._zero_s - -end_ms // 1000
        self._end_ms = max(self._end_ms, end_ms)
        return [Interval(start_s=start_s, end_s=end_s, kind=kind, cause=cause)]

    def _miss(self, until_ms: int) -> list[Interval]:
        self._book.add("beats.missing", f"for {(until_ms - self._end_ms) / 1000:.1f} s")
        return self._until(until_ms, "unknown", "heartbeats missing")

    def _each(self, body: Heartbeats) -> list[Interval]:
        out: list[Interval] = []
        for number, beat in enumerate(beats.unpack(body)):
            at_ms = body.start_ms + number * body.period_ms + beat.late_ms
            if at_ms - self._end_ms > self._room_ms:
                out += self._miss(at_ms)
            if beat.verdict != "NORMAL":
                out += self._until(at_ms, *_VERDICTS[beat.verdict])
            self._end_ms = max(self._end_ms, at_ms)
        return out

    def _is_calm(self, body: Heartbeats) -> bool:
        """Return whether all heartbeats are NORMAL and on time, without looking at each by itself.

        Most are: reading them one by one would take as long as checking signatures.
        """
        high, low, said = (body.beats[at :: beats.BEAT_BYTES] for at in range(3))
        late = max(low) - min(low)
        if any(high) or any(said) or body.period_ms + late > self._room_ms:
            return False
        if body.start_ms + low[0] - self._end_ms > self._room_ms:
            return False
        last_ms = body.start_ms + (len(low) - 1) * body.period_ms + low[-1]
        self._end_ms = max(self._end_ms, last_ms)
        return True


_WATCHED = ("ARMED", "MAINTENANCE")
"""States in which heartbeats are due."""
_VERDICTS = {
    "INTERFERENCE": ("interfered", "interference"),
    "DENIED": ("unknown", "too little information"),
    "TAMPER": ("interfered", "tampering detected"),
}
