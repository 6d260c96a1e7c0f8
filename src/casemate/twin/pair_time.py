"""Reflections in time: the response to a step with a Gaussian edge, for many episodes at once."""

from __future__ import annotations

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real
from casemate.twin.line_tdr import edge
from casemate.twin.pair_line import line_frequencies, positive

EARLY = 10
"""One part in this of the record lies before t = 0."""


def refuse_fast(f_hz: Real, rise_s: float) -> None:
    """Raise InputError where an edge has more than 1e-4 left at the end of the band."""
    positive(rise_s=rise_s)
    if abs(edge(f_hz[-1:], rise_s)[0]) > 1e-4:
        raise InputError(
            "the rise time lies beyond the sampled band.",
            remedy="make frequencies up to 4/rise with casemate.twin.line_tdr.frequencies.",
            key="rise_s",
            value=(rise_s, float(f_hz[-1])),
        )


def times_s(f_hz: Real) -> Real:
    """Return the times of `steps`, shape (2 (F - 1),), the edge centred on 0."""
    line_frequencies(f_hz)
    count = 2 * (f_hz.size - 1)
    return np.asarray((np.arange(count) - count // EARLY) / (count * f_hz[1]), dtype=np.float64)


def steps(f_hz: Real, s: Complex, rise_s: float) -> Real:
    """Return responses to a unit step that rises 10 to 90 % in `rise_s`, shape (E, 2 (F - 1)).

    `s` (E, F) at 0, df, ... The integral of the impulse response is taken in frequency, so the
    samples, 1/(2 f_max) apart, lie on the curve and not on a sum; the ramp that belongs to 0 Hz is
    added. The record is periodic: 1/df must outlast the line.
    """
    refuse_fast(f_hz, rise_s)
    count = 2 * (f_hz.size - 1)
    early = count // EARLY
    shaped = s[:, 1:] * (edge(f_hz[1:], rise_s) / (2j * np.pi * f_hz[1:]))
    lines = np.zeros((len(s), f_hz.size), dtype=np.complex128)
    lines[:, 1:] = shaped * np.exp(-2j * np.pi * f_hz[1:] * (early / (count * f_hz[1])))
    waves = np.fft.irfft(lines, n=count, axis=1) * (count * f_hz[1])
    ramp = (np.arange(count) - early) / count
    found = waves + s[:, :1].real * ramp
    quiet = max(1, early // 2)
    found -= found[:, :quiet].mean(axis=1, keepdims=True)
    return np.asarray(found, dtype=np.float64)
