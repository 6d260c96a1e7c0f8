"""Lines against closed forms, other methods, and what physics asks of every network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_samples import FR4, constant
from scipy.special import erf

from casemate.core.errors import InputError
from casemate.twin.line_coupled import capacitance_f_m, coupled_line, folded, per_metre
from casemate.twin.line_defects import Nick, Probe, nick, probe
from casemate.twin.line_launch import IDEAL, launch
from casemate.twin.line_materials import (
    C0_M_S,
    ETA0_OHM,
    Dielectric,
    Metal,
    permittivity,
    surface_impedance,
)
from casemate.twin.line_microstrip import microstrip, quasi_static
from casemate.twin.line_network import (
    abcd_from_s,
    abcd_of_line,
    cascade,
    flipped,
    line,
    passivity_excess,
    reciprocity_error,
    s_from_abcd,
    terminated,
)
from casemate.twin.line_steps import step_capacitance_f, step_inductance_h, width_step
from casemate.twin.line_tdr import Sampler, frequencies, sampled, step_response

F_HZ = np.linspace(1e7, 1e10, 200)


def test_impedance_in_air_of_narrow_and_wide_strips() -> None:
    """Narrow: wire over its image, 60 ln(8 h/w). Wide: plates, eta h/w, less fringe."""
    assert quasi_static(1e-5, 1e-3, 0.0, 1.0 + 1e-9).z_air_ohm == pytest.approx(
        60.0 * np.log(800.0), rel=2e-3
    )
    assert quasi_static(1.0, 1e-3, 0.0, 1.0 + 1e-9).z_air_ohm == pytest.approx(
        ETA0_OHM / 1000.0, rel=1e-2
    )


@pytest.mark.parametrize("width_mm", [0.3, 1.0, 3.0, 8.0])
def test_capacitance_of_widths_is_that_of_the_method_of_moments(width_mm: float) -> None:
    for epsilon_r in (1.0 + 1e-9, 4.43):
        moments = capacitance_f_m((width_mm * 1e-3,), (), 1.5e-3, epsilon_r)[0, 0]
        closed = quasi_static(width_mm * 1e-3, 1.5e-3, 0.0, epsilon_r).c_f_m
        assert closed == pytest.approx(moments, rel=4e-3)


@pytest.mark.parametrize(
    ("width_mm", "c_pf_m"), [(0.5, 54.35), (1.0, 70.63), (2.0, 99.42), (3.0, 127.03), (8.0, 260.92)]
)
def test_capacitance_of_thick_strips_is_that_of_finite_elements(
    width_mm: float, c_pf_m: float
) -> None:
    """NGSolve, three dimensions, order 2, edges refined (recipe in decision 7)."""
    static = quasi_static(width_mm * 1e-3, 1.5e-3, 50e-6, 4.43)
    assert static.c_f_m * 1e12 == pytest.approx(c_pf_m, rel=8e-3)


@pytest.mark.parametrize("width_mm", [0.5, 1.0, 3.0, 8.0])
def test_microstrip_is_that_of_scikit_rf(width_mm: float) -> None:
    import skrf

    frequency = skrf.Frequency.from_f(F_HZ[10:], unit="hz")
    theirs = skrf.media.MLine(
        frequency, w=width_mm * 1e-3, h=1.5e-3, t=50e-6, ep_r=4.43, tand=0.02, rho=1.68e-8,
        rough=0.0, model="hammerstadjensen", disp="kirschningjansen", diel="djordjevicsvensson",
        f_low=1e3, f_high=1e13, f_epr_tand=1e9,
    )  # fmt: skip
    wave = microstrip(FR4, width_mm * 1e-3, F_HZ[10:])
    assert wave.z_ohm.real == pytest.approx(theirs.z0_characteristic.real, rel=5e-3)
    assert wave.gamma_1_m.imag == pytest.approx(theirs.gamma.imag, rel=5e-3)
    # their loss has no direct-current limit, and Wheeler's rule by another formula
    assert wave.gamma_1_m.real == pytest.approx(theirs.gamma.real, rel=0.13)


@pytest.mark.parametrize(
    ("wide", "narrow", "c_ff", "l_ph"),
    [
        (3, 1, 21.0, 45.8),
        (8, 3, 78.1, 96.3),
        (8, 1, 128.5, 184.5),
        (3, 0.5, 32.8, 72.2),
        (2, 1, 6.8, 19.6),
        (6, 3, 36.7, 50.3),
    ],
)
def test_excess_of_a_step_is_that_of_finite_elements(
    wide: float, narrow: float, c_ff: float, l_ph: float
) -> None:
    """NGSolve, three dimensions: a step less half of each uniform strip (decision 7)."""
    found_f = step_capacitance_f(FR4, wide * 1e-3, narrow * 1e-3)
    assert found_f * 1e15 == pytest.approx(c_ff, abs=4.0 if wide < 8 * narrow else 10.5)
    found_h = step_inductance_h(FR4, wide * 1e-3, narrow * 1e-3)
    assert found_h * 1e12 == pytest.approx(l_ph, abs=4.0 if wide < 8 * narrow else 12.0)


def test_a_step_of_no_width_is_nothing() -> None:
    assert step_inductance_h(FR4, 3e-3, 3e-3) == pytest.approx(0.0, abs=1e-18)
    assert step_capacitance_f(FR4, 3e-3, 3e-3) == 0.0
    there = width_step(FR4, 3e-3, 1e-3, F_HZ)
    assert flipped(there) == pytest.approx(width_step(FR4, 1e-3, 3e-3, F_HZ), abs=1e-12)


def test_wideband_debye_holds_at_its_reference_and_is_causal() -> None:
    dielectric = Dielectric(epsilon_r=4.4, tan_delta=0.02)
    at = permittivity(dielectric, np.array([1e9]))[0]
    assert at.real == pytest.approx(4.4) and -at.imag / at.real == pytest.approx(0.02)
    # Kramers and Kronig: the slope of the real part is set by the loss, 2/pi per natural log.
    low, high = permittivity(dielectric, np.array([1e8, 1e9])).real
    assert (low - high) / np.log(10.0) == pytest.approx(2.0 / np.pi * 4.4 * 0.02, rel=0.02)


def test_rough_metal_has_hurays_loss() -> None:
    metal = Metal(roughness=0.7, ball_m=0.5e-6)
    smooth = surface_impedance(Metal(), F_HZ).real
    depth = metal.resistivity_ohm_m / smooth
    y = metal.ball_m / depth
    huray = 1.0 + 0.7 / (1.0 + 1.0 / y + 0.5 / y**2)
    assert surface_impedance(metal, F_HZ).real / smooth == pytest.approx(huray, rel=1e-9)


def test_low_frequency_limit_is_the_resistance_of_the_copper() -> None:
    wave = microstrip(FR4, 1e-3, np.array([1.0]))
    s = line(wave, 0.1)
    b = abcd_from_s(s)[0, 0, 1]
    assert b.real == pytest.approx(1.68e-8 * 0.1 / (1e-3 * 50e-6), rel=1e-3)


def test_lossless_step_reflections_are_the_textbooks() -> None:
    """50 ohm, then 75 ohm, then open: a level of 0.2, then 0.2 + (1 - 0.04) and so on."""
    f_hz = frequencies(100e-9, 0.1e-9)
    f_hz[0] = 1.0
    wave = constant(f_hz, r=0.0, l_h=375e-9, g=0.0, c_f=1.0 / (375e-9 * 2e8**2))
    s = line(wave, 0.4)
    f_hz[0] = 0.0
    t_s, step = step_response(f_hz, terminated(s, np.ones_like(f_hz, dtype=complex)), 0.1e-9)
    levels = [float(np.interp(t, t_s, step)) for t in (-1e-9, 1e-9, 5e-9, 9e-9)]
    expected = [0.0, 0.2, 0.2 + 0.96, 0.2 + 0.96 - 0.96 * 0.2]
    assert levels == pytest.approx(expected, abs=2e-4)


def test_small_defects_reflect_as_first_order_says() -> None:
    """Shunt C: -C Z0/2 times the slope of the edge; series R: R/(2 Z0)."""
    rise_s = 0.2e-9
    f_hz = frequencies(50e-9, rise_s)
    slope = 2.5631031310892007 / (rise_s * np.sqrt(2.0 * np.pi))
    _, step = step_response(f_hz, probe(Probe(c_f=10e-15), f_hz)[:, 0, 0], rise_s)
    assert step.min() == pytest.approx(-10e-15 * 25.0 * slope, rel=1e-2)
    _, step = step_response(f_hz, nick(Nick(r_ohm=0.1, l_h=0.0), f_hz)[:, 0, 0], rise_s)
    assert step[-1] == pytest.approx(0.1 / 100.1, rel=1e-3)


def test_next_to_nothing_arrives_before_light_could() -> None:
    """0.3 m of microstrip: what comes before light in vacuum is the fault of the closed forms.

    The dispersion of Kirschning and Jansen is no causal function; its forerunner is 2.4e-4 of the
    step. A line of constant R, L, C, and the materials, have none.
    """
    rise_s = 30e-12
    f_hz = frequencies(40e-9, rise_s)
    f_hz[0] = 1e3
    wave = microstrip(FR4, 3e-3, f_hz)
    simple = constant(f_hz, r=0.0, l_h=250e-9, g=0.0, c_f=100e-12)
    f_hz[0] = 0.0
    for each, most in ((wave, 4e-4), (simple, 1e-6)):
        t_s, step = step_response(f_hz, line(each, 0.3)[:, 1, 0], rise_s)
        early = t_s < 0.3 / C0_M_S - rise_s
        assert np.abs(step[early]).max() < most
        assert step[-1] > 0.9


def test_a_long_lossy_line_does_not_overflow() -> None:
    wave = microstrip(FR4, 0.15e-3, F_HZ)
    whole = line(wave, 2000.0)
    assert np.isfinite(whole).all()
    parts = cascade(*[line(wave, 0.5)] * 4)
    assert parts == pytest.approx(line(wave, 2.0), abs=1e-12)


@given(st.lists(st.tuples(st.floats(0.2e-3, 8e-3), st.floats(1e-3, 0.3)), min_size=1, max_size=5))
def test_every_stepped_line_is_passive_reciprocal_and_agrees_with_abcd(
    pieces: list[tuple[float, float]],
) -> None:
    f_hz = F_HZ[::20]
    parts, matrix = [], np.broadcast_to(np.eye(2, dtype=complex), (f_hz.size, 2, 2))
    for number, (width_m, length_m) in enumerate(pieces):
        if number:
            step = width_step(FR4, pieces[number - 1][0], width_m, f_hz)
            parts.append(step)
            matrix = matrix @ abcd_from_s(step)
        wave = microstrip(FR4, width_m, f_hz)
        parts.append(line(wave, length_m))
        matrix = matrix @ abcd_of_line(wave, length_m)
    s = cascade(*parts)
    assert passivity_excess(s) < 1e-9 and reciprocity_error(s) < 1e-9
    assert s == pytest.approx(s_from_abcd(matrix), abs=1e-7)


def test_uncoupled_pair_is_two_lines_and_a_hairpin_is_passive() -> None:
    far = per_metre(FR4, (1e-3, 1e-3), (0.5,), F_HZ)
    alone = per_metre(FR4, (1e-3,), (), F_HZ)
    pair, single = coupled_line(far, 0.1), coupled_line(alone, 0.1)
    assert pair[:, 0, 0] == pytest.approx(single[:, 0, 0], abs=1e-3)
    assert np.abs(pair[:, 0, 1]).max() < 1e-3
    near = coupled_line(per_metre(FR4, (0.2e-3, 0.2e-3), (0.2e-3,), F_HZ), 0.3)
    assert passivity_excess(near) < 1e-9 and reciprocity_error(near) < 1e-9
    assert passivity_excess(folded(near)) < 1e-9
    with pytest.raises(ValueError, match="four ports"):
        folded(single)


def test_even_and_odd_modes_of_an_even_pair() -> None:
    """Odd excitation sees C11 + |C12|, even C11 - |C12|: eigenvalues of a symmetric matrix."""
    c = capacitance_f_m((1e-3, 1e-3), (0.5e-3,), 1.5e-3, 4.43)
    assert c[0, 0] == pytest.approx(c[1, 1], rel=1e-9) and c[0, 1] < 0.0
    wider = capacitance_f_m((1e-3, 1e-3), (2e-3,), 1.5e-3, 4.43)
    assert abs(wider[0, 1]) < abs(c[0, 1])


def test_launch_is_ideal_by_default_and_refuses_what_was_not_fitted() -> None:
    s = launch(IDEAL, F_HZ)
    assert passivity_excess(s) < 1e-12 and reciprocity_error(s) == 0.0
    with pytest.raises(InputError, match="not fitted at this frequency"):
        launch(IDEAL, np.array([2e10]))


def test_sampler_noise_falls_with_averages_and_jitter_acts_on_edges_only() -> None:
    t_s = np.arange(-2e-9, 8e-9, 5e-12)
    step = 0.5 * (1.0 + erf((t_s - 3e-9) / 0.1e-9))
    once = sampled(t_s, step, Sampler(noise=1e-3), np.random.default_rng(1)) - step
    often = sampled(t_s, step, Sampler(noise=1e-3, averages=100), np.random.default_rng(1)) - step
    assert np.std(once) == pytest.approx(1e-3, rel=0.1)
    assert np.std(often) == pytest.approx(1e-4, rel=0.1)
    shaken = sampled(t_s, step, Sampler(jitter_s=5e-12), np.random.default_rng(1)) - step
    flat = np.abs(t_s - 3e-9) > 1e-9
    assert np.abs(shaken[flat]).max() < 1e-9 < np.abs(shaken[~flat]).max()
