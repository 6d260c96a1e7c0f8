"""Plates, forces, heat and air against closed forms and other solvers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.signal import welch

from casemate.core.errors import InputError
from casemate.twin.environment_air import (
    Leak,
    inside_humidity,
    inside_pa,
    leak_rate_rtpa_s,
    leaked_pa,
    saturation_pa,
)
from casemate.twin.environment_forces import (
    Accelerometer,
    Drill,
    FanForce,
    drill_force_n,
    fan_force_n,
    footfall_n,
    measured_m_s2,
    unbalance_n,
)
from casemate.twin.environment_panel import (
    Plate,
    acceleration_m_s2,
    plate_modes,
    receptance_m_n,
    rigidity_n_m,
)
from casemate.twin.environment_sites import SITES, Site
from casemate.twin.environment_thermal import ThermalNetwork, rates, settled_k, temperatures_k
from casemate.twin.walks import ou, smooth_walk
from truths import Truth, abs_error, rel_error

SQUARE = Plate(a_m=0.3, b_m=0.3, thickness_m=1.5e-3)
PANEL = Plate(a_m=0.6, b_m=0.5, thickness_m=1.5e-3)


def test_plate_frequencies_are_those_of_leissa(truth: Truth) -> None:
    """Leissa's 19.739, 49.348, 78.957, 98.696 = omega a^2 sqrt(rho h / D) of a square plate."""
    unit = math.sqrt(rigidity_n_m(SQUARE) / (SQUARE.density_kg_m3 * SQUARE.thickness_m)) / 0.09
    found = 2 * np.pi * plate_modes(SQUARE, 500.0).f_hz / unit
    truth(
        kernel="twin.environment_panel.plate_modes",
        against="Leissa's first five modes of a square plate on simple supports",
        found=rel_error(found[:5], [19.739, 49.348, 49.348, 78.957, 98.696]),
        allowed=1e-4,
    )


def test_static_deflection_is_that_of_timoshenko(truth: Truth) -> None:
    """0.01160 F a^2 / D at the middle of a square plate under a force at its middle."""
    modes = plate_modes(SQUARE, 200e3)
    middle = (0.15, 0.15)
    static = receptance_m_n(SQUARE, modes, middle, middle, np.array([0.0]))[0].real
    truth(
        kernel="twin.environment_panel.receptance_m_n",
        against="Timoshenko's 0.01160 F a^2/D under a force at the middle",
        found=rel_error(static * rigidity_n_m(SQUARE) / 0.09, 0.01160),
        allowed=2e-3,
    )


def test_time_and_frequency_agree_and_are_reciprocal(truth: Truth) -> None:
    rate_hz, f_hz = 24_000.0, 410.0
    modes = plate_modes(PANEL, rate_hz / 3)
    times = np.arange(int(4 * rate_hz)) / rate_hz
    force = np.sin(2 * np.pi * f_hz * times)
    drive, sense = (0.17, 0.11), (0.4, 0.31)
    a = acceleration_m_s2(PANEL, modes, drive, sense, force, rate_hz)
    last = slice(-int(rate_hz), None)
    amplitude = 2 * np.abs(np.mean(a[last] * np.exp(-2j * np.pi * f_hz * times[last])))
    h = receptance_m_n(PANEL, modes, drive, sense, np.array([f_hz]))[0]
    truth(
        kernel="twin.environment_panel.acceleration_m_s2",
        against="modal sum in frequency, sine at 410 Hz",
        found=rel_error(amplitude, abs(h) * (2 * np.pi * f_hz) ** 2),
        allowed=0.01,
    )
    other = acceleration_m_s2(PANEL, modes, sense, drive, force, rate_hz)
    assert other == pytest.approx(a)


@pytest.mark.parametrize("f_hz", [100.0, 410.0, 1900.0])
@pytest.mark.parametrize("site", SITES.values(), ids=list(SITES))
def test_a_sine_far_from_resonance_is_not_drowned_in_steps(
    site: Site, f_hz: float, truth: Truth
) -> None:
    """Below the first mode (pole: 1.1 kHz) a panel hardly accelerates: images must not hide it."""
    rate_hz, plate = 12_000.0, site.plate
    times = np.arange(int(2 * rate_hz)) / rate_hz
    drive, sense = (0.3 * plate.a_m, 0.4 * plate.b_m), (0.37 * plate.a_m, 0.43 * plate.b_m)
    a = acceleration_m_s2(
        plate, plate_modes(plate, rate_hz / 3), drive, sense, np.sin(2 * np.pi * f_hz * times),
        rate_hz,
    )  # fmt: skip
    h = receptance_m_n(plate, plate_modes(plate, rate_hz / 3), drive, sense, np.array([f_hz]))[0]
    steady = a[int(rate_hz) :].std() * math.sqrt(2.0)
    law = abs(h) * (2 * np.pi * f_hz) ** 2 * np.sinc(f_hz / rate_hz) ** 2
    truth(
        kernel="twin.environment_panel.acceleration_m_s2",
        against="modal sum in frequency, sines to a sixth of the rate on the panels of all sites",
        found=rel_error(steady, law),
        allowed=0.1,
    )


def test_a_struck_panel_rings_down_with_its_damping(truth: Truth) -> None:
    modes = plate_modes(SQUARE, 150.0)
    assert modes.f_hz.size == 1
    rate_hz = 20_000.0
    force = np.zeros(20_000)
    force[0] = 1.0
    a = acceleration_m_s2(SQUARE, modes, (0.15, 0.15), (0.15, 0.15), force, rate_hz)[2:]
    period = rate_hz / modes.f_hz[0]
    early = np.abs(a[: int(2 * period)]).max()
    late = np.abs(a[int(10 * period) : int(12 * period)]).max()
    truth(
        kernel="twin.environment_panel.acceleration_m_s2",
        against="logarithmic decrement 2 pi zeta after a blow",
        found=rel_error(np.log(early / late) / 10, 2 * np.pi * 0.015),
        allowed=0.03,
    )


def _tone(x: np.ndarray, rate_hz: float, near_hz: float) -> float:
    f_hz, power = welch(x, rate_hz, nperseg=8192)
    near = np.abs(f_hz - near_hz) < 0.2 * near_hz
    return float(f_hz[near][np.argmax(power[near])])


def test_a_drill_has_its_shaft_and_tooth_lines_and_an_onset() -> None:
    rate_hz, drill = 20_000.0, Drill()
    times = np.arange(60_000) / rate_hz
    force = drill_force_n(drill, times, 1.0, 3.0, np.random.default_rng(1))
    assert not force[times < 1.0].any()
    assert abs(force[(times >= 1.0) & (times < 1.005)]).mean() < 0.15
    steady = force[times > 1.5]
    assert steady.mean() == pytest.approx(1.0, rel=0.03)
    # sines of 0.1, 0.3, 0.15 and 0.1 of chatter
    whole = math.sqrt(0.5 * (0.1**2 + 0.3**2 + 0.15**2) + 0.1**2)
    assert steady.std() == pytest.approx(whole, rel=0.03)
    assert _tone(steady - steady.mean(), rate_hz, 450.0) == pytest.approx(450.0, rel=0.02)
    assert _tone(steady - steady.mean(), rate_hz, 900.0) == pytest.approx(900.0, rel=0.02)


def test_a_fan_has_the_unbalance_of_its_grade_and_its_blade_line(truth: Truth) -> None:
    """ISO 21940-11: G 6.3 at 20,000 rpm leaves 3.0 g mm/kg; 20 g then pull 0.26 N."""
    fan = FanForce(turns_1_s=20_000 / 60, rotor_kg=0.02)
    truth(
        kernel="twin.environment_forces.unbalance_n",
        against="ISO 21940-11, G 6.3 at 20,000 rpm: 3.0 g mm/kg",
        found=rel_error(unbalance_n(fan), 0.02 * 3.0e-6 * (2 * np.pi * 20_000 / 60) ** 2),
        allowed=0.01,
    )
    times = np.arange(100_000) / 20e3
    force = fan_force_n(fan, times, np.random.default_rng(2))
    assert _tone(force, 20e3, 333.3) == pytest.approx(333.3, rel=0.02)
    assert _tone(force, 20e3, 7 * 333.3) == pytest.approx(7 * 333.3, rel=0.02)
    steady = fan_force_n(replace(fan, speed_spread=0.0), times, np.random.default_rng(2))
    line = 2 * np.abs(np.mean(steady * np.exp(-2j * np.pi * 7e3 / 3 * times))) / unbalance_n(fan)
    assert line == pytest.approx(fan.blade_share, rel=0.05)
    # sines of 1, 0.3, 0.15, 0.075 and 0.2 without a tone, over the unbalance
    whole = math.sqrt(0.5 * (1 + 0.3**2 + 0.15**2 + 0.075**2) + 0.2**2)
    assert steady.std() / unbalance_n(fan) == pytest.approx(whole, rel=0.01)


def test_feet_tread_twice_a_second() -> None:
    times = np.arange(4000) / 400
    force = footfall_n(times, 0.0, 10.0)
    line = np.abs(np.fft.rfft(force)) / 2000
    assert line[[20, 40, 60]] == pytest.approx([300, 75, 75], rel=0.01)


def test_an_accelerometer_has_its_density_and_limits(truth: Truth) -> None:
    """25 ug/rtHz over 1 kHz is 0.8 mg (physics.md 5.6)."""
    sensor = Accelerometer(corner_hz=0.0, bits=24)
    seen = measured_m_s2(sensor, np.zeros(200_000), 2000.0, np.random.default_rng(3))
    truth(
        kernel="twin.environment_forces.measured_m_s2",
        against="25 ug/rtHz over 1 kHz: 0.79 mg rms",
        found=rel_error(seen.std() / 9.80665, 25e-6 * math.sqrt(1000.0)),
        allowed=0.01,
    )
    over = measured_m_s2(Accelerometer(), np.full(1000, 1e3), 2000.0, np.random.default_rng(3))
    assert over.max() < 2 * 9.80665
    slow = measured_m_s2(Accelerometer(bits=24), np.zeros(2**17), 100.0, np.random.default_rng(4))
    f_hz, power = welch(slow, 100.0, nperseg=16384)
    low, high = power[(f_hz > 0.05) & (f_hz < 0.1)].mean(), power[f_hz > 20].mean()
    assert low / high == pytest.approx(1 + 1 / 0.073, rel=0.25)


TWO = ThermalNetwork(
    capacity_j_k=(60.0, 150.0), between_w_k=((0.0, 0.6), (0.6, 0.0)), ambient_w_k=(0.0, 0.25)
)


def test_one_capacity_warms_as_an_exponential(truth: Truth) -> None:
    one = ThermalNetwork(capacity_j_k=(100.0,), between_w_k=((0.0,),), ambient_w_k=(0.5,))
    times = np.arange(1, 301) * 7.0
    found = temperatures_k(one, np.array([300.0]), np.full((300, 1), 5.0), np.full(300, 300.0), 7.0)
    truth(
        kernel="twin.environment_thermal.temperatures_k",
        against="one capacity: P R (1 - exp(-t/RC))",
        found=abs_error(found[:, 0], 300 + 10 * (1 - np.exp(-times / 200))),
        allowed=1e-9,
        unit="K",
    )


def test_a_network_with_steps_and_a_door_follows_another_solver(truth: Truth) -> None:
    power = np.zeros((200, 2))
    power[50:150, 0] = 5.0
    ambient = 293.0 + np.where(np.arange(200) > 100, 3.0, 0.0)
    door = (np.arange(200) > 120) & (np.arange(200) < 140)
    opened = (0.5, 1.0)
    found = temperatures_k(TWO, np.array([293.0, 293.0]), power, ambient, 10.0, door, opened)

    def slope(t: float, x: np.ndarray) -> np.ndarray:
        k = min(int(t / 10), 199)
        a, b = rates(TWO, opened if door[k] else None)
        return a @ x + b @ np.append(power[k], ambient[k])

    state = np.array([293.0, 293.0])
    for k in range(200):
        span = (10.0 * k + 1e-9, 10.0 * (k + 1) - 1e-9)
        state = solve_ivp(slope, span, state, rtol=1e-9, atol=1e-9).y[:, -1]
        truth(
            kernel="twin.environment_thermal.temperatures_k",
            against="Runge-Kutta (scipy), steps of power and ambient, a door",
            found=abs_error(found[k], state),
            allowed=1e-5,
            unit="K",
        )


def test_in_the_end_all_heat_leaves_through_the_skin(truth: Truth) -> None:
    end = settled_k(TWO, np.array([5.0, 0.0]), 293.0)
    truth(
        kernel="twin.environment_thermal.settled_k",
        against="two resistances in series",
        found=abs_error(end, (293 + 5 / 0.25 + 5 / 0.6, 293 + 5 / 0.25)),
        allowed=1e-9,
        unit="K",
    )
    with pytest.raises(InputError, match="inconsistent"):
        rates(ThermalNetwork(capacity_j_k=(1.0,), between_w_k=((0.0,),), ambient_w_k=(1.0, 2.0)))


def test_a_sealed_volume_leaks_as_the_orifice_equation_solved_elsewhere(truth: Truth) -> None:
    leak = Leak(volume_m3=1.4, area_m2=1e-6)
    root = math.sqrt(1000.0)
    end_s = root / leak_rate_rtpa_s(leak)
    times = np.linspace(0, 0.95 * end_s, 30)
    solved = solve_ivp(
        lambda t, p: -2 * leak_rate_rtpa_s(leak) * np.sqrt(np.maximum(p, 0)),
        (0, times[-1]), [1000.0], t_eval=times, rtol=1e-9, atol=1e-9,
    ).y[0]  # fmt: skip
    truth(
        kernel="twin.environment_air.leaked_pa",
        against="orifice equation by Runge-Kutta (scipy)",
        found=rel_error(leaked_pa(leak, 1000.0, times), solved),
        allowed=1e-5,
    )
    assert leaked_pa(leak, -1000.0, np.array([2 * end_s]))[0] == 0.0
    flow = 0.61 * 1e-6 * math.sqrt(2 * 1000 / 1.19)  # m3/s by Bernoulli
    start = (leaked_pa(leak, 1000.0, np.array([1.0]))[0] - 1000) / 1.0
    truth(
        kernel="twin.environment_air.leak_rate_rtpa_s",
        against="Bernoulli's flow, gas law of a sealed volume",
        found=rel_error(start, -1.4 * 101_325 * flow / 1.4),
        allowed=0.01,
    )
    step = inside_pa(leak, np.concatenate([[101_325.0], np.full(50, 100_325.0)]), 20.0)
    assert step[1:] - 100_325 == pytest.approx(
        leaked_pa(leak, 1000.0, 20.0 * np.arange(1, 51)), abs=1e-6
    )


def test_humidity_falls_when_only_the_temperature_rises(truth: Truth) -> None:
    """Magnus tables: 23.39 hPa at 20 C, 42.47 hPa at 30 C, within 0.2 %."""
    table = saturation_pa(np.array([293.15, 303.15]))
    truth(
        kernel="twin.environment_air.saturation_pa",
        against="steam tables at 20 and 30 C, 2339 and 4247 Pa",
        found=rel_error(table, [2339, 4247]),
        allowed=2e-3,
    )
    inside = np.array([293.15] * 10 + [303.15] * 10)
    found = inside_humidity(np.full(20, 1169.5), inside, 100.0, 1.0)
    assert found[0] == pytest.approx(0.5, rel=2e-3)
    assert found[-1] == pytest.approx(1169.5 / 4247, rel=2e-3)
    step = np.where(np.arange(300) < 1, 1000.0, 2000.0)
    later = inside_humidity(step, np.full(300, 293.15), 100.0, 1.0) * saturation_pa(inside[0])
    assert later[100] == pytest.approx(2000.0 - 1000.0 * math.exp(-1.0), rel=1e-6)


def test_walks_have_unit_spread_and_their_memory(truth: Truth) -> None:
    times = np.arange(400_000) * 1.0
    walk = ou(50.0, times, np.random.default_rng(5))[:, 0]
    assert walk.std() == pytest.approx(1.0, abs=0.03)
    truth(
        kernel="twin.walks.ou",
        against="correlation exp(-1) after one memory",
        found=abs_error(np.mean(walk[50:] * walk[:-50]), np.exp(-1)),
        allowed=0.04,
        unit="of 1",
    )
    uneven = np.cumsum(np.random.default_rng(6).exponential(10.0, 40_000))
    irregular = ou(50.0, uneven, np.random.default_rng(7))[:, 0]
    assert np.mean(irregular[1:] * irregular[:-1]) == pytest.approx(1 / (1 + 10 / 50), abs=0.03)
    smooth = smooth_walk(50.0, 10.0, times, np.random.default_rng(8))
    assert smooth.std() == pytest.approx(1.0, abs=0.06)
    law = (50 * np.exp(-20 / 50) - 10 * np.exp(-20 / 10)) / 40
    truth(
        kernel="twin.walks.smooth_walk",
        against="correlation of two low-passes in a row",
        found=abs_error(np.mean(smooth[20:] * smooth[:-20]), law),
        allowed=0.06,
        unit="of 1",
    )
