"""A vector network analyser by SCPI, as the reader of a cavity.

Commands are those that Keysight PNA and Rohde & Schwarz ZVA/ZNB share (traces defined by
CALC:PAR:DEF, CW sweeps of one point, complex data by CALC:DATA? SDATA).

What such an instrument can key and what it cannot: the *tone* of each chip, by a CW point; its
*level*, by the source power; *silence*, by switching the source off. It cannot key the *phase*:
its source is not under a phase command, and the ratio that it reports is free of any. A sign is a
phase of half a turn. The driver puts the sign of `drive` into the value by arithmetic, for the
interface's sake, and refuses a constellation of phases. A ratio is free of the level, too; so the
received wave is read beside it, and a level that does not follow the key is flagged.

It starts from *RST, so any calibration in the instrument is switched off: what counts is the change
against the anchor, and a calibration that somebody can load is one more thing to protect.
"""

from __future__ import annotations

import math

import numpy as np

from casemate.core.challenge import Challenge
from casemate.core.errors import InputError, ReaderError
from casemate.core.samples import Health
from casemate.sensors.links.polled import Reading
from casemate.sensors.links.scpi import Scpi

RATIO, RECEIVED = "cm_ratio", "cm_received"
LEVEL_SHARE = 0.1
"""Planning value: sources are levelled to some 0.5 dB (6 %), keyed levels differ by 2 or more."""


class ScpiVna:
    """One S-parameter at one tone a chip; the tone is place's entry in `tones_hz`.

    power_dbm: at a drive of 1. bandwidth_hz: of the receiver, so the time of a chip.
    """

    def __init__(
        self,
        link: Scpi,
        *,
        tones_hz: tuple[float, ...],
        parameter: str = "S21",
        receiver: str = "B",
        power_dbm: float = -10.0,
        bandwidth_hz: float = 1e3,
    ) -> None:
        self._link, self._tones_hz = link, tones_hz
        self._parameter, self._receiver = parameter, receiver
        self._power_dbm, self._bandwidth_hz = power_dbm, bandwidth_hz
        self._incident = np.ones(len(tones_hz))
        self._on: bool | None = None
        self._identity = ""

    @property
    def identity(self) -> str:
        """Return the answer to *IDN?: maker, model, serial number, firmware."""
        return self._identity

    def start(self, challenge: Challenge) -> None:
        """Set up and measure, once a tone, what wave a drive of 1 sends out."""
        if challenge.constellation == "phase":
            raise InputError(
                "a network analyser cannot key phase.",
                remedy='use constellation "amplitude".',
                key="constellation",
                value=challenge.constellation,
            )
        if challenge.order != len(self._tones_hz):
            raise InputError(
                "the challenge does not have as many places as there are tones.",
                remedy=f"set order = {len(self._tones_hz)}.",
                key="order",
                value=challenge.order,
            )
        self._link.send("*CLS")
        self._identity = self._link.ask("*IDN?")
        if self._identity.count(",") != 3:
            raise self._refused("it does not say what it is (*IDN?).")
        self._link.send(
            "*RST",
            ":FORM:DATA ASC,0",
            f":CALC1:PAR:DEF '{RATIO}',{self._parameter}",
            f":CALC1:PAR:DEF '{RECEIVED}',{self._receiver}",
            ":SENS1:SWE:TYPE CW",
            ":SENS1:SWE:POIN 1",
            f":SENS1:BWID {self._bandwidth_hz:.9g}",
            ":TRIG:SOUR IMM",
            ":INIT1:CONT OFF",
        )
        self._raise_errors()
        self._on = None
        self._incident = np.array([self._sent_at(tone_hz) for tone_hz in self._tones_hz])
        self._raise_errors()

    def measure(self, drive: complex, place: int) -> Reading:
        """Return the ratio times drive; on a silent chip what the receiver hears, as a ratio."""
        ratio, received = self._swept(self._tones_hz[place], abs(drive))
        heard = abs(received) / self._incident[place]
        if drive == 0:
            value, flags = complex(heard), Health.GOOD
        else:
            value, flags = ratio * drive, self._level(heard, abs(ratio) * abs(drive))
        for error in self._link.errors():
            flags |= Health.CLIPPED if "overload" in error.lower() else Health.MISSING
        return Reading(
            values=np.array([value], dtype=np.complex128),
            health=np.array([int(flags)], dtype=np.uint16),
        )

    def close(self) -> None:
        """Switch the source off and let go."""
        import contextlib

        with contextlib.suppress(ReaderError):
            self._link.send(":OUTP OFF")
        self._link.close()

    def _level(self, heard: float, expected: float) -> Health:
        """OUT_OF_ORDER, which is what a replay is, if the level is not the chip's."""
        follows = abs(heard - expected) <= LEVEL_SHARE * expected
        return Health.GOOD if follows else Health.OUT_OF_ORDER

    def _sent_at(self, tone_hz: float) -> float:
        ratio, received = self._swept(tone_hz, 1.0)
        if not abs(ratio) > 0.0 or not abs(received) > 0.0:
            raise self._refused(f"nothing is received at {tone_hz:g} Hz.")
        return abs(received) / abs(ratio)

    def _swept(self, tone_hz: float, level: float) -> tuple[complex, complex]:
        on, commands = level > 0.0, []
        if on:
            commands.append(f":SOUR1:POW1 {self._power_dbm + 20.0 * math.log10(level):.6g}")
        if on is not self._on:
            commands.append(":OUTP ON" if on else ":OUTP OFF")
            self._on = on
        commands += [f":SENS1:FREQ:CW {tone_hz:.12g}", ":INIT1:IMM", "*OPC?"]
        if self._link.ask(*commands).lstrip("+") != "1":
            raise self._refused("a sweep does not end.")
        return self._trace(RATIO), self._trace(RECEIVED)

    def _trace(self, name: str) -> complex:
        real, imaginary = self._link.numbers(
            f":CALC1:PAR:SEL '{name}'", ":CALC1:DATA? SDATA", count=2
        )
        return complex(real, imaginary)

    def _raise_errors(self) -> None:
        found = self._link.errors()
        if found:
            raise self._refused(f"it reports {found[0]}.")

    def _refused(self, what: str) -> ReaderError:
        return ReaderError(
            what,
            remedy="check that it is an analyser with these commands, tones and power.",
            reader=self._link.name,
        )
