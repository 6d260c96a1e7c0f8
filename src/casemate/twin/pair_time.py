"""Reflections in time: the response to a step with a Gaussian edge, for many episodes at once.

By the damped Fourier integral: spectra are taken at s = sigma + j omega, so the record shows the
response times exp(-sigma t), and what outlasts it wraps round damped (WRAP). A record therefore
need not outlast the echoes of an open pair, only what is read.
"""

from __future__ import annotations

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real
from casemate.twin.line_tdr import frequencies
from casemate.twin.pair_line import positive

EARLY = 20
"""One part in this of the record lies before t = 0."""
BAND = 3.0
"""End of the band times the rise time, where the edge has 2e-12 left."""
LEFT = 1e-8
"""What the edge may have left at the end of the band."""


def band_hz(window_s: float, rise_s: float) -> Real:
    """Return frequencies (F,) for a record of `window_s` with an edge of `rise_s`."""
    positive(window_s=window_s, rise_s=rise_s)
    return frequencies(window_s, rise_s * 4.0 / BAND)


def _edge(laplace_1_s: Complex, rise_s: float) -> Complex:
    sigma_s = rise_s / 2.5631031310892007
    return np.asarray(np.exp(0.5 * (laplace_1_s * sigma_s) ** 2), dtype=np.complex128)


def times_s(laplace_1_s: Complex) -> Real:
    """Return the times of `steps`, shape (2 (F - 1),), the edge centred on 0."""
    count = 2 * (laplace_1_s.size - 1)
    step_hz = laplace_1_s[1].imag / (2.0 * np.pi)
    return np.asarray((np.arange(count) - count // EARLY) / (count * step_hz), dtype=np.float64)


def steps(laplace_1_s: Complex, seen: Complex, rise_s: float) -> Real:
    """Return responses to a unit step that rises 10 to 90 % in `rise_s`, shape (E, 2 (F - 1)).

    `seen` (E, F) at a damped `laplace_1_s` (pair_line.laplace_of). InputError where the edge has
    more than LEFT at the end of the band, or nothing is damped.
    """
    positive(rise_s=rise_s)
    if laplace_1_s[0].real <= 0.0:
        raise InputError(
            "a record in time needs damped frequencies.",
            remedy="make the pair at laplace_of(f_hz) with damping.",
        )
    if abs(_edge(laplace_1_s[-1:], rise_s)[0]) > LEFT:
        raise InputError(
            "the rise time lies beyond the sampled band.",
            remedy="make frequencies for this rise with casemate.twin.pair_time.band_hz.",
            key="rise_s",
            value=(rise_s, float(laplace_1_s[-1].imag / (2.0 * np.pi))),
        )
    t_s = times_s(laplace_1_s)
    late = np.exp(laplace_1_s.imag * (1j * t_s[0]))
    lines = seen * (_edge(laplace_1_s, rise_s) / laplace_1_s * late)
    count = t_s.size
    waves = np.fft.irfft(lines, n=count, axis=1)
    return np.asarray(waves * (np.exp(laplace_1_s[0].real * t_s) / (t_s[1] - t_s[0])))
