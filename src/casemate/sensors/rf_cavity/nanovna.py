"""A NanoVNA over USB serial, by the shell of its firmware (ttrftech, NanoVNA-H, NanoVNA-X).

A command ends with a carriage return; the device echoes it, answers in lines, and prompts "ch> ".
`scan START STOP POINTS MASK` prints a line a point: with mask 7 the frequency, S11 and S21.

What it can key: the *tone* of each chip. Nothing else: no command of the shell switches the source
off, the power has four steps and no calibration, and phase is not under command. So a challenge
with silent chips is refused, signs are arithmetic, and a cavity read by it is guarded by the
secrecy of the order of tones alone. It is a bench instrument, a placeholder for a keyed reader.
"""

from __future__ import annotations

import time

import numpy as np

from casemate.core.challenge import Challenge
from casemate.core.errors import InputError, ReaderError
from casemate.core.samples import Health
from casemate.sensors.links.polled import Reading
from casemate.sensors.links.port import Port

PROMPT = b"ch> "
LOWEST_HZ, HIGHEST_HZ = 50e3, 2.7e9
"""Of the NanoVNA-H4 with its own firmware; other models reach further or less far and say so."""
POINTS = 2
"""A scan's least (the firmware divides by one less); all are at the tone, their mean is read."""
MASK = 7
ANSWER_BYTES_MAX = 65_536


class NanoVna:
    """S11 and S21, or one of them, at one tone a chip. `parameters`: the channels' order."""

    def __init__(
        self,
        port: Port,
        *,
        tones_hz: tuple[float, ...],
        parameters: tuple[str, ...] = ("S11", "S21"),
        timeout_s: float = 2.0,
    ) -> None:
        self._port, self._timeout_s = port, timeout_s
        self._tones_hz = tuple(round(tone) for tone in tones_hz)
        self._columns = [("S11", "S21").index(each) for each in parameters]
        self._identity = ""

    @property
    def identity(self) -> str:
        """Return board and firmware; a NanoVNA has no serial number to tell."""
        return self._identity

    def start(self, challenge: Challenge) -> None:
        """Wake the shell and stop the device's own sweeps."""
        if challenge.silent or challenge.constellation == "phase":
            raise InputError(
                "a NanoVNA can neither be silent nor key phase.",
                remedy='set silent = 0 and constellation = "sign", or use another reader.',
                key="silent" if challenge.silent else "constellation",
                value=challenge.silent or challenge.constellation,
            )
        if challenge.order != len(self._tones_hz):
            raise InputError(
                "the challenge does not have as many places as there are tones.",
                remedy=f"set order = {len(self._tones_hz)}.",
                key="order",
                value=challenge.order,
            )
        outside = [t for t in self._tones_hz if not LOWEST_HZ <= t <= HIGHEST_HZ]
        if outside:
            raise InputError(
                "a tone is beyond a NanoVNA.",
                remedy=f"use {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz.",
                key="tones_hz",
                value=outside[0],
            )
        self._port.write(b"\r")
        self._until_prompt()
        self._identity = told = " ".join(self._asked("info"))
        if "vna" not in told.lower():  # a tinySA has the same shell, and measures other things
            raise self._refused(f"it says that it is {told[:40]!r}.")
        self._asked("pause")

    def measure(self, drive: complex, place: int) -> Reading:
        """Return the parameters times drive, mean of the readings at the tone."""
        tone = self._tones_hz[place]
        lines = self._asked(f"scan {tone} {tone} {POINTS} {MASK}")
        table = self._table(lines)
        health = np.zeros(len(self._columns), dtype=np.uint16)
        if not (np.abs(table[:, 0] - tone) < 1.0).all():
            health |= int(Health.OUT_OF_ORDER)  # an answer to another question
        both = np.stack([table[:, 1] + 1j * table[:, 2], table[:, 3] + 1j * table[:, 4]], axis=1)
        return Reading(values=both.mean(axis=0)[self._columns] * drive, health=health)

    def close(self) -> None:
        """Let the device sweep for itself again and let go."""
        import contextlib

        with contextlib.suppress(ReaderError):
            self._port.write(b"resume\r")
        self._port.close()

    def _asked(self, command: str) -> list[str]:
        """Return the lines that answer a command; ReaderError without its echo or a prompt."""
        self._port.write(command.encode("ascii") + b"\r")
        lines = [line.strip() for line in self._until_prompt().splitlines()]
        if command not in lines:
            raise self._refused(f"it does not echo {command!r}.")
        return [line for line in lines[lines.index(command) + 1 :] if line]

    def _until_prompt(self) -> str:
        stop, got = time.monotonic() + self._timeout_s, b""
        while (left := stop - time.monotonic()) > 0.0:
            got += self._port.read(left)
            if got.endswith(PROMPT):
                return got[: -len(PROMPT)].decode("ascii", errors="replace")
            if len(got) > ANSWER_BYTES_MAX:
                break
        raise self._refused("it does not prompt in time.")

    def _table(self, lines: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        try:
            table = np.array([[float(word) for word in line.split()] for line in lines])
        except ValueError:
            table = np.empty((0, 0))
        if table.ndim != 2 or table.shape[0] < POINTS or table.shape[1] != 5:
            raise self._refused(f"a scan gives {lines[0][:60] if lines else 'nothing'!r}.")
        return table

    def _refused(self, what: str) -> ReaderError:
        return ReaderError(
            what,
            remedy="check that a NanoVNA is on this port; switch it off and on.",
            reader=self._port.name,
        )
