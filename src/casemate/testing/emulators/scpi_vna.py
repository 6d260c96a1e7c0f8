"""An analyser that speaks the SCPI of a Keysight PNA over TCP, with state, errors and faults."""

from __future__ import annotations

import cmath
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NO_ERROR = '+0,"No error"'


@dataclass(frozen=True, slots=True, kw_only=True)
class VnaFaults:
    """Ways to misbehave; "after" counts sweeps, 0 is never."""

    unlevelled_after: int = 0
    """The source no longer follows its power."""
    interference: float = 0.0
    """A wave, relative to that of 0 dBm, that is received whatever the source does."""
    overload_after: int = 0
    hang_after: int = 0
    nonsense_after: int = 0
    unknown: str = ""
    """A command that this model does not have."""


class VnaDevice:
    """The instrument; one for all clients. `s21` gives the ratio at a frequency."""

    def __init__(
        self,
        s21: Callable[[float], complex],
        *,
        faults: VnaFaults | None = None,
        noise: float = 0.0,
    ) -> None:
        self._s21, self.faults, self._noise = s21, faults or VnaFaults(), noise
        self._generator = np.random.default_rng(0)
        self.sweeps = 0
        self.serial = "0"
        self.log: list[str] = []
        self._errors: list[str] = []
        self._reset()

    def answer(self, line: str, payload: Callable[[int], bytes]) -> bytes | None:
        """Carry out one message; an unknown header goes to the error queue, as SCPI asks."""
        parts = [part.strip().removeprefix(":") for part in line.split(";")]
        self.log += parts
        replies = [reply for part in parts if (reply := self._carried_out(part)) is not None]
        return ";".join(replies).encode("ascii") + b"\n" if replies else b""

    def _reset(self) -> None:
        self._hz, self._dbm, self._on = 1e9, -10.0, True
        self._traces: dict[str, str] = {}
        self._selected = ""
        self._data: dict[str, complex] = {}

    def _carried_out(self, line: str) -> str | None:
        header, _, argument = line.partition(" ")
        if self.faults.unknown and header == self.faults.unknown:
            self._errors.append('-113,"Undefined header"')
            return None
        if line in _QUERIES:
            return _QUERIES[line](self)
        if header in _COMMANDS:
            _COMMANDS[header](self, argument)
        else:
            self._errors.append('-113,"Undefined header"')
        return None

    def _define(self, argument: str) -> None:
        match = re.fullmatch(r"'(\w+)',(\w+)", argument)
        if match is None:
            self._errors.append('-102,"Syntax error"')
        else:
            self._traces[match[1]] = match[2]

    def _select(self, argument: str) -> None:
        name = argument.strip("'")
        if name not in self._traces:
            self._errors.append('-200,"Execution error"')
        self._selected = name

    def _power(self, argument: str) -> None:
        self._dbm = float(argument)
        if not -60.0 <= self._dbm <= 10.0:
            self._errors.append('-222,"Data out of range"')

    def _frequency(self, argument: str) -> None:
        self._hz = float(argument)

    def _output(self, argument: str) -> None:
        self._on = argument in ("ON", "1")

    def _sweep(self, _: str) -> None:
        self.sweeps += 1
        dbm = -30.0 if self._after(self.faults.unlevelled_after) else self._dbm
        wave = 10.0 ** (dbm / 20.0) if self._on else 0.0
        noise = complex(*self._generator.normal(0.0, self._noise, 2))
        ratio = self._s21(self._hz)
        received = ratio * wave + noise + self.faults.interference
        turned = received * cmath.exp(1j * self._generator.uniform(0.0, 2.0 * math.pi))
        self._data = {"S21": ratio + noise if self._on else 1e3 * noise, "B": turned}
        if self._after(self.faults.overload_after):
            self._errors.append('+4,"Receiver overload"')

    def _after(self, count: int) -> bool:
        return bool(count) and self.sweeps > count

    def _complete(self) -> str:
        if self._after(self.faults.hang_after):
            time.sleep(0.6)  # longer than the tests' time limit, short enough to end by itself
        return "+1"

    def _read(self) -> str:
        if self._after(self.faults.nonsense_after):
            return "9.9E37,#%"
        value = self._data.get(self._traces.get(self._selected, ""))
        if value is None:
            self._errors.append('-230,"Data corrupt or stale"')
            return "0,0"
        return f"{value.real:+.12E},{value.imag:+.12E}"

    def _error(self) -> str:
        return self._errors.pop(0) if self._errors else NO_ERROR


_QUERIES: dict[str, Callable[[VnaDevice], str]] = {
    "*IDN?": lambda device: f"Casemate,Emulated VNA,{device.serial},1.0",
    "*OPC?": VnaDevice._complete,
    "SYST:ERR?": VnaDevice._error,
    "CALC1:DATA? SDATA": VnaDevice._read,
}
_COMMANDS: dict[str, Callable[[VnaDevice, str], None]] = {
    "*CLS": lambda device, _: device._errors.clear(),
    "*RST": lambda device, _: device._reset(),
    "FORM:DATA": lambda device, _: None,
    "SENS1:SWE:TYPE": lambda device, _: None,
    "SENS1:SWE:POIN": lambda device, _: None,
    "SENS1:BWID": lambda device, _: None,
    "TRIG:SOUR": lambda device, _: None,
    "INIT1:CONT": lambda device, _: None,
    "CALC1:PAR:DEF": VnaDevice._define,
    "CALC1:PAR:SEL": VnaDevice._select,
    "SOUR1:POW1": VnaDevice._power,
    "SENS1:FREQ:CW": VnaDevice._frequency,
    "OUTP": VnaDevice._output,
    "INIT1:IMM": VnaDevice._sweep,
}
