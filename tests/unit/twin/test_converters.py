"""Noise and converters against the laws they are known by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter, welch

from casemate.core.errors import InputError
from casemate.twin.converters import (
    BOLTZMANN_J_K,
    Clock,
    Converter,
    Transport,
    allan_deviation,
    arrivals_s,
    codes,
    inl_profile_lsb,
    power_noise,
    sample_times_s,
    thermal_noise_v,
    thermal_v,
    volts_of,
)
from truths import Truth, abs_error, rel_error


def test_thermal_noise_of_a_kilohm() -> None:
    assert thermal_v(r_ohm=1e3, temperature_k=300.0, bandwidth_hz=1e3) == pytest.approx(
        129e-9, rel=3e-3
    )


def test_thermal_noise_on_a_capacitor_is_kt_over_c(truth: Truth) -> None:
    """Whatever the resistor: equipartition. RC = 200 steps, bilinear filter, 4e6 samples."""
    r, c, kelvin = 1e4, 1e-9, 300.0
    step = r * c / 200
    white = thermal_noise_v(
        np.random.default_rng(1), 4_000_000, r_ohm=r, temperature_k=kelvin, step_s=step
    )
    a = step / (2 * r * c)
    low = lfilter([a / (1 + a), a / (1 + a)], [1.0, -(1 - a) / (1 + a)], white)[10_000:]
    # 4e6 / 400 independent values: 1.4 % standard error
    truth(
        kernel="twin.converters.thermal_noise_v",
        against="kT/C on a capacitor (equipartition), 1e4 independent values",
        found=rel_error(np.var(low), BOLTZMANN_J_K * kelvin / c),
        allowed=0.05,
    )


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.0, 1.3, 2.0])
def test_power_noise_has_its_slope_and_level(exponent: float, truth: Truth) -> None:
    noise = power_noise(
        np.random.default_rng(2), 2**20, step_s=0.01, at_1_hz=4e-12, exponent=exponent
    )
    f, density = welch(noise, 100.0, nperseg=2**14)
    inside = (f > 0.1) & (f < 30.0)
    slope, level = np.polyfit(np.log(f[inside]), np.log(density[inside]), 1)
    truth(
        kernel="twin.converters.power_noise",
        against="slope of the density by Welch's method, exponents 0 to 2",
        found=abs_error(slope, -exponent),
        allowed=0.03,
        unit="in slope",
    )
    truth(
        kernel="twin.converters.power_noise",
        against="density at 1 Hz by Welch's method",
        found=rel_error(np.exp(level), 4e-12),
        allowed=0.05,
    )


@pytest.mark.parametrize(
    ("exponent", "slope", "law"),
    [
        (0.0, -0.5, lambda h, tau: np.sqrt(h / (2 * tau))),
        (1.0, 0.0, lambda h, tau: np.sqrt(2 * np.log(2) * h) + 0 * tau),
        (2.0, 0.5, lambda h, tau: np.sqrt(2 * np.pi**2 * h * tau / 3)),
    ],
)
def test_allan_deviation_of_the_three_noises(
    exponent: float,
    slope: float,
    law: Callable[..., np.ndarray],
    truth: Truth,
) -> None:
    """NIST SP 1065: slopes -1/2, 0, +1/2 and levels in closed form."""
    m = 2 ** np.arange(4, 12)
    found = []
    for seed in range(8):
        noise = power_noise(
            np.random.default_rng(seed), 2**17, step_s=0.1, at_1_hz=1.0, exponent=exponent
        )
        found.append(allan_deviation(noise, averaged=m))
    mean = np.sqrt(np.mean(np.square(found), axis=0))
    fitted = np.polyfit(np.log(m), np.log(mean), 1)[0]
    assert fitted == pytest.approx(slope, abs=0.05)
    truth(
        kernel="twin.converters.allan_deviation",
        against="levels of NIST SP 1065 for white, flicker and random walk",
        found=rel_error(mean, law(1.0, 0.1 * m)),
        allowed=0.15,
    )


def residual_db(signal: np.ndarray, read: np.ndarray) -> float:
    """Return the ratio in dB of signal to what differs from its best fit."""
    design = np.column_stack([signal, np.ones_like(signal)])
    error = read - design @ np.linalg.lstsq(design, read, rcond=None)[0]
    return float(10 * np.log10(np.var(signal) / np.var(error)))


@pytest.mark.parametrize("bits", [6, 10, 14, 18])
def test_quantisation_of_a_full_sine(bits: int, truth: Truth) -> None:
    converter = Converter(bits=bits, full_scale_v=1.0)
    t = np.arange(2**17)
    sine = (1.0 - 2.0**-bits) * np.sin(2 * np.pi * t * 0.1234567890123)
    read = volts_of(converter, codes(converter, sine))
    truth(
        kernel="twin.converters.codes",
        against="6.02 N + 1.76 dB of a full sine, 6 to 18 bits",
        found=abs_error(residual_db(sine, read), 6.02 * bits + 1.76),
        allowed=0.2,
        unit="dB",
    )
    assert np.abs(read - sine).max() <= 0.5001 * converter.lsb_v


def test_bow_makes_its_second_harmonic(truth: Truth) -> None:
    """A parabola of b LSB on 2^(N-1) of amplitude: b/2 at twice the frequency."""
    bits, bow = 12, 3.0
    inl = inl_profile_lsb(np.random.default_rng(0), bits, bow_lsb=bow, dnl_lsb=0.0)
    converter = Converter(bits=bits, full_scale_v=1.0, inl_lsb=inl)
    n = 2**16
    read = volts_of(converter, codes(converter, np.sin(2 * np.pi * 641 * np.arange(n) / n)))
    lines = np.abs(np.fft.rfft(read)) / (n / 2)
    truth(
        kernel="twin.converters.inl_profile_lsb",
        against="second harmonic of a parabola, bow/2",
        found=rel_error(lines[2 * 641] / converter.lsb_v, bow / 2),
        allowed=0.02,
    )


def test_random_inl_costs_what_its_variance_adds() -> None:
    bits = 12
    inl = inl_profile_lsb(np.random.default_rng(3), bits, bow_lsb=0.0, dnl_lsb=0.05)
    converter = Converter(bits=bits, full_scale_v=1.0, inl_lsb=inl)
    ramp = np.linspace(-0.999, 0.999, 400_001)
    error = (volts_of(converter, codes(converter, ramp)) - ramp) / converter.lsb_v
    middle = np.asarray(inl)[4:-4]
    assert np.mean(error**2) == pytest.approx(1 / 12 + np.mean(middle**2), rel=0.05)


@given(
    bits=st.integers(2, 10), bow=st.floats(-4, 4), dnl=st.floats(0, 0.2), seed=st.integers(0, 999)
)
def test_converters_are_monotone_and_reach_both_ends(
    bits: int, bow: float, dnl: float, seed: int
) -> None:
    bow = bow * min(1.0, 2.0**bits / 64)  # steeper bows cross thresholds and are refused
    inl = inl_profile_lsb(np.random.default_rng(seed), bits, bow_lsb=bow, dnl_lsb=dnl)
    converter = Converter(bits=bits, full_scale_v=2.0, inl_lsb=inl)
    found = codes(converter, np.linspace(-9.0, 9.0, 5000))
    assert (np.diff(found) >= 0).all()
    assert (found[0], found[-1]) == (0, 2**bits - 1)


def test_gain_and_its_drift() -> None:
    converter = Converter(
        bits=20, full_scale_v=1.0, gain=1.01, offset_v=1e-3, gain_1_k=1e-5, offset_v_k=-2e-6
    )
    volts = np.linspace(-0.9, 0.9, 7)
    for rise in (0.0, 25.0):
        read = volts_of(converter, codes(converter, volts, rise))
        expected = (1.01 + 1e-5 * rise) * volts + 1e-3 - 2e-6 * rise
        assert read == pytest.approx(expected, abs=converter.lsb_v)


@pytest.mark.parametrize(("f_hz", "jitter_s"), [(1e6, 1e-11), (1e6, 1e-10), (2e7, 5e-12)])
def test_jitter_of_a_sine(f_hz: float, jitter_s: float, truth: Truth) -> None:
    """SNR = -20 log10(2 pi f sigma)."""
    clock = Clock(step_s=1.7320508e-8, jitter_s=jitter_s)
    n = 200_000
    t = sample_times_s(np.random.default_rng(4), clock, n)
    even = np.arange(n) * clock.step_s
    clean, read = np.sin(2 * np.pi * f_hz * even), np.sin(2 * np.pi * f_hz * t)
    expected = -20 * np.log10(2 * np.pi * f_hz * jitter_s)
    truth(
        kernel="twin.converters.sample_times_s",
        against="-20 log 2 pi f sigma of a jittered sine",
        found=abs_error(residual_db(clean, read), expected),
        allowed=0.1,
        unit="dB",
    )


def test_clock_error_and_walk() -> None:
    """100 ppm loses 0.36 s an hour; the time error of a frequency walk grows as t^1.5."""
    late = sample_times_s(np.random.default_rng(5), Clock(step_s=1.0, error=1e-4), 3601)
    assert late[-1] - 3600 == pytest.approx(0.36)
    clock = Clock(step_s=1.0, walk_1_sqrt_s=1e-6)
    ends = [sample_times_s(np.random.default_rng(s), clock, 1001)[-1] - 1000 for s in range(400)]
    assert np.std(ends) == pytest.approx(1e-6 * np.sqrt(1000**3 / 3), rel=0.12)


@pytest.mark.parametrize(("lost", "burst"), [(0.01, 1.0), (0.05, 4.0), (0.3, 10.0)])
def test_losses_come_in_bursts_of_the_stated_length(
    lost: float, burst: float, truth: Truth
) -> None:
    times = np.arange(2_000_000) * 0.1
    found = arrivals_s(np.random.default_rng(6), Transport(lost=lost, burst=burst), times)
    gone = np.isnan(found)
    starts = np.count_nonzero(np.diff(gone.astype(int)) == 1)
    truth(
        kernel="twin.converters.arrivals_s",
        against="rate and mean length of bursts by Gilbert's chain",
        found=rel_error((gone.mean(), gone.sum() / starts), (lost, burst)),
        allowed=0.03,
    )


def test_late_samples() -> None:
    times = np.arange(400_000) * 0.1
    found = arrivals_s(np.random.default_rng(7), Transport(late=0.2, late_s=0.5), times)
    delay = found - times
    assert (delay >= 0).all()
    assert (delay > 0).mean() == pytest.approx(0.2, rel=0.02)
    assert delay[delay > 0].mean() == pytest.approx(0.5, rel=0.02)


def test_seeds_repeat() -> None:
    one, two = (
        power_noise(np.random.default_rng(9), 100, step_s=1.0, at_1_hz=1.0, exponent=1.0)
        for _ in range(2)
    )
    assert (one == two).all()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError):
        Converter(bits=0, full_scale_v=1.0)
    with pytest.raises(InputError):
        Converter(bits=2, full_scale_v=1.0, inl_lsb=(0.0, -1.5, 0.0))
    with pytest.raises(InputError):
        Transport(lost=0.9, burst=1.0)
    with pytest.raises(InputError):
        allan_deviation(np.ones(10), averaged=np.array([4]))
