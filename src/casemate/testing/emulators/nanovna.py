"""A NanoVNA's shell, for a pty: echo, answer, prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PROMPT = b"ch> "
END = "\r\n"
USAGE = "usage: scan {start(Hz)} {stop(Hz)} [points] [outmask]"


@dataclass(frozen=True, slots=True, kw_only=True)
class NanoFaults:
    """Ways to misbehave; "after" counts scans, 0 is never."""

    mute_after: int = 0
    wrong_tone_after: int = 0
    nonsense_after: int = 0
    not_finite_after: int = 0


class NanoDevice:
    """`s` gives (S11, S21) at a frequency. `noise` is added to each."""

    def __init__(
        self,
        s: Callable[[float], tuple[complex, complex]],
        *,
        faults: NanoFaults | None = None,
        noise: float = 0.0,
        board: str = "NanoVNA-H 4",
    ) -> None:
        self._board = board
        self._s, self.faults, self._noise = s, faults or NanoFaults(), noise
        self._generator = np.random.default_rng(0)
        self._rest = b""
        self._span = (50_000, 900_000_000, 101)
        self.scans = 0
        self.log: list[str] = []

    def received(self, data: bytes, now_s: float) -> bytes:
        """Return echo, answer and prompt of each command that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\r")
        return b"".join(self._answer(line.decode("ascii", "replace").strip()) for line in lines)

    def tick(self, now_s: float) -> bytes:
        """The shell says nothing unasked."""
        return b""

    def _answer(self, line: str) -> bytes:
        self.log.append(line)
        name, *words = line.split() or [""]
        if name == "scan":
            self.scans += 1
        if self.faults.mute_after and self.scans > self.faults.mute_after:
            return b""
        known = {
            "": lambda: [],
            "version": lambda: ["1.2.27"],
            "info": lambda: [f"Board: {self._board}", "Version: 1.2.27", "Platform: STM32F303xC"],
            "pause": lambda: [],
            "resume": lambda: [],
            "sweep": lambda: self._sweep(words),
            "scan": lambda: self._scan(words),
            "frequencies": lambda: [f"{hz:.0f}" for hz in np.linspace(*self._span)],
            "data": lambda: self._data(words),
        }
        lines = known[name]() if name in known else [f"{name}?"]
        return "".join(each + END for each in [line, *lines]).encode("ascii") + PROMPT

    def _sweep(self, words: list[str]) -> list[str]:
        if not words:
            return ["{} {} {}".format(*self._span)]
        given = [int(word) for word in words[:3]]
        start, stop, points = [*given, *self._span[len(given) :]]
        self._span = (start, stop, points)
        return []

    def _scan(self, words: list[str]) -> list[str]:
        if not 2 <= len(words) <= 4:
            return [USAGE]
        start, stop, points, mask = [*map(int, words), *(101, 0)[len(words) - 2 :]][:4]
        if not 0 < start <= stop:
            return ["frequency range is invalid"]
        if not 2 <= points <= 401:
            return ["sweep points exceeds range 401"]
        if self._after(self.faults.nonsense_after):
            return ["#@!"] * points
        shift = 1_000 if self._after(self.faults.wrong_tone_after) else 0
        self._span = (start, stop, points)
        return [self._point(hz + shift, hz, mask) for hz in np.linspace(start, stop, points)]

    def _point(self, said_hz: float, hz: float, mask: int) -> str:
        s11, s21 = (each + complex(*self._generator.normal(0.0, self._noise, 2)) for each in
                    self._s(float(hz)))  # fmt: skip
        if self._after(self.faults.not_finite_after):
            s21 = complex(np.nan, 0.0)
        parts = [f"{said_hz:.0f} "] if mask & 1 else []
        parts += [f"{s11.real:f} {s11.imag:f} "] if mask & 2 else []
        parts += [f"{s21.real:f} {s21.imag:f} "] if mask & 4 else []
        return "".join(parts)

    def _data(self, words: list[str]) -> list[str]:
        which = int(words[0]) if words else 0
        points = (self._s(float(hz))[which] for hz in np.linspace(*self._span))
        return [f"{value.real:f} {value.imag:f}" for value in points]

    def _after(self, count: int) -> bool:
        return bool(count) and self.scans > count
