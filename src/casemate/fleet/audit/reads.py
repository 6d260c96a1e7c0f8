"""Reads in the audit log: the first of many alike as a line, the others counted.

Who polls would fill the disk by what they read. So the first read of a session is durable before it
is answered, as every line is; the same read by the same session within a minute is counted, and the
line after that minute says how many there were and when the last one was. Who reads ever other
things has lines of its own for the first of them; further ones are told together, by their way, and
which they were stands with the count. What is lost if the service is killed is such a count of the
last minute, never that somebody has read something.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from casemate.core.errors import CasemateError
from casemate.fleet.clockface import clock

if TYPE_CHECKING:
    from casemate.fleet.audit.log import Line

WINDOW_S = 60
"""In which reads that are alike are counted together (planning value)."""
MOST = 10_000
"""Counted at once (planning value); of more the oldest is written down."""


FEW = 120
"""Different reads under a name in that time that have lines of their own (planning value)."""
MANY = "many, told together"
_MOST_TOLD = 110
"""Letters that tell which they were (planning value): a line's text has 200."""


@dataclass(slots=True)
class _Held:
    line: Line
    more: int = 0
    last_s: int = 0
    of: set[str] = field(default_factory=set)
    """Which they were, where they are told together."""


@dataclass(slots=True)
class _Name:
    """What a name has read since a time: how many lines of their own that took."""

    began_s: int
    lines: int = 0


class Reads:
    """Counts reads. For several threads.

    write: makes a line durable, or raises. is_sound: whether lines can be written, as far as is
    known; while they cannot, nothing is counted instead.
    """

    def __init__(self, write: Callable[[Line], object], is_sound: Callable[[], bool]) -> None:
        self._write, self._is_sound, self._lock = write, is_sound, threading.Lock()
        self._held: OrderedDict[tuple[str, Line], _Held] = OrderedDict()
        self._names: OrderedDict[str, _Name] = OrderedDict()

    def note(self, line: Line, session: str, of: Collection[str] = ()) -> None:
        """Note a read before it is answered. OutputError if it cannot be written down.

        session: by which it is told from reads of others under the same name; not written. of:
        subjects, where one answer shows several; the line tells them in place of its own.
        """
        if of:
            line = replace(line, subject=_ranges(set(of)))
        of = set(of) or {line.subject}
        with self._lock:
            key = (session, replace(line, at_s=0))
            if not self._is_fresh(key, line.at_s) and self._has_many(line):
                line = replace(line, subject=MANY)
                key = ("", replace(line, at_s=0))
            held = self._held.get(key)
            if held is not None and self._is_fresh(key, line.at_s) and self._is_sound():
                held.more, held.last_s = held.more + 1, line.at_s
                if len(held.of) < MOST:
                    held.of |= of
                return
            self._held.pop(key, None)
        told = line
        if held is not None and held.more:
            told = replace(line, outcome=f"{line.outcome}; before it {_more(held)}")
        try:
            self._write(told)
        except CasemateError:
            self._back(key, held)
            raise
        with self._lock:
            self._held.setdefault(key, _Held(line=line)).of |= of  # at once, each has its own line
            old = self._held.popitem(last=False) if len(self._held) > MOST else None
        if old is not None:
            self._end(*old)

    def _is_fresh(self, key: tuple[str, Line], now_s: int) -> bool:
        held = self._held.get(key)
        return held is not None and 0 <= now_s - held.line.at_s < WINDOW_S

    def _has_many(self, line: Line) -> bool:
        """Count a line under a name; return whether it has had its own already."""
        held = self._names.pop(line.who, None)
        if held is None or not 0 <= line.at_s - held.began_s < WINDOW_S:
            held = _Name(line.at_s)
        self._names[line.who] = held
        if len(self._names) > MOST:
            self._names.popitem(last=False)
        held.lines += 1
        return held.lines > FEW

    def flush(self, now_s: int | None = None) -> None:
        """Write down what was counted in minutes that are over; all of it without a time."""
        with self._lock:
            over = [
                key for key, held in self._held.items()
                if now_s is None or not 0 <= now_s - held.line.at_s < WINDOW_S
            ]  # fmt: skip
            ended = [(key, self._held.pop(key)) for key in over]
        for at, (key, held) in enumerate(ended):
            try:
                self._end(key, held)
            except CasemateError:
                for rest in ended[at + 1 :]:
                    self._back(*rest)
                raise

    def _end(self, key: tuple[str, Line], held: _Held) -> None:
        if not held.more:
            return
        try:
            self._write(replace(held.line, at_s=held.last_s, outcome=_more(held)))
        except CasemateError:
            self._back(key, held)
            raise

    def _back(self, key: tuple[str, Line], held: _Held | None) -> None:
        """Keep a count that could not be written down, with what was counted meanwhile."""
        if held is None:
            return
        with self._lock:
            now = self._held.setdefault(key, held)
            if now is not held:
                now.more += held.more
                now.of |= held.of


def _more(held: _Held) -> str:
    which = f", of {_ranges(held.of)}" if held.line.subject == MANY else ""
    return f"{held.line.outcome} {held.more} more times until {clock(held.last_s)}{which}"


def _ranges(found: set[str]) -> str:
    """Return numbers as ranges, and how many others there are."""
    numbers = sorted(int(each) for each in found if each.isdecimal() and len(each) < 16)
    parts: list[list[int]] = []
    for each in numbers:
        if parts and each == parts[-1][1] + 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    told, left = "", len(found) - len(numbers)
    for at, (first, last) in enumerate(parts):
        more = f"{', ' if told else ''}{first}" + (f"-{last}" if last > first else "")
        if len(told) + len(more) > _MOST_TOLD:
            left += sum(end - begin + 1 for begin, end in parts[at:])
            break
        told += more
    return f"{told} and {left} others" if told and left else told or f"{left} others"
