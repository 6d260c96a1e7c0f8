"""What lies between a quantity and its reading: noise, quantisation, gain, clock, lost samples.

Thermal noise: J. B. Johnson and H. Nyquist, Physical Review 32, 1928. Flicker noise: spectral
synthesis (J. Timmer and M. Koenig, Astronomy and Astrophysics 300, 1995). Converters: IEEE 1241.
Bursts of loss: E. N. Gilbert, Bell System Technical Journal 39, 1960. Allan deviation: NIST
SP 1065.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.twin.line_materials import Real

BOLTZMANN_J_K = 1.380649e-23
"""Exact in the SI of 2019."""
BITS_MAX = 20
"""The INL of finer converters is not known code by code, and their tables are large."""


def thermal_v(*, r_ohm: float, temperature_k: float, bandwidth_hz: float) -> float:
    """Return the rms voltage sqrt(4 k T R B) of a resistor."""
    return math.sqrt(4.0 * BOLTZMANN_J_K * temperature_k * r_ohm * bandwidth_hz)


def thermal_noise_v(
    rng: np.random.Generator, n: int, *, r_ohm: float, temperature_k: float, step_s: float
) -> Real:
    """Return `n` samples, `step_s` apart, of thermal noise limited to half the sampling rate."""
    rms = thermal_v(r_ohm=r_ohm, temperature_k=temperature_k, bandwidth_hz=0.5 / step_s)
    return rng.standard_normal(n) * rms


def power_noise(
    rng: np.random.Generator, n: int, *, step_s: float, at_1_hz: float, exponent: float
) -> Real:
    """Return `n` samples of Gaussian noise of one-sided density S = at_1_hz f^-exponent, unit^2/Hz.

    Lines at multiples of 1/(2n step) get independent complex normals of that power; half of the
    period is kept, so the ends do not meet. Below 1/(2n step) there is nothing: a record knows no
    slower wander than twice its length. exponent 0: white, 1: flicker, 2: random walk.
    """
    size = 2 * n
    f_hz = np.fft.rfftfreq(size, step_s)
    density = np.zeros(f_hz.size)
    density[1:] = at_1_hz * f_hz[1:] ** -exponent
    amplitude = np.sqrt(density * size / (4.0 * step_s))
    normal = rng.standard_normal((2, f_hz.size))
    lines = amplitude * (normal[0] + 1j * normal[1])
    lines[-1] = math.sqrt(2.0) * lines[-1].real  # the Nyquist line is real
    return np.asarray(np.fft.irfft(lines, size)[:n], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """An analogue to digital converter over -full_scale_v to +full_scale_v with 2^bits codes.

    `inl_lsb` (2^bits - 1,) shifts each threshold; empty for an ideal converter. `gain` multiplies
    and `offset_v` adds before conversion; both drift by `gain_1_k` and `offset_v_k` a kelvin.
    """

    bits: int
    full_scale_v: float
    inl_lsb: tuple[float, ...] = ()
    gain: float = 1.0
    offset_v: float = 0.0
    gain_1_k: float = 0.0
    offset_v_k: float = 0.0

    def __post_init__(self) -> None:
        size = len(self.inl_lsb)
        if not 1 <= self.bits <= (BITS_MAX if size else 32) or not self.full_scale_v > 0.0:
            raise InputError(
                f"a converter has 1 to 32 bits ({BITS_MAX} with INL) and a full scale above 0.",
                remedy="leave inl_lsb empty for finer converters.",
                value=(self.bits, self.full_scale_v),
            )
        if size and (size != 2**self.bits - 1 or np.diff(self.inl_lsb, prepend=0.0).min() <= -1.0):
            raise InputError(
                "inl_lsb has not one entry a threshold, or its thresholds cross.",
                remedy="make it with inl_profile_lsb.",
                value=size,
            )

    @property
    def lsb_v(self) -> float:
        """Return the size of one code."""
        return 2.0 * self.full_scale_v / 2.0**self.bits


def codes(converter: Converter, volts: Real, rise_k: Real | float = 0.0) -> npt.NDArray[np.int64]:
    """Return codes 0 .. 2^bits - 1, clipped at the ends; `rise_k` broadcasts against `volts`."""
    gain = converter.gain + converter.gain_1_k * np.asarray(rise_k)
    offset = converter.offset_v + converter.offset_v_k * np.asarray(rise_k)
    scaled = (gain * volts + offset + converter.full_scale_v) / converter.lsb_v
    if not converter.inl_lsb:
        return np.clip(np.floor(scaled), 0, 2.0**converter.bits - 1).astype(np.int64)
    thresholds = np.arange(1, 2**converter.bits) + np.asarray(converter.inl_lsb)
    return np.searchsorted(thresholds, scaled, side="right").astype(np.int64)


def volts_of(converter: Converter, code: npt.NDArray[np.int64]) -> Real:
    """Return the middle of each code as the reader believes it: ideal gain, offset and INL."""
    return np.asarray((code + 0.5) * converter.lsb_v - converter.full_scale_v, dtype=np.float64)


def inl_profile_lsb(
    rng: np.random.Generator, bits: int, *, bow_lsb: float, dnl_lsb: float
) -> tuple[float, ...]:
    """Return INL (2^bits - 1,) of a bow and a random walk, both 0 at the ends (end-point fit).

    `bow_lsb`: height of the parabola in the middle. `dnl_lsb`: spread of each step, cut so that
    thresholds never cross.
    """
    size = 2**bits - 1
    x = np.linspace(-1.0, 1.0, size)
    steps = np.clip(dnl_lsb * rng.standard_normal(size), -0.7, 0.7)
    walk = np.cumsum(steps)
    walk = walk - np.interp(x, [-1.0, 1.0], [walk[0], walk[-1]])
    return tuple((bow_lsb * (1.0 - x * x) + walk).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A sample clock: rms jitter a sample, relative error, its random walk (per root second)."""

    step_s: float
    jitter_s: float = 0.0
    error: float = 0.0
    walk_1_sqrt_s: float = 0.0


def sample_times_s(rng: np.random.Generator, clock: Clock, n: int) -> Real:
    """Return when `n` samples are really taken, shape (n,), nominally at 0, step, 2 step, ..."""
    walk = np.cumsum(rng.standard_normal(n)) * clock.walk_1_sqrt_s * math.sqrt(clock.step_s)
    steps = clock.step_s * (1.0 + clock.error + walk)
    even = np.concatenate([[0.0], np.cumsum(steps[:-1])])
    return np.asarray(even + clock.jitter_s * rng.standard_normal(n), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How samples get lost or late: bursts by Gilbert's two states, delays exponential.

    `lost`: long-run share; `burst`: mean length of a loss, in samples, at least 1. `late`: share
    of those that arrive which are delayed by `late_s` on average.
    """

    lost: float = 0.0
    burst: float = 1.0
    late: float = 0.0
    late_s: float = 0.0

    def __post_init__(self) -> None:
        sound = 0.0 <= self.lost < 1.0 and self.burst >= 1.0 and 0.0 <= self.late <= 1.0
        if not sound or self.lost > self.burst * (1.0 - self.lost):
            raise InputError(
                "loss and lateness must be shares, and a burst long enough for the loss.",
                remedy="losing a share L needs bursts of at least L/(1 - L) samples.",
                value=(self.lost, self.burst, self.late),
            )


def arrivals_s(rng: np.random.Generator, transport: Transport, times_s: Real) -> Real:
    """Return when each sample arrives, shape as `times_s`; nan where it is lost."""
    found = np.array(times_s, dtype=np.float64)
    late = rng.random(found.size) < transport.late
    found[late] += transport.late_s * rng.standard_exponential(int(late.sum()))
    found[_lost(rng, transport, found.size)] = np.nan
    return found


def _lost(rng: np.random.Generator, transport: Transport, n: int) -> npt.NDArray[np.bool_]:
    if transport.lost <= 0.0:
        return np.zeros(n, dtype=bool)
    recover = 1.0 / transport.burst
    fall = min(1.0, recover * transport.lost / (1.0 - transport.lost))
    runs = max(8, int(2.0 * n * transport.lost * recover) + 64)
    lost = np.zeros(n, dtype=bool)
    at, bad = 0, bool(rng.random() < transport.lost)
    while at < n:
        good_bad = np.column_stack([rng.geometric(fall, runs), rng.geometric(recover, runs)])
        lengths = good_bad.ravel()[1:] if bad else good_bad.ravel()
        states = (np.arange(lengths.size) + bad) % 2 == 1
        row = np.repeat(states, lengths)[: n - at]
        lost[at : at + row.size] = row
        at += row.size
        bad = not states[-1]
    return lost


def allan_deviation(values: Real, *, averaged: npt.NDArray[np.int64]) -> Real:
    """Return the overlapping Allan deviation of `values` (n,) over `averaged` samples, shape (k,).

    sqrt(mean((y_(i+m) - y_i)^2)/2) of means y over m samples. Each m at most n // 3.
    """
    if averaged.min() < 1 or averaged.max() > len(values) // 3:
        raise InputError(
            "an averaging length is outside 1 .. n // 3.",
            remedy="record longer or average over fewer samples.",
            value=averaged.tolist(),
        )
    total = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    found = np.empty(averaged.size)
    for k, m in enumerate(averaged.tolist()):
        second = total[2 * m :] - 2.0 * total[m:-m] + total[: -2 * m]
        found[k] = math.sqrt(float(np.mean(second**2)) / 2.0) / m
    return found
