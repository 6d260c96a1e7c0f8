"""Random waves, fans and warming against closed forms and against boxes that really change size."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.twin.cavity_box import box_modes, fields, green, random_places
from casemate.twin.cavity_channel import DirectPath, k_factor, random_waves, rician, scattered
from casemate.twin.cavity_fan import (
    Fan,
    coherence_time_s,
    highest_order,
    stir_k_factor,
    stirred_response,
    stirred_share,
    turn_correlation,
)
from casemate.twin.cavity_stretch import (
    ALUMINIUM_1_K,
    Air,
    fitted_stretch,
    refractivity,
    stretch,
    stretch_change,
    stretched,
    vapour_pa,
)
from casemate.twin.walks import turned_angle
from truths import Truth, abs_error, rel_error

BOX = (0.44, 0.5, 0.13)


def test_waves_correlate_over_frequency_and_place_as_a_diffuse_field(truth: Truth) -> None:
    generator = np.random.default_rng(1)
    tau, k = 5e-9, 2 * np.pi * 5e9 / 299_792_458.0
    gaps = np.array([0.0, 10e6, 30e6, 100e6])
    apart = np.array([0.0, 0.01, 0.02, 0.045])
    places = np.stack([apart, 0 * apart, 0 * apart], axis=1)
    over_f, over_x = np.zeros(4, complex), np.zeros(4, complex)
    for _ in range(3000):
        waves = random_waves(60, tau, generator)
        h = scattered(waves, 5e9 + gaps)
        at = scattered(waves, np.array([5e9]), places)[:, 0]
        over_f += h * h[0].conj() / 3000
        over_x += at * at[0].conj() / 3000
    for name, seen, law in (
        ("1/(1 + j 2 pi df tau) over frequency", over_f, 1 / (1 + 2j * np.pi * gaps * tau)),
        ("sin kr/kr over distance", over_x, np.sinc(k * apart / np.pi)),
    ):
        truth(
            kernel="twin.cavity_channel.scattered",
            against=f"correlation {name}, 3000 draws",
            found=abs_error(seen, law),
            allowed=0.06,
            unit="of 1",
        )


def test_a_box_decorrelates_over_frequency_as_random_waves_do(truth: Truth) -> None:
    """The modal sum of a box with Q 147: half of the correlation's magnitude where the law says."""
    generator = np.random.default_rng(2)
    modes, q, f0 = box_modes(BOX, 7e9), 147.0, 4.5e9
    antennas = fields(modes, *random_places(BOX, 24, 0.03, generator))
    f_hz = f0 + np.arange(-60, 61) * 4e6
    h = green(modes, q, f_hz, antennas[:12], antennas[12:])
    tau = q / (2 * np.pi * f0)
    for lag in (4, 8, 16):
        seen = np.mean(h[lag:] * h[:-lag].conj()) / np.mean(np.abs(h) ** 2)
        law = 1 / (1 + 2j * np.pi * lag * 4e6 * tau)
        truth(
            kernel="twin.cavity_box.green",
            against="correlation 1/(1 + j 2 pi df tau) over frequency",
            found=abs(seen - law),
            allowed=0.12,
            unit="of 1",
        )


def test_the_rician_factor_is_found_again(truth: Truth) -> None:
    generator = np.random.default_rng(3)
    f_hz = np.array([4e9, 6e9])
    for k in (0.0, 1.0, 10.0):
        direct = DirectPath(k_factor=k, delay_s=1e-9)
        draws = [
            rician(direct, scattered(random_waves(80, 5e-9, generator), f_hz), f_hz)
            for _ in range(2000)
        ]
        found = k_factor(np.stack(draws))
        truth(
            kernel="twin.cavity_channel.k_factor",
            against="K of 0, 1, 10 put in, 2000 states: error over K + 0.1",
            found=abs_error(found, k) / (k + 0.1),
            allowed=0.08,
        )


def test_a_fan_leaves_the_k_factor_of_its_cross_section(truth: Truth) -> None:
    generator = np.random.default_rng(4)
    fan = Fan(radius_m=0.02, scatter_m2=1e-3)
    absorption = np.array([0.02])
    share = float(stirred_share(fan, absorption)[0])
    assert 10 * np.log10(share) == pytest.approx(-13.2, abs=0.1)
    f_hz = np.linspace(4e9, 6e9, 200)
    turned = 2 * np.pi * (np.arange(40) + generator.random(40)) / 40
    power, spread = 0.0, 0.0
    for _ in range(6):
        still = scattered(random_waves(400, 5e-9, generator), f_hz)
        h = stirred_response(still, share, fan, turned, f_hz, 5e-9, generator)
        spread += float(np.mean(h.var(axis=0)))
        power += float(np.mean(np.abs(still) ** 2)) * (1 - share)
    # the harmonic of order 0 does not move: one part in 2 M + 1 is not seen as stirred
    orders = highest_order(fan, 6e9)
    expected = stir_k_factor(fan, absorption)[0] * (2 * orders + 1) / (2 * orders)
    truth(
        kernel="twin.cavity_fan.stirred_response",
        against="unstirred over stirred power A/sigma (de Rosny and others)",
        found=rel_error(power / spread, expected),
        allowed=0.12,
    )


def test_the_stirred_part_forgets_as_the_dirichlet_kernel_says(truth: Truth) -> None:
    generator = np.random.default_rng(5)
    fan = Fan(radius_m=0.02, scatter_m2=1e-3)
    f_hz = np.linspace(5.5e9, 6e9, 20)
    orders = highest_order(fan, 6e9)
    lags = np.array([0.0, 0.1, 0.3, 0.6])
    total = np.zeros(4)
    for _ in range(300):
        h = stirred_response(np.zeros(20, complex), 1.0, fan, lags, f_hz, 5e-9, generator, 40)
        total += np.real(np.mean(h * h[:1].conj(), axis=1)) / 300
    truth(
        kernel="twin.cavity_fan.turn_correlation",
        against="300 drawn rotors with all harmonics to 2 k r",
        found=abs_error(total / total[0], turn_correlation(orders, lags)),
        allowed=0.06,
        unit="of 1",
    )
    first_zero = 2 * np.pi * fan.turns_1_s * coherence_time_s(fan, 6e9)
    assert turn_correlation(orders, np.array([first_zero]))[0] == pytest.approx(0.0, abs=1e-9)


def test_a_walking_speed_keeps_its_mean_and_spread() -> None:
    times = np.arange(200_000) * 1e-3
    turned = turned_angle(50.0, 0.02, 0.5, times, np.random.default_rng(6))
    speed = np.diff(turned) / (2 * np.pi * 1e-3)
    assert speed.mean() == pytest.approx(50.0, rel=0.01)
    assert speed.std() == pytest.approx(1.0, rel=0.1)


def test_stretching_changes_a_box_that_really_grows_as_the_law_says(truth: Truth) -> None:
    """The modal sum with every length scaled by 1 + eps, antennas carried along."""
    generator = np.random.default_rng(8)
    q, f0 = 147.0, 4.5e9
    places, axes = random_places(BOX, 16, 0.03, generator)
    f_hz = f0 + np.arange(-160, 161) * 2e6

    def response(eps: float) -> np.ndarray:
        size = tuple(side * (1 + eps) for side in BOX)
        modes = box_modes(size, 7e9 / (1 + eps))  # type: ignore[arg-type]
        found = fields(modes, places * (1 + eps), axes)
        return green(modes, q, f_hz, found[:8], found[8:]).reshape(f_hz.size, -1)

    before = response(0.0)
    for eps in (2.3e-4, 2.3e-3):
        after = response(eps)
        seen = np.mean(np.abs(after - before) ** 2) / np.mean(np.abs(before) ** 2)
        truth(
            kernel="twin.cavity_stretch.stretch_change",
            against="modal sum of a box grown by 1 + eps",
            found=rel_error(stretch_change(np.array(q), eps), seen),
            allowed=0.25,
        )
    moved = response(2.3e-4)[:, 0]
    ours = stretched(f_hz, before[:, 0], 2.3e-4)[5:-5]
    rest = np.mean(np.abs(ours - moved[5:-5]) ** 2) / np.mean(np.abs(moved) ** 2)
    assert rest < 1e-6  # of a change of -26 dB
    found, _ = fitted_stretch(f_hz[5:-5], before[5:-5, 0], moved[5:-5])
    truth(
        kernel="twin.cavity_stretch.fitted_stretch",
        against="modal sum of a box grown by 230 ppm",
        found=rel_error(found, 2.3e-4),
        allowed=0.02,
    )


def test_stretches_have_the_figures_of_the_reference(truth: Truth) -> None:
    """physics.md 5.5: 23 ppm/K gives -46 dB at Q 147; air by humidity, pressure, temperature."""
    one_k = float(stretch_change(np.array(147.0), 23e-6))
    assert 10 * np.log10(one_k) == pytest.approx(-46, abs=0.5)
    for celsius in (0.0, 25.0, 45.0):
        for humidity in (0.0, 0.4, 0.9):
            air = Air(temperature_k=273.15 + celsius, humidity=humidity)
            e, dry = 0.01 * vapour_pa(air), 1013.25 - 0.01 * vapour_pa(air)
            t = air.temperature_k
            best = 1e-6 * (77.6890 * dry / t + 71.2952 * e / t + 375_463.0 * e / t**2)
            truth(
                kernel="twin.cavity_stretch.refractivity",
                against="Rueger's best average of radio refractivity (2002), 0 to 45 C",
                found=rel_error(refractivity(air), best),
                allowed=0.01,
            )
    base = Air(temperature_k=298.15, humidity=0.4)
    wetter = Air(temperature_k=298.15, humidity=0.5)
    assert refractivity(wetter) - refractivity(base) == pytest.approx(13.3e-6, rel=0.03)
    denser = Air(temperature_k=298.15, humidity=0.4, pressure_pa=102_325.0)
    assert refractivity(denser) - refractivity(base) == pytest.approx(2.6e-6, rel=0.03)
    warmer = Air(temperature_k=299.15, humidity=0.5)
    gas = refractivity(warmer) - refractivity(wetter)
    assert gas == pytest.approx(2.7e-6, rel=0.03)
    assert stretch(wetter, warmer, ALUMINIUM_1_K) == pytest.approx(23e-6 + gas)
