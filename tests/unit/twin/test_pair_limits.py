"""Pairs in their limits: small faults, places from delays, ripple, passivity, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair_samples import (
    BOARD,
    C_F_M,
    DAMPED,
    END,
    F_HZ,
    L_H_M,
    RISE_S,
    S,
    by_cascade,
    constant_pair,
    matrices,
    sample,
)

from casemate.core.errors import InputError
from casemate.twin import pair_faults
from casemate.twin.line_coupled import PerMetre, coupled_line
from casemate.twin.line_materials import Complex, Real
from casemate.twin.line_microstrip import quasi_static
from casemate.twin.line_network import cascade
from casemate.twin.pair_line import Termination, buried, laplace_of, odd_ohm, pair_of
from casemate.twin.pair_reflection import reflected
from casemate.twin.pair_ripple import ripple, width_errors
from casemate.twin.pair_time import band_hz, steps, times_s
from casemate.twin.resistance_nicks import notch_squares
from truths import Truth, rel_error

FINE = laplace_of(band_hz(12e-9, RISE_S / 4.0))
Z_ODD = math.sqrt((L_H_M[0, 0] - L_H_M[0, 1]) / (C_F_M[0, 0] - C_F_M[0, 1]))
MATCHED = Termination(between_ohm=2.0 * Z_ODD)
SLOPE_1_S = 2.5631031310892007 / (math.sqrt(2.0 * math.pi) * RISE_S)
"""The steepest place of the Gaussian edge: 1.022 / t_r."""


def seen(faults: Real) -> tuple[Real, Real]:
    """Return times and steps of a matched lossless pair of 0.5 m with faults."""
    pair = constant_pair(FINE, 0.5, r_ohm_m=0.0)
    got = reflected(pair, MATCHED, faults, z_ref_ohm=Z_ODD)
    return times_s(FINE), steps(FINE, got.difference, RISE_S)


@pytest.mark.parametrize(("lane", "share"), [(2, 1.0), (0, 0.5), (1, 0.5)])
@pytest.mark.parametrize("c_f", [1e-15, 1e-14, 1e-13])
def test_small_shunt(c_f: float, lane: int, share: float, truth: Truth) -> None:
    _, step = seen(pair_faults.probe(0.2, lane, farad=c_f))
    truth(
        kernel="twin.pair_faults.probe",
        against="first order: -C Z0/2 times the slope of the edge",
        found=rel_error(step.min(), -share * c_f * Z_ODD * SLOPE_1_S / 2),
        allowed=0.01,
    )
    assert step.min() == pytest.approx(-share * c_f * Z_ODD / (2 * RISE_S), rel=0.03)


@pytest.mark.parametrize(("lane", "share"), [(2, 1.0), (0, 0.5), (1, 0.5)])
@pytest.mark.parametrize("l_h", [3e-12, 3e-11, 1e-10])
def test_small_series_inductance(l_h: float, lane: int, share: float, truth: Truth) -> None:
    _, step = seen(pair_faults.nick(0.2, lane, ohm=0.0, henry=l_h))
    truth(
        kernel="twin.pair_faults.nick",
        against="first order: L/(2 Z0) times the slope of the edge",
        found=rel_error(step.max(), share * l_h * SLOPE_1_S / (2 * Z_ODD)),
        allowed=0.01,
    )
    assert step.max() == pytest.approx(share * l_h / (2 * Z_ODD * RISE_S), rel=0.03)


@pytest.mark.parametrize(("lane", "share"), [(2, 1.0), (0, 0.5)])
@pytest.mark.parametrize("ohm", [1e-3, 0.1, 0.5])
def test_small_series_resistance(ohm: float, lane: int, share: float) -> None:
    t_s, step = seen(pair_faults.nick(0.2, lane, ohm=ohm, henry=0.0))
    after = step[0, (t_s > 3.5e-9) & (t_s < 5e-9)]  # before the even mode is back from the end
    assert after == pytest.approx(np.full(after.size, share * ohm / (2 * Z_ODD)), rel=0.01)


@given(at_m=st.floats(0.05, 0.55), lane=st.integers(0, 2))
@settings(max_examples=25, deadline=None)
def test_the_delay_tells_the_place(at_m: float, lane: int) -> None:
    """Lossy, with a dispersive dielectric that delays the peak: within 2 mm over 0.55 m."""
    pair = sample(s=DAMPED)
    both = np.concatenate([pair_faults.probe(at_m, lane, farad=5e-14), pair_faults.sound(0.0)])
    step = steps(DAMPED, reflected(pair, END, both, z_ref_ohm=50.0).difference, RISE_S)
    gap = step[0] - step[1]
    peak = int(np.argmin(gap))
    a, b, c = gap[peak - 1 : peak + 2]
    t_s = times_s(DAMPED)[peak] + 0.5 * (a - c) / (a - 2 * b + c) * (
        times_s(DAMPED)[1] - times_s(DAMPED)[0]
    )
    near = int(np.argmin(np.abs(F_HZ - 1.5e9)))
    slow_s_m = pair.gamma_1_m[1, near].imag / (2 * np.pi * F_HZ[near])
    assert t_s / (2 * slow_s_m) == pytest.approx(at_m, abs=2e-3)


@pytest.mark.parametrize("lane", [0, 1, 2])
def test_a_short_record_shows_what_a_long_one_does(lane: int) -> None:
    """A cut leaves echoes that outlast the record by far: they come back 1e-6 as strong."""
    shown = []
    for window_s in (10e-9, 80e-9):
        s = laplace_of(band_hz(window_s, RISE_S))
        got = reflected(sample(0.4, 0.004, s), END, pair_faults.cut(0.3, lane), z_ref_ohm=50.0)
        t_s = times_s(s)
        read = (t_s >= 0.0) & (t_s < 9e-9)
        shown.append(steps(s, got.difference, RISE_S)[0, read])
    assert np.abs(shown[0] - shown[1]).max() < 5e-6


@pytest.mark.parametrize("lane", [0, 1])
def test_unlike_lanes_mix_their_modes(lane: int) -> None:
    """A cut at the end of lanes 2 % from the mean turns much into common waves."""
    pair = sample(0.6, 0.02)
    got = reflected(pair, END, pair_faults.cut(0.6, lane), z_ref_ohm=50.0)
    assert np.abs(got.common).max() > 0.1


def test_a_narrower_strip_costs_what_a_nick_says(truth: Truth) -> None:
    """0.2 mm at half width: resistance by squares, inductance by the closed form of strips."""
    width, depth, length = 1e-4, 5e-5, 2e-4
    squares = notch_squares(width, depth, length)
    got = float(pair_faults.nick_henry(squares=length * (1 / depth - 1 / width), width_m=width,
                                       depth_m=depth))  # fmt: skip
    l_h_m = [quasi_static(w, BOARD.height_m, 0.0, 1.0 + 1e-9).l_h_m for w in (width - depth, width)]
    truth(
        kernel="twin.pair_faults.nick_henry",
        against="closed form of strips: 0.2 mm at half width",
        found=rel_error(got, (l_h_m[0] - l_h_m[1]) * length),
        allowed=0.1,
    )
    assert squares > length * (1 / depth - 1 / width)


def with_every_reflection(errors: Real, length_m: float, cut_after: int) -> Complex:
    """Return the reflection of cells of (1 + error) times the impedance, cut or ended."""
    lines, _ = matrices()
    parts = [
        coupled_line(
            PerMetre(series=lines.series * (1 + error), shunt=lines.shunt / (1 + error)),
            length_m / errors.size,
        )
        for error in errors[: cut_after or None]
    ]
    end = Termination(between_ohm=1e12) if cut_after else END
    return by_cascade(lines, (1e-9, 1e-9), [cascade(*parts)], end)[0]


@pytest.mark.parametrize("cut_after", [0, 50])
def test_ripple_against_every_reflection(cut_after: int, truth: Truth) -> None:
    """100 cells by the star product: what is missing is of second order, also before a cut."""
    pair, missing = sample(0.1), []
    faults = (
        pair_faults.cut(0.05, 2, gap_f=0.0, fringe_f=0.0) if cut_after else pair_faults.sound(0)
    )
    bare = reflected(pair, END, faults, z_ref_ohm=50.0).difference[0]
    for spread in (0.005, 0.01):
        errors = width_errors(0.1, spread=spread, memory_m=5e-3, generator=np.random.default_rng(7))
        got = reflected(pair, END, faults, z_ref_ohm=50.0, ripple=ripple(pair, errors))
        want = with_every_reflection(errors, 0.1, cut_after)
        gap = np.abs(got.difference[0] - want).max()
        truth(
            kernel="twin.pair_ripple.ripple",
            against="100 cells by the star product, every reflection, widths off by 1 %",
            found=float(gap / np.abs(want - bare).max()),
            allowed=0.1,
            unit="of the ripple",
        )
        missing.append(gap)
    assert missing[0] < 0.3 * missing[1]


def test_ripple_beyond_a_cut_is_gone() -> None:
    pair = sample(0.5)
    errors = width_errors(0.5, spread=0.02, memory_m=5e-3, generator=np.random.default_rng(3))
    errors[:300] = 0.0
    cut = pair_faults.cut(0.25, 2, gap_f=0.0)
    with_ripple = reflected(pair, END, cut, z_ref_ohm=50.0, ripple=ripple(pair, errors))
    assert np.abs(
        with_ripple.difference - reflected(pair, END, cut, z_ref_ohm=50.0).difference
    ).max() < 1e-9  # fmt: skip


def test_ripple_does_not_depend_on_where_a_sound_pair_is_asked() -> None:
    pair = sample(0.5, s=DAMPED)
    errors = width_errors(0.5, spread=0.01, memory_m=5e-3, generator=np.random.default_rng(3))
    got = reflected(pair, END, pair_faults.sound(np.linspace(0, 0.5, 9)), z_ref_ohm=50.0,
                    ripple=ripple(pair, errors)).difference  # fmt: skip
    shown = steps(DAMPED, got, RISE_S)
    assert np.abs(shown - shown[0]).max() < 5e-6


@given(
    at_m=st.floats(0.0, 0.6), lane=st.integers(0, 2), kind=st.integers(0, 5),
    size=st.floats(-3.0, 3.0), share=st.sampled_from([0.0, 0.01, 0.1]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_fault_gives_more_than_it_gets(
    at_m: float, lane: int, kind: int, size: float, share: float
) -> None:
    x = 10.0**size
    faults = (
        pair_faults.nick(at_m, lane, ohm=x, henry=x * 1e-10),
        pair_faults.probe(at_m, lane, farad=x * 1e-13, leak_ohm=x, henry=x * 1e-10),
        pair_faults.bridge(at_m, ohm=x, henry=x * 1e-10),
        pair_faults.cut(at_m, lane, gap_f=x * 1e-15, fringe_f=x * 1e-15),
        pair_faults.jumper(at_m, lane, span_m=(0.6 - at_m) / 2, ohm=x, henry=x * 1e-10),
        pair_faults.dummy(at_m, z=x, loss=1.0 + abs(size), delay=1.1),
    )[kind]
    got = reflected(sample(0.6, share), END, faults, z_ref_ohm=50.0)
    power = np.abs(got.difference) ** 2 + np.abs(got.common) ** 2
    assert power.max() < 1.0 + 1e-9


def test_direct_current_sees_resistances() -> None:
    got = reflected(sample(0.6), END, pair_faults.nick(0.1, 0, ohm=7.0, henry=0.0), z_ref_ohm=50.0)
    r_dc = BOARD.metal.resistivity_ohm_m / (1e-4 * BOARD.copper_m) * 0.6
    loop = 2 * r_dc + 7.0 + END.between_ohm
    assert got.difference[0, 0].real == pytest.approx((loop - 100.0) / (loop + 100.0), abs=1e-6)


def test_crossing_traces_slow_the_pair_and_lower_its_impedance() -> None:
    alone = buried(BOARD, (1e-4,), (), S)
    bare, loaded = (
        pair_of(S, buried(BOARD, (1e-4, 1e-4), (1e-4,), S, more), alone, 0.1)
        for more in (0.0, 5e-11)
    )
    ratio = loaded.gamma_1_m[1, 40].imag / bare.gamma_1_m[1, 40].imag
    assert ratio > 1.1
    assert odd_ohm(loaded, 2e9) * ratio == pytest.approx(odd_ohm(bare, 2e9), rel=0.02)


@pytest.mark.parametrize("length_m", [0.0, -1.0, math.nan, math.inf])
def test_lengths_that_cannot_be(length_m: float) -> None:
    with pytest.raises(InputError, match="Remedy"):
        sample(length_m)


@pytest.mark.parametrize("rise_s", [1e-12, 0.0, -1e-10, math.nan])
def test_rise_times_beyond_the_band(rise_s: float) -> None:
    with pytest.raises(InputError, match="Remedy"):
        steps(DAMPED, np.zeros((1, F_HZ.size), dtype=np.complex128), rise_s)


def test_a_ripple_of_another_pair() -> None:
    other = sample(0.2, s=FINE)
    wrong = ripple(other, np.zeros(10))
    with pytest.raises(InputError, match="other frequencies"):
        reflected(sample(), END, pair_faults.sound(0.0), z_ref_ohm=50.0, ripple=wrong)


@pytest.mark.parametrize(
    "faults",
    [
        pair_faults.nick(math.nan, 0, ohm=1.0, henry=0.0),
        pair_faults.nick(0.1, 0, ohm=math.nan, henry=0.0),
        pair_faults.nick(0.1, 0, ohm=-1.0, henry=0.0),
        pair_faults.bridge(0.1, ohm=0.0),
        pair_faults.sound(0.7),
        pair_faults.jumper(0.5, 2, span_m=0.2, ohm=0.1, henry=0.0),
        np.zeros((3, 5)),
    ],
)
def test_faults_that_cannot_be(faults: Real) -> None:
    with pytest.raises(InputError, match="Remedy"):
        reflected(sample(), END, faults, z_ref_ohm=50.0)


def test_other_input_that_cannot_be() -> None:
    with pytest.raises(InputError):
        Termination(between_ohm=0.0)
    with pytest.raises(InputError):
        laplace_of(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(InputError):
        pair_faults.nick(0.1, 3, ohm=1.0, henry=0.0)
    with pytest.raises(InputError):
        pair_faults.nick_henry(squares=1.0, width_m=1e-4, depth_m=1e-4)
    with pytest.raises(InputError):
        reflected(sample(), END, pair_faults.sound(0.0), z_ref_ohm=math.nan)
    with pytest.raises(InputError):
        width_errors(1.0, spread=math.nan, memory_m=1e-3, generator=np.random.default_rng(0))
    with pytest.raises(InputError):
        sample(0.6, 0.7)
