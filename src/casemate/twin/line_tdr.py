"""What a time-domain reflectometer sees: source edge, line, sampler jitter and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Complex, Real

OVERSAMPLING = 4
"""Samples in time for each that the band asks for, so that straight lines join them well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """The receiver: noise in units of the step, timing jitter, and how many sweeps are averaged."""

    noise: float = 0.0
    jitter_s: float = 0.0
    averages: int = 1


def frequencies(window_s: float, rise_s: float) -> Real:
    """Return frequencies, shape (F,), of a record of `window_s` with an edge of `rise_s`.

    From 0 in steps of 1/window to 4/rise, where the edge has 1e-9 of its amplitude left or less.
    """
    count = int(np.ceil(4.0 * window_s / rise_s)) + 1
    return np.asarray(np.arange(count) / window_s, dtype=np.float64)


def edge(f_hz: Real, rise_s: float) -> Complex:
    """Return the spectrum, shape (F,), of a Gaussian impulse whose step rises 10-90 % in `rise_s`.

    Standard deviation rise/2.563; its transform is real, so that the edge is centred on t = 0.
    """
    sigma_s = rise_s / 2.5631031310892007
    return np.exp(-0.5 * (2.0 * np.pi * f_hz * sigma_s) ** 2).astype(np.complex128)


def step_response(f_hz: Real, s: Complex, rise_s: float) -> tuple[Real, Real]:
    """Return time (s) and response to a unit step, both shape (OVERSAMPLING 2 (F - 1),).

    `f_hz` is 0, df, ... as from `frequencies`; `s` is S11 (or S21), shape (F,). A tenth of the
    record lies before t = 0, where a causal line shows nothing but the rise of the edge.
    """
    count = 2 * (f_hz.size - 1) * OVERSAMPLING
    early = count // 10
    impulse = np.roll(np.fft.irfft(s * edge(f_hz, rise_s), n=count), early)
    # Up to the middle of a sample: without the half, every edge would come half a sample early.
    step = np.cumsum(impulse) - 0.5 * impulse
    t_s = (np.arange(count) - early) / (count * f_hz[1])
    return t_s, np.asarray(step, dtype=np.float64)


def with_zero(f_hz: Real, s: Complex) -> tuple[Real, Complex]:
    """Return frequencies and data with the point at 0 Hz added that a network analyser lacks.

    The data must start at its own step. The real part is carried on as a parabola of f^2.
    """
    first, second = s[0].real, s[1].real
    at_zero = first + (first - second) / 3.0
    return np.concatenate([[0.0], f_hz]), np.concatenate([[at_zero + 0j], s])


def sampled(t_s: Real, step: Real, sampler: Sampler, generator: np.random.Generator) -> Real:
    """Return one averaged reading of `step`, shape as given.

    Each sample is taken at a time that is wrong by a normal jitter, with normal noise added;
    averages of independent sweeps divide the noise and the first-order effect of the jitter by
    the root of their number and blur the edge by the jitter.
    """
    root = float(np.sqrt(sampler.averages))
    blurred = _blurred(t_s, step, sampler.jitter_s) if sampler.averages > 1 else step
    late_s = sampler.jitter_s / root * generator.standard_normal(t_s.size)
    noise = sampler.noise / root * generator.standard_normal(t_s.size)
    return np.asarray(np.interp(t_s + late_s, t_s, blurred) + noise, dtype=np.float64)


def _blurred(t_s: Real, step: Real, sigma_s: float) -> Real:
    if sigma_s <= 0.0:
        return step
    f_hz = np.fft.rfftfreq(t_s.size, t_s[1] - t_s[0])
    ramp = step[0] + (step[-1] - step[0]) * np.linspace(0.0, 1.0, t_s.size)
    kernel = np.exp(-0.5 * (2.0 * np.pi * f_hz * sigma_s) ** 2)
    smooth = np.fft.irfft(np.fft.rfft(step - ramp) * kernel, n=t_s.size)
    return np.asarray(smooth + ramp, dtype=np.float64)
