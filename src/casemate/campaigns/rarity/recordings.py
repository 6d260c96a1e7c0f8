"""Readings of links and places that nobody touched, as arrays: what real nulls are made of.

A link's reading is its frame with gain and delay taken away against the reference of the first
part, as an anchor is taken at commissioning: nothing of what follows enters it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from casemate.campaigns.rarity.exact import Real
from casemate.core.errors import InputError
from casemate.twin.drift import on_grid
from casemate.twin.receiver_align import aligned, fitted_delay
from casemate.twin.receiver_records import Recording, dw1000, intel5300, part

FIRST = 0.3
"""Share of a recording that coefficients are fitted on (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """One recording: `first` (T1, C) to fit on, `later` (T2, C) held out, samples a second."""

    name: str
    first: Real
    later: Real
    rate_hz: float


def wifi_readings(file: Path, receiver: int = 0) -> Readings:
    """Return Intel 5300 channel state, real and imaginary parts of 30 subcarriers: C = 60."""
    return _link(f"{file.stem} antenna {receiver}", intel5300(file, receiver))


def uwb_readings(file: Path) -> Readings:
    """Return DW1000 responses over 450 MHz, real and imaginary parts of 91 bins: C = 182."""
    return _link(file.stem, dw1000(file))


def _link(name: str, recording: Recording) -> Readings:
    cut = int(FIRST * recording.times_s.size)
    reference = aligned(part(recording, slice(0, cut))).reference
    delay_s, gain = fitted_delay(recording.frames, reference, recording.f_hz)
    turn = np.exp(2j * np.pi * recording.f_hz * delay_s[:, None])
    frames = recording.frames * turn / gain[:, None] - reference
    values = np.concatenate([frames.real, frames.imag], axis=1)
    rate_hz = (recording.times_s.size - 1) / float(recording.times_s[-1])
    return Readings(name=name, first=values[:cut], later=values[cut:], rate_hz=rate_hz)


def temperature_readings(file: Path) -> Readings:
    """Return a temperature in kelvin of change from the first, C = 1, on its even grid.

    From a CSV of `timestamp,value`, value in degrees Fahrenheit, as the Numenta Anomaly Benchmark
    has it. Gaps are bridged by the value before. Raises InputError if a row is not of that form.
    """
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = [(datetime.fromisoformat(t), float(v)) for t, v in list(csv.reader(lines))[1:]]
    except ValueError as error:
        raise InputError("a row is not a time and a value.", remedy="give timestamp,value.",
                         file=file.name) from error  # fmt: skip
    time_s = np.array([(t - rows[0][0]).total_seconds() for t, _ in rows])
    step_s = float(np.median(np.diff(time_s)))
    grid = on_grid(time_s, np.array([v for _, v in rows]), step_s)
    known = np.maximum.accumulate(np.where(np.isfinite(grid), np.arange(grid.size), 0))
    kelvin = (grid[known] - grid[0]) / 1.8
    cut = int(FIRST * kelvin.size)
    return Readings(name=file.stem, first=kelvin[:cut, None], later=kelvin[cut:, None],
                    rate_hz=1.0 / step_s)  # fmt: skip
