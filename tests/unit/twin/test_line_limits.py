"""Lines against closed forms, other methods, and what physics asks of every network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_samples import FR4, constant
from scipy.special import erf

from casemate.core.errors import InputError
from casemate.core.touchstone import read_touchstone, touchstone_text
from casemate.twin.line_coupled import capacitance_f_m, coupled_line, folded, per_metre
from casemate.twin.line_defects import Nick, Probe, nick, probe
from casemate.twin.line_errors import deviation
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
from truths import Truth, abs_error, rel_error

F_HZ = np.linspace(1e7, 1e10, 200)


def test_impedance_in_air_of_narrow_and_wide_strips(truth: Truth) -> None:
    """Narrow: wire over its image, 60 ln(8 h/w). Wide: plates, eta h/w, less fringe."""
    for width_m, limit_ohm, allowed, name in (
        (1e-5, 60.0 * np.log(800.0), 2e-3, "narrow strip in air, 60 ln(8 h/w)"),
        (1.0, ETA0_OHM / 1000.0, 1e-2, "wide strip in air, eta h/w"),
    ):
        truth(
            kernel="twin.line_microstrip.quasi_static",
            against=name,
            found=rel_error(quasi_static(width_m, 1e-3, 0.0, 1.0 + 1e-9).z_air_ohm, limit_ohm),
            allowed=allowed,
        )


@pytest.mark.parametrize("width_mm", [0.3, 1.0, 3.0, 8.0])
def test_capacitance_of_widths_is_that_of_the_method_of_moments(
    width_mm: float, truth: Truth
) -> None:
    for epsilon_r in (1.0 + 1e-9, 4.43):
        moments = capacitance_f_m((width_mm * 1e-3,), (), 1.5e-3, epsilon_r)[0, 0]
        closed = quasi_static(width_mm * 1e-3, 1.5e-3, 0.0, epsilon_r).c_f_m
        truth(
            kernel="twin.line_microstrip.quasi_static",
            against="method of moments, strips of 0.3 to 8 mm",
            found=rel_error(closed, moments),
            allowed=4e-3,
        )


@pytest.mark.parametrize(
    ("width_mm", "c_pf_m"), [(0.5, 54.35), (1.0, 70.63), (2.0, 99.42), (3.0, 127.03), (8.0, 260.92)]
)
def test_capacitance_of_thick_strips_is_that_of_finite_elements(
    width_mm: float, c_pf_m: float, truth: Truth
) -> None:
    """NGSolve, three dimensions, order 2, edges refined (recipe in decision 7)."""
    static = quasi_static(width_mm * 1e-3, 1.5e-3, 50e-6, 4.43)
    truth(
        kernel="twin.line_microstrip.quasi_static",
        against="finite elements (NGSolve, stored), strips 0.05 mm thick",
        found=rel_error(static.c_f_m * 1e12, c_pf_m),
        allowed=8e-3,
    )


@pytest.mark.parametrize("width_mm", [0.5, 1.0, 3.0, 8.0])
def test_microstrip_is_that_of_scikit_rf(width_mm: float, truth: Truth) -> None:
    import skrf

    frequency = skrf.Frequency.from_f(F_HZ[10:], unit="hz")
    theirs = skrf.media.MLine(
        frequency, w=width_mm * 1e-3, h=1.5e-3, t=50e-6, ep_r=4.43, tand=0.02, rho=1.68e-8,
        rough=0.0, model="hammerstadjensen", disp="kirschningjansen", diel="djordjevicsvensson",
        f_low=1e3, f_high=1e13, f_epr_tand=1e9,
    )  # fmt: skip
    wave = microstrip(FR4, width_mm * 1e-3, F_HZ[10:])
    # their loss has no direct-current limit, and Wheeler's rule by another formula
    for name, ours, other, allowed in (
        ("impedance", wave.z_ohm.real, theirs.z0_characteristic.real, 5e-3),
        ("phase constant", wave.gamma_1_m.imag, theirs.gamma.imag, 5e-3),
        ("loss", wave.gamma_1_m.real, theirs.gamma.real, 0.13),
    ):
        truth(
            kernel="twin.line_microstrip.microstrip",
            against=f"scikit-rf MLine, {name}, 0.5 to 10 GHz",
            found=rel_error(ours, other),
            allowed=allowed,
        )


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
    wide: float, narrow: float, c_ff: float, l_ph: float, truth: Truth
) -> None:
    """NGSolve, three dimensions: a step less half of each uniform strip (decision 7)."""
    found_f = step_capacitance_f(FR4, wide * 1e-3, narrow * 1e-3)
    ratio = "less than 8 to 1" if wide < 8 * narrow else "8 to 1"
    truth(
        kernel="twin.line_steps.step_capacitance_f",
        against=f"finite elements (NGSolve, stored), steps {ratio}",
        found=abs_error(found_f * 1e15, c_ff),
        allowed=4.0 if wide < 8 * narrow else 10.5,
        unit="fF",
    )
    found_h = step_inductance_h(FR4, wide * 1e-3, narrow * 1e-3)
    truth(
        kernel="twin.line_steps.step_inductance_h",
        against=f"finite elements (NGSolve, stored), steps {ratio}",
        found=abs_error(found_h * 1e12, l_ph),
        allowed=4.0 if wide < 8 * narrow else 12.0,
        unit="pH",
    )


def test_a_step_of_no_width_is_nothing() -> None:
    assert step_inductance_h(FR4, 3e-3, 3e-3) == pytest.approx(0.0, abs=1e-18)
    assert step_capacitance_f(FR4, 3e-3, 3e-3) == 0.0
    there = width_step(FR4, 3e-3, 1e-3, F_HZ)
    assert flipped(there) == pytest.approx(width_step(FR4, 1e-3, 3e-3, F_HZ), abs=1e-12)


def test_wideband_debye_holds_at_its_reference_and_is_causal(truth: Truth) -> None:
    dielectric = Dielectric(epsilon_r=4.4, tan_delta=0.02)
    at = permittivity(dielectric, np.array([1e9]))[0]
    assert at.real == pytest.approx(4.4) and -at.imag / at.real == pytest.approx(0.02)
    # Kramers and Kronig: the slope of the real part is set by the loss, 2/pi per natural log.
    low, high = permittivity(dielectric, np.array([1e8, 1e9])).real
    truth(
        kernel="twin.line_materials.permittivity",
        against="Kramers and Kronig: fall of the real part by the loss",
        found=rel_error((low - high) / np.log(10.0), 2.0 / np.pi * 4.4 * 0.02),
        allowed=0.02,
    )


def test_rough_metal_has_hurays_loss(truth: Truth) -> None:
    metal = Metal(roughness=0.7, ball_m=0.5e-6)
    smooth = surface_impedance(Metal(), F_HZ).real
    depth = metal.resistivity_ohm_m / smooth
    y = metal.ball_m / depth
    huray = 1.0 + 0.7 / (1.0 + 1.0 / y + 0.5 / y**2)
    truth(
        kernel="twin.line_materials.surface_impedance",
        against="Huray's loss of a rough surface",
        found=rel_error(surface_impedance(metal, F_HZ).real / smooth, huray),
        allowed=1e-9,
    )


def test_low_frequency_limit_is_the_resistance_of_the_copper(truth: Truth) -> None:
    wave = microstrip(FR4, 1e-3, np.array([1.0]))
    s = line(wave, 0.1)
    b = abcd_from_s(s)[0, 0, 1]
    truth(
        kernel="twin.line_microstrip.microstrip",
        against="resistance of the copper at 1 Hz",
        found=rel_error(b.real, 1.68e-8 * 0.1 / (1e-3 * 50e-6)),
        allowed=1e-3,
    )


def test_lossless_step_reflections_are_the_textbooks(truth: Truth) -> None:
    """50 ohm, then 75 ohm, then open: a level of 0.2, then 0.2 + (1 - 0.04) and so on."""
    f_hz = frequencies(100e-9, 0.1e-9)
    f_hz[0] = 1.0
    wave = constant(f_hz, r=0.0, l_h=375e-9, g=0.0, c_f=1.0 / (375e-9 * 2e8**2))
    s = line(wave, 0.4)
    f_hz[0] = 0.0
    t_s, step = step_response(f_hz, terminated(s, np.ones_like(f_hz, dtype=complex)), 0.1e-9)
    levels = [float(np.interp(t, t_s, step)) for t in (-1e-9, 1e-9, 5e-9, 9e-9)]
    expected = [0.0, 0.2, 0.2 + 0.96, 0.2 + 0.96 - 0.96 * 0.2]
    truth(
        kernel="twin.line_tdr.step_response",
        against="bounce diagram of 50 ohm, 75 ohm, open",
        found=abs_error(levels, expected),
        allowed=2e-4,
        unit="of the step",
    )


def test_small_defects_reflect_as_first_order_says(truth: Truth) -> None:
    """Shunt C: -C Z0/2 times the slope of the edge; series R: R/(2 Z0)."""
    rise_s = 0.2e-9
    f_hz = frequencies(50e-9, rise_s)
    slope = 2.5631031310892007 / (rise_s * np.sqrt(2.0 * np.pi))
    _, step = step_response(f_hz, probe(Probe(c_f=10e-15), f_hz)[:, 0, 0], rise_s)
    truth(
        kernel="twin.line_defects.probe",
        against="first order: -C Z0/2 times the slope of the edge",
        found=rel_error(step.min(), -10e-15 * 25.0 * slope),
        allowed=1e-2,
    )
    _, step = step_response(f_hz, nick(Nick(r_ohm=0.1, l_h=0.0), f_hz)[:, 0, 0], rise_s)
    truth(
        kernel="twin.line_defects.nick",
        against="R/(2 Z0 + R) of a series resistance",
        found=rel_error(step[-1], 0.1 / 100.1),
        allowed=1e-3,
    )


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


def test_long_lossy_lines_are_the_abcd_matrices_of_the_textbook(truth: Truth) -> None:
    """Three pieces in a row by the star product, and by the product of cosh and sinh matrices."""
    f_hz = F_HZ[::5]
    parts, matrix = [], np.broadcast_to(np.eye(2, dtype=complex), (f_hz.size, 2, 2))
    for width_m, length_m in ((3e-3, 0.1), (1e-3, 0.05), (6e-3, 0.2)):
        wave = microstrip(FR4, width_m, f_hz)
        parts.append(line(wave, length_m))
        matrix = matrix @ abcd_of_line(wave, length_m)
    truth(
        kernel="twin.line_network.cascade",
        against="product of ABCD matrices (cosh, sinh)",
        found=abs_error(cascade(*parts), s_from_abcd(matrix)),
        allowed=1e-9,
        unit="of S",
    )


def test_deviations_are_those_put_in(truth: Truth) -> None:
    """A model 0.5 dB too strong and 7 degrees late everywhere."""
    f_hz = np.linspace(1e8, 9e9, 50)
    measured = np.exp(-2j * np.pi * f_hz * 1e-9) * 0.8
    off = 10.0 ** (0.5 / 20.0) * np.exp(-1j * np.radians(7.0))
    found = deviation("S21", f_hz, measured * off, measured)
    truth(
        kernel="twin.line_errors.deviation",
        against="0.5 dB, 7 degrees put in",
        found=rel_error((found.db, found.phase_deg, found.linear), (0.5, 7.0, 0.8 * abs(off - 1))),
        allowed=1e-9,
    )


def test_files_are_read_as_scikit_rf_reads_them(tmp_path: Path) -> None:
    """Ours written, read by ours and by scikit-rf; one of theirs in GHz, dB and degrees, 75 ohm."""
    import skrf

    f_hz = F_HZ[::20]
    s = line(microstrip(FR4, 1e-3, f_hz), 0.1)
    ours, other = tmp_path / "ours.s2p", tmp_path / "other.s2p"
    ours.write_text(touchstone_text(f_hz, s))
    theirs = skrf.Network(str(ours))
    rows = ["# GHz S DB R 75"]
    high = theirs.copy()
    high.renormalize(75.0)
    for f, each in zip(high.f, high.s, strict=True):
        flat = (each[0, 0], each[1, 0], each[0, 1], each[1, 1])
        told = [f"{20 * np.log10(abs(v)):.12g} {np.degrees(np.angle(v)):.12g}" for v in flat]
        rows.append(" ".join([f"{f * 1e-9:.12g}", *told]))
    other.write_text("\n".join(rows) + "\n")
    for path in (ours, other):
        assert abs_error(read_touchstone(path).s, s) < 1e-8
    assert abs_error(theirs.s, s) < 1e-8


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


def test_sampler_noise_falls_with_averages_and_jitter_acts_on_edges_only(truth: Truth) -> None:
    t_s = np.arange(-2e-9, 8e-9, 5e-12)
    step = 0.5 * (1.0 + erf((t_s - 3e-9) / 0.1e-9))
    once = sampled(t_s, step, Sampler(noise=1e-3), np.random.default_rng(1)) - step
    often = sampled(t_s, step, Sampler(noise=1e-3, averages=100), np.random.default_rng(1)) - step
    assert np.std(once) == pytest.approx(1e-3, rel=0.1)
    truth(
        kernel="twin.line_tdr.sampled",
        against="noise over the root of the averages",
        found=rel_error(np.std(often), 1e-4),
        allowed=0.1,
    )
    shaken = sampled(t_s, step, Sampler(jitter_s=5e-12), np.random.default_rng(1)) - step
    flat = np.abs(t_s - 3e-9) > 1e-9
    assert np.abs(shaken[flat]).max() < 1e-9 < np.abs(shaken[~flat]).max()
